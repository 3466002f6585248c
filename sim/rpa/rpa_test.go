package rpa

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// peer is the RPS of these tests: it gives verdicts as it is told, and keeps
// what it was asked. The whole deployment is tested in package deploy.
type peer struct {
	mu        sync.Mutex
	verdicts  map[string]wire.RedeemAnswer
	redeemed  []wire.RedeemRequest
	activated map[string]string
	headers   []http.Header
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.URL.Path == wire.PrivateAuthenticate:
		var q wire.RedeemRequest
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.redeemed = append(p.redeemed, q)
		v, ok := p.verdicts[q.AuthOTT]
		if !ok {
			v = wire.RedeemAnswer{Status: http.StatusRequestTimeout, Message: "expired"}
		}
		delete(p.verdicts, q.AuthOTT)
		_ = service.WriteJSON(w, v.Status, v)
	case strings.HasPrefix(r.URL.Path, wire.PrivateUser):
		var q wire.ActivateRequest
		id := strings.TrimPrefix(r.URL.Path, wire.PrivateUser)
		if json.NewDecoder(r.Body).Decode(&q) != nil || p.activated[id] != q.ActivateKey {
			_ = service.WriteJSON(w, http.StatusForbidden, wire.Refusal{Message: "wrong key"})
			return
		}
		_ = service.WriteJSON(w, http.StatusOK, wire.Refusal{Message: "OK"})
	case strings.HasPrefix(r.URL.Path, "/rps/"):
		p.headers = append(p.headers, r.Header.Clone())
		http.SetCookie(w, &http.Cookie{Name: "rps", Value: "1"})
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.RequestURI(), len(b))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

type fixture struct {
	t      *testing.T
	server *Server
	http   *httptest.Server
	peer   *peer
	client *http.Client
	now    time.Time
}

func newFixture(t *testing.T, change func(*Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, peer: &peer{verdicts: map[string]wire.RedeemAnswer{}, activated: map[string]string{}}}
	f.now = time.Now()
	rps := httptest.NewServer(f.peer)
	t.Cleanup(rps.Close)
	var handler http.Handler
	f.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(f.http.Close)
	s := store.NewMemory(store.Options{})
	t.Cleanup(func() { s.Close() })
	c := Config{
		Store: s, URL: f.http.URL, RPS: rps.URL, RPSPrivate: rps.URL,
		VerifyByMail: regexp.MustCompile(`@mail\.example$`), AdminToken: "let me in",
		Now: func() time.Time { return f.now },
	}
	if change != nil {
		change(&c)
	}
	server, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	f.server, handler = server, server.Handler()
	f.client = f.browser()
	return f
}

// browser is a client with cookies of its own.
func (f *fixture) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// do sends body, if not nil as JSON, and returns the answer with its body.
func (f *fixture) do(c *http.Client, method, path string, body any, headers ...string) (*http.Response, []byte) {
	f.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			f.t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, f.http.URL+path, r)
	if err != nil {
		f.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp, b
}

func (f *fixture) want(status int, resp *http.Response, body []byte) {
	f.t.Helper()
	if resp.StatusCode != status {
		f.t.Fatalf("%s %s: status %d, not %d: %s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, status, body)
	}
}

func (f *fixture) identity(user string) string {
	f.t.Helper()
	id, err := wire.NewIdentity(user, false, f.now, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return id.String()
}

func (f *fixture) register(user, mpinID, key string) (wire.VerifyAnswer, int) {
	f.t.Helper()
	resp, b := f.do(f.client, "POST", "/mpinVerify", wire.VerifyRequest{
		UserID: user, MpinID: mpinID, ActivateKey: key, DeviceName: "laptop",
		ExpireTime: f.now.Add(time.Hour).UTC().Format(wire.TimestampLayout),
	})
	var a wire.VerifyAnswer
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, &a); err != nil {
			f.t.Fatal(err)
		}
	}
	return a, resp.StatusCode
}

var (
	ott = strings.Repeat("ab", ottSize)
	key = strings.Repeat("0c", 32)
)

