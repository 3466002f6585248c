// Package rps is the customer's server: it registers users, hands out the
// customer's half of their secrets and time permits, and is the M-Pin server
// that judges their logins.
//
// A [Server] has two handlers, each for a listener of its own: [Server.Public]
// for clients, under the prefix /rps, and [Server.Private] for the relying
// party application alone. What it must remember is in a store.Store, so that
// any number of instances on one store are one server. Only s·Q, which it
// gathers from the D-TAs when it starts, and two caches are its own.
//
// # A login
//
// Pass 1 is kept for 15 s, the latest of an identity wins. Pass 2 turns it
// into a login, which authOTT stands for during 60 s and which nobody has
// judged yet. Redeeming authOTT judges it: an attempt is reserved, the proof
// verified, the attempt settled durably, and only then is the verdict told.
// See [Lockout] for what counts towards the block of an identity.
package rps

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/quorum"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// Shares gathers from the D-TAs, and checks what it gathers: *quorum.Quorum.
// hashID is hash_mpin_id in hex.
type Shares interface {
	// ServerSecret returns s·Q.
	ServerSecret(ctx context.Context) (*protocol.ServerSecret, error)
	// ClientHalf returns the customer's half of s·A.
	ClientHalf(ctx context.Context, hashID string, mobile bool) (*quorum.ClientHalf, error)
	// PermitHalf returns the customer's half of s·A_T for today.
	PermitHalf(ctx context.Context, hashID string) (*quorum.PermitHalf, error)
}

var _ Shares = (*quorum.Quorum)(nil)

// Config is how a server is to work. Suite, Store, Shares, AppID, AppKey and
// BaseURL are needed.
type Config struct {
	// Suite must have time permits.
	Suite  *protocol.Suite
	Logger *slog.Logger     // nil: logs nothing
	Now    func() time.Time // nil: time.Now
	Rand   io.Reader        // safe for concurrent use; nil: the system's

	Store  store.Store
	Shares Shares
	// AppID and AppKey are the application's registration with the API.
	AppID, AppKey string

	// BaseURL is where clients find Public: scheme, host and the prefix /rps,
	// without a slash at the end.
	BaseURL string
	// CertivoxURL is the D-TA proxy's URL and PermitStorageURL that of the
	// permits' storage, for clients.
	CertivoxURL, PermitStorageURL string
	// AuthenticateURL is where clients log in with the application, and
	// MobileAuthenticateURL where phones bring their logins; the default is
	// this server.
	AuthenticateURL, MobileAuthenticateURL string
	// VerifyURL is asked before a registration and PermitURL before a permit;
	// both are the application's. An empty one agrees.
	VerifyURL, PermitURL string
	// RedirectURL is told to browsers that wait for a phone.
	RedirectURL string
	// Transport is for calls to the application; nil has a pool of its own.
	Transport http.RoundTripper

	// ShareKeys and Threshold are for clients that check shares.
	ShareKeys []wire.ShareKey
	Threshold int

	// MaxAttempts is the number of failures that blocks; 0 means 3.
	MaxAttempts int
	// Lockout is the policy; "" is the dialect's own, see [Lockout].
	Lockout Lockout
	// UnprovedAllowance is how many failures a day of one identity may be
	// without a PIN error and without a proof of binding; 0 means 20.
	UnprovedAllowance int
	// PINDigits are the lengths of PIN that users may have, 4 to 6 where zero,
	// 8 at most. Errors of longer ones are not told from strangers' attempts.
	PINDigits wire.PINDigits
	// Lease is how long judging one login may take, 0 means 30 s.
	Lease time.Duration
	// FailureTime hides how much work a failed login was, see [Lockout]: its
	// answer comes at a multiple of it. 0 means 250 ms, less than 0 none.
	FailureTime time.Duration

	// Batching verifies logins in batches; nil verifies them one by one.
	Batching *protocol.BatchingOptions
	// IdentityCache and ChallengeCache are numbers of entries of about 1 KB
	// each, 0 means 8192 of both.
	IdentityCache, ChallengeCache int

	// RememberU is how long a U is remembered, so that it is not taken twice;
	// 0 means 24 h, since two logins with one x on one day give that day's
	// secret away. Each takes 50 to 250 bytes of the store.
	RememberU time.Duration
	// PhoneWait is how long a phone waits for its browser; 0 means 10 s.
	PhoneWait time.Duration

	RequestOTP    bool
	SetDeviceName bool
	NoWebSocket   bool // tell clients not to use it; it answers all the same

	// Rate limits what each public source asks, by requests and by messages on
	// its WebSockets together. The zero value does not.
	Rate           service.Rate
	TrustedProxies []netip.Prefix
	// Registry takes the metrics; nil makes one. Give the store
	// [StoreObserver] of it.
	Registry *service.Registry
	// Profile serves profiles on the private listener, to this machine.
	Profile bool

	origin string
}

// The times that the protocol fixes.
const (
	registrationLife = time.Hour
	challengeLife    = 15 * time.Second
	loginLife        = 60 * time.Second
	codeLife         = 300 * time.Second
)

// Prefix begins the paths of the public handler.
const Prefix = "/rps"

