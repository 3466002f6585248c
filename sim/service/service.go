// Package service is what every server of a deployment has around its own work:
// routes, refusals, strict JSON, request ids, a log line and metrics for each
// request, limits on bodies and rates, time-outs and a shutdown that drains.
//
// A server makes a [Service] with [New], adds its routes with
// [Service.Handle], and hands out [Service.Handler]; [Serve] puts a handler on a
// listener. A route's function answers with [WriteJSON] or returns an error:
// one of [Refuse] is told to the client, any other is a 500 of which the client
// learns nothing but the request's id.
//
// Logs hold no query strings, bodies or headers: signatures and identities
// travel in them. What a server wants beside its request in the log it adds
// with [Note].
package service

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"mpinlab/sim/wire"
)

// Options say what a Service is for. Only Name is needed.
type Options struct {
	// Name is the server's, in logs and metrics: "rps", "dta".
	Name string
	// Logger gets a line a request; nil logs nothing.
	Logger *slog.Logger
	// Now is the clock, time.Now where nil.
	Now func() time.Time
	// MaxBody is the greatest body of a request in bytes; 0 means
	// wire.MaxBody.
	MaxBody int64
	// Rate limits the requests of each source; the zero value does not.
	Rate Rate
	// Unlimited, if not nil, tells requests of the deployment's own servers,
	// which the rate does not hold up: what they ask for on behalf of many is
	// limited where it comes in.
	Unlimited func(r *http.Request) bool
	// TrustedProxies are the peers whose X-Forwarded-For and X-Request-Id are
	// believed.
	TrustedProxies []netip.Prefix
	// CORS lets pages of any origin call the server. Requests carry no cookies
	// then: Access-Control-Allow-Origin is "*".
	CORS bool
	// Private says that the listener is reached by the operator's own machines
	// only. /metrics answers everybody there; elsewhere it answers loopback.
	Private bool
	// Profile adds /debug/pprof/ for loopback sources. It needs Private.
	Profile bool
	// Status answers /status; nil answers {"status":"OK"}. An error is a 503.
	Status func(r *http.Request) (any, error)
	// Registry takes the metrics; nil makes one. Two listeners of one process
	// may share it: their series have different server labels.
	Registry *Registry
}

// Service is the routes of one listener and what surrounds them. Add all
// routes before the first request.
type Service struct {
	o       Options
	mux     *http.ServeMux
	paths   map[string]*path
	sources *sources
	metrics serviceMetrics
	lost    *route // requests that no route is for

	complete sync.Once
}

// path is what is on a path, by method.
type path struct {
	methods []string
	routes  map[string]*route
}

// Func answers a request or returns why not.
type Func func(w http.ResponseWriter, r *http.Request) error

// New makes a service with the routes /status and /metrics. It fails for
// options that contradict each other.
func New(o Options) (*Service, error) {
	switch {
	case o.Name == "":
		return nil, errors.New("service: no name")
	case o.Profile && !o.Private:
		return nil, errors.New("service: profiles are for private listeners only")
	case o.CORS && o.Private:
		return nil, errors.New("service: pages do not call private listeners")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBody == 0 {
		o.MaxBody = wire.MaxBody
	}
	if o.Registry == nil {
		o.Registry = NewRegistry()
	}
	o.Logger = o.Logger.With("server", o.Name)
	src, err := newSources(o.Rate)
	if err != nil {
		return nil, err
	}
	s := &Service{o: o, mux: http.NewServeMux(), paths: map[string]*path{}, sources: src}
	s.metrics = newServiceMetrics(o.Registry, o.Name)
	s.lost = s.metrics.route("none")
	s.lost.f = func(http.ResponseWriter, *http.Request) error {
		return Refuse(http.StatusNotFound, "no such path")
	}
	s.HandleRead(wire.StatusPath, s.status)
	s.HandleRead(wire.MetricsPath, s.exposition())
	if o.Profile {
		s.profiles()
	}
	return s, nil
}

// Logger returns the service's logger, with its name.
func (s *Service) Logger() *slog.Logger { return s.o.Logger }

// Registry returns the registry for the server's own metrics.
func (s *Service) Registry() *Registry { return s.o.Registry }

// Now returns the time by the service's clock.
func (s *Service) Now() time.Time { return s.o.Now() }

// Handle adds a route. The pattern is one of http.ServeMux with a method, such
// as "PUT /user/{mpinId}". Of several patterns that fit a path the most special
// one is taken, whatever its methods. Other methods on it are 405, OPTIONS is
// 200. HEAD is such another method, also on a GET route: many issue something,
// or use something up.
func (s *Service) Handle(pattern string, f Func) { s.handle(pattern, f) }

// HandleRead adds a GET route that does nothing but read, and so answers HEAD
// too. The pattern has no method.
func (s *Service) HandleRead(pattern string, f Func) {
	rt := s.handle("GET "+pattern, f)
	p := s.paths[pattern]
	p.methods = append(p.methods, http.MethodHead)
	p.routes[http.MethodHead] = rt
}

func (s *Service) handle(pattern string, f Func) *route {
	method, on, ok := strings.Cut(pattern, " ")
	if !ok {
		panic("service: a pattern without a method: " + pattern)
	}
	p := s.paths[on]
	if p == nil {
		p = &path{routes: map[string]*route{}}
		s.paths[on] = p
		s.mux.HandleFunc(on, func(w http.ResponseWriter, r *http.Request) { s.onPath(w, r, p) })
	}
	if p.routes[method] != nil {
		panic("service: a route twice: " + pattern)
	}
	rt := s.metrics.route(pattern)
	rt.f = f
	p.methods = append(p.methods, method)
	p.routes[method] = rt
	return rt
}

func (s *Service) onPath(w http.ResponseWriter, r *http.Request, p *path) {
	if rt := p.routes[cmp.Or(r.Method, http.MethodGet)]; rt != nil {
		s.run(w, r, rt, rt.f)
		return
	}
	s.run(w, r, s.lost, func(w http.ResponseWriter, r *http.Request) error {
		methods := strings.Join(append([]string{http.MethodOptions}, p.methods...), ", ")
		w.Header().Set("Allow", methods)
		if r.Method != http.MethodOptions {
			return Refuse(http.StatusMethodNotAllowed, "this path does not take the method")
		}
		if s.o.CORS {
			w.Header().Set("Access-Control-Allow-Methods", methods)
		}
		w.WriteHeader(http.StatusOK)
		return nil
	})
}

// Handler returns the handler of all routes; add none afterwards.
func (s *Service) Handler() http.Handler {
	s.complete.Do(func() {
		if s.paths["/"] == nil {
			s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.run(w, r, s.lost, s.lost.f) })
		}
	})
	return http.HandlerFunc(s.serve)
}

