package proxy_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/api"
	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/proxy"
	"mpinlab/sim/quorum"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

var ctx = context.Background()

const (
	id, key       = dtatest.AppID, dtatest.AppKey
	otherID       = "app-2"
	otherKey      = "another secret"
	adminToken    = "admin token"
	serviceToken  = "service token"
	forbiddenText = "alice@example.com"
)

// miracl is MIRACL's side on real listeners: D-TAs, proxy, API and storage; and
// the RPS's quorum on the other.
type miracl struct {
	*dtatest.Deployment
	now      atomic.Int64 // ns since the epoch, by everybody's clock
	proxy    *proxy.Server
	proxyURL string
	apiURL   string
	api      *api.Server
	rps      *quorum.Quorum
	seen     dtatest.Recorder // by proxy and API
	apiDown  atomic.Bool
}

func (m *miracl) clock() time.Time { return time.Unix(0, m.now.Load()) }

func (m *miracl) pass(d time.Duration) { m.now.Add(int64(d)) }

func (m *miracl) recorded(h func() http.Handler) http.Handler {
	return m.seen.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h().ServeHTTP(w, r) }))
}

func newMIRACL(t testing.TB, n, threshold int) *miracl {
	t.Helper()
	m := &miracl{}
	m.now.Store(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixNano())
	suite := dtatest.Suite(t)
	m.Deployment = dtatest.New(t, suite, dtatest.Options{N: n, Threshold: threshold,
		Now: func(int) func() time.Time { return m.clock }})
	log := slog.New(slog.NewJSONHandler(&m.seen, &slog.HandlerOptions{Level: slog.LevelDebug}))

	apiServer := httptest.NewServer(m.recorded(func() http.Handler {
		if m.apiDown.Load() {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		}
		return m.api.Handler()
	}))
	t.Cleanup(apiServer.Close)
	proxyServer := httptest.NewServer(m.recorded(func() http.Handler { return m.proxy.Handler() }))
	t.Cleanup(proxyServer.Close)
	m.apiURL, m.proxyURL = apiServer.URL, proxyServer.URL
	s := store.NewMemory(store.Options{})
	t.Cleanup(func() { s.Close() })
	var err error
	m.api, err = api.New(api.Config{Suite: suite, Logger: log, Now: m.clock, Store: s, AdminToken: adminToken,
		ServiceToken: serviceToken, CertivoxURL: m.proxyURL + "/", StorageURL: m.apiURL + "/permits"})
	check(t, err)
	check(t, m.api.Adopt(ctx, wire.Application{AppID: id, AppKey: key, Name: "one", Threshold: threshold, ShareKeys: m.Keys}))
	check(t, m.api.Adopt(ctx, wire.Application{AppID: otherID, AppKey: otherKey, Name: "two", Threshold: threshold, ShareKeys: m.Keys}))

	members := m.Members()
	if threshold == 0 {
		members = members[1:]
	}
	api := &proxy.Remote{URL: m.apiURL, Storage: m.apiURL + "/permits", Token: serviceToken}
	m.proxy, err = proxy.New(proxy.Config{Suite: suite, Logger: log, Now: m.clock, Applications: api, Storage: api,
		DefaultApp: id, Members: members, Ahead: 2, Publish: 20 * time.Millisecond,
		Quorum: quorum.Config{Probe: 20 * time.Millisecond}})
	check(t, err)
	t.Cleanup(func() { m.proxy.Close() })

	c := quorum.Config{Suite: suite, AppID: id, AppKey: key, Threshold: threshold, Members: m.Members(), Keys: m.Keys,
		Proxy: m.proxyURL + "/", Now: m.clock, Name: "rps", Probe: 20 * time.Millisecond, Avoid: time.Minute}
	if threshold == 0 {
		c.Members = c.Members[:1]
	}
	m.rps, err = quorum.New(c)
	check(t, err)
	t.Cleanup(func() { m.rps.Close() })
	return m
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// user is an identity with its hash.
type user struct {
	*protocol.Identity
	raw  []byte
	hash string
}

func (m *miracl) user(t testing.TB) user {
	t.Helper()
	i, err := wire.NewIdentity(forbiddenText, false, m.clock(), nil)
	check(t, err)
	point, err := m.Suite.Identity(i.Bytes())
	check(t, err)
	h := wire.HashIdentity(i.Bytes())
	return user{point, i.Bytes(), hex.EncodeToString(h[:])}
}

func get(t testing.TB, url string) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.Get(url)
	check(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	check(t, err)
	return r.StatusCode, r.Header, b
}

func fetch[A any](t testing.TB, url string) (a A) {
	t.Helper()
	status, _, body := get(t, url)
	if status != 200 {
		t.Fatalf("%s: %d %s", strings.SplitN(url, "?", 2)[0], status, body)
	}
	check(t, json.Unmarshal(body, &a))
	return a
}

func (m *miracl) secret(t testing.TB, parts ...string) *protocol.ClientSecret {
	t.Helper()
	var list []*protocol.ClientSecret
	for _, p := range parts {
		b, err := hex.DecodeString(p)
		check(t, err)
		c, err := m.Suite.DecodeClientSecret(b)
		check(t, err)
		list = append(list, c)
	}
	sum, err := protocol.CombineClientSecrets(list...)
	check(t, err)
	return sum
}

func (m *miracl) permit(t testing.TB, date int, parts ...string) *protocol.Permit {
	t.Helper()
	var list []*protocol.Permit
	for _, p := range parts {
		b, err := hex.DecodeString(p)
		check(t, err)
		c, err := m.Suite.DecodePermit(protocol.Date(date), b)
		check(t, err)
		list = append(list, c)
	}
	sum, err := protocol.CombinePermits(list...)
	check(t, err)
	return sum
}

// TestAsAClientOfAnotherMaker: a client that adds the RPS's value and the
// proxy's, and looks at nothing else, has its secret and its permits, by each of
// the ways to them.
func TestAsAClientOfAnotherMaker(t *testing.T) {
	for _, size := range []struct{ n, t int }{{2, 0}, {4, 0}, {3, 2}, {4, 3}} {
		t.Run(strconv.Itoa(size.t)+" of "+strconv.Itoa(size.n), func(t *testing.T) {
			t.Parallel()
			m := newMIRACL(t, size.n, size.t)
			alice := m.user(t)
			server, err := m.rps.ServerSecret(ctx)
			check(t, err)
			if !bytes.Equal(server.Bytes(), m.Master.ServerShare().Bytes()) {
				t.Error("the server secret is another")
			}
			round := func(what string) {
				t.Helper()
				own, err := m.rps.ClientHalf(ctx, alice.hash, false)
				check(t, err)
				a := fetch[wire.ClientSecretAnswer](t, m.proxyURL+"/clientSecret?"+own.Params)
				if err := m.secret(t, own.Share, a.ClientSecret).VerifyShare(alice.Identity, server); err != nil {
					t.Errorf("%s: client secret: %v", what, err)
				}
				half, err := m.rps.PermitHalf(ctx, alice.hash)
				check(t, err)
				for _, query := range []string{
					"hash_mpin_id=" + alice.hash + "&signature=" + half.Signature,
					"app_id=" + id + "&mobile=0&hash_mpin_id=" + alice.hash + "&signature=" + half.Signature,
					half.Params,
				} {
					p := fetch[wire.PermitAnswer](t, m.proxyURL+"/timePermit?"+query)
					if err := m.permit(t, p.Date, half.Share, p.TimePermit).VerifyShare(alice.Identity, server); err != nil {
						t.Errorf("%s: permit: %v", what, err)
					}
				}
				many := fetch[wire.PermitsAnswer](t, m.proxyURL+"/timePermits?count=3&"+half.Params)
				if len(many.TimePermits) != 3 || len(many.Shares) != 3 {
					t.Errorf("%s: permits of %d days", what, len(many.TimePermits))
				}
			}
			round("all up")
			if size.t == 0 {
				return
			}
			m.Nodes[0].Stop()
			poll(t, "D-TA 1 is missed", func() bool { return !m.rps.Live().Has(1) })
			round("D-TA 1 down")
		})
	}
}

func poll(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: not in 30 s", what)
}

// TestPublishes: once an identity was issued to, the storage has the proxy's
// half of its permits of today and the days ahead, and every day one more.
func TestPublishes(t *testing.T) {
	for _, threshold := range []int{0, 2} {
		m := newMIRACL(t, 3, threshold)
		alice := m.user(t)
		server, err := m.rps.ServerSecret(ctx)
		check(t, err)
		own, err := m.rps.ClientHalf(ctx, alice.hash, false)
		check(t, err)
		fetch[wire.ClientSecretAnswer](t, m.proxyURL+"/clientSecret?"+own.Params)
		today, err := wire.Today(m.clock())
		check(t, err)
		url := func(date protocol.Date) string {
			return m.apiURL + "/permits/" + id + "/" + strconv.Itoa(int(date)) + "/" + alice.hash
		}
		published := func(date protocol.Date) bool {
			status, _, _ := get(t, url(date))
			return status == 200
		}
		poll(t, "permits are published", func() bool { return published(today + 2) })
		if !published(today) || !published(today+1) || published(today+3) {
			t.Error("other days are published than today and the two that follow")
		}
		half, err := m.rps.PermitHalf(ctx, alice.hash)
		check(t, err)
		if half.StorageID != alice.hash {
			t.Errorf("storage ID %s", half.StorageID)
		}
		_, header, text := get(t, url(today))
		if err := m.permit(t, int(today), half.Share, string(text)).VerifyShare(alice.Identity, server); err != nil {
			t.Errorf("the published half: %v", err)
		}
		if header.Get("Access-Control-Allow-Origin") != "*" {
			t.Error("pages cannot read the storage")
		}
		m.pass(24 * time.Hour)
		poll(t, "tomorrow it publishes for one day more", func() bool { return published(today + 3) })
	}
}

// TestStatuses: the proxy refuses what the D-TAs would, before they hear of it.
func TestStatuses(t *testing.T) {
	m := newMIRACL(t, 3, 2)
	alice := m.user(t)
	now := m.clock()
	client := func(key string, at time.Time, set wire.Set) string {
		return m.proxyURL + dtatest.ClientSecretURL(id, key, alice.hash, at, set)
	}
	own, err := m.rps.ClientHalf(ctx, alice.hash, false)
	check(t, err)
	before := len(m.Nodes[0].Seen.Bytes()) + len(m.Nodes[1].Seen.Bytes())
	expires := wire.Expires(now)
	foreign := "/clientSecret?" + wire.Query{"app_id": id, "expires": expires, "hash_mpin_id": alice.hash, "hash_user_id": "",
		"signature": wire.Sign(otherKey, wire.ClientSecretParts(otherID, alice.hash, "", expires)...)}.Encode()
	for _, c := range []struct {
		name, url string
		want      int
	}{
		{"unsigned", m.proxyURL + "/clientSecret?app_id=" + id + "&expires=" + expires + "&hash_mpin_id=" + alice.hash + "&hash_user_id=", 403},
		{"signed with nothing", m.proxyURL + "/clientSecret?" + own.Params + "&signature=", 403},
		{"another application's signature", m.proxyURL + foreign, 401},
		{"signed by another application", client(otherKey, now, nil), 401},
		{"signed by another application in its own name", m.proxyURL + dtatest.ClientSecretURL(otherID, key, alice.hash, now, nil), 401},
		{"unknown application", m.proxyURL + dtatest.ClientSecretURL("app-3", key, alice.hash, now, nil), 401},
		{"no application's name", m.proxyURL + dtatest.ClientSecretURL("a/../b", key, alice.hash, now, nil), 401},
		{"another user", m.proxyURL + "/clientSecret?" + strings.Replace(own.Params, alice.hash, strings.Repeat("1", 64), 1), 401},
		{"replayed after its time", client(key, now.Add(-66*time.Second), nil), 408},
		{"replayed after two days", client(key, now.AddDate(0, 0, -2), nil), 408},
		{"signed two days ahead", client(key, now.AddDate(0, 0, 2), nil), 408},
		{"malformed hash", m.proxyURL + dtatest.ClientSecretURL(id, key, "12", now, nil), 403},
		{"too small a set", client(key, now, wire.Set{1}), 403},
		{"a set of strangers", client(key, now, wire.Set{4, 5}), 403},
		{"the RPS's half for the proxy", client(key, now, wire.Set{1, 2}) + "&dtas=1", 403},
		{"the whole set for the proxy", client(key, now, wire.Set{1, 2}) + "&dtas=1.2", 403},
		{"a set that is not signed", client(key, now, nil) + "&set=1.3", 401},
		{"another set than that signed", strings.Replace(client(key, now, wire.Set{1, 2}), "set=1.2", "set=1.3", 1), 401},
		{"permit, unsigned", m.proxyURL + "/timePermit?hash_mpin_id=" + alice.hash, 403},
		{"permit, wrong signature", m.proxyURL + "/timePermit?hash_mpin_id=" + alice.hash + "&signature=" + strings.Repeat("0", 64), 401},
		{"permit of another application", m.proxyURL + "/timePermit?app_id=" + otherID + "&hash_mpin_id=" + alice.hash + "&signature=" + wire.Sign(key, alice.hash), 401},
		{"permit of a set by the original's signature", m.proxyURL + "/timePermit?hash_mpin_id=" + alice.hash + "&signature=" + wire.Sign(key, alice.hash) + "-1.3", 401},
		{"permit of a set, long ago", m.proxyURL + "/timePermit?app_id=" + id + "&hash_mpin_id=" + alice.hash + "&signature=" + wire.PermitSignature(key, id, alice.hash, wire.Set{1, 3}, now.Add(-time.Hour)), 408},
		{"permit of another set", m.proxyURL + "/timePermit?app_id=" + id + "&hash_mpin_id=" + alice.hash + "&signature=" + strings.Replace(wire.PermitSignature(key, id, alice.hash, wire.Set{1, 3}, now), "-1.3-", "-2.3-", 1), 401},
		{"too many permits", m.proxyURL + dtatest.PermitURL(id, key, alice.hash, now, nil, 400), 403},
		{"server secret, wrong key", m.proxyURL + dtatest.ServerSecretURL(id, otherKey, now, nil), 401},
		{"server secret, expired", m.proxyURL + dtatest.ServerSecretURL(id, key, now.AddDate(0, 0, -2), nil), 408},
		{"unknown path", m.proxyURL + "/masterSecret", 404},
		{"D-TA's administration", m.proxyURL + "/applications", 404},
		{"metrics, from here", m.proxyURL + "/metrics", 200},
		{"status", m.proxyURL + "/status", 200},
	} {
		status, header, body := get(t, c.url)
		if status != c.want {
			t.Errorf("%s: %d, not %d: %s", c.name, status, c.want, body)
		}
		if status == 401 && header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: 401 without WWW-Authenticate", c.name)
		}
		if header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: pages cannot read it", c.name)
		}
	}
	// Only status was asked of D-TAs meanwhile.
	for i, n := range m.Nodes {
		if s := n.Seen.Bytes(); i < 2 && bytes.Contains(s[min(len(s), before):], []byte("clientSecret")) {
			t.Errorf("D-TA %d heard of what was refused", i+1)
		}
	}
	r, err := http.NewRequest(http.MethodOptions, m.proxyURL+"/clientSecret", nil)
	check(t, err)
	resp, err := http.DefaultClient.Do(r)
	check(t, err)
	resp.Body.Close()
	if resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Access-Control-Allow-Methods"), "GET") {
		t.Errorf("OPTIONS: %d %v", resp.StatusCode, resp.Header)
	}
}

