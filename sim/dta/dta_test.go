package dta_test

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/sim/dta"
	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/wire"
)

// noon is the time by the D-TAs' clocks.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func fixed(at time.Time) func(int) func() time.Time {
	return func(int) func() time.Time { return func() time.Time { return at } }
}

// alice is an identity with its hash.
func alice(t testing.TB) (raw []byte, hash string) {
	t.Helper()
	id, err := wire.NewIdentity("alice@example.com", false, noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := wire.HashIdentity(id.Bytes())
	return id.Bytes(), hex.EncodeToString(h[:])
}

func get(h http.Handler, url string) (int, []byte) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	return w.Code, w.Body.Bytes()
}

func fetch[A any](t *testing.T, h http.Handler, url string) (a A) {
	t.Helper()
	status, body := get(h, url)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", strings.SplitN(url, "?", 2)[0], status, body)
	}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func noError(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// TestIssuesToTheRightIdentity: shares add up to s·A, s·A_T and s·Q of the raw
// identity, though D-TAs see its hash, on curves whose field is longer than the
// hash too; and each has a proof under the D-TA's key.
func TestIssuesToTheRightIdentity(t *testing.T) {
	for _, s := range []struct {
		dialect protocol.Dialect
		curve   backends.Curve
	}{
		{protocol.RFC9380, backends.BLS12381}, {protocol.Milagro, backends.BLS12381},
		{protocol.Milagro, backends.BN254}, {protocol.RFC9380, backends.BN254},
	} {
		id := protocol.SuiteID{Dialect: s.dialect, Curve: s.curve}
		t.Run(id.String(), func(t *testing.T) {
			suite := dtatest.SuiteOf(t, s.dialect, s.curve)
			d := dtatest.New(t, suite, dtatest.Options{N: 3, Now: fixed(noon)})
			raw, hash := alice(t)
			alice, err := suite.Identity(raw)
			noError(t, "identity", err)
			today, err := wire.Today(noon)
			noError(t, "today", err)
			var clients []*protocol.ClientSecret
			var servers []*protocol.ServerSecret
			var permits []*protocol.Permit
			for i, n := range d.Nodes {
				key, err := suite.DecodeShareKey(unhex(t, d.Keys[i].Key))
				noError(t, "key", err)

				c := fetch[wire.ClientSecretAnswer](t, n.Handler(), dtatest.ClientSecretURL(dtatest.AppID, dtatest.AppKey, hash, noon, nil))
				share, err := suite.DecodeClientSecret(unhex(t, c.ClientSecret))
				noError(t, "client share", err)
				noError(t, "its proof", key.VerifyClientShare(alice, share, unhex(t, c.Shares[0].Proof)))
				clients = append(clients, share)

				q := fetch[wire.ServerSecretAnswer](t, n.Handler(), dtatest.ServerSecretURL(dtatest.AppID, dtatest.AppKey, noon, nil))
				server, err := suite.DecodeServerSecret(unhex(t, q.ServerSecret))
				noError(t, "server share", err)
				noError(t, "checked", key.VerifyServerShare(server))
				servers = append(servers, server)
				if q.StartTime != noon.UnixMilli() {
					t.Errorf("started at %d", q.StartTime)
				}

				p := fetch[wire.PermitAnswer](t, n.Handler(), dtatest.PermitURL(dtatest.AppID, dtatest.AppKey, hash, noon, nil, 0))
				permit, err := suite.DecodePermit(protocol.Date(p.Date), unhex(t, p.TimePermit))
				noError(t, "permit share", err)
				noError(t, "its proof", key.VerifyPermitShare(alice, permit, unhex(t, p.Shares[0].Proof)))
				permits = append(permits, permit)

				many := fetch[wire.PermitsAnswer](t, n.Handler(), dtatest.PermitURL(dtatest.AppID, dtatest.AppKey, hash, noon, nil, 5))
				if len(many.TimePermits) != 5 || many.TimePermits[strconv.Itoa(int(today))] != p.TimePermit {
					t.Errorf("timePermits: %d days; the first is not timePermit's", len(many.TimePermits))
				}
				for day := today; day < today+5; day++ {
					text := strconv.Itoa(int(day))
					permit, err := suite.DecodePermit(day, unhex(t, many.TimePermits[text]))
					noError(t, "permit of "+text, err)
					noError(t, "its proof", key.VerifyPermitShare(alice, permit, unhex(t, many.Shares[text][0].Proof)))
				}
			}
			secret, err := protocol.CombineClientSecrets(clients...)
			noError(t, "sum", err)
			server, err := protocol.CombineServerSecrets(servers...)
			noError(t, "sum", err)
			permit, err := protocol.CombinePermits(permits...)
			noError(t, "sum", err)
			noError(t, "s·A against s·Q", secret.VerifyShare(alice, server))
			noError(t, "s·A_T against s·Q", permit.VerifyShare(alice, server))
			whole, err := d.Master.ClientShare(alice)
			noError(t, "whole", err)
			if string(whole.Bytes()) != string(secret.Bytes()) {
				t.Error("the shares do not add up to s·A")
			}
		})
	}
}

// TestStatuses goes through wire.md's table for the D-TAs.
func TestStatuses(t *testing.T) {
	suite := dtatest.Suite(t)
	_, hash := alice(t)
	const id, key = dtatest.AppID, dtatest.AppKey
	expires := wire.Expires(noon)
	client := func(change wire.Query) string {
		q := wire.Query{"app_id": id, "expires": expires, "hash_mpin_id": hash, "hash_user_id": "", "mobile": "0"}
		for k, v := range change {
			q[k] = v
		}
		if _, ok := q["signature"]; !ok {
			q["signature"] = wire.Sign(key, "clientSecret", q["app_id"], q["hash_mpin_id"], q["hash_user_id"], q["expires"], q["set"])
		}
		for k, v := range q {
			if v == "absent" {
				delete(q, k)
			}
		}
		return "/clientSecret?" + q.Encode()
	}
	permit := func(path string, change wire.Query) string {
		q := wire.Query{"hash_mpin_id": hash, "signature": wire.Sign(key, hash)}
		for k, v := range change {
			q[k] = v
		}
		for k, v := range q {
			if v == "absent" {
				delete(q, k)
			}
		}
		return path + "?" + q.Encode()
	}
	stamp := func(at time.Time) string { return at.UTC().Format(wire.ExpiresLayout) }
	bad := strings.Repeat("0", 64)
	for _, c := range []struct {
		name, url string
		want      int
	}{
		{"clientSecret", client(nil), 200},
		{"upper-case hash", client(wire.Query{"hash_mpin_id": strings.ToUpper(hash)}), 200},
		{"mobile", client(wire.Query{"mobile": "1"}), 200},
		{"without mobile and hash_user_id", client(wire.Query{"mobile": "absent", "hash_user_id": ""}), 200},
		{"with a hashed user", client(wire.Query{"hash_user_id": bad}), 200},
		{"signature of nothing", client(wire.Query{"signature": ""}), 401},
		{"signature no hex", client(wire.Query{"signature": "zz"}), 401},
		{"wrong signature", client(wire.Query{"signature": bad}), 401},
		{"short signature", client(wire.Query{"signature": bad[:62]}), 401},
		{"another key", client(wire.Query{"signature": wire.Sign("other", wire.ClientSecretParts(id, hash, "", expires)...)}), 401},
		{"signed for serverSecret", client(wire.Query{"signature": wire.Sign(key, wire.ServerSecretParts(id, expires)...)}), 401},
		{"unknown application", client(wire.Query{"app_id": "app-2"}), 401},
		{"no such application's ID", client(wire.Query{"app_id": "\x00"}), 401},
		{"wrong signature, and expired", client(wire.Query{"signature": bad, "expires": stamp(noon.Add(-time.Hour))}), 401},
		{"wrong signature, and malformed", client(wire.Query{"signature": bad, "hash_mpin_id": "zz", "expires": "soon"}), 401},
		{"no signature", client(wire.Query{"signature": "absent"}), 403},
		{"no app_id", client(wire.Query{"app_id": "absent"}), 403},
		{"no expires", client(wire.Query{"expires": "absent"}), 403},
		{"no hash", client(wire.Query{"hash_mpin_id": "absent"}), 403},
		{"empty hash", client(wire.Query{"hash_mpin_id": ""}), 403},
		{"short hash", client(wire.Query{"hash_mpin_id": hash[2:]}), 403},
		{"long hash", client(wire.Query{"hash_mpin_id": hash + "00"}), 403},
		{"hash no hex", client(wire.Query{"hash_mpin_id": "x" + hash[1:]}), 403},
		{"expires no time", client(wire.Query{"expires": "soon"}), 403},
		{"expires with fractions", client(wire.Query{"expires": "2026-11-23T12:00:30+00:00"}), 403},
		{"mobile no flag", client(wire.Query{"mobile": "2"}), 403},
		{"malformed, and expired", client(wire.Query{"hash_mpin_id": "zz", "expires": stamp(noon.Add(-time.Hour))}), 403},
		{"a set, where all issue together", client(wire.Query{"set": "1.2"}), 403},
		{"a set that is none", client(wire.Query{"set": "2.1"}), 403},
		{"an argument twice", client(nil) + "&mobile=1", 403},
		{"no query", "/clientSecret", 403},
		{"a query that does not parse", "/clientSecret?a=%zz;b", 403},
		{"a long query", client(nil) + "&a=" + strings.Repeat("a", 5000), 403},
		{"expired", client(wire.Query{"expires": stamp(noon.Add(-6 * time.Second))}), 408},
		{"expired by two days", client(wire.Query{"expires": wire.Expires(noon.AddDate(0, 0, -2))}), 408},
		{"two days ahead", client(wire.Query{"expires": wire.Expires(noon.AddDate(0, 0, 2))}), 408},
		{"just not expired", client(wire.Query{"expires": stamp(noon.Add(-5 * time.Second))}), 200},

		{"serverSecret", dtatest.ServerSecretURL(id, key, noon, nil), 200},
		{"serverSecret, wrong key", dtatest.ServerSecretURL(id, "other", noon, nil), 401},
		{"serverSecret, nothing", "/serverSecret", 403},
		{"serverSecret, expired", dtatest.ServerSecretURL(id, key, noon.Add(-2*time.Minute), nil), 408},
		{"serverSecret, a set", dtatest.ServerSecretURL(id, key, noon, wire.Set{1, 2}), 403},

		{"timePermit of the original", permit("/timePermit", nil), 200},
		{"with app_id and mobile", permit("/timePermit", wire.Query{"app_id": id, "mobile": "1"}), 200},
		{"of another application", permit("/timePermit", wire.Query{"app_id": "app-2"}), 401},
		{"wrong signature", permit("/timePermit", wire.Query{"signature": bad}), 401},
		{"another hash", permit("/timePermit", wire.Query{"hash_mpin_id": bad}), 401},
		{"no hash", permit("/timePermit", wire.Query{"hash_mpin_id": "absent"}), 403},
		{"no signature", permit("/timePermit", wire.Query{"signature": "absent"}), 403},
		{"malformed hash", permit("/timePermit", wire.Query{"hash_mpin_id": "12", "signature": wire.Sign(key, "12")}), 403},
		{"malformed mobile", permit("/timePermit", wire.Query{"mobile": "yes"}), 403},
		{"our form", dtatest.PermitURL(id, key, hash, noon, nil, 0), 200},
		{"our form, expired", dtatest.PermitURL(id, key, hash, noon.Add(-2*time.Minute), nil, 0), 408},
		{"the original's signature with an expiry", permit("/timePermit", wire.Query{"app_id": id, "expires": expires}), 401},
		{"the original's signature with an empty expiry", permit("/timePermit", wire.Query{"expires": ""}), 403},
		{"a set without an expiry", permit("/timePermit", wire.Query{"set": "1.2"}), 403},
		{"a suffix that is no set", permit("/timePermit", wire.Query{"signature": wire.Sign(key, hash) + "-1.2"}), 401},

		{"timePermits", permit("/timePermits", wire.Query{"count": "3"}), 200},
		{"the most", permit("/timePermits", wire.Query{"count": strconv.Itoa(wire.MaxPermits)}), 200},
		{"more", permit("/timePermits", wire.Query{"count": strconv.Itoa(wire.MaxPermits + 1)}), 403},
		{"none", permit("/timePermits", wire.Query{"count": "0"}), 403},
		{"less", permit("/timePermits", wire.Query{"count": "-1"}), 403},
		{"no number", permit("/timePermits", wire.Query{"count": "a"}), 403},
		{"a huge number", permit("/timePermits", wire.Query{"count": "99999999999999999999"}), 403},
		{"no count", permit("/timePermits", nil), 403},
		{"wrong signature", permit("/timePermits", wire.Query{"signature": bad, "count": "a"}), 401},

		{"status", "/status", 200},
		{"metrics", "/metrics", 200},
		{"unknown path", "/masterSecret", 404},
		{"root", "/", 404},
		{"below a path", "/clientSecret/x", 404},
		{"unclean", "/a/..//status", 404},
	} {
		d := dtatest.New(t, suite, dtatest.Options{N: 1, Now: fixed(noon)})
		if got, body := get(d.Nodes[0].Handler(), c.url); got != c.want {
			t.Errorf("%s: %d, not %d: %s", c.name, got, c.want, body)
		} else if got != 200 {
			var r wire.Refusal
			if err := json.Unmarshal(body, &r); err != nil || r.Message == "" || r.RequestID == "" {
				t.Errorf("%s: the refusal is %s", c.name, body)
			}
		}
	}
}

// TestThresholdStatuses: a set of the right size with the D-TA in it, and an
// expiry, are needed where only some issue together.
func TestThresholdStatuses(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 4, Threshold: 2, Now: fixed(noon)})
	h := d.Nodes[0].Handler()
	_, hash := alice(t)
	const id, key = dtatest.AppID, dtatest.AppKey
	unsigned := func(set string) string {
		return dtatest.ClientSecretURL(id, key, hash, noon, nil) + "&set=" + set
	}
	for _, c := range []struct {
		name, url string
		want      int
	}{
		{"a set", dtatest.ClientSecretURL(id, key, hash, noon, wire.Set{1, 3}), 200},
		{"no set", dtatest.ClientSecretURL(id, key, hash, noon, nil), 403},
		{"too few", dtatest.ClientSecretURL(id, key, hash, noon, wire.Set{1}), 403},
		{"too many", dtatest.ClientSecretURL(id, key, hash, noon, wire.Set{1, 2, 3}), 403},
		{"others", dtatest.ClientSecretURL(id, key, hash, noon, wire.Set{2, 3}), 403},
		{"strangers", dtatest.ClientSecretURL(id, key, hash, noon, wire.Set{1, 5}), 403},
		{"a set that is not signed", unsigned("1.3"), 401},
		{"server", dtatest.ServerSecretURL(id, key, noon, wire.Set{1, 3}), 200},
		{"permit", dtatest.PermitURL(id, key, hash, noon, wire.Set{1, 3}, 0), 200},
		{"permits", dtatest.PermitURL(id, key, hash, noon, wire.Set{1, 3}, 2), 200},
		{"the original's permit", "/timePermit?hash_mpin_id=" + hash + "&signature=" + wire.Sign(key, hash), 403},
		{"a client's permit", "/timePermit?hash_mpin_id=" + hash + "&signature=" + wire.PermitSignature(key, id, hash, wire.Set{1, 3}, noon), 403},
	} {
		if got, body := get(h, c.url); got != c.want {
			t.Errorf("%s: %d, not %d: %s", c.name, got, c.want, body)
		}
	}
}

