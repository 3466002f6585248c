// Package api is the registration service of the deployment: it registers
// applications, tells their servers the settings and the time, and is the
// storage that clients fetch published permits from.
//
// Applications are registered by whoever has the administrator's token, or asks
// from where [Config.Internal] says, and the answer is the only one that holds the application's key. The proxy asks for
// applications' keys, and publishes permits, over authenticated requests of its
// own (the service token), so that the two may run as processes apart; within
// one process it can be handed the Server itself, which has the same methods.
package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// ErrExists: the application is registered with another key.
var ErrExists = errors.New("application exists with another key")

// Config is what the API needs. Store, CertivoxURL and StorageURL must be given.
type Config struct {
	Suite  *protocol.Suite
	Logger *slog.Logger
	Now    func() time.Time
	// Rand is where IDs and keys are drawn from; nil is the system's source.
	Rand io.Reader
	// Store keeps applications and permits.
	Store store.Store
	// AdminToken lets its bearer register applications, ServiceToken the proxy
	// read them and publish permits. An empty one lets nobody.
	AdminToken, ServiceToken string
	// Internal are sources that may register applications without a token, if
	// no proxy stands between and no page of a browser asks; nil is nobody.
	Internal []netip.Prefix
	// CertivoxURL is the proxy's, with a slash at the end, and StorageURL is
	// this server's address with "/permits", both as clients reach them.
	CertivoxURL, StorageURL string
	// DTAs are the D-TAs behind the proxy, asked with DTAToken for a share of
	// each new application's master secret. Without any, a registered
	// application has no D-TAs yet.
	DTAs     []string
	DTAToken string
	// Threshold is that of the deployment's D-TAs, 0 where they are additive.
	// Those of a threshold deployment take no further applications so: 409.
	Threshold int
	// Transport is for the requests to them; nil is service.Caller's.
	Transport http.RoundTripper
	// MaxPermits is how many permits are kept for one day; 0 means 1,000,000.
	MaxPermits int
	Rate       service.Rate
	Registry   *service.Registry
}

// Server is the API.
type Server struct {
	c       Config
	service *service.Service
	call    service.Caller

	mu     sync.Mutex
	counts map[protocol.Date]int // permits kept since the start, by day
	kept   *service.Counter
}

// New makes the API.
func New(c Config) (*Server, error) {
	switch {
	case c.Store == nil:
		return nil, errors.New("api: no store")
	case c.StorageURL == "" || c.CertivoxURL == "" || !strings.HasSuffix(c.CertivoxURL, "/"):
		return nil, errors.New("api: StorageURL, and CertivoxURL with a slash at its end, are needed")
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.MaxPermits == 0 {
		c.MaxPermits = 1_000_000
	}
	svc, err := service.New(service.Options{Name: "api", Logger: c.Logger, Now: c.Now, Rate: c.Rate, CORS: true,
		Registry: c.Registry})
	if err != nil {
		return nil, err
	}
	s := &Server{c: c, service: svc, call: service.Caller{Transport: c.Transport}, counts: map[protocol.Date]int{}}
	s.kept = svc.Registry().Counter("mpin_api_permits_total", "Permits taken into the storage.")
	svc.HandleRead("/apiSettings", s.settings)
	svc.HandleRead("/time", s.time)
	svc.Handle("POST /applications", s.register)
	svc.HandleRead("/applications/{appID}", s.application)
	svc.HandleRead("/permits/{appID}/{date}/{storageID}", s.permit)
	svc.Handle("PUT /permits/{appID}/{date}/{storageID}", s.putPermit)
	return s, nil
}

// Handler answers the API's requests.
func (s *Server) Handler() http.Handler { return s.service.Handler() }

// Close releases what the API holds; the store is its owner's.
func (s *Server) Close() error { return nil }

// Application returns a registered application. Errors: wire.ErrApplication, the
// store's.
func (s *Server) Application(ctx context.Context, appID string) (*wire.Application, error) {
	if wire.CheckAppID(appID) != nil {
		return nil, wire.ErrApplication
	}
	r, err := s.c.Store.Do(ctx, store.Get(store.Application, appID))
	if err != nil {
		return nil, err
	}
	if !r[0].OK {
		return nil, wire.ErrApplication
	}
	var a wire.Application
	if err := json.Unmarshal(r[0].Value, &a); err != nil {
		return nil, fmt.Errorf("application %s: %w", appID, err)
	}
	return &a, nil
}

// Adopt registers an application whose ID and key there are already, as when a
// deployment is set up. Adopting it again changes nothing but its D-TAs' keys
// and name. Errors: ErrExists, wire.ErrMalformed, the store's.
func (s *Server) Adopt(ctx context.Context, a wire.Application) error {
	if err := wire.CheckAppID(a.AppID); err != nil {
		return err
	}
	if a.AppKey == "" || len(a.AppKey) > wire.MaxApplication || len(a.Name) > wire.MaxApplication {
		return fmt.Errorf("%w: an application's key or name", wire.ErrMalformed)
	}
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("application %s: %w", a.AppID, err)
	}
	for range 8 {
		r, err := s.c.Store.Do(ctx, store.Create(store.Application, a.AppID, b, 0), store.Get(store.Application, a.AppID))
		if err != nil {
			return err
		}
		var old wire.Application
		if err := json.Unmarshal(r[1].Value, &old); err != nil {
			return fmt.Errorf("application %s: %w", a.AppID, err)
		}
		if wire.Verify(old.AppKey, wire.Sign(a.AppKey, "same"), "same") != nil {
			return fmt.Errorf("%w: %s", ErrExists, a.AppID)
		}
		if slices.Equal(r[1].Value, b) {
			return nil
		}
		if ok, err := s.c.Store.Swap(ctx, store.Application, a.AppID, r[1].Value, b); ok || err != nil {
			return err
		}
	}
	return fmt.Errorf("application %s: %w: it keeps changing", a.AppID, store.ErrUnavailable)
}

