// Package dta is a Distributed Trusted Authority of the deployment: a server
// that holds one share of each application's master secret and issues shares of
// client secrets, server secrets and time permits to whoever signs with the
// application's key.
//
// It is shown hashes of identities only. Its listener is for the RPS or the
// proxy, not for users: in the original's form a request for permits has no
// expiry, and a user whom the RPS refuses could go on using an old one. In a
// threshold deployment, where every request comes from our servers, that form
// is refused.
package dta

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// Config is what a D-TA needs. Suite and Index must be given.
type Config struct {
	Suite *protocol.Suite
	// Index is the D-TA's in every application that it serves, from 1.
	Index  int
	Logger *slog.Logger
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Rand is where proofs and new shares are drawn from; nil is the system's
	// source. It must be safe for concurrent use.
	Rand io.Reader
	// Applications are served from the start, beside those of the keystore.
	Applications []*Application
	// Keystore, if not nil, is read at the start and keeps the applications
	// that are added later.
	Keystore Keystore
	// AdminToken lets the API add applications; empty lets nobody.
	AdminToken string
	// MaxApplications is the greatest number of applications; 0 means 4096.
	MaxApplications int
	// Rate limits each source; the zero value does not.
	Rate service.Rate
	// Registry takes the metrics; nil makes one.
	Registry *service.Registry
}

// Server is a D-TA.
type Server struct {
	c       Config
	service *service.Service
	start   time.Time
	decoy   string // the key of applications that are not known
	adding  sync.Mutex
	apps    atomic.Pointer[map[string]*Application]
	issued  struct{ clients, servers, permits *service.Counter }
}

var (
	// ErrExists: an application that the D-TA serves already.
	ErrExists = errors.New("application exists already")
	// ErrFull: the D-TA serves as many applications as it may.
	ErrFull = errors.New("too many applications")
)

// New makes a D-TA and reads its keystore.
func New(c Config) (*Server, error) {
	if c.Suite == nil || !c.Suite.ID().TimePermits() {
		return nil, errors.New("dta: a suite with time permits is needed: rfc9380/* or milagro/*")
	}
	if c.Index < 1 || c.Index > wire.MaxMembers {
		return nil, fmt.Errorf("dta: the index of a D-TA is 1 to %d, not %d", wire.MaxMembers, c.Index)
	}
	if c.MaxApplications == 0 {
		c.MaxApplications = 4096
	}
	var decoy [32]byte
	if _, err := rand.Read(decoy[:]); err != nil {
		return nil, fmt.Errorf("dta: %w", err)
	}
	s := &Server{c: c, decoy: hex.EncodeToString(decoy[:])}
	s.apps.Store(&map[string]*Application{})
	var err error
	s.service, err = service.New(service.Options{
		Name: "dta" + strconv.Itoa(c.Index), Logger: c.Logger, Now: c.Now, Rate: c.Rate, Private: true,
		MaxBody: 4 << 10, Registry: c.Registry, Status: s.status,
	})
	if err != nil {
		return nil, err
	}
	s.start = s.service.Now()
	for _, a := range c.Applications {
		if err := s.add(a); err != nil {
			return nil, fmt.Errorf("dta: %w", err)
		}
	}
	if c.Keystore != nil {
		kept, err := LoadApplications(context.Background(), c.Suite, c.Keystore)
		if err != nil {
			return nil, fmt.Errorf("dta: %w", err)
		}
		for _, a := range kept {
			if err := s.add(a); err != nil && !errors.Is(err, ErrExists) {
				return nil, fmt.Errorf("dta: %w", err)
			}
		}
	}
	const name, help = "mpin_dta_issued_total", "Shares issued; a permit of each day counts."
	server := []string{"server", "dta" + strconv.Itoa(c.Index), "kind"}
	count := func(kind string) *service.Counter {
		return s.service.Registry().Counter(name, help, append(server[:3:3], kind)...)
	}
	s.issued.clients, s.issued.servers, s.issued.permits = count("client"), count("server"), count("permit")

	s.service.Handle("GET /clientSecret", s.clientSecret)
	s.service.Handle("GET /serverSecret", s.serverSecret)
	s.service.Handle("GET /timePermits", s.timePermits)
	s.service.Handle("GET /timePermit", s.timePermit)
	s.service.Handle("POST /applications", s.newApplication)
	return s, nil
}

// Handler answers the D-TA's requests.
func (s *Server) Handler() http.Handler { return s.service.Handler() }

// Close releases what the D-TA holds.
func (s *Server) Close() error { return nil }

// ShareKey returns the key of the D-TA's share for an application. It reports
// whether the application is known.
func (s *Server) ShareKey(appID string) (wire.ShareKey, bool) {
	a := (*s.apps.Load())[appID]
	if a == nil {
		return wire.ShareKey{}, false
	}
	return shareKey(a), true
}

func shareKey(a *Application) wire.ShareKey {
	return wire.ShareKey{DTA: a.Issuer.Index(), Key: hex.EncodeToString(a.Issuer.Key().Bytes())}
}

// Add serves an application from now on and keeps it in the keystore first.
// Errors: ErrExists, ErrFull, wire.ErrMalformed, protocol.ErrSuiteMismatch, the
// keystore's.
func (s *Server) Add(ctx context.Context, a *Application) error {
	s.adding.Lock()
	defer s.adding.Unlock()
	if err := s.addable(a); err != nil {
		return err
	}
	if s.c.Keystore != nil {
		if err := a.Save(ctx, s.c.Keystore); err != nil {
			return err
		}
	}
	return s.add(a)
}

func (s *Server) addable(a *Application) error {
	apps := *s.apps.Load()
	switch {
	case a.Issuer == nil || !a.Issuer.Key().Suite().Same(s.c.Suite):
		return fmt.Errorf("application %s: %w", a.ID, protocol.ErrSuiteMismatch)
	case a.Issuer.Index() != s.c.Index:
		return fmt.Errorf("application %s: %w: it is of D-TA %d, not %d", a.ID, ErrKeystore, a.Issuer.Index(), s.c.Index)
	case apps[a.ID] != nil:
		return fmt.Errorf("%w: %s", ErrExists, a.ID)
	case len(apps) >= s.c.MaxApplications:
		return ErrFull
	}
	return a.check()
}

func (s *Server) add(a *Application) error {
	if err := s.addable(a); err != nil {
		return err
	}
	apps := maps.Clone(*s.apps.Load())
	apps[a.ID] = a
	s.apps.Store(&apps)
	return nil
}

// application finds the application of a request. Where a request names none,
// as the original's for permits, it is the one that signed it, or the only one
// that there is. An application that is not known has a key under which no
// signature holds.
func (s *Server) application(q wire.Query) *Application {
	apps := *s.apps.Load()
	id, named := q["app_id"]
	if !named {
		for _, a := range apps {
			if len(apps) == 1 || wire.Verify(a.Key, q["signature"], wire.PermitParts(a.ID, q["hash_mpin_id"], "")...) == nil {
				return a
			}
		}
	}
	if a := apps[id]; a != nil {
		return a
	}
	return &Application{ID: id, Key: s.decoy}
}

func (s *Server) status(r *http.Request) (any, error) {
	a := wire.DTAStatus{Status: "OK", Suite: s.c.Suite.ID().String(), DTA: s.c.Index, StartTime: s.start.UnixMilli()}
	apps := *s.apps.Load()
	app := apps[r.URL.Query().Get("app_id")]
	if app == nil && len(apps) == 1 {
		for _, app = range apps {
		}
	}
	if app != nil {
		a.Threshold, a.Key = app.Issuer.Threshold(), shareKey(app)
	}
	return a, nil
}