// TestCannotChangeTheSet: with a query that the RPS signed for one set, nobody
// gets from the proxy what belongs to the RPS's half of another.
func TestCannotChangeTheSet(t *testing.T) {
	m := newMIRACL(t, 3, 2)
	alice := m.user(t)
	own, err := m.rps.ClientHalf(ctx, alice.hash, false)
	check(t, err)
	for _, set := range []string{"1.2", "1.3", "2.3"} {
		for _, dtas := range []string{"", "&dtas=1", "&dtas=2", "&dtas=3"} {
			if status, _, _ := get(t, m.proxyURL+"/clientSecret?"+own.Params+"&set="+set+dtas); status != 401 {
				t.Errorf("set %s%s: %d", set, dtas, status)
			}
		}
	}
}

// TestLyingDTA: the client is told which D-TA lied, with 500, and nothing else.
func TestLyingDTA(t *testing.T) {
	m := newMIRACL(t, 3, 0)
	alice := m.user(t)
	own, err := m.rps.ClientHalf(ctx, alice.hash, false)
	check(t, err)
	m.Nodes[2].Liar.Set(dtatest.OtherSecret)
	for _, url := range []string{"/clientSecret?" + own.Params, "/timePermit?hash_mpin_id=" + alice.hash + "&signature=" + wire.Sign(key, alice.hash)} {
		status, _, body := get(t, m.proxyURL+url)
		if status != 500 || !bytes.Contains(body, []byte("D-TA 3")) {
			t.Errorf("%d %s", status, body)
		}
	}
	var f *quorum.Fault
	if _, err := m.rps.ServerSecret(ctx); err == nil || errors.As(err, &f) && f.DTA != 3 {
		t.Errorf("server secret: %v", err)
	}
}