// login lets a client in as the user.
func (f *fixture) login(c *http.Client, user, mpinID string) (*http.Response, wire.LoginAnswer) {
	f.t.Helper()
	f.peer.mu.Lock()
	f.peer.verdicts[ott] = wire.RedeemAnswer{Status: 200, Message: "OK", UserID: user, MpinID: mpinID}
	f.peer.mu.Unlock()
	resp, b := f.do(c, "POST", "/mpinAuthenticate", wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: ott}})
	var a wire.LoginAnswer
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, &a); err != nil {
			f.t.Fatal(err)
		}
	}
	return resp, a
}

func TestSession(t *testing.T) {
	f := newFixture(t, nil)
	alice := f.identity("alice@example.com")
	if a, status := f.register("alice@example.com", alice, key); status != 200 || !a.ForceActivate {
		t.Fatalf("verify: %d %+v", status, a)
	}
	resp, b := f.do(f.client, "GET", "/session", nil)
	f.want(401, resp, b)

	resp, first := f.login(f.client, "alice@example.com", alice)
	f.want(200, resp, nil)
	if first.UserID != "alice@example.com" || first.LogoutURL != f.http.URL+"/logout" {
		t.Fatalf("%+v", first)
	}
	cookie := resp.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure || cookie.Path != "/" || len(cookie.Value) != 2*tokenSize {
		t.Fatalf("cookie %+v", cookie)
	}
	// The RPS was told where the phone logs the browser out.
	if q := f.peer.redeemed[0]; q.LogoutURL != first.LogoutURL || !bytes.Equal(q.LogoutData, first.LogoutData) {
		t.Fatalf("the RPS was told %+v", q)
	}
	resp, b = f.do(f.client, "GET", "/session", nil)
	f.want(200, resp, b)
	var in SessionAnswer
	if err := json.Unmarshal(b, &in); err != nil || in.UserID != "alice@example.com" || in.Expires-in.Since != (8*time.Hour).Milliseconds() {
		t.Fatalf("%s, %v", b, err)
	}
	resp, b = f.do(f.client, "GET", "/devices", nil)
	f.want(200, resp, b)
	var account Account
	if err := json.Unmarshal(b, &account); err != nil || len(account.Devices) != 1 || !account.Devices[0].Current || !account.Devices[0].Active || account.Devices[0].Name != "laptop" {
		t.Fatalf("%s, %v", b, err)
	}
	// The page shows the same.
	resp, b = f.do(f.client, "GET", "/", nil, "Accept", "text/html")
	f.want(200, resp, b)
	if !bytes.Contains(b, []byte("alice@example.com")) || !bytes.Contains(b, []byte("laptop (this one)")) {
		t.Fatalf("%s", b)
	}

	// A second login rotates the token and ends the first session.
	resp, second := f.login(f.client, "alice@example.com", alice)
	f.want(200, resp, nil)
	if resp.Cookies()[0].Value == cookie.Value {
		t.Fatal("the token was not rotated")
	}
	resp, b = f.do(f.browser(), "GET", "/session", nil, "Cookie", cookieName+"="+cookie.Value)
	f.want(401, resp, b)

	// The phone logs the browser out: without the cookie, with the data.
	resp, b = f.do(f.browser(), "POST", "/logout", second.LogoutData)
	f.want(200, resp, b)
	resp, b = f.do(f.client, "GET", "/session", nil)
	f.want(401, resp, b)
	// And again, and with the old session's: nothing is told.
	for _, data := range []json.RawMessage{second.LogoutData, first.LogoutData} {
		resp, b = f.do(f.browser(), "POST", "/logout", data)
		f.want(200, resp, b)
	}

	// By the cookie, as a form.
	resp, _ = f.login(f.client, "alice@example.com", alice)
	f.want(200, resp, nil)
	resp, b = f.do(f.client, "POST", "/logout", nil, "Content-Type", "application/x-www-form-urlencoded")
	f.want(303, resp, b)
	resp, b = f.do(f.client, "GET", "/session", nil)
	f.want(401, resp, b)

	// A session ends with its time.
	resp, _ = f.login(f.client, "alice@example.com", alice)
	f.want(200, resp, nil)
	f.now = f.now.Add(8 * time.Hour)
	resp, b = f.do(f.client, "GET", "/session", nil)
	f.want(401, resp, b)
}

