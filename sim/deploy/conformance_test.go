package deploy

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mpinlab/protocol"
)

// TestConformance goes through the description of the API sentence by sentence
// with a client written from it alone.
func TestConformance(t *testing.T) {
	for _, s := range []string{"rfc9380/bls12-381", "milagro/fp256bn"} {
		t.Run(strings.ReplaceAll(s, "/", " "), func(t *testing.T) {
			t.Parallel()
			clock, all := &skewed{}, map[Role]func() time.Time{}
			for _, r := range []Role{RoleDTA, RoleProxy, RoleAPI, RoleRPS, RoleRPA} {
				all[r] = clock.now
			}
			tap := &tap{}
			d := start(t, Config{Suite: s, VerifyByMail: `@mail\.example$`, Clock: all, Wrap: tap.wrap})
			c := &conform{T: t, now: clock.now}
			line, err := json.Marshal(d.Ready())
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(line, &c.ready); err != nil {
				t.Fatal(err)
			}
			if c.suite, err = d.config.suite(); err != nil {
				t.Fatal(err)
			}
			c.readSettings()
			for _, step := range []struct {
				name string
				f    func(*conform)
			}{
				{"registration", (*conform).registration},
				{"activation", (*conform).activation},
				{"permits", (*conform).permits},
				{"passes", (*conform).badPasses},
				{"verdicts", (*conform).verdicts},
				{"access number", func(c *conform) { c.codes(false) }},
				{"QR code", func(c *conform) { c.codes(true) }},
				{"code refusals", (*conform).codeRefusals},
				{"WebSocket", (*conform).webSocket},
				{"CORS", (*conform).cors},
				{"tolerance", (*conform).tolerance},
				{"D-TAs and API", (*conform).applications},
				{"lifetimes", func(c *conform) { c.lifetimes(clock) }},
			} {
				t.Run(step.name, func(t *testing.T) {
					sub := *c
					sub.T = t
					step.f(&sub)
				})
			}
			c.hashesOnly(tap)
		})
	}
}

func (c *conform) readSettings() {
	a := c.get(c.at("rps") + "/rps/clientSettings").is(200).has(object{
		"certivoxURL": "", "signatureURL": "", "registerURL": "", "timePermitsURL": "", "timePermitsStorageURL": "", "setupDoneURL": "",
		"mpinAuthServerURL": "", "authenticateURL": "", "mobileAuthenticateURL": "", "setDeviceName": true, "accessNumberUseCheckSum": true,
		"accessNumberDigits": 0, "cSum": 0, "appID": "", "requestOTP": true, "seedValue": "", "useWebSocket": true, "useNFC": true,
		"supportedProtocols": []any{}, "accessNumberURL": "", "getAccessNumberURL": "", "getQrUrl": "", "codeStatusURL": "",
	})
	c.settings = a.body
	if !strings.HasSuffix(c.setting("certivoxURL"), "/") || a.number("accessNumberDigits") != 7 || a.number("cSum") != 1 ||
		a.body["requestOTP"] != false || len(c.unhex(c.setting("seedValue"))) != 100 {
		c.Errorf("clientSettings: %s", a.raw)
	}
	if again := c.get(c.at("rps") + "/rps/clientSettings").text("seedValue"); again == c.setting("seedValue") {
		c.Error("a seed twice")
	}
}

var identityForm = regexp.MustCompile(`^\{"mobile": ?[01], ?"issued": ?"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", ?"userID": ?"[ -~]+", ?"salt": ?"[0-9a-f]{32}"\}$`)

