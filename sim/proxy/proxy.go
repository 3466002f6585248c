// Package proxy is the public face of MIRACL's D-TAs in the deployment: it
// checks that a request was signed by an application's RPS, gathers the D-TAs'
// shares, and answers with their sum and the shares with their proofs. Users'
// clients call it, from browsers too.
//
// It is shown hashes of identities only. Of a threshold deployment it gathers
// the half that is left to it ([mpinlab/sim/wire.Halves]) of a set that the RPS
// has signed, so that what it answers is never a whole secret.
//
// It also publishes permits: once it has issued to an identity, its half of the
// identity's permits for today and some days ahead goes to the storage, where
// clients look before they come here. What is published is of no use without
// the RPS's half.
package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/quorum"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// Applications knows the applications' keys: the API's Server, or a [Remote].
type Applications interface {
	// Application returns an application. Error: wire.ErrApplication where
	// there is none; any other says that it cannot be told.
	Application(ctx context.Context, appID string) (*wire.Application, error)
}

// Storage takes the permits that are published: the API's Server, or a
// [Remote].
type Storage interface {
	PutPermit(ctx context.Context, appID string, date protocol.Date, storageID, permit string) error
}

// Config is what a proxy needs. Suite, Applications and Members must be given.
type Config struct {
	Suite  *protocol.Suite
	Logger *slog.Logger
	Now    func() time.Time
	// Applications is asked for an application's key at its first request and
	// then once a minute.
	Applications Applications
	// DefaultApp is the application of a request for permits that names none,
	// which the original's may.
	DefaultApp string
	// Members are the D-TAs behind the proxy: in a threshold deployment all.
	Members []quorum.Member
	// Quorum holds time-outs and the like for asking them.
	Quorum quorum.Config
	// Storage takes permits; nil publishes none.
	Storage Storage
	// Ahead is for how many days after today permits are published; 0 means 1.
	Ahead int
	// Publish is how often it is looked for permits to publish; 0 means 10 min.
	Publish time.Duration
	// MaxIdentities is how many identities permits are published for, the
	// latest; 0 means 100,000, at about 300 bytes each. After a restart the
	// proxy knows those again that have come to it.
	MaxIdentities int
	// MaxApplications is how many applications are kept at hand; 0 means 256.
	MaxApplications int
	Rate            service.Rate
	TrustedProxies  []netip.Prefix
	Registry        *service.Registry
}

// Server is the proxy.
type Server struct {
	c       Config
	service *service.Service
	start   time.Time
	decoy   string
	publish *publisher

	mu   sync.Mutex
	apps map[string]*entry
}

// New makes a proxy and starts to publish.
func New(c Config) (*Server, error) {
	switch {
	case c.Suite == nil || !c.Suite.ID().TimePermits():
		return nil, errors.New("proxy: a suite with time permits is needed: rfc9380/* or milagro/*")
	case c.Applications == nil || len(c.Members) == 0:
		return nil, errors.New("proxy: applications and D-TAs are needed")
	case c.Ahead < 0 || c.Ahead >= wire.MaxPermits:
		return nil, fmt.Errorf("proxy: permits are published 0 to %d days ahead", wire.MaxPermits-1)
	}
	if c.Ahead == 0 {
		c.Ahead = 1
	}
	if c.Publish == 0 {
		c.Publish = 10 * time.Minute
	}
	if c.MaxIdentities == 0 {
		c.MaxIdentities = 100_000
	}
	if c.MaxApplications == 0 {
		c.MaxApplications = 256
	}
	var decoy [32]byte
	if _, err := rand.Read(decoy[:]); err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	svc, err := service.New(service.Options{Name: "proxy", Logger: c.Logger, Now: c.Now, Rate: c.Rate, CORS: true,
		MaxBody: 4 << 10, TrustedProxies: c.TrustedProxies, Registry: c.Registry})
	if err != nil {
		return nil, err
	}
	s := &Server{c: c, service: svc, start: svc.Now(), decoy: hex.EncodeToString(decoy[:]), apps: map[string]*entry{}}
	if c.Storage != nil {
		if s.publish, err = newPublisher(s); err != nil {
			return nil, err
		}
	}
	svc.Handle("GET /clientSecret", s.clientSecret)
	svc.Handle("GET /serverSecret", s.serverSecret)
	svc.Handle("GET /timePermits", s.timePermits)
	svc.Handle("GET /timePermit", s.timePermit)
	return s, nil
}