// Server is one instance of the RPS. It is safe for concurrent use.
type Server struct {
	cfg     Config
	suite   *protocol.Suite
	store   store.Store
	log     *slog.Logger
	random  io.Reader
	caller  *service.Caller
	metrics metrics
	lockout lockout
	logKey  [32]byte
	g1      int // bytes of a point of G1

	identities *identities
	challenges *challenges
	verifier   atomic.Pointer[verifier]
	ready      chan struct{}
	phones     phones

	public, private *service.Service
	socket          socketLimits

	stop    context.Context
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

// New makes a server and begins to gather s·Q, trying again until it has it;
// until then logins are refused with 503.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("rps: %w", err)
	}
	s := &Server{
		cfg:    cfg,
		suite:  cfg.Suite,
		store:  cfg.Store,
		log:    cfg.Logger,
		random: cfg.Rand,
		caller: &service.Caller{Transport: cfg.Transport},
		ready:  make(chan struct{}),
	}
	s.g1, _, _ = cfg.Suite.ID().Sizes()
	if _, err := io.ReadFull(s.random, s.logKey[:]); err != nil {
		return nil, fmt.Errorf("rps: drawing the key of the log: %w", err)
	}
	s.stop, s.cancel = context.WithCancel(context.Background())
	s.metrics = newMetrics(cfg.Registry)
	s.lockout = newLockout(&cfg)
	s.phones.waiting = map[string]*phone{}
	var err error
	if s.identities, err = newIdentities(s.suite, cfg.IdentityCache, &s.metrics); err != nil {
		return nil, fmt.Errorf("rps: %w", err)
	}
	if s.challenges, err = newChallenges(cfg.ChallengeCache); err != nil {
		return nil, fmt.Errorf("rps: %w", err)
	}
	if err := s.route(); err != nil {
		return nil, fmt.Errorf("rps: %w", err)
	}
	s.workers.Go(s.gather)
	return s, nil
}

func (c *Config) complete() error {
	switch {
	case c.Suite == nil:
		return errors.New("no suite")
	case !c.Suite.ID().TimePermits():
		return fmt.Errorf("suite %s has no time permits, by which users are revoked", c.Suite.ID())
	case c.Store == nil:
		return errors.New("no store")
	case c.Shares == nil:
		return errors.New("no D-TAs")
	case c.AppID == "" || c.AppKey == "":
		return errors.New("no application")
	case c.BaseURL == "":
		return errors.New("no base URL")
	case c.MaxAttempts < 0 || c.UnprovedAllowance < 0:
		return errors.New("a negative number of attempts")
	}
	setDefault(&c.Logger, slog.New(slog.DiscardHandler))
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	var err error
	if c.origin, err = origin(c.BaseURL); err != nil {
		return err
	}
	if c.CertivoxURL != "" && !strings.HasSuffix(c.CertivoxURL, "/") {
		c.CertivoxURL += "/"
	}
	setDefault(&c.MobileAuthenticateURL, c.BaseURL+"/authenticate")
	setDefault(&c.MaxAttempts, 3)
	setDefault(&c.UnprovedAllowance, 20)
	setDefault(&c.PINDigits, wire.PINDigits{Min: 4, Max: 6})
	if d := c.PINDigits; d.Min < 1 || d.Max < d.Min || d.Max > 8 {
		return fmt.Errorf("PINs of %d to %d digits: at most 8", d.Min, d.Max)
	}
	setDefault(&c.Lease, 30*time.Second)
	setDefault(&c.FailureTime, 250*time.Millisecond)
	setDefault(&c.IdentityCache, 8192)
	setDefault(&c.ChallengeCache, 8192)
	setDefault(&c.RememberU, 24*time.Hour)
	setDefault(&c.PhoneWait, 10*time.Second)
	setDefault(&c.Registry, service.NewRegistry())
	if c.Lockout == "" {
		c.Lockout = LockoutToken
		if c.Suite.ID().Dialect == protocol.Milagro {
			c.Lockout = LockoutAny
		}
	}
	return c.Lockout.check(c.Suite)
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// gather gets s·Q.
func (s *Server) gather() {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		secret, err := s.cfg.Shares.ServerSecret(s.stop)
		if err == nil {
			var v *verifier
			if v, err = s.newVerifier(secret); err == nil {
				s.verifier.Store(v)
				close(s.ready)
				return
			}
		}
		if s.stop.Err() != nil {
			return
		}
		s.log.LogAttrs(s.stop, slog.LevelWarn, "server secret not gathered", slog.String("cause", err.Error()))
		select {
		case <-s.stop.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Ready is closed once logins can be judged.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Public returns the handler for clients; its paths begin with [Prefix].
func (s *Server) Public() http.Handler { return s.public.Handler() }

// Private returns the handler for the relying party application, which no one
// else may reach.
func (s *Server) Private() http.Handler { return s.private.Handler() }

// Close ends what waits, WebSockets too, and what runs in the background. The
// store is its owner's to close.
func (s *Server) Close() error {
	s.cancel()
	s.workers.Wait()
	if v := s.verifier.Load(); v != nil && v.batching != nil {
		v.batching.Close()
	}
	return nil
}

// ott draws a one-time token.
func (s *Server) ott() (raw [ottSize]byte, err error) {
	if _, err := io.ReadFull(s.random, raw[:]); err != nil {
		return raw, fmt.Errorf("drawing a one-time token: %w", err)
	}
	return raw, nil
}

// unavailable is the answer where the store fails.
func unavailable(cause error) error {
	return &service.Error{
		Status: http.StatusServiceUnavailable, Message: "the service is not available, try again",
		RetryAfter: time.Second, Cause: cause,
	}
}

// who is what logs hold of an identity: a prefix of its hash under a key that
// is this process's own.
func (s *Server) who(hash *[32]byte) slog.Attr {
	m := keyed(s.logKey[:], hash[:])
	return slog.String("user", hex.EncodeToString(m[:4]))
}
