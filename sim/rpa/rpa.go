// Package rpa is the relying party application: the service that users log in
// to. It decides who may register and whose permits are refused, redeems what a
// client brings from its login with the RPS for a verdict, and keeps the
// sessions of those it lets in.
//
// It is a small application and a complete one: verification of new users at
// once or by an activation link (which waits in an outbox that stands in for
// e-mail), revocation, sessions in a cookie, log-out from the browser and from
// the phone that logged the browser in, a list of each user's devices. Its own
// pages are plain; [Config.Pages] takes their place. It also shows the RPS's
// public side under /rps, so that one origin serves a browser.
//
// # Who may call what
//
//	RPS                  POST /mpinVerify, GET /mpinPermitUser
//	clients              POST /mpinAuthenticate, POST /logout, GET /session
//	logged-in users      GET /devices, POST /devices/revoke
//	the mail's reader    GET and POST /activate
//	the operator         GET /outbox, GET /admin/account, POST /admin/revoke,
//	                     POST /admin/unrevoke
//
// The RPS's and the operator's paths answer sources in [Config.Internal]
// (loopback by default), if no proxy stands between, and who knows
// [Config.AdminToken]; others get 403. A proxy on such a machine must say that
// it is one, by X-Forwarded-For or the like: otherwise it opens these paths to
// everyone whom it serves. Requests that a page of another origin makes a
// browser send are refused wherever they change something.
package rpa

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
)

// Config says how an application is set up. Store, URL, RPS and RPSPrivate are
// needed.
type Config struct {
	// Store keeps sessions, accounts, mails and revocations.
	Store store.Store
	// URL is where clients reach the application, without a slash at the end.
	// With https cookies are marked Secure.
	URL string
	// RPS is the base URL of the RPS's public listener, which is shown under
	// /rps, and RPSPrivate that of its private one.
	RPS, RPSPrivate string
	// VerifyByMail tells the user IDs that must be activated through the
	// outbox; nil is nobody.
	VerifyByMail *regexp.Regexp
	// Pages, if not nil, answers GET and HEAD where the application has no path
	// of its own, instead of the plain pages. It sets its own
	// Content-Security-Policy.
	Pages http.Handler
	// AdminToken, if not empty, opens the operator's paths as a bearer token.
	AdminToken string
	// Internal are the sources of the RPS and the operator; nil means loopback.
	Internal []netip.Prefix
	// TrustedProxies are believed about their sources.
	TrustedProxies []netip.Prefix
	// SessionTTL is how long a session lasts; 0 means 8 h.
	SessionTTL time.Duration
	// Rate limits each source; the zero value does not. What is shown under
	// /rps counts with the RPS.
	Rate service.Rate
	// Transport is for requests to the RPS; nil for one of its own.
	Transport http.RoundTripper
	// Registry takes the metrics; nil makes one.
	Registry *service.Registry
	Logger   *slog.Logger     // nil logs nothing
	Now      func() time.Time // time.Now where nil
	Rand     io.Reader        // the system's where nil; safe for concurrent use
}

// Server is a relying party application.
type Server struct {
	c       Config
	host    string // of URL
	service *service.Service
	handler http.Handler
	rps     service.Caller
	metrics metrics
}