// Handler answers the proxy's requests.
func (s *Server) Handler() http.Handler { return s.service.Handler() }

// Close ends publishing and the asking for D-TAs' status.
func (s *Server) Close() error {
	if s.publish != nil {
		s.publish.close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, e := range s.apps {
		e.close()
		delete(s.apps, id)
	}
	return nil
}

func (s *Server) clientSecret(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app, err := s.application(r.Context(), q["app_id"])
	if err != nil {
		return err
	}
	hash, set, err := q.CheckClientSecret(app.key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	if err := app.checkRest(q, set); err != nil {
		return err
	}
	service.Note(w, slog.String("app", app.id), slog.String("idHash", hash[:8]))
	h, err := app.quorum.ClientRest(r.Context(), set, hash, q["hash_user_id"], q["mobile"] == "1")
	if err != nil {
		return refusal(err)
	}
	s.publish.add(app.id, hash)
	return service.WriteJSON(w, http.StatusOK, wire.ClientSecretAnswer{ClientSecret: h.Share, Message: "OK", Shares: h.Shares})
}

func (s *Server) serverSecret(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app, err := s.application(r.Context(), q["app_id"])
	if err != nil {
		return err
	}
	set, err := q.CheckServerSecret(app.key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	if err := app.checkRest(q, set); err != nil {
		return err
	}
	service.Note(w, slog.String("app", app.id))
	h, err := app.quorum.ServerRest(r.Context(), set)
	if err != nil {
		return refusal(err)
	}
	return service.WriteJSON(w, http.StatusOK, wire.ServerSecretAnswer{ServerSecret: h.Share,
		StartTime: s.start.UnixMilli(), Message: "OK", Shares: h.Shares})
}

func (s *Server) timePermit(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app, err := s.permitApplication(r.Context(), q)
	if err != nil {
		return err
	}
	hash, set, err := q.CheckPermit(app.id, app.key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	list, err := s.permits(w, r, app, q, set, hash, 1)
	if err != nil {
		return err
	}
	return service.WriteJSON(w, http.StatusOK, wire.PermitAnswer{TimePermit: list[0].Share, Date: int(list[0].Date),
		Message: "OK", Shares: list[0].Shares})
}

func (s *Server) timePermits(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app, err := s.permitApplication(r.Context(), q)
	if err != nil {
		return err
	}
	hash, count, set, err := q.CheckPermits(app.id, app.key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	list, err := s.permits(w, r, app, q, set, hash, count)
	if err != nil {
		return err
	}
	a := wire.PermitsAnswer{TimePermits: map[string]string{}, Message: "OK", Shares: map[string][]wire.ProvedShare{}}
	for _, h := range list {
		date := strconv.Itoa(int(h.Date))
		a.TimePermits[date], a.Shares[date] = h.Share, h.Shares
	}
	return service.WriteJSON(w, http.StatusOK, a)
}

func (s *Server) permits(w http.ResponseWriter, r *http.Request, app *entry, q wire.Query, set wire.Set, hash string, count int) ([]quorum.DatedHalf, error) {
	if err := app.checkRest(q, set); err != nil {
		return nil, err
	}
	service.Note(w, slog.String("app", app.id), slog.String("idHash", hash[:8]))
	list, err := app.quorum.PermitsRest(r.Context(), set, hash, count)
	if err != nil {
		return nil, refusal(err)
	}
	s.publish.add(app.id, hash)
	return list, nil
}

// permitApplication finds the application of a request for permits, which need
// not name it.
func (s *Server) permitApplication(ctx context.Context, q wire.Query) (*entry, error) {
	if id, named := q["app_id"]; named {
		return s.application(ctx, id)
	}
	return s.application(ctx, s.c.DefaultApp)
}

// refusal maps the quorum's errors: a set that is none is the request's fault,
// everything else the D-TAs'.
func refusal(err error) error {
	var f *quorum.Fault
	switch {
	case errors.Is(err, quorum.ErrSet):
		return service.Refusal(http.StatusForbidden, "not a set of this deployment's D-TAs", err)
	case errors.As(err, &f):
		return service.Refusal(http.StatusInternalServerError, "D-TA "+strconv.Itoa(f.DTA)+" sent a wrong share", err)
	case errors.Is(err, quorum.ErrUnavailable):
		return service.Refusal(http.StatusInternalServerError, "too few D-TAs issue; begin again", err)
	}
	return err
}
