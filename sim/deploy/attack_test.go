package deploy

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// hand is a login made by hand, step by step, for what no client does.
type hand struct {
	t      testing.TB
	d      *Deployment
	id     *client.Identity
	prover *protocol.Prover
	// Proof says whether pass 1 carries a proof of binding.
	pass1 wire.Pass1Request
	v     []byte
}

// newHand prepares a login of the identity with a permit.
func newHand(t testing.TB, d *Deployment, s *protocol.Suite, id *client.Identity, digits string, permit *protocol.Permit) *hand {
	t.Helper()
	raw, err := wire.RawIdentity(id.MpinID)
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Identity(raw)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.DecodeToken(id.Token)
	if err != nil {
		t.Fatal(err)
	}
	pin, err := s.PIN(digits)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := token.Secret(who, pin)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.NewProver(who, secret, permit, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, d: d, id: id, prover: p}
	m := p.Pass1()
	proof, err := p.ProveBinding(nil)
	if err != nil {
		t.Fatal(err)
	}
	h.pass1 = wire.Pass1Request{MpinID: id.MpinID, U: hex.EncodeToString(m.U), UT: hex.EncodeToString(m.UT), Pass: 1, Proof: hex.EncodeToString(proof)}
	return h
}

// post sends a message to the RPS and reads the answer into v if it is 200.
func (h *hand) post(path string, message, v any) int {
	h.t.Helper()
	b, err := json.Marshal(message)
	if err != nil {
		h.t.Fatal(err)
	}
	status, body := send(h.t, "POST", path, string(b))
	if status == 200 && v != nil {
		if err := json.Unmarshal([]byte(body), v); err != nil {
			h.t.Fatal(err)
		}
	}
	return status
}

// login goes through the passes and redeems; it returns the first status that
// is not 200, or the verdict.
func (h *hand) login() int {
	h.t.Helper()
	var one wire.Pass1Answer
	if status := h.post(h.d.Ready().RPS+"/rps/pass1", h.pass1, &one); status != 200 {
		return status
	}
	y, err := hex.DecodeString(one.Y)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.v == nil {
		if h.v, err = h.prover.Pass2(y); err != nil {
			h.t.Fatal(err)
		}
	}
	var two wire.Pass2Answer
	if status := h.post(h.d.Ready().RPS+"/rps/pass2", wire.Pass2Request{MpinID: h.pass1.MpinID, V: hex.EncodeToString(h.v), WID: "0", Pass: 2}, &two); status != 200 {
		return status
	}
	return h.redeem(two.AuthOTT)
}

func (h *hand) redeem(ott string) int {
	return h.post(h.d.Ready().RPA+"/mpinAuthenticate", wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: ott}}, nil)
}