func (c *conform) registration() {
	put := func(path string, body any) *answer { return c.do("PUT", c.setting("registerURL")+path, body) }
	u, a := c.register("zoë@example.com")
	if raw := string(c.unhex(u.mpinID)); !identityForm.MatchString(raw) || !strings.Contains(raw, `"zo\u00eb@example.com"`) {
		c.Errorf("identity %s", raw)
	}
	if a.body["active"] != true {
		c.Errorf("not active: %s", a.raw)
	}
	for _, bad := range []string{"", "{", "[]", `"x"`, `{}`, `{"mobile":0}`, `{"userId":""}`} {
		put("", bad).is(400)
	}
	// A restart keeps both; a wrong regOTT does not, an unknown mpinId is a new one.
	b := put("/"+u.mpinID, object{"userId": u.name, "mobile": 0, "regOTT": u.regOTT}).is(200)
	if b.text("mpinId") != u.mpinID || b.text("regOTT") != u.regOTT {
		c.Errorf("restarted: %s", b.raw)
	}
	put("/"+u.mpinID, object{"userId": u.name, "mobile": 0, "regOTT": strings.Repeat("0", 32)}).is(400)
	put("/"+u.mpinID, object{"userId": u.name, "mobile": 0}).is(400)
	for _, unknown := range []string{hex.EncodeToString([]byte(`{"userID":"x"}`)), "deadbeef", "no-such-id"} {
		if b := put("/"+unknown, object{"userId": u.name, "mobile": 1, "regOTT": u.regOTT}).is(200); b.text("mpinId") == u.mpinID {
			c.Errorf("%s got a known mpinId", unknown)
		}
	}
	// The signature: unknown 400, single use.
	c.get(c.setting("signatureURL") + "/" + hex.EncodeToString([]byte(`{"userID":"x"}`)) + "?regOTT=" + u.regOTT).is(400)
	u.secret("1234")
	u.signature().is(400)
	// A wrong regOTT deletes the record.
	v, _ := c.register("victim@example.com")
	c.get(c.setting("signatureURL") + "/" + v.mpinID + "?regOTT=" + strings.Repeat("0", 32)).is(400)
	v.signature().is(400)
}

func (c *conform) activation() {
	u, a := c.register("bob@mail.example")
	if a.body["active"] != false {
		c.Fatalf("active at once: %s", a.raw)
	}
	u.signature().is(401)
	mail := c.get(c.at("rpa") + "/outbox?" + query("user", u.name)).is(200).has(object{"mpinId": "", "activateKey": "", "link": ""})
	if mail.text("mpinId") != u.mpinID {
		c.Errorf("the outbox has %s", mail.raw)
	}
	c.get(c.at("rpa") + "/outbox?user=nobody").is(404)
	private := c.at("rpsPrivate") + "/user/"
	if a := c.post(private+u.mpinID, object{"activateKey": strings.Repeat("0", 64)}); a.status < 400 || a.status > 499 {
		c.Errorf("a wrong activateKey: %d", a.status)
	}
	u.signature().is(401)
	c.post(private+u.mpinID, object{"activateKey": mail.text("activateKey")}).is(200)
	u.secret("1234")
	u.fetchPermit()
	u.login("1234", 200)
	// The same by the link.
	v, _ := c.register("carol@mail.example")
	c.get(c.get(c.at("rpa") + "/outbox?user=carol%40mail.example").text("link")).is(200)
	v.secret("1234")
	c.do("PUT", c.setting("registerURL"), object{"userId": "x", "mobile": 0, "userData": object{"any": 1}}).is(200)
}

func (c *conform) permits() {
	u := c.enrolled("permit@example.com", "1234")
	a := u.askPermit().is(200)
	path := "/" + c.setting("appID") + "/" + strconv.Itoa(a.number("date")) + "/" + a.text("storageId")
	direct := c.get(c.setting("certivoxURL") + "timePermit?" + query("hash_mpin_id", a.text("storageId"), "signature", a.text("signature"))).is(200)
	var stored string
	c.eventually("a published permit", func() bool {
		got := c.get(c.setting("timePermitsStorageURL") + path)
		stored = got.raw
		return got.status == 200
	})
	if stored != direct.text("timePermit") {
		c.Errorf("the storage has %q", short(stored))
	}
	if miss := c.get(c.setting("timePermitsStorageURL") + "/" + c.setting("appID") + "/1/" + a.text("storageId")); miss.status == 200 {
		c.Error("a permit of 1970")
	}
	// The relying party's refusal passes through.
	c.get(c.at("rpa") + "/mpinPermitUser?mpin_id=" + u.mpinID).is(200)
	c.post(c.at("rpa")+"/admin/revoke", object{"userId": u.name}).is(200)
	c.get(c.at("rpa") + "/mpinPermitUser?mpin_id=" + u.mpinID).is(403)
	u.askPermit().is(403)
	c.do("PUT", c.setting("registerURL"), object{"userId": u.name, "mobile": 0}).is(403)
}

