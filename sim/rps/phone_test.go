package rps_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/rps"
	"mpinlab/sim/wire"
)

// answer is what a phone's authenticate came back with.
type answer struct {
	status int
	body   []byte
	err    error
}

// phone sends a phone's authenticate and returns where its answer will come.
func (d *deployment) phone(ott string) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		status, body, err := d.try("POST", d.public+"/authenticate",
			wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: ott, Version: "0.3", Pass: 2}})
		c <- answer{status, body, err}
	}()
	return c
}

func (d *deployment) poll(webOTT string) *wire.AccessAnswer {
	d.t.Helper()
	var a wire.AccessAnswer
	d.get(200, "POST", d.public+"/access", wire.AccessRequest{WebOTT: webOTT}, &a)
	return &a
}

// await polls as a browser does until the code has the status.
func (d *deployment) await(webOTT, status string) *wire.AccessAnswer {
	d.t.Helper()
	for range 2000 {
		if a := d.poll(webOTT); a.Status == status {
			return a
		}
		time.Sleep(5 * time.Millisecond)
	}
	d.t.Fatalf("the code never gets to %s", status)
	return nil
}

// TestPhoneLogsBrowserIn: access number and QR code, the browser's polling, the
// application's redeeming, and what the phone hears of it; also with the phone
// at another instance than the browser and the application.
func TestPhoneLogsBrowserIn(t *testing.T) {
	first := deploy(t, fast(t), func(c *rps.Config) { c.RedirectURL = "http://shop.invalid/in" })
	second := first.another(nil)
	for name, instances := range map[string][2]*deployment{"one instance": {first, first}, "two instances": {first, second}} {
		for _, qr := range []bool{false, true} {
			for _, result := range []bool{false, true} {
				d, e := instances[0], instances[1]
				u := e.enrol("alice", "1234")
				path := "/getAccessNumber"
				if qr {
					path = "/getQrUrl"
				}
				var c wire.CodeAnswer
				d.get(200, "POST", d.public+path, nil, &c)
				wid := c.AccessNumber
				if qr {
					parsed, err := url.Parse(c.QrURL)
					if err != nil || parsed.Scheme+"://"+parsed.Host+"/rps" != d.public {
						t.Fatalf("qrUrl %s", c.QrURL)
					}
					wid = parsed.Fragment
				}
				if c.TTLSeconds != 300 || c.LocalTimeEnd-c.LocalTimeStart != 300_000 || len(c.WebOTT) != 32 ||
					c.LocalTimeStart != d.clock.Now().UnixMilli() || qr != (c.AccessNumber == "") || qr && len(wid) != 32 {
					t.Fatalf("%s: %+v", name, c)
				}
				if a := d.poll(c.WebOTT); a.Status != wire.CodeNew || a.StatusCode != 0 || a.AuthOTT != "" {
					t.Fatalf("%+v", a)
				}
				if got, _ := d.call("POST", d.public+"/accessnumber", wire.AccessRequest{WebOTT: c.WebOTT}); got != 401 {
					t.Errorf("accessnumber: %d", got)
				}
				d.get(200, "POST", e.public+"/codeStatus", wire.CodeStatusRequest{Status: wire.CodeWID, WID: wid}, nil)
				d.await(c.WebOTT, wire.CodeWID)
				d.get(200, "POST", e.public+"/codeStatus", wire.CodeStatusRequest{Status: wire.CodeUser, WID: wid, UserID: "alice"}, nil)
				if a := d.await(c.WebOTT, wire.CodeUser); a.UserID != "alice" || a.AuthOTT != "" {
					t.Errorf("%+v", a)
				}
				ott := u.passesWith("1234", u.permit(), wid)
				if a := d.poll(c.WebOTT); a.Status != wire.CodeUser {
					t.Errorf("before the phone has authenticated: %+v", a)
				}
				phone := e.phone(ott)
				a := d.await(c.WebOTT, wire.CodeAuthenticate)
				if a.AuthOTT != ott || a.UserID != "alice" {
					t.Fatalf("%+v", a)
				}
				if name == "one instance" && a.RedirectURL != "http://shop.invalid/in" {
					t.Errorf("redirectURL %q", a.RedirectURL)
				}
				var older wire.OlderAccessAnswer
				d.get(200, "POST", d.public+"/accessnumber", wire.AccessRequest{WebOTT: c.WebOTT}, &older)
				if older.AuthOTT != ott {
					t.Error("accessnumber gives another authOTT")
				}
				if got, _ := d.call("POST", e.public+"/codeStatus", wire.CodeStatusRequest{Status: wire.CodeExpired, WID: wid}); got != 404 {
					t.Errorf("codeStatus after the end: %d", got)
				}
				q := wire.RedeemRequest{AuthOTT: ott}
				data := json.RawMessage(`{"session":"7"}`)
				if !result {
					q.LogoutURL, q.LogoutData = "http://shop.invalid/out", data
				}
				var r wire.RedeemAnswer
				d.get(200, "POST", d.private+"/authenticate", q, &r)
				if r.UserID != "alice" || r.MpinID != u.mpinID {
					t.Errorf("%+v", r)
				}
				if result {
					d.get(200, "POST", d.private+"/loginResult", wire.LoginResultRequest{
						AuthOTT: ott, Status: 200, LogoutURL: "http://shop.invalid/out", LogoutData: data,
					}, nil)
				}
				got := <-phone
				var m wire.MobileAnswer
				if got.err != nil || got.status != 200 || json.Unmarshal(got.body, &m) != nil ||
					m.LogoutURL != "http://shop.invalid/out" || string(m.LogoutData) != string(data) {
					t.Errorf("%s: the phone hears %d %s %v", name, got.status, got.body, got.err)
				}
				if again := d.redeem(ott).Status; again != 408 {
					t.Errorf("redeemed twice: %d", again)
				}
				if got := <-e.phone(ott); got.status != 412 {
					t.Errorf("phone twice: %d", got.status)
				}
			}
		}
	}
}