// TestLyingProxy: an RPS does not believe the proxy's word for the other D-TAs'
// server shares.
func TestLyingProxy(t *testing.T) {
	m := newMIRACL(t, 3, 0)
	other := newMIRACL(t, 3, 0)
	c := quorum.Config{Suite: m.Suite, AppID: id, AppKey: key, Members: m.Members(1), Keys: m.Keys, Now: m.clock}
	for name, answer := range map[string]func(a *wire.ServerSecretAnswer){
		"another secret's": nil,
		"none":             func(a *wire.ServerSecretAnswer) { a.Shares = nil },
		"too few":          func(a *wire.ServerSecretAnswer) { a.Shares = a.Shares[:1] },
		"one twice":        func(a *wire.ServerSecretAnswer) { a.Shares[1] = a.Shares[0] },
		"a stranger's":     func(a *wire.ServerSecretAnswer) { a.Shares[1].DTA = 9 },
		"the customer's":   func(a *wire.ServerSecretAnswer) { a.Shares[1].DTA = 1 },
		"no point":         func(a *wire.ServerSecretAnswer) { a.Shares[1].Share = "00" },
		"no hex":           func(a *wire.ServerSecretAnswer) { a.Shares[1].Share = "x" },
	} {
		source := m
		if answer == nil {
			source, answer = other, func(*wire.ServerSecretAnswer) {}
		}
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := fetch[wire.ServerSecretAnswer](t, source.proxyURL+r.RequestURI)
			answer(&a)
			check(t, service.WriteJSON(w, 200, a))
		}))
		c.Proxy = h.URL
		q, err := quorum.New(c)
		check(t, err)
		if s, err := q.ServerSecret(ctx); err == nil {
			t.Errorf("%s: believed: %v", name, s)
		}
		q.Close()
		h.Close()
	}
}