// TestNewApplication: an application that the API adds gets a share of its own,
// once, kept before it is answered.
func TestNewApplication(t *testing.T) {
	suite := dtatest.Suite(t)
	keys := &memory{m: map[string][]byte{}}
	config := dta.Config{Suite: suite, Index: 2, Keystore: keys, AdminToken: "admin", MaxApplications: 2}
	s, err := dta.New(config)
	noError(t, "D-TA", err)
	post := func(h http.Handler, token, body string) (int, wire.ShareKey) {
		r := httptest.NewRequest(http.MethodPost, "/applications", strings.NewReader(body))
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var k wire.ShareKey
		_ = json.Unmarshal(w.Body.Bytes(), &k)
		return w.Code, k
	}
	const body = `{"app_id":"new","app_key":"secret"}`
	for _, c := range []struct {
		name, token, body string
		want              int
	}{
		{"no token", "", body, 401},
		{"wrong token", "admim", body, 401},
		{"no JSON", "admin", "{", 400},
		{"twice the same name", "admin", `{"app_id":"new","app_id":"new","app_key":"secret"}`, 400},
		{"no key", "admin", `{"app_id":"new"}`, 400},
		{"bad ID", "admin", `{"app_id":"../x","app_key":"secret"}`, 400},
		{"threshold", "admin", `{"app_id":"new","app_key":"secret","threshold":2}`, 409},
		{"oversize", "admin", `{"app_id":"` + strings.Repeat("a", 5000) + `"}`, 413},
	} {
		if got, _ := post(s.Handler(), c.token, c.body); got != c.want {
			t.Errorf("%s: %d, not %d", c.name, got, c.want)
		}
	}
	if len(keys.m) != 0 {
		t.Fatal("something was kept of what was refused")
	}
	status, key := post(s.Handler(), "admin", body)
	if status != 200 || key.DTA != 2 {
		t.Fatalf("new application: %d %+v", status, key)
	}
	if status, again := post(s.Handler(), "admin", body); status != 200 || again != key {
		t.Errorf("asked again: %d %+v", status, again)
	}
	if status, _ := post(s.Handler(), "admin", `{"app_id":"new","app_key":"other"}`); status != 409 {
		t.Errorf("with another key: %d", status)
	}
	if status, other := post(s.Handler(), "admin", `{"app_id":"newer","app_key":"secret"}`); status != 200 || other.Key == key.Key {
		t.Errorf("second application: %d, the same share: %v", status, other.Key == key.Key)
	}
	if status, _ := post(s.Handler(), "admin", `{"app_id":"newest","app_key":"secret"}`); status != 409 {
		t.Errorf("one too many: %d", status)
	}
	again, err := dta.New(config)
	noError(t, "restart", err)
	if k, ok := again.ShareKey("new"); !ok || k != key {
		t.Error("after a restart the share is another")
	}
	_, hash := alice(t)
	if got, _ := get(again.Handler(), dtatest.ClientSecretURL("new", "secret", hash, time.Now(), nil)); got != 200 {
		t.Errorf("after a restart: %d", got)
	}
	if got, _ := get(again.Handler(), "/timePermit?hash_mpin_id="+hash+"&signature="+wire.Sign("secret", hash)); got != 200 {
		t.Errorf("a permit of one of two applications, unnamed: %d", got)
	}
	if got, _ := get(again.Handler(), "/timePermit?hash_mpin_id="+hash+"&signature="+wire.Sign("other", hash)); got != 401 {
		t.Errorf("a permit of neither of two applications: %d", got)
	}
	keys.fail = io.ErrClosedPipe
	s, err = dta.New(dta.Config{Suite: suite, Index: 2, AdminToken: "admin", Keystore: &memory{m: map[string][]byte{}, fail: keys.fail}})
	if err == nil {
		t.Error("a keystore that cannot be read goes unnoticed", s)
	}
}