func (c *conform) badPasses() {
	u := c.enrolled("passes@example.com", "1234")
	one, two := c.setting("mpinAuthServerURL")+"/pass1", c.setting("mpinAuthServerURL")+"/pass2"
	p, m := u.prover("1234")
	for name := range m {
		c.post(one, without(m, name)).is(403)
	}
	for _, bad := range []string{"", "{", "[]", "null"} {
		c.post(one, bad).is(403)
		c.post(two, bad).is(403)
	}
	for _, name := range []string{"mpin_id", "UT", "U"} {
		c.post(one, with(m, name, "xyz")).is(403)
		c.post(one, with(m, name, "00")).is(403)
		c.post(one, with(m, name, 7)).is(403)
	}
	v := strings.Repeat("0", 2)
	c.post(two, object{"mpin_id": u.mpinID, "V": m["U"], "OTP": 0, "WID": "0", "pass": 2}).is(500) // no pass 1
	a := c.post(one, m).is(200)
	good := u.pass2Of(p, a.text("y"), "0", 0)
	for _, name := range []string{"mpin_id", "V", "pass"} {
		c.post(two, without(good, name)).is(403)
	}
	for name, bad := range map[string]any{"mpin_id": "xyz", "V": v + "z", "OTP": "many", "WID": "x"} {
		c.post(two, with(good, name, bad)).is(403)
	}
	b := c.post(two, good).is(200)
	c.post(two, good).is(500) // the challenge is used up
	c.redeem(b.text("authOTT"), 200)
	// The latest pass 1 wins.
	p1, m1 := u.prover("1234")
	y1 := c.post(one, m1).is(200).text("y")
	p2, m2 := u.prover("1234")
	y2 := c.post(one, m2).is(200).text("y")
	c.redeem(c.post(two, u.pass2Of(p2, y2, "0", 0)).is(200).text("authOTT"), 200)
	c.post(two, u.pass2Of(p1, y1, "0", 0)).is(500)
	p3, m3 := u.prover("1234")
	y3 := c.post(one, m3).is(200).text("y")
	_, m4 := u.prover("1234")
	c.post(one, m4).is(200)
	c.redeem(c.post(two, u.pass2Of(p3, y3, "0", 0)).is(200).text("authOTT"), 401)
	c.redeem(u.passes("1234", "0", 0).text("authOTT"), 200)
}

func without(m object, name string) object {
	o := object{}
	for k, v := range m {
		if k != name {
			o[k] = v
		}
	}
	return o
}

func with(m object, name string, value any) object {
	o := without(m, name)
	o[name] = value
	return o
}

