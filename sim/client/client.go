package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/sim/client/internal/http"
	"mpinlab/sim/wire"
)

// DefaultSuite is the suite of a deployment that does not name its own: that of
// the deployed Milagro servers.
const DefaultSuite = "milagro/bn254cx"

// DefaultTimeout is how long a request may take, its answer's body included.
const DefaultTimeout = 10 * time.Second

// Options say how a client works. Only Suites is required.
type Options struct {
	// Suites makes the suite with a given name; see SuitesOf.
	Suites func(protocol.SuiteID) (*protocol.Suite, error)
	// Suite is the name to use where the deployment does not tell its own;
	// empty is DefaultSuite.
	Suite string
	// Transport carries the requests; nil is a pool of the client's own, or
	// fetch in a browser.
	Transport http.RoundTripper
	// WebSocket logs in over a WebSocket where the deployment offers one, and
	// falls back to plain requests after FallBack.
	WebSocket bool
	// Timeout is the time for one request; 0 is DefaultTimeout.
	Timeout time.Duration
	// ShareKeys are the D-TAs' keys, and Threshold how many D-TAs issue
	// together, 0 for all. They are taken in place of those in the
	// deployment's settings. Keys from the settings guard against a D-TA that
	// lies; only keys that were had in another way guard also against an RPS
	// that does.
	ShareKeys []wire.ShareKey
	Threshold int
	// Rand is the source of secrets, safe for concurrent use; nil is the
	// system's.
	Rand io.Reader
	// Now is the clock, nil the system's. Nothing that a server judges depends
	// on it: dates are the server's.
	Now func() time.Time
	// Trace is told of every step that is over, from the goroutine that took
	// it; nil tells nobody.
	Trace func(Event)
}

// SuitesOf makes suites from the first of the given backends that serves the
// curve. Error: ErrSuite.
func SuitesOf(bs ...backends.Backend) func(protocol.SuiteID) (*protocol.Suite, error) {
	return func(id protocol.SuiteID) (*protocol.Suite, error) {
		for _, b := range bs {
			if b.Info().Curve == id.Curve {
				return protocol.New(id, b)
			}
		}
		return nil, fmt.Errorf("%w: no pairing library for %s is built in", ErrSuite, id)
	}
}

// Client is one deployment as its users see it. It is safe for concurrent use.
type Client struct {
	opt      Options
	base     string
	http     *http.Client
	settings wire.ClientSettings
	links    links
	suite    *protocol.Suite
	// keys are the D-TAs' by index, nil if none are published; threshold is
	// how many issue together, 0 for all.
	keys      map[int]*protocol.ShareKey
	threshold int
	fallBack  time.Duration
	pause     time.Duration // before a request is sent again
	noSocket  atomic.Int64  // until when no WebSocket is tried, ns since the epoch
}

// links are the settings' addresses, absolute.
type links struct {
	register, signature, setupDone, permit, certivox, storage,
	authServer, authenticate, mobile, number, qr, status, access *url.URL
}

