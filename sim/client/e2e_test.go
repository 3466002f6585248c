package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/deploy"
	"mpinlab/sim/wire"
)

// start brings a whole deployment up for one test.
func start(t *testing.T, cfg deploy.Config) *deploy.Deployment {
	t.Helper()
	cfg.Listen, cfg.Data, cfg.Store = "127.0.0.1:0", t.TempDir(), "memory"
	d, err := deploy.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func open(t *testing.T, base string, opt client.Options) *client.Device {
	t.Helper()
	opt.Suites = client.SuitesOf(all.Backends()...)
	c, err := client.Open(t.Context(), base, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return client.NewDevice(c, client.NewWallet(client.NewMemoryVault()))
}

func pin(t testing.TB, digits string) *client.PIN {
	t.Helper()
	p, err := client.NewPIN([]byte(digits))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func registered(t *testing.T, d *client.Device, user, digits string) *client.Identity {
	t.Helper()
	id, err := d.Register(t.Context(), client.Registration{UserID: user})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Activate(t.Context(), id, pin(t, digits), 0); err != nil {
		t.Fatal(err)
	}
	return id
}

func want(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v, want %v", err, kind)
	}
}

// TestDeployments goes through a user's life on deployments of different suites
// and D-TAs: register, log in, OTP, change the PIN, wrong PINs, blocked, register
// again.
func TestDeployments(t *testing.T) {
	for _, cfg := range []deploy.Config{
		{},
		{DTAs: 3},
		{DTAs: 3, Threshold: 2},
		{Suite: "rfc9380/bn254"},
		{Suite: "milagro/fp256bn"},
		{Suite: "milagro/bn254cx"},
	} {
		t.Run(fmt.Sprintf("%s %d of %d", cfg.Suite, cfg.Threshold, cfg.DTAs), func(t *testing.T) {
			if testing.Short() && strings.HasPrefix(cfg.Suite, "milagro/") {
				t.Skip("slow backends")
			}
			ctx := t.Context()
			d := open(t, start(t, cfg).Ready().RPA, client.Options{})
			id := registered(t, d, "alice@example.com", "1234")
			if id.State != client.StateActive || !id.Announced || id.RegOTT != "" {
				t.Errorf("after activation: %+v", id)
			}
			if len(d.Settings().ShareKeys) == 0 {
				t.Error("no keys to check shares with")
			}
			s, err := d.Login(ctx, id, pin(t, "1234"), client.LoginOptions{OTP: true})
			if err != nil {
				t.Fatal(err)
			}
			if s.UserID != "alice@example.com" || s.OTP == "" || len(s.Cookies) == 0 {
				t.Errorf("session %v, %d cookies", s, len(s.Cookies))
			}
			if err := d.Logout(ctx, s); err != nil {
				t.Error(err)
			}
			if err := d.ChangePIN(ctx, id, pin(t, "1234"), pin(t, "8642")); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				_, err = d.Login(ctx, id, pin(t, "1234"), client.LoginOptions{})
				want(t, err, client.ErrWrongPIN)
			}
			_, err = d.Login(ctx, id, pin(t, "1234"), client.LoginOptions{})
			want(t, err, client.ErrBlocked)
			_, err = d.Client.Login(ctx, id, pin(t, "8642"), client.LoginOptions{})
			want(t, err, client.ErrBlocked)
			id = registered(t, d, "alice@example.com", "5678")
			if _, err := d.Login(ctx, id, pin(t, "5678"), client.LoginOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPhone logs a browser in by access number and by QR code, and out again.
func TestPhone(t *testing.T) {
	base := start(t, deploy.Config{}).Ready().RPA
	phone, browser := open(t, base, client.Options{}), open(t, base, client.Options{})
	id := registered(t, phone, "alice@example.com", "1234")
	for name, get := range map[string]func() (*client.Code, error){
		"access number": func() (*client.Code, error) { return browser.AccessNumber(t.Context()) },
		"QR code":       func() (*client.Code, error) { return browser.QRCode(t.Context()) },
	} {
		code, err := get()
		if err != nil {
			t.Fatal(err)
		}
		var states []string
		var session *client.Session
		var wg sync.WaitGroup
		wg.Go(func() {
			s, err := browser.AwaitCode(t.Context(), code, 20*time.Millisecond, func(s client.CodeState) { states = append(states, s.Status) })
			if err != nil {
				t.Errorf("%s: browser: %v", name, err)
			}
			session = s
		})
		_, err = phone.Approve(t.Context(), id, pin(t, "4321"), code.String())
		want(t, err, client.ErrWrongPIN)
		a, err := phone.Approve(t.Context(), id, pin(t, "1234"), code.String())
		wg.Wait()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if session == nil || session.UserID != "alice@example.com" || states[len(states)-1] != wire.CodeAuthenticate {
			t.Errorf("%s: session %v after states %v", name, session, states)
		}
		if err := phone.LogoutBrowser(t.Context(), a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := phone.Approve(t.Context(), id, pin(t, "1234"), "00112233445566778899aabbccddeeff")
	want(t, err, client.ErrUnknownCode)
}

// TestSocket logs in over a WebSocket.
func TestSocket(t *testing.T) {
	var mu sync.Mutex
	status := map[client.Step]int{}
	d := open(t, start(t, deploy.Config{}).Ready().RPA, client.Options{WebSocket: true, Trace: func(e client.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Err != nil && e.Step != client.StepPermitStorage { // there a miss is nothing wrong
			t.Errorf("%s: %v", e.Step, e.Err)
		}
		status[e.Step] = e.Status
	}})
	id := registered(t, d, "alice@example.com", "1234")
	for range 2 {
		if _, err := d.Login(t.Context(), id, pin(t, "1234"), client.LoginOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if at, ok := status[client.StepPass1]; !ok || at != 0 {
		t.Errorf("pass 1 was a plain request: status %d", at)
	}
	if _, ok := status[client.StepWebSocket]; !ok {
		t.Error("no WebSocket")
	}
}

// TestByMail activates by the outbox, and revokes as the operator does.
func TestByMail(t *testing.T) {
	base := start(t, deploy.Config{VerifyByMail: ".*"}).Ready().RPA
	d := open(t, base, client.Options{})
	id, err := d.Register(t.Context(), client.Registration{UserID: "alice@example.com", DeviceName: "laptop"})
	if err != nil {
		t.Fatal(err)
	}
	want(t, d.Activate(t.Context(), id, pin(t, "1234"), 0), client.ErrNotActivated)
	was := id.MpinID
	if err := d.RegisterAgain(t.Context(), id); err != nil || id.MpinID != was {
		t.Errorf("registering again: %v, a new identity: %v", err, id.MpinID != was)
	}
	if err := d.ActivateByOutbox(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := d.Activate(t.Context(), id, pin(t, "1234"), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := d.Permit(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(base+"/admin/revoke", "application/json", strings.NewReader(`{"userId":"alice@example.com"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	_, err = d.Login(t.Context(), id, pin(t, "1234"), client.LoginOptions{})
	want(t, err, client.ErrRevoked)
	want(t, d.Permit(t.Context(), id), client.ErrRevoked)
	want(t, d.ActivateByOutbox(t.Context(), &client.Identity{UserID: "nobody@example.com"}), client.ErrNotFound)
}

// TestLyingDTA has a D-TA of a real deployment issue wrong shares to the proxy's
// clients: the client names it and keeps nothing.
func TestLyingDTA(t *testing.T) {
	lie := func(node string, h http.Handler) http.Handler {
		if node != "proxy" {
			return h
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/clientSecret") {
				h.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			// The generator is a good point and nobody's share.
			b := rec.Body.Bytes()
			if at := bytes.Index(b, []byte(`"share":"`)); at >= 0 {
				copy(b[at+9:], []byte(fmt.Sprintf("%x", suite(t).EncodeG1(suite(t).Backend().G1()))))
			}
			w.WriteHeader(rec.Code)
			io.Copy(w, bytes.NewReader(b))
		})
	}
	d := open(t, start(t, deploy.Config{Wrap: lie}).Ready().RPA, client.Options{})
	id, err := d.Register(t.Context(), client.Registration{UserID: "alice@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	err = d.Activate(t.Context(), id, pin(t, "1234"), 0)
	want(t, err, client.ErrBadShare)
	var named *client.ShareError
	if !errors.As(err, &named) || named.DTA != 2 {
		t.Errorf("%v does not name D-TA 2", err)
	}
	if ids, err := d.Wallet.List(t.Context()); err != nil || len(ids) != 1 || len(ids[0].Token) != 0 {
		t.Errorf("kept: %v %v", ids, err)
	}
}

// TestClocks logs in with clients and servers that are days apart.
func TestClocks(t *testing.T) {
	base := start(t, deploy.Config{}).Ready().RPA
	for _, skew := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		d := open(t, base, client.Options{Now: func() time.Time { return time.Now().Add(skew) }})
		id := registered(t, d, "alice@example.com", "1234")
		if _, err := d.Login(t.Context(), id, pin(t, "1234"), client.LoginOptions{}); err != nil {
			t.Errorf("clock off by %v: %v", skew, err)
		}
	}
}

// TestConcurrentLogins: fifty logins of one identity at the same time all
// succeed.
func TestConcurrentLogins(t *testing.T) {
	d := open(t, start(t, deploy.Config{}).Ready().RPA, client.Options{})
	id := registered(t, d, "alice@example.com", "1234")
	errs := make([]error, 50)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = d.Client.Login(t.Context(), id, pin(t, "1234"), client.LoginOptions{}) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func suite(t *testing.T) *protocol.Suite {
	t.Helper()
	id, err := protocol.ParseSuiteID("rfc9380/bls12-381")
	if err != nil {
		t.Fatal(err)
	}
	s, err := client.SuitesOf(all.Backends()...)(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