func TestVerdictsPassThrough(t *testing.T) {
	f := newFixture(t, nil)
	alice := f.identity("alice@example.com")
	for _, status := range []int{401, 408, 410} {
		f.peer.verdicts[ott] = wire.RedeemAnswer{Status: status, Message: "no", UserID: "alice@example.com", MpinID: alice}
		resp, b := f.do(f.client, "POST", "/mpinAuthenticate", wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: ott}})
		f.want(status, resp, b)
		if len(resp.Cookies()) != 0 || !bytes.Contains(b, []byte(`"message":"no"`)) {
			t.Fatalf("%d: %s, cookies %v", status, b, resp.Cookies())
		}
	}
	// An RPS that asks to try again passes that on; its other failures are 502.
	for status, want := range map[int]int{503: 503, 429: 503, 500: 502, 504: 502} {
		f.peer.verdicts[ott] = wire.RedeemAnswer{Status: status}
		resp, b := f.do(f.client, "POST", "/mpinAuthenticate", wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: ott}})
		f.want(want, resp, b)
		if (resp.Header.Get("Retry-After") == "1") != (want == 503) || len(resp.Cookies()) != 0 {
			t.Errorf("%d of the RPS: %v", status, resp.Header)
		}
	}
	for _, bad := range []any{
		wire.AuthenticateRequest{}, "text", map[string]any{"mpinResponse": 1},
	} {
		resp, b := f.do(f.client, "POST", "/mpinAuthenticate", bad)
		f.want(400, resp, b)
	}
	resp, b := f.do(f.client, "POST", "/mpinAuthenticate", wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: "xyz"}})
	f.want(408, resp, b)
	if len(f.peer.redeemed) != 7 {
		t.Fatalf("the RPS was asked %d times", len(f.peer.redeemed))
	}
}

