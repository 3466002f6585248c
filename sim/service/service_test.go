package service_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

func newService(t testing.TB, o service.Options) *service.Service {
	t.Helper()
	if o.Name == "" {
		o.Name = "test"
	}
	s, err := service.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func do(h http.Handler, change func(*http.Request), method, target, body string) *httptest.ResponseRecorder {
	var b io.Reader
	if body != "" {
		b = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, "/", b)
	path, query, _ := strings.Cut(target, "?")
	r.URL, r.Host = &url.URL{Path: path, RawQuery: query}, "127.0.0.1"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type message struct {
	Name  string `json:"name"`
	Count int    `json:"count,omitempty"`
}

func echo(w http.ResponseWriter, r *http.Request) error {
	var m message
	if err := service.ReadJSON(r, 100, &m); err != nil {
		return service.BadBody(403, err)
	}
	return service.WriteJSON(w, 200, m)
}

// TestAnswers: what the surroundings answer, always in the form of a refusal.
func TestAnswers(t *testing.T) {
	var log logged
	s := newService(t, service.Options{Logger: log.logger(), CORS: true})
	s.Handle("PUT /user/{id}", echo)
	s.Handle("PUT /user", echo)
	s.Handle("POST /user", echo)
	s.Handle("GET /fault", func(http.ResponseWriter, *http.Request) error { return errors.New("the disk is on fire") })
	s.Handle("GET /panic", func(http.ResponseWriter, *http.Request) error { panic("oh") })
	s.Handle("GET /late", func(w http.ResponseWriter, _ *http.Request) error {
		_ = service.WriteJSON(w, 200, message{Name: "a"})
		return errors.New("too late")
	})
	s.Handle("GET /refused", func(http.ResponseWriter, *http.Request) error {
		return service.Refusal(418, "short and stout", errors.New("teapot"))
	})
	s.Handle("GET /later", func(http.ResponseWriter, *http.Request) error {
		return &service.Error{Status: 429, Message: "later", RetryAfter: 1500 * time.Millisecond}
	})
	for _, c := range []struct {
		name, method, target, body string
		want                       int
	}{
		{"a route", "PUT", "/user", `{"name":"a"}`, 200},
		{"with a wildcard", "PUT", "/user/1", `{"name":"a"}`, 200},
		{"unknown members are ignored", "PUT", "/user", `{"name":"a","other":[{}]}`, 200},
		{"bad JSON", "PUT", "/user", `{"name":`, 403},
		{"nothing", "PUT", "/user", "", 403},
		{"two values", "PUT", "/user", `{"name":"a"}{}`, 403},
		{"another case", "PUT", "/user", `{"Name":"a"}`, 200}, // another member: ignored
		{"a name twice", "PUT", "/user", `{"name":"a","name":"b"}`, 403},
		{"not UTF-8", "PUT", "/user", "{\"name\":\"\xff\"}", 403},
		{"a lone surrogate", "PUT", "/user", `{"name":"\ud800"}`, 403},
		{"another type", "PUT", "/user", `{"name":1}`, 403},
		{"a fraction", "PUT", "/user", `{"name":"a","count":1.5}`, 403},
		{"oversize", "PUT", "/user", strings.Repeat(" ", 101) + `{}`, 413},
		{"unknown path", "GET", "/nowhere", "", 404},
		{"below", "PUT", "/user/1/2", "", 404},
		{"joined with two slashes", "PUT", "//user//1", `{"name":"a"}`, 200},
		{"a slash at the end", "PUT", "/user/", `{"name":"a"}`, 200},
		{"nothing but slashes", "GET", "//", "", 404},
		{"upwards", "PUT", "/x/../user", "", 404},
		{"no path", "GET", "", "", 404},
		{"another method", "DELETE", "/user", "", 405},
		{"HEAD of what may do more than read", "HEAD", "/refused", "", 405},
		{"HEAD of what reads", "HEAD", "/status", "", 200},
		{"no method", "", "/refused", "", 418}, // net/http: GET
		{"OPTIONS", "OPTIONS", "/user", "", 200},
		{"OPTIONS of nothing", "OPTIONS", "/nowhere", "", 404},
		{"an error", "GET", "/fault", "", 500},
		{"a panic", "GET", "/panic", "", 500},
		{"too late for an error", "GET", "/late", "", 200},
		{"a refusal", "GET", "/refused", "", 418},
		{"a refusal for some time", "GET", "/later", "", 429},
		{"status", "GET", "/status", "", 200},
	} {
		w := do(s.Handler(), nil, c.method, c.target, c.body)
		if w.Code != c.want {
			t.Errorf("%s: %d, not %d: %s", c.name, w.Code, c.want, w.Body)
		}
		if w.Header().Get("X-Request-Id") == "" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", c.name, w.Header())
		}
		if w.Code >= 400 {
			var r wire.Refusal
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Message == "" || r.RequestID != w.Header().Get("X-Request-Id") {
				t.Errorf("%s: %s", c.name, w.Body)
			}
			for _, secret := range []string{"fire", "teapot", "oh", "goroutine"} {
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("%s: the cause is told: %s", c.name, w.Body)
				}
			}
		}
	}
	if w := do(s.Handler(), nil, "OPTIONS", "/user", ""); w.Header().Get("Access-Control-Allow-Methods") != "OPTIONS, PUT, POST" {
		t.Errorf("methods: %v", w.Header())
	}
	if w := do(s.Handler(), nil, "GET", "/later", ""); w.Header().Get("Retry-After") != "2" {
		t.Errorf("Retry-After: %v", w.Header())
	}
	for _, want := range []string{"the disk is on fire", "teapot", `"msg":"panic"`, "service_test.go", "too late", `"route":"PUT /user/{id}"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not in the log: %s", want)
		}
	}
}

// TestLogHasNoQueries: secrets travel in queries, headers and bodies.
func TestLogHasNoQueries(t *testing.T) {
	var log logged
	s := newService(t, service.Options{Logger: log.logger()})
	s.Handle("PUT /a/{id}", func(w http.ResponseWriter, r *http.Request) error {
		service.Note(w, slog.String("idHash", "0123"))
		return echo(w, r)
	})
	do(s.Handler(), func(r *http.Request) { r.Header.Set("Authorization", "secret-2") }, "PUT", "/a/secret-3?x=secret-1", `{"name":"secret-4"}`)
	do(s.Handler(), nil, "PUT", "/a/secret-3?x=secret-1", `{"name":"secret-4"`)
	do(s.Handler(), nil, "PUT", "/secret-3?x=secret-1", `{"name":"secret-4"`)
	if text := log.String(); strings.Contains(text, "secret") || strings.Count(text, "0123") != 2 {
		t.Errorf("%s", text)
	}
}

// TestRequestIDs: an id is believed from a trusted proxy, if it looks like one.
func TestRequestIDs(t *testing.T) {
	s := newService(t, service.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	seen := ""
	s.Handle("GET /x", func(w http.ResponseWriter, r *http.Request) error {
		seen = service.RequestID(r.Context())
		return service.WriteJSON(w, 200, message{})
	})
	ids := map[string]bool{}
	for _, c := range []struct {
		peer, id string
		kept     bool
	}{
		{"10.1.2.3:4", "abc-DEF_123", true}, {"[::ffff:10.1.2.3]:4", "abc", true},
		{"10.1.2.3:4", "", false}, {"10.1.2.3:4", "a b", false}, {"10.1.2.3:4", "a\"b", false},
		{"10.1.2.3:4", strings.Repeat("a", 65), false}, {"11.1.2.3:4", "abc", false}, {"nobody", "abc", false},
	} {
		w := do(s.Handler(), func(r *http.Request) { r.RemoteAddr = c.peer; r.Header.Set("X-Request-Id", c.id) }, "GET", "/x", "")
		got := w.Header().Get("X-Request-Id")
		if got != seen || (got == c.id) != c.kept || !c.kept && (len(got) != 16 || ids[got]) {
			t.Errorf("%q from %s: %q", c.id, c.peer, got)
		}
		ids[got] = true
	}
}

// TestRate: a source has its burst and no more, others theirs; who a source is
// is not for strangers to say.
func TestRate(t *testing.T) {
	s := newService(t, service.Options{Rate: service.Rate{PerSecond: 0.001, Burst: 3, Sources: 10},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	s.Handle("GET /x", func(w http.ResponseWriter, _ *http.Request) error { return service.WriteJSON(w, 200, message{}) })
	from := func(peer string, forwarded ...string) int {
		w := do(s.Handler(), func(r *http.Request) {
			r.RemoteAddr = peer
			for _, f := range forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
		}, "GET", "/x", "")
		if w.Code == 429 && w.Header().Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
		return w.Code
	}
	exhaust := func(name string, ask func() int) {
		t.Helper()
		for i := range 5 {
			want := 200
			if i >= 3 {
				want = 429
			}
			if got := ask(); got != want {
				t.Fatalf("%s, request %d: %d", name, i+1, got)
			}
		}
	}
	exhaust("a source", func() int { return from("1.1.1.1:1") })
	exhaust("another", func() int { return from("1.1.1.2:1") })
	if got := from("1.1.1.1:2"); got != 429 {
		t.Errorf("from another port: %d", got)
	}
	if got := from("1.1.1.1:1", "2.2.2.2"); got != 429 {
		t.Errorf("a stranger says that it is another: %d", got)
	}
	exhaust("behind a proxy", func() int { return from("10.0.0.1:1", "3.3.3.3") })
	if got := from("10.0.0.2:1", "4.4.4.4, 3.3.3.3, 10.0.0.9"); got != 429 {
		t.Errorf("through two proxies, with a made up origin: %d", got)
	}
	if got := from("10.0.0.2:1", "4.4.4.4", "3.3.3.3"); got != 429 {
		t.Errorf("in two headers: %d", got)
	}
	if got := from("10.0.0.2:1", "5.5.5.5"); got != 200 {
		t.Errorf("another behind the proxy: %d", got)
	}
	exhaust("an IPv6 network", func() int { return from("[2001:db8::1]:1") })
	if got := from("[2001:db8::ffff:1]:1"); got != 429 {
		t.Errorf("the same network: %d", got)
	}
	if got := from("[2001:db8:0:1::1]:1"); got != 200 {
		t.Errorf("the network beside it: %d", got)
	}
	// The table is bounded: whom it has forgotten begins anew.
	for i := range 20 {
		from(netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, 9, 9, byte(i)}), 1).String())
	}
	if got := from("1.1.1.1:1"); got != 200 {
		t.Errorf("forgotten: %d", got)
	}
}

func TestMetricsAreForLoopback(t *testing.T) {
	public, private := newService(t, service.Options{}), newService(t, service.Options{Private: true, Profile: true})
	for _, c := range []struct {
		name            string
		s               *service.Service
		path, peer, via string
		want            int
	}{
		{"public, from outside", public, "/metrics", "1.1.1.1:1", "", 404},
		{"public, from here", public, "/metrics", "127.0.0.1:1", "", 200},
		{"public, from here, IPv6", public, "/metrics", "[::1]:1", "", 200},
		{"public, through a proxy here", public, "/metrics", "127.0.0.1:1", "1.1.1.1", 404},
		{"private", private, "/metrics", "1.1.1.1:1", "", 200},
		{"public profile", public, "/debug/pprof/", "127.0.0.1:1", "", 404},
		{"private profile", private, "/debug/pprof/goroutine", "127.0.0.1:1", "", 200},
		{"private profile from outside", private, "/debug/pprof/", "1.1.1.1:1", "", 404},
	} {
		w := do(c.s.Handler(), func(r *http.Request) {
			r.RemoteAddr, r.Host = c.peer, "127.0.0.1:8080"
			if c.via != "" {
				r.Header.Set("X-Forwarded-For", c.via)
			}
		}, "GET", c.path, "")
		if w.Code != c.want {
			t.Errorf("%s: %d", c.name, w.Code)
		}
	}
	// A page whose name has been given this machine's address.
	for host, want := range map[string]int{
		"attacker.example": 404, "attacker.example:8080": 404, "127.0.0.1.attacker.example:8080": 404,
		"localhost:8080": 200, "here": 200, "[::1]:8080": 200, "::1": 200, "127.0.0.1": 200,
	} {
		w := do(public.Handler(), func(r *http.Request) { r.RemoteAddr, r.Host = "127.0.0.1:1", host }, "GET", "/metrics", "")
		if w.Code != want {
			t.Errorf("/metrics of %s: %d", host, w.Code)
		}
	}
}

// TestUnlimited: the deployment's own requests do not wait for strangers'.
func TestUnlimited(t *testing.T) {
	s := newService(t, service.Options{
		Rate:      service.Rate{PerSecond: 0.001, Burst: 1},
		Unlimited: func(r *http.Request) bool { return r.Header.Get("X-Own") != "" },
	})
	s.Handle("GET /x", func(w http.ResponseWriter, _ *http.Request) error { return service.WriteJSON(w, 200, message{}) })
	for i, c := range []struct {
		own  string
		want int
	}{{"", 200}, {"", 429}, {"1", 200}, {"1", 200}, {"", 429}} {
		if w := do(s.Handler(), func(r *http.Request) { r.Header.Set("X-Own", c.own) }, "GET", "/x", ""); w.Code != c.want {
			t.Errorf("request %d: %d, not %d", i, w.Code, c.want)
		}
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]service.Options{
		"no name":        {},
		"public profile": {Name: "a", Profile: true},
		"private CORS":   {Name: "a", Private: true, CORS: true},
		"negative rate":  {Name: "a", Rate: service.Rate{PerSecond: -1}},
	} {
		if _, err := service.New(o); err == nil {
			t.Errorf("%s: made", name)
		}
	}
	s := newService(t, service.Options{Status: func(*http.Request) (any, error) { return nil, errors.New("store is gone") }})
	if w := do(s.Handler(), nil, "GET", "/status", ""); w.Code != 503 || strings.Contains(w.Body.String(), "gone") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestMarshal: messages are written as encoding/json does, for which they were
// made.
func TestMarshal(t *testing.T) {
	for _, v := range []any{
		wire.ClientSettings{AppID: "a", SupportedProtocols: []string{"1"}, ShareKeys: []wire.ShareKey{{DTA: 1, Key: "00"}}}, wire.RedeemAnswer{Status: 200},
		wire.PermitsAnswer{TimePermits: map[string]string{"2": "b", "1": "a"}}, wire.MobileAnswer{LogoutURL: "x", LogoutData: json.RawMessage(`{"a":[1,2]}`)},
		wire.MobileAnswer{}, wire.LoginAnswer{UserID: "é\"", LogoutData: json.RawMessage(`null`)}, message{}, message{"a", 2},
	} {
		got, err := service.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if json.Unmarshal(got, &a) != nil || json.Unmarshal(want, &b) != nil {
			t.Fatal("not JSON")
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(x, y) {
			t.Errorf("%s, encoding/json %s", got, want)
		}
	}
	var m wire.MobileAnswer
	b := []byte(`{"logoutURL":"x","logoutData":{"a":1}}`)
	if err := service.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if string(m.LogoutData) != `{"a":1}` {
		t.Errorf("raw JSON lives in a buffer that is used again: %s", m.LogoutData)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"mpin_id":"00","UT":"04","U":"04","pass":1}`))
	f.Add([]byte(`{"mpinResponse":{"authOTT":"00"}}`))
	f.Add([]byte(strings.Repeat("[", 20000)))
	f.Add([]byte(`{"a":1e999999999}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p wire.Pass1Request
		if err := service.Unmarshal(b, &p); err != nil {
			if err != service.ErrJSON {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		// What is taken is what encoding/json, which is laxer, takes too.
		var q wire.Pass1Request
		if err := json.Unmarshal(b, &q); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		var r wire.AuthenticateRequest
		_ = service.Unmarshal(b, &r)
	})
}

// BenchmarkRequest is what a request costs around a server's own work.
func BenchmarkRequest(b *testing.B) {
	for _, c := range []struct {
		name string
		log  *slog.Logger
	}{{"none", nil}, {"json", slog.New(slog.NewJSONHandler(io.Discard, nil))}} {
		b.Run("log="+c.name, func(b *testing.B) {
			s := newService(b, service.Options{Logger: c.log, Rate: service.Rate{PerSecond: 1e9}, CORS: true})
			s.Handle("POST /pass1", func(w http.ResponseWriter, r *http.Request) error {
				var m wire.Pass1Request
				if err := service.ReadJSON(r, wire.MaxBody, &m); err != nil {
					return service.BadBody(403, err)
				}
				return service.WriteJSON(w, 200, wire.Pass1Answer{Version: wire.Version, Y: m.U, Pass: 1, Message: "OK"})
			})
			body := `{"mpin_id":"` + strings.Repeat("7b", 150) + `","UT":"` + strings.Repeat("04", 97) + `","U":"` + strings.Repeat("04", 97) + `","pass":1}`
			h := s.Handler()
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/pass1", strings.NewReader(body))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