func TestPhoneRefusals(t *testing.T) {
	d := deploy(t, fast(t), func(c *rps.Config) { c.PhoneWait = 300 * time.Millisecond })
	u := d.enrol("alice", "1234")
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"unknown":      {`{"mpinResponse":{"authOTT":"` + strings.Repeat("00", 16) + `"}}`, 412},
		"bad JSON":     {`{"mpinResponse":`, 400},
		"no response":  {`{}`, 400},
		"no authOTT":   {`{"mpinResponse":{}}`, 400},
		"no token":     {`{"mpinResponse":{"authOTT":"unknown"}}`, 412},
		"not a string": {`{"mpinResponse":{"authOTT":7}}`, 400},
	} {
		if got, b := d.call("POST", d.public+"/authenticate", c.body); got != c.want {
			t.Errorf("%s: %d %s", name, got, b)
		}
	}
	code := func() (wid, web string) {
		var c wire.CodeAnswer
		d.get(200, "POST", d.public+"/getAccessNumber", nil, &c)
		return c.AccessNumber, c.WebOTT
	}
	wid, web := code()
	if got := <-d.phone(u.passesWith("1235", u.permit(), wid)); got.status != 401 {
		t.Errorf("wrong PIN: %d", got.status)
	}
	if a := d.poll(web); a.Status != wire.CodeNew {
		t.Errorf("after a wrong PIN: %+v", a)
	}
	t.Run("no browser", func(t *testing.T) {
		ott := u.passesWith("1234", u.permit(), wid)
		if got := <-d.phone(ott); got.status != 408 {
			t.Errorf("%d %s", got.status, got.body)
		}
		// The number is used up.
		if got := <-d.phone(u.passesWith("1234", u.permit(), wid)); got.status != 408 {
			t.Errorf("a second login with the number: %d", got.status)
		}
		if n := u.failures(); n != 0 {
			t.Errorf("%d failures", n)
		}
	})
	t.Run("application refuses", func(t *testing.T) {
		wid, web := code()
		ott := u.passesWith("1234", u.permit(), wid)
		phone := d.phone(ott)
		d.await(web, wire.CodeAuthenticate)
		d.get(200, "POST", d.private+"/loginResult", wire.LoginResultRequest{AuthOTT: ott, Status: 403}, nil)
		if got := <-phone; got.status != 403 {
			t.Errorf("%d", got.status)
		}
	})
	t.Run("application says nothing", func(t *testing.T) {
		wid, web := code()
		ott := u.passesWith("1234", u.permit(), wid)
		phone := d.phone(ott)
		d.await(web, wire.CodeAuthenticate)
		if got := d.redeem(ott).Status; got != 200 {
			t.Fatal(got)
		}
		if got := <-phone; got.status != 200 {
			t.Errorf("%d %s", got.status, got.body)
		}
	})
	t.Run("phone gives up", func(t *testing.T) {
		wid, web := code()
		d.get(200, "POST", d.public+"/codeStatus", wire.CodeStatusRequest{Status: wire.CodeExpired, WID: wid}, nil)
		if a := d.poll(web); a.Status != wire.CodeExpired {
			t.Errorf("%+v", a)
		}
	})
	t.Run("expired", func(t *testing.T) {
		wid, web := code()
		d.clock.Add(301 * time.Second)
		if a := d.poll(web); a.Status != wire.CodeExpired {
			t.Errorf("%+v", a)
		}
		if got, _ := d.call("POST", d.public+"/accessnumber", wire.AccessRequest{WebOTT: web}); got != 404 {
			t.Errorf("accessnumber: %d", got)
		}
		if got, _ := d.call("POST", d.public+"/codeStatus", wire.CodeStatusRequest{Status: wire.CodeWID, WID: wid}); got != 404 {
			t.Errorf("codeStatus: %d", got)
		}
		if got := <-d.phone(u.passesWith("1234", u.permit(), wid)); got.status != 408 {
			t.Errorf("login with an expired number: %d", got.status)
		}
	})
	for name, c := range map[string]struct {
		path, body string
		want       int
	}{
		"access":               {"/access", `{}`, 400},
		"access bad JSON":      {"/access", `{`, 400},
		"access unknown":       {"/access", `{"webOTT":"` + strings.Repeat("00", 16) + `"}`, 200},
		"accessnumber":         {"/accessnumber", `{"webOTT":7}`, 400},
		"accessnumber unknown": {"/accessnumber", `{"webOTT":"` + strings.Repeat("00", 16) + `"}`, 404},
		"status":               {"/codeStatus", `{"status":"authenticate","wid":"` + strings.Repeat("00", 16) + `"}`, 400},
		"no status":            {"/codeStatus", `{"wid":"` + strings.Repeat("00", 16) + `"}`, 400},
		"no wid":               {"/codeStatus", `{"status":"wid"}`, 400},
		"bad wid":              {"/codeStatus", `{"status":"wid","wid":"12"}`, 400},
		"bad user":             {"/codeStatus", `{"status":"user","wid":"` + strings.Repeat("00", 16) + `","userId":"\u0001"}`, 400},
		"unknown wid":          {"/codeStatus", `{"status":"wid","wid":"` + strings.Repeat("00", 16) + `"}`, 404},
	} {
		if got, b := d.call("POST", d.public+c.path, c.body); got != c.want {
			t.Errorf("%s: %d %s", name, got, b)
		}
	}
	for name, body := range map[string]string{
		"no authOTT": `{"status":200}`, "bad JSON": `{`,
		"status": `{"authOTT":"` + strings.Repeat("00", 16) + `","status":700}`,
	} {
		if got, b := d.call("POST", d.private+"/loginResult", body); got != 400 {
			t.Errorf("loginResult, %s: %d %s", name, got, b)
		}
	}
}

// TestSetOfPermit: a threshold deployment's set goes to the client in the
// signature and the storage ID, also for a permit from the cache.
func TestSetOfPermit(t *testing.T) {
	d := deploy(t, fast(t), nil)
	d.dtas.set = wire.Set{1, 3}
	u := d.enrol("alice", "1234")
	for range 2 {
		var a wire.PermitHalfAnswer
		d.get(200, "GET", d.public+"/timePermit/"+u.mpinID, nil, &a)
		hash, _, _ := strings.Cut(a.StorageID, "-")
		set, err := wire.VerifyPermitSignature(appKey, "app", hash, a.Signature, d.clock.Now())
		if err != nil || set.String() != "1.3" || a.StorageID != hash+"-1.3" {
			t.Errorf("%+v: %v", a, err)
		}
		q, err := wire.ParseQuery(a.Params)
		if err != nil || q["set"] != "1.3" {
			t.Fatalf("params %s", a.Params)
		}
		parts := wire.WithSet(wire.PermitParts("app", hash, q["expires"]), set)
		if err := wire.Verify(appKey, q["signature"], parts...); err != nil {
			t.Error(err)
		}
		d.clock.Add(2 * time.Minute) // the first signature has expired
	}
	if d.dtas.permits != 1 {
		t.Errorf("the D-TA was asked %d times", d.dtas.permits)
	}
}