func TestActivationByMail(t *testing.T) {
	f := newFixture(t, nil)
	user := "bob <b&b>@mail.example"
	bob := f.identity(user)
	f.peer.activated[bob] = key
	if a, status := f.register(user, bob, key); status != 200 || a.ForceActivate {
		t.Fatalf("verify: %d %+v", status, a)
	}
	get := "/outbox?user=" + url.QueryEscape(user)
	resp, b := f.do(f.client, "GET", get, nil)
	f.want(200, resp, b)
	var mail wire.OutboxAnswer
	if err := json.Unmarshal(b, &mail); err != nil || mail.MpinID != bob || mail.ActivateKey != key {
		t.Fatalf("%s, %v", b, err)
	}
	link, err := url.Parse(mail.Link)
	if err != nil || !strings.HasPrefix(mail.Link, f.http.URL+"/activate?") {
		t.Fatal(mail.Link, err)
	}
	path := link.RequestURI()
	// A browser is asked first, and a user's name is no HTML.
	resp, b = f.do(f.client, "GET", path, nil, "Accept", "text/html,*/*")
	f.want(200, resp, b)
	if !bytes.Contains(b, []byte("bob &lt;b&amp;b&gt;@mail.example")) || !bytes.Contains(b, []byte("<button>Activate</button>")) {
		t.Fatalf("%s", b)
	}
	if account, _, err := f.server.account(t.Context(), user); err != nil || account.Devices[0].Active {
		t.Fatalf("active before the button was pressed: %+v, %v", account, err)
	}
	resp, b = f.do(f.client, "HEAD", path, nil)
	f.want(403, resp, b)
	resp, b = f.do(f.client, "GET", strings.Replace(path, "0c0c", "0d0d", 1), nil)
	f.want(403, resp, b)
	// A program follows the link.
	resp, b = f.do(f.client, "GET", path, nil)
	f.want(200, resp, b)
	if account, _, err := f.server.account(t.Context(), user); err != nil || !account.Devices[0].Active {
		t.Fatalf("not active: %+v, %v", account, err)
	}
	resp, b = f.do(f.client, "GET", get, nil)
	f.want(404, resp, b)

	// The same through the form and as JSON.
	form := url.Values{"mpinId": {bob}, "activateKey": {key}}
	req, err := http.NewRequest("POST", f.http.URL+"/activate", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	page, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	f.want(200, page, nil)
	resp, b = f.do(f.client, "POST", "/activate", map[string]string{"mpinId": bob, "activateKey": key})
	f.want(200, resp, b)
	for _, bad := range []map[string]string{{}, {"mpinId": bob}, {"mpinId": "zz", "activateKey": key}, {"mpinId": bob, "activateKey": strings.Repeat("a", 300)}} {
		resp, b := f.do(f.client, "POST", "/activate", bad)
		f.want(400, resp, b)
	}
}

func TestVerifyRefusesNonsense(t *testing.T) {
	f := newFixture(t, nil)
	alice := f.identity("alice@example.com")
	good := wire.VerifyRequest{UserID: "alice@example.com", MpinID: alice, ActivateKey: key}
	for name, change := range map[string]func(*wire.VerifyRequest){
		"another user":      func(q *wire.VerifyRequest) { q.UserID = "bob@example.com" },
		"no user":           func(q *wire.VerifyRequest) { q.UserID = "" },
		"no identity":       func(q *wire.VerifyRequest) { q.MpinID = "" },
		"bad hex":           func(q *wire.VerifyRequest) { q.MpinID = "zz" },
		"no key":            func(q *wire.VerifyRequest) { q.ActivateKey = "" },
		"long device name":  func(q *wire.VerifyRequest) { q.DeviceName = strings.Repeat("x", 200) },
		"identity too long": func(q *wire.VerifyRequest) { q.MpinID = strings.Repeat("00", 4000) },
	} {
		q := good
		change(&q)
		if resp, b := f.do(f.client, "POST", "/mpinVerify", q); resp.StatusCode != 400 {
			t.Errorf("%s: %d %s", name, resp.StatusCode, b)
		}
	}
	resp, b := f.do(f.client, "POST", "/mpinVerify", map[string]string{"userId": strings.Repeat("x", wire.MaxBody)})
	f.want(413, resp, b)
}

func TestRevocation(t *testing.T) {
	f := newFixture(t, nil)
	alice, second := f.identity("alice@example.com"), f.identity("alice@example.com")
	for _, id := range []string{alice, second} {
		if _, status := f.register("alice@example.com", id, key); status != 200 {
			t.Fatal(status)
		}
	}
	permit := func(id string, want int) {
		t.Helper()
		resp, b := f.do(f.client, "GET", "/mpinPermitUser?mpin_id="+id, nil)
		f.want(want, resp, b)
	}
	permit(alice, 200)
	permit("zz", 400)
	permit("", 400)

	// One device, by its user.
	resp, _ := f.login(f.client, "alice@example.com", alice)
	f.want(200, resp, nil)
	resp, b := f.do(f.client, "GET", "/devices", nil)
	f.want(200, resp, b)
	var account Account
	if err := json.Unmarshal(b, &account); err != nil || len(account.Devices) != 2 {
		t.Fatalf("%s, %v", b, err)
	}
	resp, b = f.do(f.client, "POST", "/devices/revoke", RevokeRequest{Device: strings.Repeat("00", 32)})
	f.want(404, resp, b)
	resp, b = f.do(f.browser(), "POST", "/devices/revoke", RevokeRequest{Device: account.Devices[1].ID})
	f.want(401, resp, b)
	resp, b = f.do(f.client, "POST", "/devices/revoke", RevokeRequest{Device: account.Devices[1].ID})
	f.want(200, resp, b)
	permit(second, 403)
	permit(alice, 200)
	other := f.browser()
	resp, _ = f.login(other, "alice@example.com", second)
	f.want(403, resp, nil)
	if len(resp.Cookies()) != 0 {
		t.Fatal("a session for a revoked device")
	}

	// The user, by the operator: sessions end at once, new devices are refused.
	resp, b = f.do(f.client, "POST", "/admin/revoke", RevokeRequest{UserID: "alice@example.com"})
	f.want(200, resp, b)
	permit(alice, 403)
	resp, b = f.do(f.client, "GET", "/session", nil)
	f.want(401, resp, b)
	if _, status := f.register("alice@example.com", f.identity("alice@example.com"), key); status != 403 {
		t.Fatalf("a revoked user registers: %d", status)
	}
	resp, b = f.do(f.client, "GET", "/admin/account?user=alice@example.com", nil)
	f.want(200, resp, b)
	if !bytes.Contains(b, []byte(`"revoked":true`)) {
		t.Fatalf("%s", b)
	}
	resp, b = f.do(f.client, "POST", "/admin/unrevoke", RevokeRequest{UserID: "alice@example.com"})
	f.want(200, resp, b)
	permit(alice, 200)
	permit(second, 403) // the device stays revoked
	resp, b = f.do(f.client, "POST", "/admin/unrevoke", RevokeRequest{MpinID: second})
	f.want(200, resp, b)
	permit(second, 200)
	for _, bad := range []RevokeRequest{{}, {UserID: "a", Device: "b"}, {Device: "zz"}, {MpinID: "zz"}} {
		resp, b = f.do(f.client, "POST", "/admin/revoke", bad)
		f.want(400, resp, b)
	}
}

// What is for the RPS and the operator is refused to everybody else, and what
// changes something to pages of other origins.
func TestWhoMayCallWhat(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Internal = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	for _, path := range []string{"GET /outbox?user=a", "GET /mpinPermitUser?mpin_id=00", "POST /mpinVerify", "GET /admin/account?user=a", "POST /admin/revoke", "POST /admin/unrevoke"} {
		method, path, _ := strings.Cut(path, " ")
		resp, b := f.do(f.client, method, path, nil)
		f.want(403, resp, b)
		resp, b = f.do(f.client, method, path, nil, "Authorization", "Bearer let me out")
		f.want(403, resp, b)
		if resp, _ = f.do(f.client, method, path, nil, "Authorization", "Bearer let me in"); resp.StatusCode == 403 {
			t.Errorf("%s %s is refused to the operator", method, path)
		}
	}
	f = newFixture(t, nil)
	// Loopback, but through something that forwards.
	resp, b := f.do(f.client, "GET", "/outbox?user=a", nil, "X-Forwarded-For", "127.0.0.1")
	f.want(403, resp, b)
	for _, path := range []string{"/mpinAuthenticate", "/logout", "/activate", "/devices/revoke", "/admin/revoke"} {
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
			resp, b := f.do(f.client, "POST", path, map[string]string{}, headers...)
			f.want(403, resp, b)
			if !bytes.Contains(b, []byte("another origin")) {
				t.Errorf("%s: %s", path, b)
			}
		}
		if resp, b := f.do(f.client, "POST", path, map[string]string{}, "Sec-Fetch-Site", "same-origin"); resp.StatusCode == 403 {
			t.Errorf("%s is refused to our own page: %s", path, b)
		}
	}
}