// TestDTAsDown: 500, as wire.md has it for a D-TA's failure.
func TestDTAsDown(t *testing.T) {
	m := newMIRACL(t, 2, 0)
	alice := m.user(t)
	own, err := m.rps.ClientHalf(ctx, alice.hash, false)
	check(t, err)
	m.Nodes[1].Stop()
	if status, _, body := get(t, m.proxyURL+"/clientSecret?"+own.Params); status != 500 || bytes.Contains(body, []byte("127.0.0.1")) {
		t.Errorf("%d %s", status, body)
	}
	if _, err := m.rps.ServerSecret(ctx); !errors.Is(err, quorum.ErrUnavailable) {
		t.Errorf("server secret: %v", err)
	}
}

// TestAPIDown: an application that is known is served while the API is down; for
// one that is not, the proxy says that it cannot tell.
func TestAPIDown(t *testing.T) {
	m := newMIRACL(t, 2, 0)
	alice := m.user(t)
	own, err := m.rps.ClientHalf(ctx, alice.hash, false)
	check(t, err)
	fetch[wire.ClientSecretAnswer](t, m.proxyURL+"/clientSecret?"+own.Params)
	m.apiDown.Store(true)
	fetch[wire.ClientSecretAnswer](t, m.proxyURL+"/clientSecret?"+own.Params)
	if status, _, _ := get(t, m.proxyURL+dtatest.ClientSecretURL(otherID, otherKey, alice.hash, m.clock(), nil)); status != 503 {
		t.Errorf("%d", status)
	}
	m.apiDown.Store(false)
	if status, _, _ := get(t, m.proxyURL+dtatest.ClientSecretURL(otherID, otherKey, alice.hash, m.clock(), nil)); status == 503 {
		t.Error("it does not ask again")
	}
}