// serve keeps paths that are not clean from the mux, which would answer them
// with a redirection.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	r = Joined(r)
	if p := r.URL.Path; p == "" || p[0] != '/' || strings.Contains(p, "/.") {
		s.run(w, r, s.lost, s.lost.f)
		return
	}
	if p := r.URL.Path; len(p) > 1 && p[len(p)-1] == '/' {
		if _, pattern := s.mux.Handler(r); pattern == "/" || pattern == "" {
			r = withPath(r, p[:len(p)-1])
		}
	}
	s.mux.ServeHTTP(w, r)
}

// Joined returns a request with single slashes where its path has several:
// clients join addresses that end in one with paths that begin with one.
func Joined(r *http.Request) *http.Request {
	p := r.URL.Path
	if !strings.Contains(p, "//") {
		return r
	}
	b := make([]byte, 0, len(p))
	for i := range len(p) {
		if p[i] != '/' || i == 0 || p[i-1] != '/' {
			b = append(b, p[i])
		}
	}
	return withPath(r, string(b))
}

// withPath returns a request with another path.
func withPath(r *http.Request, path string) *http.Request {
	u := *r.URL
	u.Path, u.RawPath = path, ""
	r2 := *r
	r2.URL = &u
	return &r2
}

// run surrounds a route's function.
func (s *Service) run(w http.ResponseWriter, r *http.Request, rt *route, f Func) {
	start := time.Now() // the duration is real even where the clock is not
	s.metrics.inFlight.Add(1)
	source := s.sources.of(r, s.o.TrustedProxies)
	rw := &responder{ResponseWriter: w, id: requestID(r, source.trusted)}
	h := w.Header()
	h.Set("X-Request-Id", rw.id)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if s.o.CORS {
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "Origin, Content-Type, Accept, Cache-Control, If-Modified-Since, X-Requested-By, X-Requested-With, WWW-Authenticate")
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, X-Request-Id")
		h.Set("Access-Control-Max-Age", "600")
	}
	r = r.WithContext(withRequestID(r.Context(), rw.id))
	defer func() {
		s.metrics.inFlight.Add(-1)
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler { //nolint:errorlint // the sentinel itself is what is thrown
				panic(cause)
			}
			s.o.Logger.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("id", rw.id),
				slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
			if !rw.wrote {
				s.refuse(rw, r, errors.New("panic"))
			}
			rw.level = slog.LevelError
		}
		s.finish(r, rw, rt, source.addr, time.Since(start))
	}()
	if s.o.Unlimited == nil || !s.o.Unlimited(r) {
		if wait, ok := s.sources.allow(source.addr, start); !ok {
			s.refuse(rw, r, &Error{Status: http.StatusTooManyRequests, Message: "too many requests", RetryAfter: wait})
			return
		}
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, s.o.MaxBody)
	}
	if err := f(rw, r); err != nil {
		s.refuse(rw, r, err)
	}
}

// Allow takes one more request of r's source from its rate: for the messages of
// a WebSocket, which r began. It tells whether there was one left.
func (s *Service) Allow(r *http.Request) bool {
	_, ok := s.sources.allow(s.sources.of(r, s.o.TrustedProxies).addr, time.Now())
	return ok
}

// finish counts and logs a request.
func (s *Service) finish(r *http.Request, rw *responder, rt *route, addr netip.Addr, took time.Duration) {
	status := rw.status
	if status == 0 {
		status = http.StatusOK
	}
	rt.observe(status, took)
	level := rw.level
	if status >= 500 {
		level = slog.LevelError
	}
	if !s.o.Logger.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8+len(rw.notes))
	attrs = append(attrs,
		slog.String("id", rw.id),
		slog.String("route", rt.name),
		slog.Int("status", status),
		slog.Int64("micros", took.Microseconds()),
		slog.String("source", addr.String()))
	if rw.cause != nil {
		attrs = append(attrs, slog.String("cause", rw.cause.Error()))
	}
	s.o.Logger.LogAttrs(r.Context(), level, "request", append(attrs, rw.notes...)...)
}

func (s *Service) status(w http.ResponseWriter, r *http.Request) error {
	if s.o.Status == nil {
		return WriteJSON(w, http.StatusOK, struct {
			Status string `json:"status"`
		}{"OK"})
	}
	v, err := s.o.Status(r)
	if err != nil {
		return Refusal(http.StatusServiceUnavailable, "not ready", err)
	}
	return WriteJSON(w, http.StatusOK, v)
}
