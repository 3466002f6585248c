package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/sim/wire"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Every step meets answers that no honest server gives, and says so in time.
func TestHostileAnswers(t *testing.T) {
	elsewhere := atomic.Int64{}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	answers := map[string]http.HandlerFunc{
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello</html>") },
		"a list":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") },
		"null":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "null") },
		"half":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"y":"00`) },
		"two":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}{}`) },
		"empty":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) },
		"oversize": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"x":"`+strings.Repeat("a", wire.MaxAnswer)+`"}`)
		},
		"numbers": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"y":1,"mpinId":2,"authOTT":3,"date":"x","timePermit":4,"clientSecretShare":5,"registerURL":6,"webOTT":7,"status":8}`)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"redirect'": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"hang up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		},
		"slow": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	}
	s := newService(t, 0)
	c := s.open(t, func(o *Options) { o.Timeout = 50 * time.Millisecond })
	id := enrolled(t, c)
	code := &Code{webOTT: testOTT, Expires: time.Now().Add(time.Hour)}
	pending := func() *Identity {
		return &Identity{MpinID: id.MpinID, UserID: testUser, State: StatePending, RegOTT: testRegOTT}
	}
	prove := func(ctx context.Context) error {
		s.date++ // so that no permit is kept
		_, err := c.Prove(ctx, id, newPIN(t, "1234"), ProveOptions{})
		return err
	}
	for at, f := range map[string]func(context.Context) error{
		"rps/clientSettings": func(ctx context.Context) error {
			_, err := Open(ctx, s.URL, Options{Suites: SuitesOf(curve()), Timeout: c.opt.Timeout})
			return err
		},
		"rps/user": func(ctx context.Context) error {
			_, err := c.Register(ctx, Registration{UserID: testUser})
			return err
		},
		"rps/signature":         func(ctx context.Context) error { _, err := c.Enrol(ctx, pending()); return err },
		"certivox/clientSecret": func(ctx context.Context) error { _, err := c.Enrol(ctx, pending()); return err },
		"rps/timePermit":        prove,
		"certivox/timePermit":   prove,
		"rps/pass1":             prove,
		"rps/pass2":             prove,
		"rps/getAccessNumber":   func(ctx context.Context) error { _, err := c.AccessNumber(ctx); return err },
		"rps/getQrUrl":          func(ctx context.Context) error { _, err := c.QRCode(ctx); return err },
		"rps/access": func(ctx context.Context) error {
			st, err := c.CodeState(ctx, code)
			if err == nil && st.Status == "" {
				err = ErrServer // an empty object is a state of no name
			}
			return err
		},
	} {
		for name, answer := range answers {
			s.replace(at, answer)
			err := f(t.Context())
			if !errors.Is(err, ErrServer) && !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrBadShare) {
				t.Errorf("%s answered with %s: %v", at, name, err)
			}
			s.replace(at, nil)
		}
	}
	// The relying party's answer is its own affair, but not its size or time.
	for _, name := range []string{"oversize", "redirect", "redirect'", "hang up", "endless", "slow"} {
		s.replace("mpinAuthenticate", answers[name])
		_, err := c.Redeem(t.Context(), testOTT)
		if !errors.Is(err, ErrServer) && !errors.Is(err, ErrUnreachable) {
			t.Errorf("mpinAuthenticate answered with %s: %v", name, err)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirection was followed")
	}
	s.replace("mpinAuthenticate", nil)
	c.opt.Timeout = DefaultTimeout
	login(t, c, id, "1234")
}

func TestHostileSettings(t *testing.T) {
	for name, change := range map[string]func(*wire.ClientSettings){
		"no register address":  func(s *wire.ClientSettings) { s.RegisterURL = "" },
		"no D-TA address":      func(s *wire.ClientSettings) { s.CertivoxURL = "" },
		"a file":               func(s *wire.ClientSettings) { s.SignatureURL = "file:///etc/passwd" },
		"a script":             func(s *wire.ClientSettings) { s.AuthenticateURL = "javascript:alert(1)" },
		"user and password":    func(s *wire.ClientSettings) { s.SetupDoneURL = "http://a:b@localhost/" },
		"control characters":   func(s *wire.ClientSettings) { s.SetupDoneURL = "http://local\x01host/" },
		"a D-TA twice":         func(s *wire.ClientSettings) { s.ShareKeys[1].DTA = 1 },
		"D-TA 0":               func(s *wire.ClientSettings) { s.ShareKeys[1].DTA = 0 },
		"no key":               func(s *wire.ClientSettings) { s.ShareKeys[1].Key = "" },
		"too great a t":        func(s *wire.ClientSettings) { s.Threshold = 4 },
		"a negative threshold": func(s *wire.ClientSettings) { s.Threshold = -1 },
	} {
		s := newService(t, 0)
		change(&s.settings)
		_, err := Open(t.Context(), s.URL, Options{Suites: SuitesOf(curve())})
		if !errors.Is(err, ErrServer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, suite := range []string{"rfc9380/nosuch", "milagro/bn254cx", "\x1b[2J"} {
		s := newService(t, 0)
		s.settings.Suite = suite
		_, err := Open(t.Context(), s.URL, Options{Suites: SuitesOf(curve())})
		if !errors.Is(err, ErrSuite) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("suite %q: %v", suite, err)
		}
	}
	for _, base := range []string{"", "localhost", "ftp://localhost", "http://", "http://a:b@localhost", "http://localhost?x=1", "http://[::1"} {
		if _, err := Open(t.Context(), base, Options{Suites: SuitesOf(curve())}); !errors.Is(err, ErrAddress) {
			t.Errorf("base %q: %v", base, err)
		}
	}
}

// What is reached over TLS does not send anybody out of it.
func TestNoDowngrade(t *testing.T) {
	s := newService(t, 0)
	front := httptest.NewTLSServer(http.HandlerFunc(s.serve))
	defer front.Close()
	opt := Options{Suites: SuitesOf(curve()), Transport: front.Client().Transport}
	_, err := Open(t.Context(), front.URL, opt) // certivoxURL is http
	want(t, err, ErrServer)
	for _, u := range []*string{&s.settings.CertivoxURL, &s.settings.RegisterURL, &s.settings.TimePermitsStorageURL, &s.settings.MpinAuthServerURL} {
		*u = strings.Replace(*u, s.URL, front.URL, 1)
	}
	c, err := Open(t.Context(), front.URL, opt)
	if err != nil {
		t.Fatal(err)
	}
	id := enrolled(t, c)
	session := login(t, c, id, "1234")
	session.LogoutURL = s.URL + "/logout"
	want(t, c.Logout(t.Context(), session), ErrServer)
}

// Settings are found under the base, under its folder rps, or where it says.
func TestDiscovery(t *testing.T) {
	s := newService(t, 0)
	for _, base := range []string{s.URL, s.URL + "/", s.URL + "/rps", s.URL + "/rps/clientSettings"} {
		if _, err := Open(t.Context(), base, Options{Suites: SuitesOf(curve())}); err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
	moved := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/x/clientSettings" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		r.URL.Path = "/rps/clientSettings"
		s.serve(w, r)
	}))
	defer moved.Close()
	s.settings.SignatureURL = s.URL + "/rps/signature"
	if _, err := Open(t.Context(), moved.URL+"/x", Options{Suites: SuitesOf(curve())}); err != nil {
		t.Error(err)
	}
	_, err := Open(t.Context(), moved.URL, Options{Suites: SuitesOf(curve())})
	want(t, err, ErrRefused)
}

// A WebSocket that is refused, or that hangs, is no obstacle, and is left alone
// for a while.
func TestSocketFallBack(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"hanging": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, 0)
			s.settings.UseWebSocket = true
			s.replace("rps/authenticationToken", answer)
			c := s.open(t, func(o *Options) { o.WebSocket = true })
			c.fallBack = 50 * time.Millisecond
			id := enrolled(t, c)
			login(t, c, id, "1234")
			login(t, c, id, "1234")
			if n := s.count("rps/authenticationToken"); n != 1 {
				t.Errorf("%d attempts at a WebSocket", n)
			}
		})
	}
}

// A context that ends ends the work with its error.
func TestCancel(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	for _, at := range []string{"rps/timePermit", "storage", "rps/pass1", "rps/pass2"} {
		ctx, cancel := context.WithCancel(t.Context())
		s.date++
		s.replace(at, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		_, err := c.Login(ctx, id, newPIN(t, "1234"), LoginOptions{})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", at, err)
		}
		s.replace(at, nil)
	}
}