// TestNothingIsServedThatWasNotKept: if the keystore fails, the application is
// not there.
func TestNothingIsServedThatWasNotKept(t *testing.T) {
	keys := &memory{m: map[string][]byte{}}
	s, err := dta.New(dta.Config{Suite: dtatest.Suite(t), Index: 1, Keystore: keys, AdminToken: "admin"})
	noError(t, "D-TA", err)
	keys.fail = io.ErrClosedPipe
	r := httptest.NewRequest(http.MethodPost, "/applications", strings.NewReader(`{"app_id":"new","app_key":"secret"}`))
	r.Header.Set("Authorization", "Bearer admin")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != 500 || strings.Contains(w.Body.String(), "pipe") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, ok := s.ShareKey("new"); ok {
		t.Error("it is served")
	}
}

func TestStatus(t *testing.T) {
	for _, threshold := range []int{0, 2} {
		d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 3, Threshold: threshold, Now: fixed(noon)})
		for i, n := range d.Nodes {
			got := fetch[wire.DTAStatus](t, n.Handler(), "/status?app_id="+dtatest.AppID)
			want := wire.DTAStatus{Status: "OK", Suite: "rfc9380/bls12-381", DTA: i + 1, Threshold: threshold,
				Key: d.Keys[i], StartTime: noon.UnixMilli()}
			if got != want {
				t.Errorf("%+v, not %+v", got, want)
			}
		}
	}
}