func (s *Server) settings(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	key := ""
	switch a, err := s.Application(r.Context(), q["app_id"]); {
	case err == nil:
		key = a.AppKey
	case !errors.Is(err, wire.ErrApplication):
		return unavailable(err)
	default:
		// A key that nobody knows: what is missing is told first.
		if key, err = s.random(32); err != nil {
			return err
		}
	}
	if err := q.CheckSettings(key, s.service.Now()); err != nil {
		return service.BadQuery(err)
	}
	return service.WriteJSON(w, http.StatusOK, wire.APISettings{
		TimePermitsStorageURL: s.c.StorageURL, CertivoxURL: s.c.CertivoxURL, Message: "OK",
	})
}

func (s *Server) time(w http.ResponseWriter, r *http.Request) error {
	return service.WriteJSON(w, http.StatusOK, wire.APITime{Time: s.service.Now().UTC().Format(wire.TimeLayout)})
}

// register makes an application: its D-TAs draw their shares first, so that one
// that is registered can be used.
func (s *Server) register(w http.ResponseWriter, r *http.Request) error {
	if !service.Bearer(r, s.c.AdminToken) && !s.internal(r) {
		return service.Refuse(http.StatusUnauthorized, "not allowed")
	}
	var req wire.ApplicationRequest
	if err := service.ReadJSON(r, 4<<10, &req); err != nil && r.ContentLength != 0 {
		return service.BadBody(http.StatusBadRequest, err)
	}
	if len(req.Name) > wire.MaxApplication {
		return service.Refuse(http.StatusBadRequest, "the name is too long")
	}
	id, err := s.random(16)
	if err != nil {
		return err
	}
	key, err := s.random(32)
	if err != nil {
		return err
	}
	a := wire.Application{AppID: id, AppKey: key, Name: req.Name, Threshold: s.c.Threshold}
	for _, url := range s.c.DTAs {
		k, err := s.share(r.Context(), url, a)
		var e *service.StatusError
		if errors.As(err, &e) && e.Status == http.StatusConflict {
			return service.Refusal(http.StatusConflict, e.Message, err)
		}
		if err != nil {
			return service.Refusal(http.StatusInternalServerError, "a D-TA did not take the application", err)
		}
		a.ShareKeys = append(a.ShareKeys, k)
	}
	if err := s.Adopt(r.Context(), a); err != nil {
		return unavailable(err)
	}
	service.Note(w, slog.String("app", id))
	return service.WriteJSON(w, http.StatusOK, wire.ApplicationAnswer{
		AppID: id, AppKey: key, CertivoxURL: s.c.CertivoxURL, ShareKeys: a.ShareKeys, Message: "OK",
	})
}

// internal tells whether one of the operator's own programs asks.
func (s *Server) internal(r *http.Request) bool {
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "Origin", "Sec-Fetch-Site"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(s.c.Internal, func(p netip.Prefix) bool { return p.Contains(peer.Addr().Unmap()) })
}

// share has a D-TA draw its share for an application.
func (s *Server) share(ctx context.Context, url string, a wire.Application) (k wire.ShareKey, err error) {
	b, err := service.Marshal(a)
	if err != nil {
		return k, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/applications", strings.NewReader(string(b)))
	if err != nil {
		return k, service.ErrUnreachable
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.c.DTAToken)
	err = s.call.Do(req, &k)
	return k, err
}

// application tells the proxy an application's key.
func (s *Server) application(w http.ResponseWriter, r *http.Request) error {
	if !service.Bearer(r, s.c.ServiceToken) {
		return service.Refuse(http.StatusUnauthorized, "not allowed")
	}
	a, err := s.Application(r.Context(), r.PathValue("appID"))
	if errors.Is(err, wire.ErrApplication) {
		return service.Refuse(http.StatusNotFound, "unknown application")
	}
	if err != nil {
		return unavailable(err)
	}
	return service.WriteJSON(w, http.StatusOK, a)
}

func (s *Server) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.c.Rand, b); err != nil {
		return "", fmt.Errorf("random: %w", err)
	}
	return hex.EncodeToString(b), nil
}

func unavailable(err error) error {
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrFull) {
		return service.Refusal(http.StatusServiceUnavailable, "try again later", err)
	}
	return err
}