func (c *conform) verdicts() {
	u := c.enrolled("verdicts@example.com", "1234")
	// Single use, and unknown.
	b := u.passes("1234", "0", 1)
	otp := b.text("OTP")
	a := c.redeem(b.text("authOTT"), 200)
	if a.text("userId") != u.name || a.text("mpinId") != u.mpinID || a.text("OTP") != otp {
		c.Errorf("redeemed: %s", a.raw)
	}
	c.redeem(b.text("authOTT"), 408)
	c.redeem(strings.Repeat("0", 32), 408)
	c.redeem("unknown", 408)
	c.post(c.at("rpsPrivate")+"/authenticate", "{").is(400)
	// 401, 401, a success clears; 401, 401, 410, and then for good.
	for _, want := range []struct {
		digits string
		status int
	}{
		{"1235", 401}, {"1236", 401}, {"1234", 200}, {"1235", 401}, {"1236", 401}, {"1237", 410}, {"1234", 410}, {"1234", 410},
	} {
		u.login(want.digits, want.status)
	}
	c.redeem(u.passes("1234", "0", 0).text("authOTT"), 410)
	// Until the user registers again.
	v := c.enrolled(u.name, "4321")
	if v.mpinID == u.mpinID {
		c.Error("registered again with the same mpinId")
	}
	v.login("4321", 200)
	u.login("1234", 410)
	c.post(c.setting("authenticateURL"), "{").is(400)
	c.post(c.setting("authenticateURL"), mpinResponse(strings.Repeat("0", 32))).is(408)
}

// codes is a phone that logs a browser in: the browser asks before and after.
func (c *conform) codes(qr bool) {
	u := c.enrolled("phone@example.com", "1234")
	for _, older := range []bool{false, true} {
		var wid string
		var a *answer
		if qr {
			a = c.post(c.setting("getQrUrl"), nil).is(200).has(object{"qrUrl": ""}).lacks("accessNumber")
			base, fragment, _ := strings.Cut(a.text("qrUrl"), "#")
			if wid = fragment; base != c.at("rps") || len(c.unhex(wid)) != 16 {
				c.Errorf("qrUrl %s", a.text("qrUrl"))
			}
		} else {
			a = c.post(c.setting("getAccessNumberURL"), nil).is(200).has(object{"accessNumber": ""}).lacks("qrUrl")
			wid = a.text("accessNumber")
			sum := 0
			for i := range 6 {
				sum += (7 - i) * int(wid[i]-'0')
			}
			if check := (11 - sum%11) % 11; len(wid) != 7 || check == 0 || check == 10 || strconv.Itoa(check) != wid[6:] {
				c.Errorf("access number %s", wid)
			}
		}
		a.has(object{"ttlSeconds": 0, "webOTT": "", "localTimeStart": 0, "localTimeEnd": 0})
		if a.number("ttlSeconds") != 300 || a.number("localTimeEnd")-a.number("localTimeStart") != 300_000 {
			c.Errorf("times: %s", a.raw)
		}
		web := object{"webOTT": a.text("webOTT")}
		access := func(status string) *answer {
			c.Helper()
			b := c.post(c.setting("mpinAuthServerURL")+"/access", web).is(200).
				has(object{"status": "", "statusCode": 0, "userId": "", "redirectURL": ""})
			if b.text("status") != status || b.number("statusCode") != 0 {
				c.Errorf("access: %s, not %s", b.raw, status)
			}
			if status != "authenticate" {
				b.lacks("authOTT")
			}
			return b
		}
		tell := func(o object) *answer { c.Helper(); return c.post(c.setting("codeStatusURL"), o) }
		access("new")
		c.post(c.setting("mpinAuthServerURL")+"/accessnumber", web).is(401)
		tell(object{"status": "wid", "wid": wid}).is(200)
		access("wid")
		tell(object{"status": "user", "wid": wid, "userId": u.name}).is(200)
		if b := access("user"); b.text("userId") != u.name {
			c.Errorf("user: %s", b.raw)
		}
		ott := u.passes("1234", wid, 0).text("authOTT")
		access("user")
		done := make(chan *answer, 1)
		go func() {
			defer close(done) // post may end this goroutine
			done <- c.post(c.setting("mobileAuthenticateURL"), mpinResponse(ott))
		}()
		var browser string
		c.eventually("the phone's login", func() bool {
			b := c.post(c.setting("mpinAuthServerURL")+"/access", web).is(200)
			if b.text("status") != "authenticate" {
				return false
			}
			browser = b.text("authOTT")
			return true
		})
		if older {
			browser = c.post(c.setting("mpinAuthServerURL")+"/accessnumber", web).is(200).text("authOTT")
		}
		in := c.post(c.setting("authenticateURL"), mpinResponse(browser)).is(200)
		phone := <-done
		if phone == nil {
			c.Fatal("the phone got no answer")
		}
		phone.is(200).has(object{"logoutURL": ""})
		if _, ok := phone.body["logoutData"]; !ok {
			c.Errorf("the phone's answer: %s", phone.raw)
		}
		cookie := in.header.Get("Set-Cookie")
		c.do("GET", c.at("rpa")+"/session", nil, "Cookie", cookie).is(200)
		c.post(phone.text("logoutURL"), phone.body["logoutData"]).is(200)
		c.do("GET", c.at("rpa")+"/session", nil, "Cookie", cookie).is(401)
	}
}