// TestNoSecretsInTheLog: the log has at most the first digits of a hash, and no
// signature, share or proof.
func TestNoSecretsInTheLog(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 1, Now: fixed(noon)})
	n := d.Nodes[0]
	_, hash := alice(t)
	url := dtatest.ClientSecretURL(dtatest.AppID, dtatest.AppKey, hash, noon, nil)
	a := fetch[wire.ClientSecretAnswer](t, n.Handler(), url)
	get(n.Handler(), url+"0")
	log := string(n.Seen.Bytes())
	if !strings.Contains(log, hash[:8]) || strings.Count(log, `"msg":"request"`) != 2 {
		t.Errorf("the log is %s", log)
	}
	q, err := wire.ParseQuery(strings.SplitN(url, "?", 2)[1])
	noError(t, "query", err)
	for name, secret := range map[string]string{"hash": hash[:16], "signature": q["signature"][:16], "key": dtatest.AppKey,
		"share": a.ClientSecret[:32], "proof": a.Shares[0].Proof[:32]} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has the %s", name)
		}
	}
}

func TestConfig(t *testing.T) {
	b := dtatest.Suite(t).Backend()
	core, err := protocol.New(protocol.SuiteID{Dialect: protocol.MIRACLCore, Curve: backends.BLS12381}, b)
	noError(t, "suite", err)
	for name, c := range map[string]dta.Config{
		"no suite":     {Index: 1},
		"no permits":   {Suite: core, Index: 1},
		"no index":     {Suite: dtatest.Suite(t)},
		"large index":  {Suite: dtatest.Suite(t), Index: 256},
		"empty app":    {Suite: dtatest.Suite(t), Index: 1, Applications: []*dta.Application{{ID: "a", Key: "k"}}},
		"a bad record": {Suite: dtatest.Suite(t), Index: 1, Keystore: &memory{m: map[string][]byte{"a": []byte("{}")}}},
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := dta.New(c); err == nil {
				t.Error("made", s)
			}
		})
	}
}
