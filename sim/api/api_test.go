package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/api"
	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

var (
	ctx   = context.Background()
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	hash  = strings.Repeat("0f", 32)
	point = "04" + strings.Repeat("ab", 96)
)

const admin, proxy = "admin token", "service token"

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server is an API with one application, and a clock that can be moved.
func server(t testing.TB, change func(*api.Config)) (*api.Server, *atomic.Int64) {
	t.Helper()
	now := new(atomic.Int64)
	now.Store(noon.UnixNano())
	clock := func() time.Time { return time.Unix(0, now.Load()) }
	s := store.NewMemory(store.Options{Now: clock})
	t.Cleanup(func() { s.Close() })
	c := api.Config{Store: s, Now: clock, AdminToken: admin, ServiceToken: proxy,
		CertivoxURL: "http://proxy/", StorageURL: "http://api/permits"}
	if change != nil {
		change(&c)
	}
	a, err := api.New(c)
	check(t, err)
	check(t, a.Adopt(ctx, wire.Application{AppID: "app-1", AppKey: "super secret", Name: "one"}))
	return a, now
}

func do(h http.Handler, method, target, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
	path, query, _ := strings.Cut(target, "?")
	r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func settings(appID, key string, at time.Time) string {
	expires := wire.Expires(at)
	return "/apiSettings?" + wire.Query{"app_id": appID, "expires": expires,
		"signature": wire.Sign(key, wire.SettingsParts(appID, expires)...)}.Encode()
}

func permitPath(date protocol.Date, storageID string) string {
	return "/permits/app-1/" + strconv.Itoa(int(date)) + "/" + storageID
}

// TestStatuses goes through what the API documents.
func TestStatuses(t *testing.T) {
	a, _ := server(t, nil)
	today, err := wire.Today(noon)
	check(t, err)
	path := permitPath(today, hash)
	for _, c := range []struct {
		name, method, url, token, body string
		want                           int
	}{
		{"settings", "GET", settings("app-1", "super secret", noon), "", "", 200},
		{"settings, wrong key", "GET", settings("app-1", "other", noon), "", "", 401},
		{"settings of a stranger", "GET", settings("app-2", "super secret", noon), "", "", 401},
		{"settings, expired", "GET", settings("app-1", "super secret", noon.AddDate(0, 0, -2)), "", "", 408},
		{"settings, of the day after tomorrow", "GET", settings("app-1", "super secret", noon.AddDate(0, 0, 2)), "", "", 408},
		{"settings, nothing", "GET", "/apiSettings", "", "", 403},
		{"settings, unparsable", "GET", "/apiSettings?%", "", "", 403},
		{"time", "GET", "/time", "", "", 200},
		{"time, another method", "POST", "/time", "", "", 405},
		{"time, OPTIONS", "OPTIONS", "/time", "", "", 200},

		{"register", "POST", "/applications", admin, `{"name":"x"}`, 200},
		{"register, no token", "POST", "/applications", "", `{"name":"x"}`, 401},
		{"register, the proxy's token", "POST", "/applications", proxy, `{"name":"x"}`, 401},
		{"register, bad JSON", "POST", "/applications", admin, `{"name":`, 400},
		{"register, long name", "POST", "/applications", admin, `{"name":"` + strings.Repeat("x", 200) + `"}`, 400},
		{"register, oversize", "POST", "/applications", admin, strings.Repeat(" ", 5000) + "{}", 413},
		{"application", "GET", "/applications/app-1", proxy, "", 200},
		{"application, no token", "GET", "/applications/app-1", "", "", 401},
		{"application, the admin's token", "GET", "/applications/app-1", admin, "", 401},
		{"application, unknown", "GET", "/applications/app-2", proxy, "", 404},
		{"application, bad ID", "GET", "/applications/a b", proxy, "", 404},

		{"a miss", "GET", path, "", "", 404},
		{"publish, no token", "PUT", path, "", point, 401},
		{"publish, the admin's token", "PUT", path, admin, point, 401},
		{"publish", "PUT", path, proxy, point, 200},
		{"publish again", "PUT", path, proxy, point, 200},
		{"publish for a set", "PUT", path + "-1.3", proxy, point, 200},
		{"a hit", "GET", path, "", "", 200},
		{"publish nothing", "PUT", permitPath(today+1, hash), proxy, "", 403},
		{"publish no hex", "PUT", permitPath(today+1, hash), proxy, "xy", 403},
		{"publish too much", "PUT", permitPath(today+1, hash), proxy, strings.Repeat("0", wire.MaxPoint+1), 413},
		{"publish for yesterday", "PUT", permitPath(today-1, hash), proxy, point, 403},
		{"publish for next year", "PUT", permitPath(today+365, hash), proxy, point, 403},
		{"publish for no day", "PUT", "/permits/app-1/today/" + hash, proxy, point, 403},
		{"publish for no identity", "PUT", permitPath(today, "alice@example.com"), proxy, point, 403},
		{"publish for no set", "PUT", path + "-3.1", proxy, point, 403},
		{"publish for an empty set", "PUT", path + "-", proxy, point, 403},
		{"publish for no application", "PUT", "/permits/a b/" + strconv.Itoa(int(today)) + "/" + hash, proxy, point, 403},
		{"fetch for no day", "GET", "/permits/app-1/0" + strconv.Itoa(int(today)) + "/" + hash, "", "", 404},
		{"fetch for no identity", "GET", permitPath(today, "x"), "", "", 404},
		{"unknown path", "GET", "/", "", "", 404},
		{"up and down", "GET", "/permits/../applications/app-1", proxy, "", 404},
	} {
		w := do(a.Handler(), c.method, c.url, c.token, c.body)
		if w.Code != c.want {
			t.Errorf("%s: %d, not %d: %s", c.name, w.Code, c.want, w.Body)
		}
		if strings.Contains(w.Body.String(), "super secret") && c.name != "application" {
			t.Errorf("%s: the key is told", c.name)
		}
	}
	var got wire.APISettings
	check(t, json.Unmarshal(do(a.Handler(), "GET", settings("app-1", "super secret", noon), "", "").Body.Bytes(), &got))
	if got.TimePermitsStorageURL != "http://api/permits" || got.CertivoxURL != "http://proxy/" {
		t.Errorf("settings: %+v", got)
	}
	if w := do(a.Handler(), "GET", "/time", "", ""); strings.TrimSpace(w.Body.String()) != `{"Time":"2026-11-23 12:00:00Z"}` {
		t.Errorf("time: %s", w.Body)
	}
	w := do(a.Handler(), "GET", path, "", "")
	if w.Body.String() != point || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("permit: %q as %s", w.Body, w.Header().Get("Content-Type"))
	}
}