func (c *conform) codeRefusals() {
	base := c.setting("mpinAuthServerURL")
	for _, unknown := range []string{strings.Repeat("0", 32), "unknown"} {
		c.post(base+"/accessnumber", object{"webOTT": unknown}).is(404)
		if a := c.post(base+"/access", object{"webOTT": unknown}).is(200); a.text("status") != "expired" {
			c.Errorf("unknown: %s", a.raw)
		}
		c.post(base+"/authenticate", mpinResponse(unknown)).is(412)
	}
	for _, bad := range []string{"", "{", "{}", `{"mpinResponse":{}}`, `{"mpinResponse":7}`} {
		c.post(base+"/authenticate", bad).is(400)
	}
	// A phone is judged as everybody, and may give up.
	u := c.enrolled("clumsy@example.com", "1234")
	for _, status := range []int{401, 401, 410} {
		c.post(base+"/authenticate", mpinResponse(u.passes("4321", "0", 0).text("authOTT"))).is(status)
	}
	a := c.post(c.setting("getAccessNumberURL"), nil).is(200)
	c.post(c.setting("codeStatusURL"), object{"status": "expired", "wid": a.text("accessNumber")}).is(200)
	if b := c.post(c.setting("accessNumberURL"), object{"webOTT": a.text("webOTT")}).is(200); b.text("status") != "expired" {
		c.Errorf("given up: %s", b.raw)
	}
}

func (c *conform) webSocket() {
	u := c.enrolled("socket@example.com", "1234")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	to := strings.Replace(c.setting("mpinAuthServerURL"), "http", "ws", 1) + "/authenticationToken"
	s, _, err := websocket.Dial(ctx, to, nil)
	if err != nil {
		c.Fatal(err)
	}
	defer s.CloseNow()
	ask := func(o object) *answer {
		c.Helper()
		b, err := json.Marshal(o)
		if err == nil {
			err = s.Write(ctx, websocket.MessageText, b)
		}
		if err != nil {
			c.Fatal(err)
		}
		kind, b, err := s.Read(ctx)
		if err != nil || kind != websocket.MessageText {
			c.Fatal(kind, err)
		}
		a := &answer{T: c.T, what: "WebSocket", raw: string(b)}
		d := json.NewDecoder(strings.NewReader(a.raw))
		d.UseNumber()
		if err := d.Decode(&a.body); err != nil {
			c.Fatal(err)
		}
		return a
	}
	for _, digits := range []string{"1234", "1235"} {
		p, m := u.prover(digits)
		a := ask(m).has(object{"version": "", "y": "", "pass": 0, "message": ""})
		b := ask(u.pass2Of(p, a.text("y"), "0", 0)).has(object{"version": "", "pass": 0, "authOTT": ""})
		c.redeem(b.text("authOTT"), map[string]int{"1234": 200, "1235": 401}[digits])
	}
}