// permitOf is the identity's permit for today.
func permitOf(t testing.TB, c *client.Client, id *client.Identity) *protocol.Permit {
	t.Helper()
	p, err := c.Permit(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every message of a registration and two logins, one of them wrong, is sent
// once more, in the same order: nobody is let in, nothing is issued anew and
// nobody comes nearer to being locked out.
func TestReplayOfEveryMessage(t *testing.T) {
	p := &tap{}
	d := start(t, Config{Wrap: p.wrap})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	mustLogin(t, c, id, "1234", nil)
	mustLogin(t, c, id, "1235", client.ErrWrongPIN)
	recorded := p.all()
	bases := map[string]string{
		"rpa": d.Ready().RPA, "rps": d.Ready().RPS, "rps-private": d.Ready().RPSPrivate, "api": d.config.apiURL(),
		"proxy": strings.TrimSuffix(d.Ready().Certivox, "/"), "dta-1": d.Ready().DTA[0], "dta-2": d.Ready().DTA[1],
	}
	// The documented answer to each a second time; what is a question only is
	// answered as before.
	want := map[string]int{
		"rpa POST /mpinVerify": 200, "rpa GET /mpinPermitUser": 200, // the RPS asks again, as it may
		"rpa POST /mpinAuthenticate": 408, "rps-private POST /authenticate": 408,
		"rps PUT /rps/user":      200, // another registration, see below
		"rps GET /rps/signature": 400, "rps POST /rps/setupDone": 200, "rps GET /rps/timePermit": 200,
		"rps POST /rps/pass1": 403, "rps POST /rps/pass2": 500,
		"proxy GET /clientSecret": 200, "dta-1 GET /clientSecret": 200, "dta-2 GET /clientSecret": 200, // until they expire
	}
	seen := map[string]bool{}
	for _, r := range recorded {
		path, _, _ := strings.Cut(r.uri, "?")
		for _, prefix := range []string{"/rps/signature", "/rps/setupDone", "/rps/timePermit"} {
			if strings.HasPrefix(path, prefix+"/") {
				path = prefix
			}
		}
		key := r.node + " " + r.method + " " + path
		headers := []string{}
		for name := range r.header {
			headers = append(headers, name, r.header.Get(name))
		}
		status, body := send(t, r.method, bases[r.node]+r.uri, r.body, headers...)
		switch w, ok := want[key]; {
		case ok && status != w:
			t.Errorf("%s: %d, not %d: %s", key, status, w, body)
		case !ok && r.method != "GET" && r.node != "api":
			t.Errorf("%s was recorded, and nobody says what its replay is answered with (%d)", key, status)
		case !ok && r.method == "GET" && status >= 500:
			t.Errorf("%s: %d: %s", key, status, body)
		}
		seen[key] = true
		if key == "rps PUT /rps/user" {
			var a wire.RegisterAnswer
			if err := json.Unmarshal([]byte(body), &a); err != nil || a.MpinID == id.MpinID || a.RegOTT == id.RegOTT {
				t.Errorf("a replayed registration: %s, %v", body, err)
			}
		}
	}
	for key := range want {
		if !seen[key] {
			t.Errorf("%s was not recorded: %v", key, seen)
		}
	}
	// Two more wrong ones are two more, not one.
	mustLogin(t, c, id, "1236", client.ErrWrongPIN)
	mustLogin(t, c, id, "1234", nil)
}

// In the milagro dialect, where deployed clients may repeat U, a replayed login
// meets another y and is refused.
func TestReplayOfALoginInMilagro(t *testing.T) {
	d := start(t, Config{Suite: "milagro/bls12-381"})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	h := newHand(t, d, c.Suite(), id, "1234", permitOf(t, c, id))
	if status := h.login(); status != 200 {
		t.Fatal(status)
	}
	if status := h.login(); status != 401 { // the same U, UT and V
		t.Fatalf("a replayed login: %d", status)
	}
	mustLogin(t, c, id, "1234", nil)
}

// A second pass 2 on one y is refused.
func TestSecondPass2(t *testing.T) {
	d := start(t, Config{})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	h := newHand(t, d, c.Suite(), id, "1234", permitOf(t, c, id))
	if status := h.login(); status != 200 {
		t.Fatal(status)
	}
	status := h.post(d.Ready().RPS+"/rps/pass2", wire.Pass2Request{MpinID: id.MpinID, V: hex.EncodeToString(h.v), WID: "0", Pass: 2}, nil)
	if status != 500 {
		t.Fatalf("pass 2 without pass 1: %d", status)
	}
}

// Who has a token of his own cannot log in as somebody else, and cannot lock
// him out: what is not explained by a wrong PIN does not count.
func TestSwappedUsers(t *testing.T) {
	d := start(t, Config{})
	c := clientOf(t, d)
	alice, mallory := mustEnrol(t, c), mustEnrol(t, c)
	permit := permitOf(t, c, mallory)
	for i := range 6 {
		h := newHand(t, d, c.Suite(), mallory, "1234", permit)
		h.pass1.MpinID = alice.MpinID
		if i%2 == 0 {
			h.pass1.Proof = "" // an older client
		}
		if status := h.login(); status != 401 {
			t.Fatalf("attempt %d: mallory as alice: %d", i, status)
		}
	}
	mustLogin(t, c, alice, "1234", nil)
	// The authOTT of one user is of no use to another: it says who he is.
	p, err := c.Prove(t.Context(), mallory, pinOf(t, "1234"), client.ProveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.Redeem(t.Context(), p.AuthOTT); err != nil || s.UserID != mallory.UserID {
		t.Fatalf("%v, %v", s, err)
	}
}

// With --lockout any it is as in the original: strangers can lock a user out.
func TestLockoutAny(t *testing.T) {
	d := start(t, Config{Lockout: "any"})
	c := clientOf(t, d)
	alice, mallory := mustEnrol(t, c), mustEnrol(t, c)
	permit := permitOf(t, c, mallory)
	for i, want := range []int{401, 401, 410} {
		h := newHand(t, d, c.Suite(), mallory, "1234", permit)
		h.pass1.MpinID = alice.MpinID
		if status := h.login(); status != want {
			t.Fatalf("attempt %d: %d, not %d", i, status, want)
		}
	}
	mustLogin(t, c, alice, "1234", client.ErrBlocked)
}

// A login that was begun before the block and is redeemed after it is refused.
func TestBegunBeforeTheBlock(t *testing.T) {
	d := start(t, Config{})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	p, err := c.Prove(t.Context(), id, pinOf(t, "1234"), client.ProveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []error{client.ErrWrongPIN, client.ErrWrongPIN, client.ErrBlocked} {
		mustLogin(t, c, id, "9999", want)
	}
	if _, err := c.Redeem(t.Context(), p.AuthOTT); !errors.Is(err, client.ErrBlocked) {
		t.Fatal(err)
	}
}

// signed makes a signed query for the D-TAs.
func signed(app *credentials, path, hash string, at time.Time) url.Values {
	expires := wire.Expires(at)
	q := url.Values{"app_id": {app.AppID}, "expires": {expires}, "hash_mpin_id": {hash}, "hash_user_id": {""}, "mobile": {"0"}}
	var parts []string
	switch path {
	case "clientSecret":
		parts = wire.ClientSecretParts(app.AppID, hash, "", expires)
	case "serverSecret":
		parts = wire.ServerSecretParts(app.AppID, expires)
	default:
		parts = wire.PermitParts(app.AppID, hash, expires)
	}
	q.Set("signature", wire.Sign(app.AppKey, parts...))
	return q
}

// Signatures are checked first, by the proxy and, for who finds a way around
// it, by the D-TAs: 401 for another application's or none, then 403 for what is
// malformed, 408 for what has expired; unknown paths are 404.
func TestSignaturesAndProxyBypass(t *testing.T) {
	d := start(t, Config{})
	cred, err := d.vault.credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	foreign := &credentials{AppID: cred.AppID, AppKey: strings.Repeat("ab", 32)}
	stranger := &credentials{AppID: strings.Repeat("cd", 16), AppKey: foreign.AppKey}
	hash := strings.Repeat("5a", 32)
	for _, base := range []string{d.Ready().Certivox, d.Ready().DTA[0] + "/", d.Ready().DTA[1] + "/"} {
		for _, path := range []string{"clientSecret", "serverSecret", "timePermits", "timePermit"} {
			ask := func(what string, want int, q url.Values) {
				t.Helper()
				if path == "timePermits" {
					q.Set("count", "1")
				}
				if status, body := get(t, base+path+"?"+q.Encode()); status != want {
					t.Errorf("%s%s, %s: %d, not %d: %s", base, path, what, status, want, body)
				}
			}
			now := time.Now() // what is signed expires within a minute
			ask("good", 200, signed(cred, path, hash, now))
			ask("another application's key", 401, signed(foreign, path, hash, now))
			ask("an unknown application", 401, signed(stranger, path, hash, now))
			ask("expired", 408, signed(cred, path, hash, now.Add(-time.Hour)))
			ask("two days behind", 408, signed(cred, path, hash, now.Add(-48*time.Hour)))
			ask("two days ahead", 408, signed(cred, path, hash, now.Add(48*time.Hour)))
			q := signed(cred, path, hash, now)
			q.Set("signature", strings.Repeat("00", 32))
			ask("a wrong signature", 401, q)
			q = signed(cred, path, hash, now)
			q.Set("expires", wire.Expires(now.Add(time.Minute)))
			ask("a longer expiry than signed", 401, q)
			if path != "serverSecret" {
				q = signed(cred, path, hash, now)
				q.Set("hash_mpin_id", strings.Repeat("5b", 32))
				ask("another identity than signed", 401, q)
				ask("a malformed hash", 403, signed(cred, path, "zz", now))
			}
		}
		if status, _ := get(t, base+"masterSecret"); status != 404 {
			t.Errorf("%smasterSecret: %d", base, status)
		}
	}
}

// The private side is not to be reached through the public ones.
func TestPrivateStaysPrivate(t *testing.T) {
	d := start(t, Config{})
	c := clientOf(t, d)
	id, err := c.Register(t.Context(), client.Registration{UserID: "alice@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{d.Ready().RPS, d.Ready().RPS + "/rps", d.Ready().RPA, d.Ready().RPA + "/rps", d.Ready().RPA + "/rps/.."} {
		if status, body := send(t, "POST", base+"/user/"+id.MpinID, `{"activateKey":"00"}`); status != 404 && status != 405 {
			t.Errorf("%s/user: %d %s", base, status, body)
		}
		if status, body := send(t, "POST", base+"/loginResult", `{"authOTT":"00","status":200}`); status != 404 {
			t.Errorf("%s/loginResult: %d %s", base, status, body)
		}
	}
	if status, body := send(t, "POST", d.Ready().RPA+"/authenticate", `{"authOTT":"`+strings.Repeat("00", 16)+`"}`); status != 404 {
		t.Errorf("authenticate: %d %s", status, body)
	}
	if status, _ := get(t, d.Ready().RPS+"/debug/pprof/"); status != 404 {
		t.Errorf("profiles are public: %d", status)
	}
}

// skewed is a clock that tests turn.
type skewed struct{ offset atomic.Int64 }

func (s *skewed) now() time.Time        { return time.Now().Add(time.Duration(s.offset.Load())) }
func (s *skewed) turn(by time.Duration) { s.offset.Store(int64(by)) }
func (s *skewed) set(at time.Time)      { s.turn(time.Until(at)) }

// Clocks that are two days off. The RPS's: D-TAs refuse what it signs (408), so
// registering and permits fail with 500, and nobody is blocked for it. A
// D-TA's: its permits are for another day, which the RPS notices: 500. The
// client's: of no consequence, for the deployment says what day it is.
func TestClockSkew(t *testing.T) {
	for _, by := range []time.Duration{48 * time.Hour, -48 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			rpsClock, dtaClock, clientClock := &skewed{}, &skewed{}, &skewed{}
			d := start(t, Config{Clock: map[Role]func() time.Time{RoleRPS: rpsClock.now, RoleDTA: dtaClock.now}})
			c := clientOf(t, d, func(o *client.Options) { o.Now = clientClock.now })
			id := mustEnrol(t, c)
			clientClock.turn(by)
			mustLogin(t, c, id, "1234", nil)
			mustLogin(t, c, mustEnrol(t, c), "1234", nil)
			for name, clock := range map[string]*skewed{"rps": rpsClock, "dta": dtaClock} {
				clock.turn(by)
				if _, err := enrol(t.Context(), c, "late-"+name+"@example.com", "1234"); !errors.Is(err, client.ErrServer) {
					t.Errorf("%s %v off: registering: %v", name, by, err)
				}
				// A permit that nobody has asked for today.
				fresh := mustNewIdentity(t)
				if status, body := get(t, d.Ready().RPS+"/rps/timePermit/"+fresh); status != 500 {
					t.Errorf("%s %v off: permit: %d %s", name, by, status, body)
				}
				clock.turn(0)
				mustLogin(t, c, id, "1234", nil)
			}
		})
	}
}

func mustNewIdentity(t testing.TB) string {
	t.Helper()
	id, err := wire.NewIdentity("somebody@example.com", false, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

// Yesterday's permit is good until one o'clock, UTC, and no longer; tomorrow's
// is good for nothing.
func TestYesterdaysPermit(t *testing.T) {
	clock := &skewed{}
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	clock.set(midnight.Add(-10 * time.Minute))
	all := map[Role]func() time.Time{}
	for _, r := range []Role{RoleAPI, RoleDTA, RoleProxy, RoleRPS, RoleRPA} {
		all[r] = clock.now
	}
	d := start(t, Config{Clock: all})
	c := clientOf(t, d, func(o *client.Options) { o.Now = clock.now })
	id := mustEnrol(t, c)
	old := permitOf(t, c, id)
	login := func(permit *protocol.Permit, want int) {
		t.Helper()
		if status := newHand(t, d, c.Suite(), id, "1234", permit).login(); status != want {
			t.Fatalf("at %v with the permit of day %d: %d, not %d", clock.now().UTC(), permit.Date(), status, want)
		}
	}
	login(old, 200)
	clock.set(midnight.Add(59 * time.Minute))
	login(old, 200)
	fresh := permitOf(t, c, id)
	if fresh.Date() != old.Date()+1 {
		t.Fatalf("day %d after %d", fresh.Date(), old.Date())
	}
	login(fresh, 200)
	clock.set(midnight.Add(61 * time.Minute))
	login(old, 401)
	login(fresh, 200)
	clock.set(midnight.Add(-10 * time.Minute))
	login(fresh, 401)
}

// A revoked user gets no permit (403), and with today's in his hands no session
// either; when he is let in again he logs in as before.
func TestRevokedUser(t *testing.T) {
	d := start(t, Config{})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	permit := permitOf(t, c, id)
	mustLogin(t, c, id, "1234", nil)
	set := func(path string) {
		t.Helper()
		if status, body := send(t, "POST", d.Ready().RPA+path, `{"userId":"`+id.UserID+`"}`); status != 200 {
			t.Fatal(status, body)
		}
	}
	set("/admin/revoke")
	mustLogin(t, c, id, "1234", client.ErrRevoked)
	if status, body := get(t, d.Ready().RPS+"/rps/timePermit/"+id.MpinID); status != 403 {
		t.Fatalf("permit: %d %s", status, body)
	}
	if status := newHand(t, d, c.Suite(), id, "1234", permit).login(); status != 403 {
		t.Fatalf("with the permit of today: %d", status)
	}
	if _, err := enrol(t.Context(), c, id.UserID, "1234"); !errors.Is(err, client.ErrRevoked) && !errors.Is(err, client.ErrRefused) {
		t.Fatalf("a revoked user registers again: %v", err)
	}
	set("/admin/unrevoke")
	mustLogin(t, c, id, "1234", nil)
}

// A D-TA, or a proxy, that hands out a wrong share is found out before a token
// is stored, and named.
func TestLyingDTA(t *testing.T) {
	p := &tap{}
	d := start(t, Config{Wrap: p.wrap})
	c := clientOf(t, d)
	// A share of the right form, of somebody else.
	other := func(node string) string {
		cred, err := d.vault.credentials(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		base := map[string]string{"dta-1": d.Ready().DTA[0] + "/", "dta-2": d.Ready().DTA[1] + "/", "proxy": d.Ready().Certivox}[node]
		_, body := get(t, base+"clientSecret?"+signed(cred, "clientSecret", strings.Repeat("11", 32), time.Now()).Encode())
		return jsonStrings(body, "clientSecret")[0]
	}
	for _, liar := range []struct {
		node string
		dta  int
	}{{"dta-1", 1}, {"dta-2", 2}, {"proxy", 2}} {
		wrong := other(liar.node)
		p.set(func(node string, r *http.Request, answer []byte) []byte {
			if node != liar.node || r.URL.Path != "/clientSecret" {
				return answer
			}
			right := jsonStrings(string(answer), "clientSecret")
			if len(right) != 1 {
				return answer
			}
			return bytes.ReplaceAll(answer, []byte(right[0]), []byte(wrong))
		})
		id, err := c.Register(t.Context(), client.Registration{UserID: "victim-" + liar.node + "@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Enrol(t.Context(), id)
		p.set(nil)
		if id.Token != nil || id.State != client.StatePending {
			t.Fatalf("%s lies, and a token is stored", liar.node)
		}
		named := fmt.Sprintf(`"dta":%d`, liar.dta)
		switch liar.node {
		case "proxy": // the client itself notices
			var e *client.ShareError
			if !errors.Is(err, client.ErrBadShare) || !errors.As(err, &e) || e.DTA != liar.dta {
				t.Errorf("%s lies: %v", liar.node, err)
			}
		case "dta-1": // the RPS does
			if !errors.Is(err, client.ErrServer) || !strings.Contains(string(d.Node("rps-1").Logs()), named) {
				t.Errorf("%s lies: %v; %s", liar.node, err, complaints(d.Node("rps-1").Logs()))
			}
		case "dta-2": // an honest proxy does
			if !errors.Is(err, client.ErrServer) || !strings.Contains(string(d.Node("proxy").Logs()), named) {
				t.Errorf("%s lies: %v; %s", liar.node, err, complaints(d.Node("proxy").Logs()))
			}
		}
	}
	mustLogin(t, c, mustEnrol(t, c), "1234", nil)
}

// Nothing that MIRACL's side receives, answers or logs has an identity in
// clear.
func TestNoIdentityAtMIRACL(t *testing.T) {
	p := &tap{}
	d := start(t, Config{Wrap: p.wrap, LogLevel: "debug", DTAs: 3, VerifyByMail: "mail"})
	c := clientOf(t, d)
	const user = "Zoë.Clear+text@mail.example"
	id, err := c.Register(t.Context(), client.Registration{UserID: user, DeviceName: "Zoë's laptop", Mobile: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ActivateByOutbox(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := finish(t.Context(), c, id, "1234"); err != nil {
		t.Fatal(err)
	}
	mustLogin(t, c, id, "1234", nil)
	raw, err := wire.RawIdentity(id.MpinID)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := wire.ParseIdentity(id.MpinID)
	if err != nil {
		t.Fatal(err)
	}
	clear := []string{user, id.MpinID, string(raw), url.QueryEscape(user), "Clear+text", "Clear%2Btext", "Zo", parsed.Salt, hex.EncodeToString([]byte(user))}
	n := 0
	look := func(where, text string) {
		t.Helper()
		for _, s := range clear {
			if strings.Contains(strings.ToLower(text), strings.ToLower(s)) {
				t.Errorf("%s has %q: %.300s", where, s, text)
			}
		}
	}
	for _, r := range p.all() {
		if r.node != "proxy" && r.node != "api" && r.node != "dta-2" && r.node != "dta-3" {
			continue
		}
		n++
		look(r.node+" "+r.method, r.uri)
		look(r.node+" "+r.method, r.body)
		look(r.node+" "+r.method, r.answer)
		for name, values := range r.header {
			look(r.node+" "+name, strings.Join(values, " "))
		}
	}
	for _, name := range []string{"proxy", "api", "dta-2", "dta-3"} {
		look("the log of "+name, string(d.Node(name).Logs()))
	}
	if n < 6 {
		t.Fatalf("MIRACL's side has received %d requests only", n)
	}
}

// Bodies, headers and paths that are too large are refused, on every listener.
func TestOversize(t *testing.T) {
	d := start(t, Config{})
	id := mustNewIdentity(t)
	huge := strings.Repeat("x", 1<<20)
	r := d.Ready()
	for _, q := range []struct{ method, url string }{
		{"PUT", r.RPS + "/rps/user"}, {"POST", r.RPS + "/rps/pass1"}, {"POST", r.RPS + "/rps/pass2"}, {"POST", r.RPS + "/rps/authenticate"},
		{"POST", r.RPS + "/rps/access"}, {"POST", r.RPS + "/rps/codeStatus"}, {"POST", r.RPA + "/rps/pass1"}, {"POST", r.RPA + "/mpinAuthenticate"},
		{"POST", r.RPA + "/mpinVerify"}, {"POST", r.RPA + "/activate"}, {"POST", r.RPA + "/logout"}, {"POST", r.RPSPrivate + "/authenticate"},
		{"POST", r.RPSPrivate + "/user/" + id}, {"POST", r.RPSPrivate + "/loginResult"}, {"POST", r.DTA[0] + "/applications"},
		{"POST", d.config.apiURL() + "/applications"},
	} {
		for _, body := range []io.Reader{strings.NewReader(`{"mpin_id":"` + huge + `"}`), io.MultiReader(strings.NewReader(huge))} {
			request, err := http.NewRequestWithContext(t.Context(), q.method, q.url, body)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				continue // the connection was cut while the body was sent
			}
			answer.Body.Close()
			// 401 where nobody without the token is listened to.
			if s := answer.StatusCode; s != 413 && s != 401 {
				t.Errorf("%s %s: %d", q.method, q.url, s)
			}
		}
	}
	for _, base := range append([]string{r.RPA, r.RPS, r.RPSPrivate, r.Certivox}, r.DTA...) {
		if status, _ := get(t, base+"/status", "X-Long", strings.Repeat("x", 64<<10)); status != 431 {
			t.Errorf("%s with a long header: %d", base, status)
		}
		if status, _ := get(t, base+"/"+strings.Repeat("x", 64<<10)); status != 431 && status != 414 {
			t.Errorf("%s with a long path: %d", base, status)
		}
	}
	mustLogin(t, clientOf(t, d), mustEnrol(t, clientOf(t, d)), "1234", nil)
}

// Connections that send a byte now and then are cut, and meanwhile others are
// served.
func TestSlowLoris(t *testing.T) {
	t.Parallel()
	d := start(t, Config{})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	var all sync.WaitGroup
	for _, base := range []string{d.Ready().RPA, d.Ready().RPS, d.Ready().RPSPrivate, strings.TrimSuffix(d.Ready().Certivox, "/"), d.Ready().DTA[0]} {
		for i := range 20 {
			all.Go(func() {
				conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				// Half of them are slow with the headers, half with the body.
				start := "GET /status HTTP/1.1\r\nHost: x\r\nX-Slow: "
				if i%2 == 1 {
					start = "POST /rps/pass1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
				}
				if _, err := conn.Write([]byte(start)); err != nil {
					t.Error(err)
					return
				}
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_, _ = io.Copy(io.Discard, conn)
				}()
				// A bound for a server that never ends it, far from what it takes.
				for range 600 {
					select {
					case <-ended:
						return
					case <-time.After(100 * time.Millisecond):
						if _, err := conn.Write([]byte("x")); err != nil {
							<-ended
							return
						}
					}
				}
				t.Errorf("%s lets a slow connection live", base)
			})
		}
	}
	for range 10 {
		mustLogin(t, c, id, "1234", nil)
	}
	all.Wait()
	mustLogin(t, c, id, "1234", nil)
}

// Other than on loopback there is a limit for each source by default.
func TestRateLimit(t *testing.T) {
	d := start(t, Config{Rate: 5})
	// All at once, and again where the machine is too busy for more than five a
	// second.
	var limited atomic.Int64
	for round := 0; round < 20 && limited.Load() == 0; round++ {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				r, err := http.Get(d.Ready().RPS + "/rps/clientSettings")
				if err != nil {
					t.Error(err)
					return
				}
				r.Body.Close()
				if r.StatusCode == 429 {
					limited.Add(1)
				} else if r.StatusCode != 200 {
					t.Error(r.Status)
				}
			})
		}
		all.Wait()
	}
	if limited.Load() == 0 {
		t.Fatal("no request was refused")
	}
	public := parts{config: &Config{Listen: "192.0.2.1:80"}}
	if r := public.rate(); r.PerSecond != PublicRate {
		t.Fatalf("%+v", r)
	}
	inner := parts{config: &Config{Listen: "127.0.0.1:80"}}
	if r := inner.rate(); r != (service.Rate{}) {
		t.Fatalf("%+v", r)
	}
}