// TestNoTokensNoDoors: an API without tokens lets nobody in, not even with an
// empty one.
func TestNoTokensNoDoors(t *testing.T) {
	a, _ := server(t, func(c *api.Config) { c.AdminToken, c.ServiceToken = "", "" })
	for _, header := range []string{"", "Bearer ", "Bearer", "Basic x"} {
		r := httptest.NewRequest("POST", "/applications", strings.NewReader(`{"name":"x"}`))
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code != 401 {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
}

// TestPermitsExpire: a permit is there until an hour after its day, and the
// first that came.
func TestPermitsExpire(t *testing.T) {
	a, now := server(t, nil)
	today, err := wire.Today(noon)
	check(t, err)
	get := func(d protocol.Date) int { return do(a.Handler(), "GET", permitPath(d, hash), "", "").Code }
	for d := today; d < today+3; d++ {
		check(t, a.PutPermit(ctx, "app-1", d, hash, point))
	}
	check(t, a.PutPermit(ctx, "app-1", today, hash, "00"))
	if text := do(a.Handler(), "GET", permitPath(today, hash), "", "").Body.String(); text != point {
		t.Errorf("it was overwritten: %s", text)
	}
	for _, c := range []struct {
		at                  time.Time
		first, second, last int
	}{
		{time.Date(2026, 11, 24, 0, 59, 59, 0, time.UTC), 200, 200, 200},
		{time.Date(2026, 11, 24, 1, 0, 1, 0, time.UTC), 404, 200, 200},
		{time.Date(2026, 11, 25, 1, 0, 1, 0, time.UTC), 404, 404, 200},
		{time.Date(2026, 11, 26, 1, 0, 1, 0, time.UTC), 404, 404, 404},
	} {
		now.Store(c.at.UnixNano())
		if get(today) != c.first || get(today+1) != c.second || get(today+2) != c.last {
			t.Errorf("%s: %d %d %d", c.at, get(today), get(today+1), get(today+2))
		}
	}
	if err := a.PutPermit(ctx, "app-1", today, hash, point); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("for a day that is over: %v", err)
	}
}

// TestStorageIsBounded: there is a greatest number of permits for a day; what is
// there already is not counted twice.
func TestStorageIsBounded(t *testing.T) {
	a, now := server(t, func(c *api.Config) { c.MaxPermits = 3 })
	today, err := wire.Today(noon)
	check(t, err)
	id := func(i int) string { return strings.Repeat("0", 63) + strconv.Itoa(i) }
	for i := range 3 {
		for range 3 {
			check(t, a.PutPermit(ctx, "app-1", today, id(i), point))
		}
	}
	if err := a.PutPermit(ctx, "app-1", today, id(3), point); !errors.Is(err, api.ErrFull) {
		t.Errorf("one too many: %v", err)
	}
	w := do(a.Handler(), "PUT", permitPath(today, id(3)), proxy, point)
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d", w.Code)
	}
	check(t, a.PutPermit(ctx, "app-1", today+1, id(3), point))
	now.Store(noon.AddDate(0, 0, 2).UnixNano())
	check(t, a.PutPermit(ctx, "app-1", today+2, id(3), point))
}