func (c *conform) cors() {
	for path, method := range map[string]string{
		"/clientSettings": "GET", "/user": "PUT", "/user/00": "PUT", "/signature/00": "GET", "/setupDone/00": "POST", "/timePermit/00": "GET",
		"/pass1": "POST", "/pass2": "POST", "/getAccessNumber": "POST", "/getQrUrl": "POST", "/access": "POST", "/codeStatus": "POST",
		"/accessnumber": "POST", "/authenticate": "POST", "/authenticationToken": "GET",
	} {
		a := c.do("OPTIONS", c.at("rps")+"/rps"+path, nil, "Origin", "https://elsewhere.example",
			"Access-Control-Request-Method", method, "Access-Control-Request-Headers", "content-type").is(200)
		if a.header.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), method) ||
			!strings.Contains(strings.ToLower(a.header.Get("Access-Control-Allow-Headers")), "content-type") {
			c.Errorf("OPTIONS %s: %v", path, a.header)
		}
		// Refusals carry it too, or a page does not see them.
		if a := c.do(method, c.at("rps")+"/rps"+path, nil, "Origin", "https://elsewhere.example"); a.header.Get("Access-Control-Allow-Origin") == "" {
			c.Errorf("%s %s: %d without Access-Control-Allow-Origin", method, path, a.status)
		}
	}
}

// tolerance is what the description does not say and clients differ in.
func (c *conform) tolerance() {
	for _, base := range []string{
		c.at("rps"), c.at("rps") + "/", c.at("rps") + "/rps", c.at("rps") + "/rps/", c.at("rps") + "//rps", c.at("rpa") + "/rps", c.at("rpa") + "//rps/",
	} {
		c.get(base + "/clientSettings").is(200)
		c.do("PUT", base+"/user", `{"userId":"a","mobile":"1","extra":[{}],"deviceName":null}`, "Content-Type", "text/plain").is(200)
		c.do("PUT", base+"/user/", object{"userId": "a"}).is(200)
	}
	u, _ := c.register("upper@example.com")
	u.mpinID, u.regOTT = strings.ToUpper(u.mpinID), strings.ToUpper(u.regOTT)
	u.secret("1234")
	u.fetchPermit()
	p, m := u.prover("1234")
	for _, name := range []string{"U", "UT"} {
		m[name] = strings.ToUpper(m[name].(string))
	}
	m["pass"] = "1"
	y := c.post(c.setting("mpinAuthServerURL")+"/pass1", m).is(200).text("y")
	two := u.pass2Of(p, strings.ToUpper(y), "0", 0)
	two["V"], two["OTP"], two["pass"], two["more"] = strings.ToUpper(two["V"].(string)), "0", "2", nil
	delete(two, "WID")
	ott := c.post(c.setting("mpinAuthServerURL")+"/pass2", two).is(200).text("authOTT")
	c.redeem(strings.ToUpper(ott), 200)
	v, _ := c.register("Upper@mail.example")
	key := c.get(c.at("rpa") + "/outbox?user=Upper%40mail.example").is(200).text("activateKey")
	c.post(c.at("rpsPrivate")+"/user/"+strings.ToUpper(v.mpinID), object{"activateKey": strings.ToUpper(key)}).is(200)
	for _, name := range []string{"rpa", "rps", "rpsPrivate", "certivox"} {
		for _, method := range []string{"GET", "HEAD"} {
			c.do(method, c.at(name)+"/status", nil).is(200)
		}
	}
}

// expiry is the expiry of a request that is signed now.
func (c *conform) expiry(after time.Duration) string {
	return c.now().Add(after).UTC().Format("2006-01-02T15:04:05Z")
}