// Open reads a deployment's settings. base is where its RPA or RPS is, for
// example https://example.com; the settings are looked for at
// base/rps/clientSettings and base/clientSettings, or at base itself if it ends
// in that name. Errors: ErrAddress, ErrSuite, ErrServer, ErrUnreachable, those of ctx.
func Open(ctx context.Context, base string, opt Options) (*Client, error) {
	if opt.Suites == nil {
		return nil, fmt.Errorf("%w: no suites were given", ErrSuite)
	}
	if opt.Timeout == 0 {
		opt.Timeout = DefaultTimeout
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	c := &Client{opt: opt, base: strings.TrimRight(base, "/"), fallBack: FallBack, pause: retryPause}
	c.http = http.NewClient(opt.Transport)
	if err := c.readSettings(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close gives idle connections back, unless they are of a Transport that was
// given.
func (c *Client) Close() {
	if c.opt.Transport == nil {
		c.http.CloseIdleConnections()
	}
}

// Settings returns what the deployment said of itself.
func (c *Client) Settings() wire.ClientSettings { return c.settings }

// Suite returns the deployment's suite.
func (c *Client) Suite() *protocol.Suite { return c.suite }

// Server returns the base address as it was given, without a slash at its end.
func (c *Client) Server() string { return c.base }

const settingsName = "clientSettings"

// places returns where settings may be.
func places(base string) ([]*url.URL, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return nil, errors.New("not an address")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("not an http or https address")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("an address without user, query or fragment is expected")
	case strings.HasSuffix(u.Path, "/"+settingsName):
		return []*url.URL{u}, nil
	case strings.HasSuffix(u.Path, "/rps"):
		return []*url.URL{u.JoinPath(settingsName)}, nil
	}
	return []*url.URL{u.JoinPath("rps", settingsName), u.JoinPath(settingsName)}, nil
}

func (c *Client) readSettings(ctx context.Context) error {
	at, err := places(c.base)
	if err != nil {
		return fmt.Errorf("%w: %q: %w", ErrAddress, words(c.base), err)
	}
	for _, u := range at {
		err = c.get(ctx, StepSettings, u, &c.settings)
		var status *StatusError
		if err == nil {
			err = c.adopt(u)
		} else if errors.As(err, &status) && status.Status == http.StatusNotFound {
			continue
		}
		return err
	}
	return err
}

// adopt makes the client work by the settings found at u.
func (c *Client) adopt(u *url.URL) error {
	s := &c.settings
	if err := c.links.read(u, s); err != nil {
		return nonsense(StepSettings, "%w", err)
	}
	name := s.Suite
	if name == "" {
		name = c.opt.Suite
	}
	if name == "" {
		name = DefaultSuite
	}
	id, err := protocol.ParseSuiteID(words(name))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSuite, err)
	}
	if c.suite, err = c.opt.Suites(id); err != nil {
		if errors.Is(err, ErrSuite) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrSuite, err)
	}
	return c.readKeys()
}

// read resolves the addresses that the settings at u name. Those without which
// nobody can register or log in must be there.
func (l *links) read(at *url.URL, s *wire.ClientSettings) error {
	for _, x := range []struct {
		to             **url.URL
		name, text     string
		folder, needed bool
	}{
		{&l.register, "registerURL", s.RegisterURL, false, true},
		{&l.signature, "signatureURL", s.SignatureURL, false, true},
		{&l.setupDone, "setupDoneURL", s.SetupDoneURL, false, true},
		{&l.permit, "timePermitsURL", s.TimePermitsURL, false, true},
		{&l.certivox, "certivoxURL", s.CertivoxURL, true, true},
		{&l.storage, "timePermitsStorageURL", s.TimePermitsStorageURL, false, false},
		{&l.authServer, "mpinAuthServerURL", s.MpinAuthServerURL, false, true},
		{&l.authenticate, "authenticateURL", s.AuthenticateURL, false, false},
		{&l.mobile, "mobileAuthenticateURL", s.MobileAuthenticateURL, false, false},
		{&l.number, "getAccessNumberURL", s.GetAccessNumberURL, false, false},
		{&l.access, "accessNumberURL", s.AccessNumberURL, false, false},
		{&l.qr, "getQrUrl", s.GetQrURL, false, false},
		{&l.status, "codeStatusURL", s.CodeStatusURL, false, false},
	} {
		if x.text == "" {
			if x.needed {
				return fmt.Errorf("no %s", x.name)
			}
			continue
		}
		u, err := at.Parse(x.text)
		if err != nil {
			return fmt.Errorf("%s is not an address", x.name)
		}
		switch secure := u.Scheme == "https" || u.Scheme == "wss"; {
		case u.Host == "" || u.User != nil || !secure && u.Scheme != "http" && u.Scheme != "ws":
			return fmt.Errorf("%s is not an address of the web", x.name)
		case at.Scheme == "https" && !secure:
			return fmt.Errorf("%s leaves TLS", x.name)
		}
		u.Fragment, u.RawFragment = "", ""
		if x.folder {
			// A query would swallow the request that is put behind it.
			u.RawQuery = ""
			u.Path = strings.TrimSuffix(u.Path, "/") + "/"
			u.RawPath = ""
		}
		*x.to = u
	}
	return nil
}

// plain returns the address with the scheme for plain requests, and socket that
// for WebSockets.
func plain(u *url.URL) *url.URL  { return withScheme(u, "http", "https") }
func socket(u *url.URL) *url.URL { return withScheme(u, "ws", "wss") }

func withScheme(u *url.URL, open, secure string) *url.URL {
	v := *u
	v.Scheme = open
	if u.Scheme == "https" || u.Scheme == "wss" {
		v.Scheme = secure
	}
	return &v
}
