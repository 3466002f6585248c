package rps_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/sim/rps"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

func mail(*wire.VerifyRequest) (int, any) { return 200, wire.VerifyAnswer{} }

func TestRegister(t *testing.T) {
	d := deploy(t, fast(t), nil)
	d.app.onVerify(mail)
	now := d.clock.Now()
	var a wire.RegisterAnswer
	d.get(200, "PUT", d.public+"/user", map[string]any{
		"userId": "alice@example.com", "mobile": "1", "deviceName": "phone", "userData": "from a page",
	}, &a)
	id, err := wire.ParseIdentity(a.MpinID)
	if err != nil {
		t.Fatal(err)
	}
	if id.UserID != "alice@example.com" || id.Mobile != 1 || len(id.Salt) != 32 || len(a.RegOTT) != 32 || a.Active {
		t.Errorf("%+v %+v", a, id)
	}
	if a.NowTime != now.Format(wire.TimestampLayout) || a.ExpireTime != now.Add(time.Hour).Format(wire.TimestampLayout) {
		t.Errorf("times %s %s", a.NowTime, a.ExpireTime)
	}
	q, h := d.app.asked[0], d.app.headers[0]
	if q.UserID != id.UserID || q.MpinID != a.MpinID || q.Mobile != 1 || q.Resend || q.DeviceName != "phone" ||
		q.UserData != "from a page" || q.ExpireTime != a.ExpireTime {
		t.Errorf("verify: %+v", q)
	}
	if q.ActivateKey != wire.Sign(appKey, a.MpinID, a.RegOTT) {
		t.Error("activateKey")
	}
	if h.Get("RPS-BASE-URL") != strings.TrimSuffix(d.public, rps.Prefix) || h.Get("X-Request-Id") == "" {
		t.Errorf("headers %v", h)
	}

	t.Run("again", func(t *testing.T) {
		d.clock.Add(10 * time.Minute)
		var b wire.RegisterAnswer
		d.get(200, "PUT", d.public+"/user/"+a.MpinID, wire.RegisterRequest{UserID: id.UserID, RegOTT: a.RegOTT}, &b)
		if b.MpinID != a.MpinID || b.RegOTT != a.RegOTT || b.ExpireTime != a.ExpireTime || b.NowTime == a.NowTime {
			t.Errorf("%+v", b)
		}
		if last := d.app.asked[len(d.app.asked)-1]; !last.Resend || last.ActivateKey != q.ActivateKey {
			t.Errorf("verify: %+v", last)
		}
	})
	t.Run("refusals", func(t *testing.T) {
		for name, c := range map[string]struct {
			path, body string
		}{
			"bad JSON":          {"/user", `{"userId":`},
			"no userId":         {"/user", `{"mobile":0}`},
			"empty userId":      {"/user", `{"userId":""}`},
			"control character": {"/user", `{"userId":"a\u0000"}`},
			"long userId":       {"/user", `{"userId":"` + strings.Repeat("x", wire.MaxUserID+1) + `"}`},
			"mobile":            {"/user", `{"userId":"a","mobile":2}`},
			"device":            {"/user", `{"userId":"a","deviceName":"` + strings.Repeat("x", wire.MaxDevice+1) + `"}`},
			"wrong regOTT":      {"/user/" + a.MpinID, `{"userId":"alice@example.com","regOTT":"` + strings.Repeat("00", 16) + `"}`},
			"no regOTT":         {"/user/" + a.MpinID, `{"userId":"alice@example.com"}`},
			"another user":      {"/user/" + a.MpinID, `{"userId":"bob","regOTT":"` + a.RegOTT + `"}`},
		} {
			if got, b := d.call("PUT", d.public+c.path, c.body); got != 400 {
				t.Errorf("%s: %d %s", name, got, b)
			}
		}
		var b wire.RegisterAnswer
		d.get(200, "PUT", d.public+"/user/"+a.MpinID, wire.RegisterRequest{UserID: id.UserID, RegOTT: a.RegOTT}, &b)
		if b.MpinID != a.MpinID {
			t.Error("a refused request has changed the registration")
		}
	})
	t.Run("unknown mpinId", func(t *testing.T) {
		if got, b := d.call("PUT", d.public+"/user/zz", `{"userId":"a","userData":{"list":[1]}}`); got != 200 {
			t.Errorf("an mpinId that is none: %d %s", got, b)
		}
		other, err := wire.NewIdentity("alice@example.com", false, now, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b wire.RegisterAnswer
		d.get(200, "PUT", d.public+"/user/"+other.String(), wire.RegisterRequest{UserID: "alice@example.com", RegOTT: a.RegOTT}, &b)
		if b.MpinID == other.String() || b.MpinID == a.MpinID {
			t.Error("no new mpinId")
		}
	})
	t.Run("expired", func(t *testing.T) {
		d.clock.Add(51 * time.Minute)
		var b wire.RegisterAnswer
		if got, _ := d.call("GET", d.public+"/signature/"+a.MpinID+"?regOTT="+a.RegOTT, nil); got != 400 {
			t.Errorf("signature: %d", got)
		}
		if got, _ := d.call("POST", d.private+"/user/"+a.MpinID, wire.ActivateRequest{ActivateKey: q.ActivateKey}); got != 404 {
			t.Errorf("activation: %d", got)
		}
		d.get(200, "PUT", d.public+"/user/"+a.MpinID, wire.RegisterRequest{UserID: id.UserID, RegOTT: a.RegOTT}, &b)
		if b.MpinID == a.MpinID {
			t.Error("the expired mpinId")
		}
	})
}

// TestVerifyAnswers: the application's refusal passes through, its failure is
// ours, and neither leaves a registration.
func TestVerifyAnswers(t *testing.T) {
	d := deploy(t, fast(t), nil)
	for _, c := range []struct{ answer, want int }{{403, 403}, {409, 409}, {500, 500}, {503, 500}, {302, 500}, {204, 500}} {
		var asked wire.VerifyRequest
		d.app.onVerify(func(q *wire.VerifyRequest) (int, any) {
			asked = *q
			return c.answer, wire.Refusal{Message: "not you"}
		})
		status, b := d.call("PUT", d.public+"/user", wire.RegisterRequest{UserID: "alice"})
		if status != c.want {
			t.Errorf("%d: %d %s", c.answer, status, b)
		}
		if c.answer == 403 && !strings.Contains(string(b), "not you") {
			t.Errorf("message %s", b)
		}
		if got, _ := d.call("POST", d.private+"/user/"+asked.MpinID, wire.ActivateRequest{ActivateKey: asked.ActivateKey}); got != 404 {
			t.Errorf("%d: a registration was left (%d)", c.answer, got)
		}
	}
	d.app.Close()
	if status, b := d.call("PUT", d.public+"/user", wire.RegisterRequest{UserID: "alice"}); status != 500 || strings.Contains(string(b), "127.0.0.1") {
		t.Errorf("application down: %d %s", status, b)
	}
}

func TestActivation(t *testing.T) {
	d := deploy(t, fast(t), nil)
	d.app.onVerify(mail)
	var a wire.RegisterAnswer
	d.get(200, "PUT", d.public+"/user", wire.RegisterRequest{UserID: "alice"}, &a)
	signature := d.public + "/signature/" + a.MpinID + "?regOTT=" + a.RegOTT
	resp, err := d.http.Get(signature)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("not activated: %d %v", resp.StatusCode, resp.Header)
	}
	activate := d.private + "/user/" + a.MpinID
	key := wire.Sign(appKey, a.MpinID, a.RegOTT)
	for name, body := range map[string]any{
		"wrong key":    wire.ActivateRequest{ActivateKey: wire.Sign(appKey, a.MpinID, strings.Repeat("0", 32))},
		"another key":  wire.ActivateRequest{ActivateKey: wire.Sign("other", a.MpinID, a.RegOTT)},
		"short key":    wire.ActivateRequest{ActivateKey: key[:62]},
		"no key":       wire.ActivateRequest{},
		"no hex":       wire.ActivateRequest{ActivateKey: "zz"},
		"regOTT alone": wire.ActivateRequest{ActivateKey: a.RegOTT},
	} {
		if got, _ := d.call("POST", activate, body); got != 403 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got, _ := d.call("POST", activate, `{`); got != 400 {
		t.Errorf("bad JSON: %d", got)
	}
	if got, _ := d.call("POST", d.private+"/user/zz", wire.ActivateRequest{ActivateKey: key}); got != 400 {
		t.Errorf("bad mpinId: %d", got)
	}
	for range 2 { // the link may be followed twice
		d.get(200, "POST", activate, wire.ActivateRequest{ActivateKey: key}, nil)
	}
	var again wire.RegisterAnswer
	d.get(200, "PUT", d.public+"/user/"+a.MpinID, wire.RegisterRequest{UserID: "alice", RegOTT: a.RegOTT}, &again)
	if !again.Active || again.MpinID != a.MpinID {
		t.Errorf("%+v", again)
	}
	d.fetchSecret(&a, "1234").want("1234", 200)
	if got, _ := d.call("POST", activate, wire.ActivateRequest{ActivateKey: key}); got != 200 {
		t.Errorf("link followed after the secret was fetched: %d", got)
	}
	if got, _ := d.call("GET", signature, nil); got != 400 {
		t.Errorf("secret handed out again: %d", got)
	}
	if got, _ := d.call("POST", d.public+"/user/"+a.MpinID, wire.ActivateRequest{ActivateKey: key}); got != 405 {
		t.Errorf("activation in public: %d", got)
	}
	// The application may activate while it is asked.
	d.app.onVerify(func(q *wire.VerifyRequest) (int, any) {
		status, _, err := d.try("POST", d.private+"/user/"+q.MpinID, wire.ActivateRequest{ActivateKey: q.ActivateKey})
		if err != nil || status != 200 {
			t.Errorf("activation during verify: %d %v", status, err)
		}
		return 200, wire.VerifyAnswer{}
	})
	d.get(200, "PUT", d.public+"/user", wire.RegisterRequest{UserID: "bob"}, &a)
	if !a.Active {
		t.Error("not active")
	}
}

func TestSignature(t *testing.T) {
	d := deploy(t, fast(t), nil)
	begin := func() *wire.RegisterAnswer {
		var a wire.RegisterAnswer
		d.get(200, "PUT", d.public+"/user", wire.RegisterRequest{UserID: "alice"}, &a)
		return &a
	}
	path := func(a *wire.RegisterAnswer, ott string) string {
		return d.public + "/signature/" + a.MpinID + "?regOTT=" + ott
	}

	a := begin()
	for name, to := range map[string]string{
		"unknown":   d.public + "/signature/" + hex.EncodeToString([]byte(`{"userID":"x"}`)) + "?regOTT=" + a.RegOTT,
		"malformed": d.public + "/signature/xyz?regOTT=" + a.RegOTT,
	} {
		if got, _ := d.call("GET", to, nil); got != 400 {
			t.Errorf("%s: %d", name, got)
		}
	}
	t.Run("a wrong regOTT ends it", func(t *testing.T) {
		for _, wrong := range []string{strings.Repeat("0", 32), "", "zz", a.RegOTT[2:]} {
			a := begin()
			if got, _ := d.call("GET", path(a, wrong), nil); got != 400 {
				t.Errorf("%q: %d", wrong, got)
			}
			if got, _ := d.call("GET", path(a, a.RegOTT), nil); got != 400 {
				t.Errorf("the right one after %q: %d", wrong, got)
			}
		}
	})
	t.Run("D-TA failure", func(t *testing.T) {
		d.dtas.fail(true)
		if got, b := d.call("GET", path(a, a.RegOTT), nil); got != 500 {
			t.Errorf("%d %s", got, b)
		}
		d.dtas.fail(false)
		d.fetchSecret(a, "1234").want("1234", 200)
	})
	t.Run("once, of many", func(t *testing.T) {
		a := begin()
		var wg sync.WaitGroup
		var mu sync.Mutex
		count := map[int]int{}
		for range 20 {
			wg.Go(func() {
				status, _, err := d.try("GET", path(a, a.RegOTT), nil)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				count[status]++
			})
		}
		wg.Wait()
		if count[200] != 1 || count[400] != 19 {
			t.Errorf("%v", count)
		}
		var again wire.RegisterAnswer
		d.get(200, "PUT", d.public+"/user/"+a.MpinID, wire.RegisterRequest{UserID: "alice", RegOTT: a.RegOTT}, &again)
		if again.MpinID == a.MpinID {
			t.Error("registering after the secret was handed out gives the same mpinId")
		}
	})
	t.Run("setupDone", func(t *testing.T) {
		a := begin()
		d.get(200, "POST", d.public+"/setupDone/"+a.MpinID, nil, nil) // too early: nothing happens
		d.fetchSecret(a, "1234")
		d.get(200, "POST", d.public+"/setupDone/"+a.MpinID, nil, nil)
		d.get(200, "POST", d.public+"/setupDone/"+a.MpinID, `{}`, nil)
		if got, _ := d.call("POST", d.public+"/setupDone/zz", nil); got != 400 {
			t.Errorf("malformed: %d", got)
		}
		h := hashKey(unhex(t, a.MpinID))
		if r, err := d.store.Do(t.Context(), store.Get(store.Registration, h)); err != nil || r[0].OK {
			t.Errorf("the registration is still there: %v", err)
		}
	})
}

func TestTimePermit(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	var a wire.PermitHalfAnswer
	d.get(200, "GET", d.public+"/timePermit/"+u.mpinID, nil, &a)
	hash := wire.HashIdentity(u.raw)
	h := hex.EncodeToString(hash[:])
	if a.Date != int(u.today()) || a.StorageID != h || a.Version != "0.3" || a.Message == "" ||
		a.Signature != wire.Sign(appKey, h) {
		t.Errorf("%+v", a)
	}
	for range 5 {
		u.permit()
	}
	if d.dtas.permits != 1 {
		t.Errorf("the D-TA was asked %d times", d.dtas.permits)
	}
	d.dtas.fail(true)
	u.permit() // from the cache
	d.clock.Add(12*time.Hour + time.Second)
	if got, _ := d.call("GET", d.public+"/timePermit/"+u.mpinID, nil); got != 500 {
		t.Errorf("D-TA down: %d", got)
	}
	d.dtas.fail(false)
	if p := u.permit(); p.Date() != u.today() {
		t.Errorf("permit for %s", p.Date())
	}
	if got, _ := d.call("GET", d.public+"/timePermit/zz", nil); got != 403 {
		t.Errorf("malformed: %d", got)
	}
	// Revoked: the refusal passes through, although the permit is in the cache.
	for _, c := range []struct{ answer, want int }{{403, 403}, {410, 410}, {500, 500}, {200, 200}} {
		d.app.onPermit(func(id string) int {
			if id != u.mpinID {
				return 404
			}
			return c.answer
		})
		if got, _ := d.call("GET", d.public+"/timePermit/"+u.mpinID, nil); got != c.want {
			t.Errorf("application says %d: %d", c.answer, got)
		}
	}
	d.app.onPermit(func(string) int { return 403 })
	// The old permit is of no use the next day.
	old := u.permitFor(u.today())
	d.clock.Add(25 * time.Hour)
	if got := d.redeem(u.passesWith("1234", old, "0")).Status; got != 401 {
		t.Errorf("yesterday's permit: %d", got)
	}
}

// TestRegistrationOutlivesProcess: on bbolt, a restart keeps mpinId, regOTT and
// the attempts.
func TestRegistrationOutlivesProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rps.db")
	open := func(c *rps.Config) store.Store {
		s, err := store.OpenBolt(path, store.Options{Now: c.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	d := deploy(t, fast(t), func(c *rps.Config) { c.Store = open(c) })
	d.app.onVerify(mail)
	u := func() *user {
		d.app.onVerify(func(*wire.VerifyRequest) (int, any) { return 200, wire.VerifyAnswer{ForceActivate: true} })
		defer d.app.onVerify(mail)
		return d.enrol("bob", "1234")
	}()
	u.want("0000", 401)
	u.want("0001", 401)
	var a, b wire.RegisterAnswer
	d.get(200, "PUT", d.public+"/user", wire.RegisterRequest{UserID: "alice"}, &a)
	if err := d.rps.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.store.Close(); err != nil {
		t.Fatal(err)
	}
	e := d.another(func(c *rps.Config) { c.Store = open(c) })
	t.Cleanup(func() { e.store.Close() })
	e.get(200, "PUT", e.public+"/user/"+a.MpinID, wire.RegisterRequest{UserID: "alice", RegOTT: a.RegOTT}, &b)
	if b.MpinID != a.MpinID || b.RegOTT != a.RegOTT || b.ExpireTime != a.ExpireTime {
		t.Errorf("%+v, was %+v", b, a)
	}
	u.deployment = e
	u.want("0002", 410)
}

func TestClientSettings(t *testing.T) {
	keys := []wire.ShareKey{{DTA: 1, Key: "00"}}
	d := deploy(t, fast(t), func(c *rps.Config) { c.ShareKeys, c.Threshold = keys, 2 })
	var raw map[string]json.RawMessage
	d.get(200, "GET", d.public+"/clientSettings", nil, &raw)
	for _, name := range []string{
		"certivoxURL", "signatureURL", "registerURL", "timePermitsURL", "timePermitsStorageURL", "setupDoneURL",
		"mpinAuthServerURL", "authenticateURL", "mobileAuthenticateURL", "setDeviceName", "accessNumberUseCheckSum",
		"accessNumberDigits", "cSum", "appID", "requestOTP", "seedValue", "useWebSocket", "useNFC", "supportedProtocols",
		"accessNumberURL", "getAccessNumberURL", "getQrUrl", "codeStatusURL", "suite", "pinDigits", "shareKeys", "threshold",
	} {
		if _, ok := raw[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	var c, again wire.ClientSettings
	d.get(200, "GET", d.public+"/clientSettings", nil, &c)
	d.get(200, "GET", d.public+"/clientSettings", nil, &again)
	if len(c.SeedValue) != 200 || c.SeedValue == again.SeedValue || !strings.HasSuffix(c.CertivoxURL, "/") ||
		c.AccessNumberDigits != 7 || c.CSum != 1 || !c.AccessNumberUseCheckSum || c.AppID != "app" ||
		c.RegisterURL != d.public+"/user" || c.MpinAuthServerURL != d.public || !c.UseWebSocket {
		t.Errorf("%+v", c)
	}
	otp := deploy(t, fast(t), func(c *rps.Config) { c.RequestOTP = true })
	clear(raw)
	otp.get(200, "GET", otp.public+"/clientSettings", nil, &raw)
	if _, ok := raw["accessNumberURL"]; ok || string(raw["requestOTP"]) != "true" {
		t.Error("access numbers with requestOTP")
	}
}

func TestSurroundings(t *testing.T) {
	d := deploy(t, fast(t), func(c *rps.Config) {
		c.Rate = service.Rate{PerSecond: 0.001, Burst: 7}
	})
	q, err := http.NewRequest("OPTIONS", d.public+"/pass1", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := d.http.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("OPTIONS: %d %v", resp.StatusCode, resp.Header)
	}
	for path, want := range map[string]int{"/nothing": 404, "/pass1": 405, "/status": 200, "/authenticationToken": 426} {
		if got, b := d.call("GET", d.public+path, nil); got != want {
			t.Errorf("GET %s: %d %s", path, got, b)
		}
	}
	for path, want := range map[string]int{"/status": 200, "/metrics": 200, "/nothing": 404, "/authenticate": 405} {
		if got, b := d.call("GET", d.private+path, nil); got != want {
			t.Errorf("GET %s: %d %s", path, got, b)
		}
	}
	// What is private is not to be had in public.
	if got, _ := d.call("POST", strings.TrimSuffix(d.public, rps.Prefix)+"/authenticate", `{"authOTT":"00"}`); got != 404 {
		t.Errorf("public /authenticate: %d", got)
	}
	d.call("GET", d.public+"/status", nil)
	if got, _ := d.call("GET", d.public+"/status", nil); got != 429 {
		t.Errorf("beyond the rate: %d", got)
	}
}

// TestNotReady: without s·Q logins are refused, and it is gathered as soon as
// the D-TAs answer.
func TestNotReady(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	permit := u.permit()
	d.dtas.fail(true)
	var s *rps.Server
	s, err := rps.New(rps.Config{
		Suite: d.suite, Store: d.store, Shares: d.dtas, AppID: "app", AppKey: appKey, BaseURL: "http://127.0.0.1/rps", Now: d.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	serve := func(method, path string, body any) int {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r := newRequest(method, path, b)
		w := newRecorder()
		s.Public().ServeHTTP(w, r)
		return w.Code
	}
	q := u.request1(u.prover("1234", permit))
	if got := serve("POST", "/rps/pass1", q); got != 503 {
		t.Errorf("pass 1: %d", got)
	}
	if got := serve("GET", "/rps/status", nil); got != 503 {
		t.Errorf("status: %d", got)
	}
	d.dtas.fail(false)
	select {
	case <-s.Ready():
	case <-time.After(30 * time.Second):
		t.Fatal("not ready")
	}
	if got := serve("POST", "/rps/pass1", q); got != 200 {
		t.Errorf("pass 1: %d", got)
	}
}

func TestConfig(t *testing.T) {
	good := rps.Config{
		Suite: fast(t), Store: store.NewMemory(store.Options{}), Shares: newDTAs(t, fast(t)),
		AppID: "app", AppKey: appKey, BaseURL: "http://127.0.0.1/rps",
	}
	for name, change := range map[string]func(*rps.Config){
		"suite":       func(c *rps.Config) { c.Suite = nil },
		"no permits":  func(c *rps.Config) { c.Suite = suite(t, "miracl-core/bls12-381", "gnark/bls12-381") },
		"store":       func(c *rps.Config) { c.Store = nil },
		"shares":      func(c *rps.Config) { c.Shares = nil },
		"application": func(c *rps.Config) { c.AppKey = "" },
		"base":        func(c *rps.Config) { c.BaseURL = "" },
		"base URL":    func(c *rps.Config) { c.BaseURL = "/rps" },
		"lockout":     func(c *rps.Config) { c.Lockout = "never" },
		"digits":      func(c *rps.Config) { c.PINDigits = wire.PINDigits{Min: 4, Max: 9} },
		"attempts":    func(c *rps.Config) { c.MaxAttempts = -1 },
	} {
		c := good
		change(&c)
		if s, err := rps.New(c); err == nil {
			s.Close()
			t.Errorf("%s is taken", name)
		}
	}
	s, err := rps.New(good)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