func TestSecureCookieAndHeaders(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.URL = "https://login.example" })
	alice := f.identity("alice@example.com")
	resp, a := f.login(f.client, "alice@example.com", alice)
	f.want(200, resp, nil)
	if !resp.Cookies()[0].Secure || a.LogoutURL != "https://login.example/logout" {
		t.Fatalf("%+v %+v", resp.Cookies()[0], a)
	}
	for _, path := range []string{"/", "/session", stylePath, "/nowhere"} {
		resp, _ := f.do(f.client, "GET", path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
	}
}

func TestPagesTakeWhatIsLeft(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		fmt.Fprint(w, "page ", r.URL.Path)
	})
	f := newFixture(t, func(c *Config) { c.Pages = pages })
	for path, want := range map[string]string{"/": "page /", "/pad.js": "page /pad.js"} {
		resp, b := f.do(f.client, "GET", path, nil)
		f.want(200, resp, b)
		if string(b) != want || resp.Header.Get("Content-Security-Policy") != "default-src 'self'" {
			t.Errorf("%s: %s", path, b)
		}
	}
	resp, b := f.do(f.client, "GET", "/session", nil)
	f.want(401, resp, b)
	resp, b = f.do(f.client, "POST", "/pad.js", nil)
	f.want(404, resp, b)
}

// The RPS's public side is shown under /rps with the client's address, without
// cookies in either direction, and with a limit.
func TestProxy(t *testing.T) {
	f := newFixture(t, nil)
	resp, b := f.do(f.client, "PUT", "/rps/user?a=b%20c", map[string]string{"x": "y"},
		"Cookie", "mpin_session=secret", "Authorization", "Bearer let me in", "X-Forwarded-For", "198.51.100.7", "Origin", "https://other.example")
	f.want(200, resp, b)
	if string(b) != `PUT /rps/user?a=b%20c 9` || len(resp.Cookies()) != 0 {
		t.Fatalf("%s %v", b, resp.Cookies())
	}
	h := f.peer.headers[0]
	if h.Get("Cookie") != "" || h.Get("Authorization") != "" || h.Get("X-Forwarded-For") != "127.0.0.1" {
		t.Fatalf("%v", h)
	}
	resp, b = f.do(f.client, "POST", "/rps/pass1", strings.Repeat("x", wire.MaxBody))
	f.want(413, resp, b)
	// Without a length, too.
	req, err := http.NewRequest("POST", f.http.URL+"/rps/pass1", io.MultiReader(strings.NewReader(strings.Repeat("x", 2*wire.MaxBody))))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := f.client.Do(req); err == nil {
		resp.Body.Close()
		f.want(413, resp, nil)
	}
	// The RPS's own private paths are not shown.
	resp, b = f.do(f.client, "POST", "/rps/../authenticate", wire.RedeemRequest{AuthOTT: ott})
	if resp.StatusCode != 404 || len(f.peer.redeemed) != 0 {
		t.Fatalf("%d %s", resp.StatusCode, b)
	}
}