// loopback is where the RPS and the operator are unless told otherwise.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// New makes an application. It does not own the store.
func New(c Config) (*Server, error) {
	if c.Store == nil {
		return nil, errors.New("rpa: no store")
	}
	for _, u := range []struct{ name, url string }{{"URL", c.URL}, {"RPS", c.RPS}, {"RPSPrivate", c.RPSPrivate}} {
		parsed, err := url.Parse(u.url)
		if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || strings.HasSuffix(u.url, "/") {
			return nil, fmt.Errorf("rpa: %s must be an http URL without a slash at its end", u.name)
		}
	}
	if c.Internal == nil {
		c.Internal = loopback
	}
	if c.SessionTTL == 0 {
		c.SessionTTL = 8 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{c: c, rps: service.Caller{Transport: c.Transport}}
	if u, err := url.Parse(c.URL); err == nil {
		s.host = u.Hostname()
	}
	sv, err := service.New(service.Options{
		Name: "rpa", Logger: c.Logger, Now: c.Now, Rate: c.Rate, Unlimited: s.fromRPS,
		TrustedProxies: c.TrustedProxies, Registry: c.Registry,
	})
	if err != nil {
		return nil, err
	}
	s.service = sv
	s.metrics = newMetrics(sv.Registry())
	for pattern, f := range map[string]service.Func{
		"POST /mpinVerify":       s.internal(s.verify),
		"GET /mpinPermitUser":    s.internal(s.permitUser),
		"POST /mpinAuthenticate": s.authenticate,
		"POST /logout":           s.logout,
		"POST /devices/revoke":   s.revokeDevice,
		"POST /activate":         s.activate,
		"GET /outbox":            s.internal(s.outbox),
		"GET /admin/account":     s.internal(s.adminAccount),
		"POST /admin/revoke":     s.internal(s.adminRevoke),
		"POST /admin/unrevoke":   s.internal(s.adminUnrevoke),
	} {
		sv.Handle(pattern, f)
	}
	for pattern, f := range map[string]service.Func{
		"/session":  s.whoIsLoggedIn,
		"/devices":  s.devices,
		"/activate": s.showActivation, // which refuses HEAD where a GET would activate
		stylePath:   s.style,
	} {
		sv.HandleRead(pattern, f)
	}
	if c.Pages == nil {
		sv.HandleRead("/{$}", s.front)
	}
	proxy, err := s.newProxy()
	if err != nil {
		return nil, err
	}
	s.handler = s.route(proxy)
	return s, nil
}

// Handler returns the handler of the application's one listener.
func (s *Server) Handler() http.Handler { return s.handler }

// Close releases idle connections to the RPS.
func (s *Server) Close() error {
	if t, ok := s.c.Transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	return nil
}

// ownPaths are those that Pages does not get: everything that New adds to the
// service, and what the service itself has.
var ownPaths = map[string]bool{
	"/mpinVerify": true, "/mpinPermitUser": true, "/mpinAuthenticate": true, "/session": true, "/logout": true,
	"/devices": true, "/devices/revoke": true, "/activate": true, "/outbox": true, "/admin/account": true,
	"/admin/revoke": true, "/admin/unrevoke": true, stylePath: true, "/status": true, "/metrics": true,
}

// route sends requests to the RPS, to the pages, or to the service. What the
// service answers is never framed, cached or sniffed, and none of it runs.
func (s *Server) route(proxy http.Handler) http.Handler {
	guarded := http.NewCrossOriginProtection()
	guarded.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.metrics.crossOrigin.Inc()
		_ = service.WriteJSON(w, http.StatusForbidden, refusal("a page of another origin may not do this"))
	}))
	own := guarded.Handler(s.service.Handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = service.Joined(r)
		// What another server may read as another path is nobody's: 404.
		clean := !strings.Contains(r.URL.Path, "/.")
		if clean && strings.HasPrefix(r.URL.Path, "/rps/") {
			proxy.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if clean && s.c.Pages != nil && !ownPaths[strings.TrimSuffix(r.URL.Path, "/")] && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			s.c.Pages.ServeHTTP(w, r)
			return
		}
		own.ServeHTTP(w, r)
	})
}

// internal lets only the RPS and the operator through.
func (s *Server) internal(f service.Func) service.Func {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !s.isInternal(r) && !s.hasAdminToken(r) {
			return service.Refuse(http.StatusForbidden, "this is for the operator")
		}
		return f(w, r)
	}
}

// fromRPS tells of the RPS's questions, which are not held up: there are as many
// as there are users, and where these ask they are limited.
func (s *Server) fromRPS(r *http.Request) bool {
	return (r.URL.Path == "/mpinVerify" || r.URL.Path == "/mpinPermitUser") && s.isInternal(r)
}

func (s *Server) isInternal(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !service.Direct(r, s.host) {
		return false
	}
	addr := peer.Addr().Unmap()
	for _, p := range s.c.Internal {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func (s *Server) hasAdminToken(r *http.Request) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && s.c.AdminToken != "" && subtle.ConstantTimeCompare([]byte(given), []byte(s.c.AdminToken)) == 1
}

// wantsPage tells a browser that shows its user a page from a program that
// wants JSON.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }
