package deploy

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mpinlab/protocol"
)

// A client that was written from the description of the API alone: HTTP by hand,
// JSON as maps, cryptography from package protocol. It shares nothing with
// sim/client and sim/wire, so that a name that both sides spell wrong is found.

// object is a JSON object; its numbers are json.Number.
type object = map[string]any

// conform is one test's view of a deployment.
type conform struct {
	*testing.T
	ready    object // the line that mpin serve prints
	settings object
	suite    *protocol.Suite
	now      func() time.Time // the deployment's
}

// answer is an HTTP answer.
type answer struct {
	*testing.T
	what   string
	status int
	header http.Header
	body   object
	raw    string
}

// do sends a request. The body is nothing for nil, as it stands for a string,
// and otherwise JSON. headers are names and values.
func (c *conform) do(method, to string, body any, headers ...string) *answer {
	c.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			c.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(c.Context()), method, to, reader)
	if err != nil {
		c.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := http.DefaultTransport.RoundTrip(r) // follows no redirection
	if err != nil {
		c.Fatalf("%s %s: %v", method, to, err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, 1<<20))
	if err != nil {
		c.Fatalf("%s %s: %v", method, to, err)
	}
	a := &answer{T: c.T, what: method + " " + short(to), status: got.StatusCode, header: got.Header, raw: string(text)}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&a.body) // what is no object has no members
	return a
}

func short(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}

func (c *conform) get(to string) *answer { c.Helper(); return c.do("GET", to, nil) }
func (c *conform) post(to string, body any) *answer {
	c.Helper()
	return c.do("POST", to, body, "Content-Type", "application/json")
}

// is expects a status; 401 has to carry WWW-Authenticate.
func (a *answer) is(status int) *answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("%s: status %d, not %d: %s", a.what, a.status, status, short(a.raw))
	}
	if status == 401 && a.header.Get("WWW-Authenticate") == "" {
		a.Errorf("%s: 401 without WWW-Authenticate", a.what)
	}
	return a
}

// has expects members of the answer: a string, a number (int), a truth value,
// a list or an object of which the sample is one.
func (a *answer) has(samples object) *answer {
	a.Helper()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		v, ok := a.body[name]
		if !ok {
			a.Errorf("%s: no member %s in %s", a.what, name, short(a.raw))
			continue
		}
		switch samples[name].(type) {
		case string:
			_, ok = v.(string)
		case int:
			n, isNumber := v.(json.Number)
			_, err := n.Int64()
			ok = isNumber && err == nil
		case bool:
			_, ok = v.(bool)
		case []any:
			_, ok = v.([]any)
		case object:
			_, ok = v.(object)
		}
		if !ok {
			a.Errorf("%s: %s is %T", a.what, name, v)
		}
	}
	return a
}

// lacks expects that members are not there.
func (a *answer) lacks(names ...string) *answer {
	a.Helper()
	for _, n := range names {
		if v, ok := a.body[n]; ok {
			a.Errorf("%s: a member %s: %v", a.what, n, v)
		}
	}
	return a
}

func (a *answer) text(name string) string {
	a.Helper()
	s, ok := a.body[name].(string)
	if !ok {
		a.Fatalf("%s: no string %s in %s", a.what, name, short(a.raw))
	}
	return s
}

func (a *answer) number(name string) int {
	a.Helper()
	n, _ := a.body[name].(json.Number)
	i, err := strconv.Atoi(n.String())
	if err != nil {
		a.Fatalf("%s: no number %s in %s", a.what, name, short(a.raw))
	}
	return i
}

// setting is a text of clientSettings.
func (c *conform) setting(name string) string {
	c.Helper()
	s, ok := c.settings[name].(string)
	if !ok {
		c.Fatalf("clientSettings has no string %s", name)
	}
	return s
}

// at is a server of the ready line.
func (c *conform) at(name string) string {
	c.Helper()
	s, ok := c.ready[name].(string)
	if !ok {
		c.Fatalf("the ready line has no string %s", name)
	}
	return s
}

func (c *conform) unhex(s string) []byte {
	c.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) == 0 {
		c.Fatalf("not hex: %q", short(s))
	}
	return b
}

// sign is hex HMAC-SHA256 under the key's text.
func sign(key, message string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message))
	return hex.EncodeToString(h.Sum(nil))
}

func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// wireUser is a user of the hand-made client.
type wireUser struct {
	c              *conform
	name           string
	mpinID, regOTT string
	id             *protocol.Identity
	token          *protocol.Token
	permit         *protocol.Permit
}

// register sends the first request of a registration.
func (c *conform) register(name string) (*wireUser, *answer) {
	c.Helper()
	a := c.do("PUT", c.setting("registerURL"), object{"userId": name, "mobile": 0, "deviceName": "test"}).is(200).
		has(object{"mpinId": "", "regOTT": "", "expireTime": "", "nowTime": "", "active": true})
	u := &wireUser{c: c, name: name, mpinID: a.text("mpinId"), regOTT: a.text("regOTT")}
	if len(c.unhex(u.regOTT)) != 16 {
		c.Errorf("regOTT %s", u.regOTT)
	}
	var err error
	if u.id, err = c.suite.Identity(c.unhex(u.mpinID)); err != nil {
		c.Fatal(err)
	}
	return u, a
}

func (u *wireUser) signature() *answer {
	u.c.Helper()
	return u.c.get(u.c.setting("signatureURL") + "/" + u.mpinID + "?regOTT=" + u.regOTT)
}

// secret fetches both shares of the client secret and takes the PIN out.
func (u *wireUser) secret(digits string) {
	c := u.c
	c.Helper()
	a := u.signature().is(200).has(object{"clientSecretShare": "", "params": ""})
	b := c.get(c.setting("certivoxURL") + "clientSecret?" + a.text("params")).is(200).has(object{"clientSecret": "", "message": ""})
	var shares []*protocol.ClientSecret
	for _, text := range []string{a.text("clientSecretShare"), b.text("clientSecret")} {
		s, err := c.suite.DecodeClientSecret(c.unhex(text))
		if err != nil {
			c.Fatal(err)
		}
		shares = append(shares, s)
	}
	whole, err := protocol.CombineClientSecrets(shares...)
	if err != nil {
		c.Fatal(err)
	}
	if u.token, err = whole.Token(u.id, c.pin(digits)); err != nil {
		c.Fatal(err)
	}
	c.do("POST", c.setting("setupDoneURL")+"/"+u.mpinID, nil).is(200)
}

func (c *conform) pin(digits string) protocol.Factor {
	c.Helper()
	f, err := c.suite.PIN(digits)
	if err != nil {
		c.Fatal(err)
	}
	return f
}

func (u *wireUser) askPermit() *answer {
	u.c.Helper()
	return u.c.get(u.c.setting("timePermitsURL") + "/" + u.mpinID)
}

// fetchPermit fetches today's permit, the second share from the D-TA.
func (u *wireUser) fetchPermit() {
	c := u.c
	c.Helper()
	a := u.askPermit().is(200).
		has(object{"date": 0, "signature": "", "storageId": "", "timePermit": "", "message": "", "version": ""})
	hash := sha256.Sum256(c.unhex(u.mpinID))
	if a.text("storageId") != hex.EncodeToString(hash[:]) || a.text("version") != "0.3" {
		c.Errorf("storageId %s, version %s", a.text("storageId"), a.text("version"))
	}
	if days := int(c.now().Unix() / 86400); a.number("date") != days {
		c.Errorf("date %d, not %d", a.number("date"), days)
	}
	b := c.get(c.setting("certivoxURL") + "timePermit?" + query("app_id", c.setting("appID"), "mobile", "0",
		"hash_mpin_id", a.text("storageId"), "signature", a.text("signature"))).is(200).has(object{"timePermit": ""})
	var shares []*protocol.Permit
	for _, text := range []string{a.text("timePermit"), b.text("timePermit")} {
		s, err := c.suite.DecodePermit(protocol.Date(a.number("date")), c.unhex(text))
		if err != nil {
			c.Fatal(err)
		}
		shares = append(shares, s)
	}
	var err error
	if u.permit, err = protocol.CombinePermits(shares...); err != nil {
		c.Fatal(err)
	}
}

// enrolled is a user who has registered, with a permit.
func (c *conform) enrolled(name, digits string) *wireUser {
	c.Helper()
	u, _ := c.register(name)
	u.secret(digits)
	u.fetchPermit()
	return u
}

// prover begins a login.
func (u *wireUser) prover(digits string) (*protocol.Prover, object) {
	c := u.c
	c.Helper()
	secret, err := u.token.Secret(u.id, c.pin(digits))
	if err != nil {
		c.Fatal(err)
	}
	p, err := c.suite.NewProver(u.id, secret, u.permit, nil)
	if err != nil {
		c.Fatal(err)
	}
	m := p.Pass1()
	return p, object{"mpin_id": u.mpinID, "UT": hex.EncodeToString(m.UT), "U": hex.EncodeToString(m.U), "pass": 1}
}

// pass2Of answers a challenge.
func (u *wireUser) pass2Of(p *protocol.Prover, y, wid string, otp int) object {
	u.c.Helper()
	v, err := p.Pass2(u.c.unhex(y))
	if err != nil {
		u.c.Fatal(err)
	}
	return object{"mpin_id": u.mpinID, "V": hex.EncodeToString(v), "OTP": otp, "WID": wid, "pass": 2}
}

// passes goes through both and returns the answer to the second.
func (u *wireUser) passes(digits, wid string, otp int) *answer {
	c := u.c
	c.Helper()
	p, one := u.prover(digits)
	a := c.post(c.setting("mpinAuthServerURL")+"/pass1", one).is(200).has(object{"version": "", "y": "", "pass": 0, "message": ""})
	if a.number("pass") != 1 || a.text("message") != "OK" {
		c.Errorf("pass 1: %s", a.raw)
	}
	b := c.post(c.setting("mpinAuthServerURL")+"/pass2", u.pass2Of(p, a.text("y"), wid, otp)).is(200).
		has(object{"version": "", "pass": 0, "authOTT": ""})
	if b.number("pass") != 2 || len(c.unhex(b.text("authOTT"))) != 16 {
		c.Errorf("pass 2: %s", b.raw)
	}
	return b
}

// redeem is the relying party's: the HTTP status is the body's.
func (c *conform) redeem(authOTT string, status int) *answer {
	c.Helper()
	a := c.post(c.at("rpsPrivate")+"/authenticate", object{"authOTT": authOTT}).is(status).
		has(object{"status": 0, "message": "", "userId": "", "mpinId": ""})
	if a.number("status") != status {
		c.Errorf("body.status %d with HTTP %d", a.number("status"), status)
	}
	return a
}

// login is a login of the client itself, judged by the relying party.
func (u *wireUser) login(digits string, status int) *answer {
	u.c.Helper()
	ott := u.passes(digits, "0", 0).lacks("OTP").text("authOTT")
	return u.c.post(u.c.setting("authenticateURL"), mpinResponse(ott)).is(status)
}

func mpinResponse(ott string) object {
	return object{"mpinResponse": object{"authOTT": ott, "version": "0.3", "pass": 2}}
}

// eventually waits for something that happens by itself.
func (c *conform) eventually(what string, f func() bool) {
	c.Helper()
	eventually(c, time.Minute, func() error {
		if !f() {
			return errors.New(what + " does not come")
		}
		return nil
	})
}