// applications registers one more application, which is how requests to the
// D-TAs can be signed without the customer's key.
func (c *conform) applications() {
	certivox := c.at("certivox")
	if sign("super secret", "Hello world!") != "f577954ea54f8e8cc1b7d5d238dde635a783a3a37a4ba44877e9f63269cd4b53" {
		c.Fatal("this test signs wrongly")
	}
	if at := c.get(certivox + "time").is(200).text("Time"); !regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$`).MatchString(at) {
		c.Errorf("time: %s", at)
	}
	app := c.post(certivox+"applications", object{"name": "another"}).is(200).has(object{"app_id": "", "app_key": ""})
	id, key := app.text("app_id"), app.text("app_key")
	// A page of a browser, and who comes through a proxy, do not register any.
	c.do("POST", certivox+"applications", object{}, "Origin", "https://elsewhere.example").is(401)
	hash := strings.Repeat("0f", 32)
	expires := c.expiry(time.Minute)
	settings := query("app_id", id, "expires", expires, "signature", sign(key, "apiSettings"+id+expires))
	if a := c.get(certivox + "apiSettings?" + settings).is(200); a.text("timePermitsStorageURL") != c.setting("timePermitsStorageURL") {
		c.Errorf("apiSettings: %s", a.raw)
	}
	c.get(certivox + "apiSettings?" + query("app_id", id, "expires", expires, "signature", sign("x", "apiSettings"+id+expires))).is(401)

	bases := []string{certivox}
	for _, at := range c.ready["dta"].([]any) {
		bases = append(bases, at.(string)+"/")
	}
	for _, base := range bases {
		secret := func(expires, hash, key string) url.Values {
			return url.Values{"app_id": {id}, "expires": {expires}, "hash_mpin_id": {hash}, "hash_user_id": {""}, "mobile": {"1"},
				"signature": {sign(key, "clientSecret"+id+hash+""+expires)}}
		}
		ask := func(v url.Values, drop ...string) *answer {
			for _, d := range drop {
				v.Del(d)
			}
			return c.get(base + "clientSecret?" + v.Encode())
		}
		a := ask(secret(expires, hash, key)).is(200).has(object{"clientSecret": "", "message": ""})
		if _, err := c.suite.DecodeClientSecret(c.unhex(a.text("clientSecret"))); err != nil || a.text("message") != "OK" {
			c.Errorf("%s: %v %s", base, err, short(a.raw))
		}
		ask(secret(expires, hash, key), "hash_user_id", "mobile").is(200)
		withUser := secret(expires, hash, key)
		withUser.Set("hash_user_id", hash)
		ask(withUser).is(401) // it is signed too
		withUser.Set("signature", sign(key, "clientSecret"+id+hash+hash+expires))
		ask(withUser).is(200)
		// 401 before 403 before 408.
		ask(secret(expires, hash, "x")).is(401)
		ask(secret(expires, "xyz", "x")).is(401)
		ask(secret(c.expiry(-time.Hour), hash, "x")).is(401)
		ask(secret(expires, "xyz", key)).is(403)
		ask(secret(c.expiry(-time.Hour), "xyz", key)).is(403)
		ask(secret("tomorrow", hash, key)).is(403)
		for _, drop := range []string{"app_id", "expires", "hash_mpin_id", "signature"} {
			if a := ask(secret(expires, hash, key), drop); a.status != 403 {
				c.Errorf("%s without %s: %d", base, drop, a.status)
			}
		}
		ask(secret(c.expiry(-time.Hour), hash, key)).is(408)

		server := query("app_id", id, "expires", expires, "signature", sign(key, "serverSecret"+id+expires))
		s := c.get(base + "serverSecret?" + server).is(200).has(object{"serverSecret": "", "startTime": 0, "message": ""})
		if _, err := c.suite.DecodeServerSecret(c.unhex(s.text("serverSecret"))); err != nil {
			c.Error(err)
		}
		c.get(base + "serverSecret?" + query("app_id", id, "expires", expires, "signature", sign(key, "clientSecret"+id+expires))).is(401)
		permit := query("app_id", id, "hash_mpin_id", hash, "mobile", "0", "signature", sign(key, hash))
		today := c.get(base + "timePermit?" + permit).is(200).has(object{"timePermit": "", "message": ""})
		list := c.get(base + "timePermits?" + permit + "&count=3").is(200).has(object{"timePermits": object{}, "message": ""})
		days, _ := list.body["timePermits"].(object)
		first := int(c.now().Unix() / 86400)
		for i := range 3 {
			text, _ := days[strconv.Itoa(first+i)].(string)
			if _, err := c.suite.DecodePermit(protocol.Date(first+i), c.unhex(text)); err != nil || i == 0 && text != today.text("timePermit") {
				c.Errorf("%s: permit of day %d: %v", base, i, err)
			}
		}
		if len(days) != 3 {
			c.Errorf("%d permits", len(days))
		}
		if base != certivox { // as the original has it, naming no application
			c.get(base + "timePermits?" + query("hash_mpin_id", hash, "signature", sign(key, hash), "count", "1")).is(200)
		}
		c.get(base + "timePermit?" + query("app_id", id, "hash_mpin_id", hash, "signature", sign("x", hash))).is(401)
		c.get(base + "timePermit?" + query("app_id", id, "hash_mpin_id", "0f", "signature", sign(key, "0f"))).is(403)
		c.get(base + "timePermits?" + permit + "&count=none").is(403)
		c.get(base + "masterSecret").is(404)
		c.get(base + "status").is(200)
		// Another application's signature.
		c.get(base + "timePermit?" + query("app_id", c.setting("appID"), "hash_mpin_id", hash, "signature", sign(key, hash))).is(401)
	}
}

func (c *conform) lifetimes(clock *skewed) {
	defer clock.turn(0)
	at := func(d time.Duration, f func()) {
		c.Helper()
		clock.turn(d)
		f()
	}
	u := c.enrolled("late@example.com", "1234")
	begin := func() (*protocol.Prover, string) {
		p, m := u.prover("1234")
		return p, c.post(c.setting("mpinAuthServerURL")+"/pass1", m).is(200).text("y")
	}
	end := func(p *protocol.Prover, y string) *answer {
		return c.post(c.setting("mpinAuthServerURL")+"/pass2", u.pass2Of(p, y, "0", 0))
	}
	p, y := begin()
	at(13*time.Second, func() { end(p, y).is(200) })
	p, y = begin()
	at(13*time.Second+16*time.Second, func() { end(p, y).is(500) })
	early, late := u.passes("1234", "0", 0).text("authOTT"), u.passes("1234", "0", 0).text("authOTT")
	at(29*time.Second+55*time.Second, func() { c.redeem(early, 200) })
	at(29*time.Second+61*time.Second, func() { c.redeem(late, 408) })
	v, _ := c.register("slow@example.com")
	w, _ := c.register("slower@example.com")
	number := c.post(c.setting("getAccessNumberURL"), nil).is(200).text("webOTT")
	at(90*time.Second+301*time.Second, func() {
		if a := c.post(c.setting("accessNumberURL"), object{"webOTT": number}).is(200); a.text("status") != "expired" {
			c.Errorf("after 301 s: %s", a.raw)
		}
		c.post(c.setting("mpinAuthServerURL")+"/accessnumber", object{"webOTT": number}).is(404)
	})
	at(90*time.Second+3590*time.Second, func() { v.secret("1234") })
	at(90*time.Second+3601*time.Second, func() {
		w.signature().is(400)
		again := c.do("PUT", c.setting("registerURL")+"/"+w.mpinID, object{"userId": w.name, "mobile": 0, "regOTT": w.regOTT}).is(200)
		if again.text("mpinId") == w.mpinID {
			c.Error("an expired registration goes on")
		}
	})
}

// hashesOnly looks for identities in what D-TAs, proxy and API were sent.
func (c *conform) hashesOnly(tap *tap) {
	n := 0
	for _, r := range tap.all() {
		if r.node == "rps" || r.node == "rps-private" || r.node == "rpa" {
			continue
		}
		n++
		all := strings.ToLower(r.uri + r.body + r.answer)
		for _, text := range []string{"example.com", "mail.example", hex.EncodeToString([]byte("userid")), "userid", "mpinid"} {
			if strings.Contains(all, text) {
				c.Errorf("%s %s saw %q", r.node, r.method, text)
			}
		}
	}
	if n < 20 {
		c.Errorf("only %d requests were looked at", n)
	}
}