// TestManyApplications: strangers' names push nobody out for good.
func TestManyApplications(t *testing.T) {
	m := newMIRACL(t, 2, 0)
	alice := m.user(t)
	for i := range 600 {
		if status, _, _ := get(t, m.proxyURL+dtatest.ClientSecretURL("none-"+strconv.Itoa(i), key, alice.hash, m.clock(), nil)); status != 401 {
			t.Fatalf("%d", status)
		}
	}
	own, err := m.rps.ClientHalf(ctx, alice.hash, false)
	check(t, err)
	fetch[wire.ClientSecretAnswer](t, m.proxyURL+"/clientSecret?"+own.Params)
}

// TestPrivacy: of all that MIRACL's side received and logged, nothing is an
// identity, in clear, in hex or in base64.
func TestPrivacy(t *testing.T) {
	for _, threshold := range []int{0, 2} {
		m := newMIRACL(t, 3, threshold)
		alice := m.user(t)
		if _, err := m.rps.ServerSecret(ctx); err != nil {
			t.Fatal(err)
		}
		own, err := m.rps.ClientHalf(ctx, alice.hash, true)
		check(t, err)
		half, err := m.rps.PermitHalf(ctx, alice.hash)
		check(t, err)
		fetch[wire.ClientSecretAnswer](t, m.proxyURL+"/clientSecret?"+own.Params)
		fetch[wire.PermitAnswer](t, m.proxyURL+"/timePermit?"+half.Params)
		get(t, m.proxyURL+"/timePermit?hash_mpin_id="+alice.hash+"&signature="+half.Signature)
		get(t, m.proxyURL+"/clientSecret?"+own.Params+"0")
		today, err := wire.Today(m.clock())
		check(t, err)
		poll(t, "permits are published", func() bool {
			status, _, _ := get(t, m.apiURL+"/permits/"+id+"/"+strconv.Itoa(int(today))+"/"+alice.hash)
			return status == 200
		})
		seen := m.seen.Bytes()
		for i, n := range m.Nodes {
			if threshold != 0 || i > 0 {
				seen = append(seen, n.Seen.Bytes()...)
			}
		}
		if !bytes.Contains(seen, []byte(alice.hash)) {
			t.Fatal("nothing was recorded")
		}
		lower := bytes.ToLower(seen)
		for _, secret := range [][]byte{alice.raw, []byte(forbiddenText), []byte("alice"), alice.raw[60:]} {
			forms := map[string][]byte{"clear": secret, "hex": []byte(hex.EncodeToString(secret))}
			for offset := range 3 { // base64 depends on where it begins
				text := base64.StdEncoding.EncodeToString(append(make([]byte, offset), secret...))
				if len(text) > 12 {
					forms["base64 at "+strconv.Itoa(offset)] = []byte(text[4 : len(text)-4])
				}
			}
			for form, text := range forms {
				if bytes.Contains(lower, bytes.ToLower(text)) {
					t.Errorf("threshold %d: %q was seen in %s", threshold, secret, form)
				}
			}
		}
	}
}

func TestConfig(t *testing.T) {
	suite := dtatest.Suite(t)
	good := proxy.Config{Suite: suite, Applications: &proxy.Remote{}, Members: []quorum.Member{{Index: 1}}}
	for name, change := range map[string]func(*proxy.Config){
		"no suite":        func(c *proxy.Config) { c.Suite = nil },
		"no applications": func(c *proxy.Config) { c.Applications = nil },
		"no D-TAs":        func(c *proxy.Config) { c.Members = nil },
		"far ahead":       func(c *proxy.Config) { c.Ahead = wire.MaxPermits },
	} {
		c := good
		change(&c)
		if _, err := proxy.New(c); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}