func TestProxyWithoutRPS(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.RPS, c.RPSPrivate = "http://127.0.0.1:1", "http://127.0.0.1:1" })
	resp, b := f.do(f.client, "GET", "/rps/clientSettings", nil)
	f.want(502, resp, b)
	resp, b = f.do(f.client, "POST", "/mpinAuthenticate", wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: ott}})
	f.want(502, resp, b)
}

// Many devices of one user that register at the same time are all there, up to
// the number that is kept.
func TestConcurrentRegistrations(t *testing.T) {
	f := newFixture(t, nil)
	var all sync.WaitGroup
	for range maxDevices {
		id := f.identity("carol@example.com")
		all.Go(func() {
			if _, status := f.register("carol@example.com", id, key); status != 200 {
				t.Errorf("status %d", status)
			}
		})
	}
	all.Wait()
	account, _, err := f.server.account(t.Context(), "carol@example.com")
	if err != nil || len(account.Devices) != maxDevices {
		t.Fatalf("%d devices, %v", len(account.Devices), err)
	}
	newest := f.identity("carol@example.com")
	if _, status := f.register("carol@example.com", newest, key); status != 200 {
		t.Fatal(status)
	}
	account, _, err = f.server.account(t.Context(), "carol@example.com")
	raw, _ := wire.RawIdentity(newest)
	if err != nil || len(account.Devices) != maxDevices || account.Devices[maxDevices-1].ID != deviceID(raw) {
		t.Fatalf("%d devices, %v", len(account.Devices), err)
	}
}