// TestAdopt: an application that was adopted stays what it was, but for its
// D-TAs.
func TestAdopt(t *testing.T) {
	a, _ := server(t, nil)
	app := wire.Application{AppID: "app-1", AppKey: "super secret", Name: "one", ShareKeys: []wire.ShareKey{{DTA: 1, Key: "00"}}}
	check(t, a.Adopt(ctx, app))
	check(t, a.Adopt(ctx, app))
	got, err := a.Application(ctx, "app-1")
	check(t, err)
	if len(got.ShareKeys) != 1 || got.AppKey != "super secret" {
		t.Errorf("%+v", got)
	}
	app.AppKey = "other"
	if err := a.Adopt(ctx, app); !errors.Is(err, api.ErrExists) {
		t.Errorf("with another key: %v", err)
	}
	for _, bad := range []wire.Application{{}, {AppID: "a/b", AppKey: "k"}, {AppID: "a"}, {AppID: "a", AppKey: strings.Repeat("k", 200)}} {
		if err := a.Adopt(ctx, bad); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := a.Application(ctx, "nobody"); !errors.Is(err, wire.ErrApplication) {
		t.Errorf("nobody: %v", err)
	}
}

// TestRegister: an application gets an ID and a key of its own, a share of each
// D-TA behind the proxy, and survives the API.
func TestRegister(t *testing.T) {
	suite := dtatest.Suite(t)
	d := dtatest.New(t, suite, dtatest.Options{N: 2, AdminToken: "dta token"})
	s := store.NewMemory(store.Options{})
	t.Cleanup(func() { s.Close() })
	config := func(c *api.Config) {
		c.Store, c.Now = s, nil
		c.DTAs, c.DTAToken = []string{d.Nodes[0].URL, d.Nodes[1].URL}, "dta token"
	}
	a, _ := server(t, config)
	var answers []wire.ApplicationAnswer
	for range 2 {
		w := do(a.Handler(), "POST", "/applications", admin, `{"name":"shop"}`)
		var got wire.ApplicationAnswer
		check(t, json.Unmarshal(w.Body.Bytes(), &got))
		if w.Code != 200 || len(got.AppID) != 32 || len(got.AppKey) != 64 || len(got.ShareKeys) != 2 {
			t.Fatalf("%d %+v", w.Code, got)
		}
		answers = append(answers, got)
	}
	if answers[0].AppID == answers[1].AppID || answers[0].AppKey == answers[1].AppKey || answers[0].ShareKeys[0] == answers[1].ShareKeys[0] {
		t.Error("two applications have something in common")
	}
	for i, k := range answers[0].ShareKeys {
		if got, ok := d.Nodes[i].ShareKey(answers[0].AppID); !ok || got != k {
			t.Errorf("D-TA %d has another key", i+1)
		}
	}
	again, _ := server(t, config)
	if app, err := again.Application(ctx, answers[0].AppID); err != nil || app.AppKey != answers[0].AppKey || app.Name != "shop" {
		t.Errorf("after a restart: %+v %v", app, err)
	}
	shared, _ := server(t, func(c *api.Config) { config(c); c.Threshold = 2 })
	if w := do(shared.Handler(), "POST", "/applications", admin, `{"name":"shop"}`); w.Code != 409 {
		t.Errorf("in a threshold deployment: %d", w.Code)
	}
	d.Nodes[1].Stop()
	if w := do(a.Handler(), "POST", "/applications", admin, `{"name":"shop"}`); w.Code != 500 {
		t.Errorf("with a D-TA down: %d", w.Code)
	}
	wrong, _ := server(t, func(c *api.Config) { config(c); c.DTAs, c.DTAToken = c.DTAs[:1], "wrong" })
	if w := do(wrong.Handler(), "POST", "/applications", admin, `{"name":"shop"}`); w.Code != 500 {
		t.Errorf("with a wrong token: %d", w.Code)
	}
}

// TestInternal: the operator's own programs register without a token; what came
// through a proxy, or from a page, is not one of them.
func TestInternal(t *testing.T) {
	a, _ := server(t, func(c *api.Config) { c.Internal = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	for _, c := range []struct {
		remote, header string
		want           int
	}{
		{"127.0.0.1:1", "", 200}, {"[::ffff:127.0.0.1]:1", "", 200}, {"192.0.2.1:1", "", 401}, {"nobody", "", 401},
		{"127.0.0.1:1", "X-Forwarded-For", 401}, {"127.0.0.1:1", "Forwarded", 401}, {"127.0.0.1:1", "Origin", 401}, {"127.0.0.1:1", "Sec-Fetch-Site", 401},
	} {
		r := httptest.NewRequest(http.MethodPost, "/applications", nil)
		r.RemoteAddr = c.remote
		if c.header != "" {
			r.Header.Set(c.header, "x")
		}
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s with %s: %d, not %d", c.remote, c.header, w.Code, c.want)
		}
	}
}

// TestStoreDown: 503, and nothing of the cause.
func TestStoreDown(t *testing.T) {
	a, _ := server(t, func(c *api.Config) { c.Store = &broken{Store: c.Store} })
	for _, target := range []string{settings("app-1", "super secret", noon), permitPath(20000, hash)} {
		w := do(a.Handler(), "GET", target, "", "")
		if w.Code != 503 || strings.Contains(w.Body.String(), "disk") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

// broken is a store that fails once the application has been adopted.
type broken struct {
	store.Store
	calls atomic.Int32
}

func (b *broken) Do(ctx context.Context, ops ...store.Op) ([]store.Result, error) {
	if b.calls.Add(1) > 1 {
		return nil, errors.Join(store.ErrUnavailable, errors.New("disk on fire"))
	}
	return b.Store.Do(ctx, ops...)
}

func TestConfig(t *testing.T) {
	s := store.NewMemory(store.Options{})
	t.Cleanup(func() { s.Close() })
	for name, c := range map[string]api.Config{
		"no store":        {CertivoxURL: "http://p/", StorageURL: "http://s"},
		"no storage":      {Store: s, CertivoxURL: "http://p/"},
		"no proxy":        {Store: s, StorageURL: "http://s"},
		"no slash at end": {Store: s, StorageURL: "http://s", CertivoxURL: "http://p"},
	} {
		if _, err := api.New(c); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

// FuzzHandler: whatever the request, with or without tokens, the answer is a
// documented one.
func FuzzHandler(f *testing.F) {
	a, _ := server(f, nil)
	today, err := wire.Today(noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("GET", settings("app-1", "super secret", noon), "", "")
	f.Add("GET", "/time", "", "")
	f.Add("POST", "/applications", admin, `{"name":"shop"}`)
	f.Add("GET", "/applications/app-1", proxy, "")
	f.Add("PUT", permitPath(today, hash), proxy, point)
	f.Add("PUT", permitPath(today, hash)+"-1.3", proxy, point)
	f.Add("GET", permitPath(today, hash), "", "")
	f.Add("OPTIONS", "/applications", "", "")
	documented := map[int]bool{200: true, 400: true, 401: true, 403: true, 404: true, 405: true, 408: true, 413: true, 429: true}
	f.Fuzz(func(t *testing.T, method, target, token, body string) {
		if w := do(a.Handler(), method, target, token, body); !documented[w.Code] {
			t.Fatalf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
	})
}