func TestConfig(t *testing.T) {
	s := store.NewMemory(store.Options{})
	defer s.Close()
	good := Config{Store: s, URL: "http://a", RPS: "http://b", RPSPrivate: "http://c"}
	for name, change := range map[string]func(*Config){
		"no store": func(c *Config) { c.Store = nil }, "no URL": func(c *Config) { c.URL = "" },
		"a slash": func(c *Config) { c.URL = "http://a/" }, "no scheme": func(c *Config) { c.RPS = "b:1" },
		"no private": func(c *Config) { c.RPSPrivate = "" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzHandlers throws bodies, queries and cookies at every path: nothing
// panics, nothing is a 5xx, nobody is logged in.
func FuzzHandlers(f *testing.F) {
	paths := []string{"/mpinVerify", "/mpinPermitUser", "/mpinAuthenticate", "/session", "/logout", "/devices", "/devices/revoke", "/activate", "/outbox", "/admin/account", "/admin/revoke", "/admin/unrevoke", "/"}
	for i := range paths {
		f.Add(byte(i), true, "", `{"mpinResponse":{"authOTT":"`+ott+`"}}`, "application/json", "")
		f.Add(byte(i), false, "user=a&mpin_id=00&mpinId=7b7d&activateKey=00", "", "text/html", strings.Repeat("00", tokenSize))
		f.Add(byte(i), true, "", `mpinId=7b7d&activateKey=00`, "application/x-www-form-urlencoded", "x")
		f.Add(byte(i), true, "%zz", `{"userId":"a","mpinId":"7b7d","logoutToken":"00","device":"00"}`, "application/json", "")
	}
	s := store.NewMemory(store.Options{})
	f.Cleanup(func() { s.Close() })
	p := httptest.NewServer(&peer{verdicts: map[string]wire.RedeemAnswer{}, activated: map[string]string{}})
	f.Cleanup(p.Close)
	server, err := New(Config{Store: s, URL: "http://rpa.example", RPS: p.URL, RPSPrivate: p.URL, VerifyByMail: regexp.MustCompile("a")})
	if err != nil {
		f.Fatal(err)
	}
	h := server.Handler()
	f.Fuzz(func(t *testing.T, which byte, post bool, query, body, kind, cookie string) {
		r := httptest.NewRequest("GET", paths[int(which)%len(paths)], strings.NewReader(body))
		if post {
			r.Method = "POST"
		}
		r.URL.RawQuery = query
		r.RemoteAddr = "127.0.0.1:4711"
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Accept", kind)
		r.Header.Set("Cookie", cookieName+"="+cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s %s?%s: %d %s", r.Method, r.URL.Path, query, w.Code, w.Body)
		}
		if w.Header().Get("Set-Cookie") != "" && !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
			t.Fatalf("logged in: %s", w.Header().Get("Set-Cookie"))
		}
	})
}

// TestRebinding: a page of a name that was given this machine's address is not
// the operator, though the browser that shows it is on his machine.
func TestRebinding(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.URL = "http://mpin.example.org:8080" })
	for host, want := range map[string]int{
		"attacker.example": 403, "attacker.example:8080": 403, "mpin.example.org.attacker.example": 403,
		"localhost:8080": 200, "127.0.0.1:8080": 200, "[::1]": 200, "MPIN.example.org:8080": 200,
	} {
		for _, q := range []struct{ method, path, body string }{
			{"GET", "/admin/account?user=alice@example.com", ""},
			{"POST", "/admin/revoke", `{"userId":"mallory@example.com"}`},
		} {
			r := httptest.NewRequest(q.method, q.path, strings.NewReader(q.body))
			r.RemoteAddr, r.Host = "127.0.0.1:1", host
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			w := httptest.NewRecorder()
			f.server.Handler().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s %s of %s: %d, not %d", q.method, q.path, host, w.Code, want)
			}
		}
	}
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"} {
		if resp, b := f.do(f.client, "GET", "/outbox?user=alice@example.com", nil, name, "192.0.2.1"); resp.StatusCode != 403 {
			t.Errorf("through a proxy that says so by %s: %d %s", name, resp.StatusCode, b)
		}
	}
}

// TestRPSIsNotHeldUp: one who uses his rate up does not keep others from
// registering and their permits.
func TestRPSIsNotHeldUp(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Rate = service.Rate{PerSecond: 0.001, Burst: 2} })
	for i, want := range []int{401, 401, 429} {
		if resp, b := f.do(f.client, "GET", "/session", nil); resp.StatusCode != want {
			t.Fatalf("request %d: %d %s", i, resp.StatusCode, b)
		}
	}
	id := f.identity("alice@example.com")
	for range 3 {
		if _, status := f.register("alice@example.com", id, key); status != 200 {
			t.Errorf("verify: %d", status)
		}
		if resp, b := f.do(f.client, "GET", "/mpinPermitUser?mpin_id="+id, nil); resp.StatusCode != 200 {
			t.Errorf("permit: %d %s", resp.StatusCode, b)
		}
	}
}

// TestOthersRegistrations: whoever registers for a user does not push the
// devices out of the list that the user has activated.
func TestOthersRegistrations(t *testing.T) {
	f := newFixture(t, nil)
	const user = "victim@mail.example"
	own := f.identity(user)
	if _, status := f.register(user, own, key); status != 200 {
		t.Fatal(status)
	}
	f.peer.mu.Lock()
	f.peer.activated[own] = key
	f.peer.mu.Unlock()
	flood := func() {
		for range 2 * maxDevices {
			if _, status := f.register(user, f.identity(user), key); status != 200 {
				t.Fatal(status)
			}
		}
	}
	flood()
	resp, b := f.do(f.client, "POST", "/activate", map[string]string{"mpinId": own, "activateKey": key})
	f.want(200, resp, b)
	flood()
	browser := f.browser()
	if resp, _ := f.login(browser, user, own); resp.StatusCode != 200 {
		t.Fatal(resp.StatusCode)
	}
	raw, err := wire.RawIdentity(own)
	if err != nil {
		t.Fatal(err)
	}
	resp, b = f.do(browser, "POST", "/devices/revoke", RevokeRequest{Device: deviceID(raw)})
	f.want(200, resp, b)
}
