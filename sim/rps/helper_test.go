package rps_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/sim/quorum"
	"mpinlab/sim/rps"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// The tests run a server with real listeners, a store, D-TAs that hold real
// shares of a master secret in process, and an application that answers over
// HTTP.

const appKey = "a key of the tests only"

var suites = struct {
	sync.Mutex
	made map[string]*protocol.Suite
}{made: map[string]*protocol.Suite{}}

func suite(t testing.TB, id, backend string) *protocol.Suite {
	t.Helper()
	suites.Lock()
	defer suites.Unlock()
	if s := suites.made[id+backend]; s != nil {
		return s
	}
	parsed, err := protocol.ParseSuiteID(id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := all.Get(backend)
	if err != nil {
		t.Fatal(err)
	}
	s, err := protocol.New(parsed, b)
	if err != nil {
		t.Fatal(err)
	}
	suites.made[id+backend] = s
	return s
}

func fast(t testing.TB) *protocol.Suite { return suite(t, "rfc9380/bls12-381", "gnark/bls12-381") }

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// dtas are two D-TAs: the customer's, which the server asks, and the other.
type dtas struct {
	suite           *protocol.Suite
	customer, other *protocol.MasterSecret
	mu              sync.Mutex
	down            bool
	permits         int // issued to the server
	set             wire.Set
	now             func() time.Time
}

func newDTAs(t testing.TB, s *protocol.Suite) *dtas {
	t.Helper()
	d := &dtas{suite: s}
	var err error
	if d.customer, err = s.NewMasterSecret(nil); err != nil {
		t.Fatal(err)
	}
	if d.other, err = s.NewMasterSecret(nil); err != nil {
		t.Fatal(err)
	}
	return d
}

var errDown = errors.New("D-TA is down")

func (d *dtas) fail(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}

func (d *dtas) up() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down {
		return errDown
	}
	return nil
}

// identity makes the identity from its hash as a D-TA does: milagro fills the
// hash up from the left.
func (d *dtas) identity(hashID string) (*protocol.Identity, error) {
	hash, err := hex.DecodeString(hashID)
	if err != nil {
		return nil, err
	}
	probe, err := d.suite.Identity([]byte("probe"))
	if err != nil {
		return nil, err
	}
	return d.suite.IdentityFromHash(append(make([]byte, len(probe.Hash())-len(hash)), hash...))
}

func (d *dtas) ServerSecret(context.Context) (*protocol.ServerSecret, error) {
	if err := d.up(); err != nil {
		return nil, err
	}
	return protocol.CombineServerSecrets(d.customer.ServerShare(), d.other.ServerShare())
}

func (d *dtas) ClientHalf(_ context.Context, hashID string, mobile bool) (*quorum.ClientHalf, error) {
	if err := d.up(); err != nil {
		return nil, err
	}
	id, err := d.identity(hashID)
	if err != nil {
		return nil, err
	}
	c, err := d.customer.ClientShare(id)
	if err != nil {
		return nil, err
	}
	q := wire.Query{"hash_mpin_id": hashID}
	return &quorum.ClientHalf{Half: quorum.Half{Share: hex.EncodeToString(c.Bytes())}, Params: q.Encode()}, nil
}

func (d *dtas) PermitHalf(_ context.Context, hashID string) (*quorum.PermitHalf, error) {
	if err := d.up(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.permits++
	d.mu.Unlock()
	id, err := d.identity(hashID)
	if err != nil {
		return nil, err
	}
	date, err := wire.Today(d.now())
	if err != nil {
		return nil, err
	}
	p, err := d.customer.PermitShare(id, date)
	if err != nil {
		return nil, err
	}
	return &quorum.PermitHalf{
		DatedHalf: quorum.DatedHalf{Half: quorum.Half{Share: hex.EncodeToString(p.Bytes())}, Date: date},
		StorageID: wire.StorageID(hashID, d.set),
	}, nil
}

// application is the relying party's.
type application struct {
	*httptest.Server
	mu      sync.Mutex
	verify  func(*wire.VerifyRequest) (int, any)
	permit  func(mpinID string) int
	headers []http.Header        // of the verify calls
	asked   []wire.VerifyRequest // in order
}

func newApplication(t testing.TB) *application {
	a := &application{
		verify: func(*wire.VerifyRequest) (int, any) { return 200, wire.VerifyAnswer{ForceActivate: true} },
		permit: func(string) int { return 200 },
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mpinVerify", func(w http.ResponseWriter, r *http.Request) {
		var q wire.VerifyRequest
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			w.WriteHeader(400)
			return
		}
		a.mu.Lock()
		f := a.verify
		a.headers, a.asked = append(a.headers, r.Header.Clone()), append(a.asked, q)
		a.mu.Unlock()
		status, body := f(&q)
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(body)
	})
	mux.HandleFunc("GET /mpinPermitUser", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		f := a.permit
		a.mu.Unlock()
		w.WriteHeader(f(r.URL.Query().Get("mpin_id")))
	})
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	return a
}

func (a *application) onVerify(f func(*wire.VerifyRequest) (int, any)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.verify = f
}

func (a *application) onPermit(f func(string) int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.permit = f
}

// deployment is a server with what is around it.
type deployment struct {
	t       testing.TB
	suite   *protocol.Suite
	clock   *clock
	dtas    *dtas
	app     *application
	store   store.Store
	rps     *rps.Server
	public  string // with the prefix
	private string
	metrics *service.Registry
	logs    *lockedBuffer
	http    *http.Client
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// deploy starts a server; change may alter its configuration.
func deploy(t testing.TB, s *protocol.Suite, change func(*rps.Config)) *deployment {
	t.Helper()
	d := &deployment{t: t, suite: s, clock: newClock(), dtas: newDTAs(t, s), app: newApplication(t), logs: &lockedBuffer{}}
	d.dtas.now = d.clock.Now
	d.store = store.NewMemory(store.Options{Now: d.clock.Now})
	t.Cleanup(func() { d.store.Close() })
	d.start(change)
	return d
}

// another starts one more instance on the same store, D-TAs and application.
func (d *deployment) another(change func(*rps.Config)) *deployment {
	d.t.Helper()
	e := *d
	e.start(change)
	return &e
}

func (d *deployment) start(change func(*rps.Config)) {
	t := d.t
	t.Helper()
	// The address is in the configuration, so the listeners come first.
	var public, private http.Handler
	serve := func(h *http.Handler) *httptest.Server {
		l := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*h).ServeHTTP(w, r) }))
		return l
	}
	pub, priv := serve(&public), serve(&private)
	d.metrics = service.NewRegistry()
	cfg := rps.Config{
		Suite:           d.suite,
		Logger:          slog.New(slog.NewJSONHandler(d.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:             d.clock.Now,
		Store:           d.store,
		Shares:          d.dtas,
		AppID:           "app",
		AppKey:          appKey,
		BaseURL:         pub.URL + rps.Prefix,
		CertivoxURL:     "http://certivox.invalid/v3",
		AuthenticateURL: d.app.URL + "/mpinAuthenticate",
		VerifyURL:       d.app.URL + "/mpinVerify",
		PermitURL:       d.app.URL + "/mpinPermitUser",
		FailureTime:     -1,
		Registry:        d.metrics,
	}
	if change != nil {
		change(&cfg)
	}
	d.store = cfg.Store
	s, err := rps.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	public, private = s.Public(), s.Private()
	d.rps, d.public, d.private = s, pub.URL+rps.Prefix, priv.URL
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	d.http = &http.Client{Transport: transport}
	t.Cleanup(func() {
		s.Close()
		transport.CloseIdleConnections()
		pub.Close()
		priv.Close()
	})
	select {
	case <-s.Ready():
	case <-time.After(30 * time.Second):
		t.Fatal("the server secret was not gathered")
	}
}

// call sends JSON and returns status and body.
func (d *deployment) call(method, to string, body any) (int, []byte) {
	d.t.Helper()
	status, b, err := d.try(method, to, body)
	if err != nil {
		d.t.Fatal(err)
	}
	return status, b
}

func (d *deployment) try(method, to string, body any) (int, []byte, error) {
	var r io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(body)
	case []byte:
		r = bytes.NewReader(body)
	default:
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		r = bytes.NewReader(b)
	}
	q, err := http.NewRequest(method, to, r)
	if err != nil {
		return 0, nil, err
	}
	resp, err := d.http.Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// get is call with the answer read into v; the status must be want.
func (d *deployment) get(want int, method, to string, body, v any) {
	d.t.Helper()
	status, b := d.call(method, to, body)
	if status != want {
		d.t.Fatalf("%s %s: %d %s, want %d", method, to[:min(len(to), 80)], status, b, want)
	}
	if v != nil {
		if err := json.Unmarshal(b, v); err != nil {
			d.t.Fatalf("%s: %v in %s", to, err, b)
		}
	}
}

// user is a registered user's client.
type user struct {
	*deployment
	mpinID string
	raw    []byte
	id     *protocol.Identity
	token  *protocol.Token
	proof  bool // send proofs of binding
}

// enrol registers a user, over HTTP, with a PIN.
func (d *deployment) enrol(name, pin string) *user {
	d.t.Helper()
	var reg wire.RegisterAnswer
	d.get(200, "PUT", d.public+"/user", wire.RegisterRequest{UserID: name}, &reg)
	if !reg.Active {
		d.t.Fatal("not active")
	}
	u := d.fetchSecret(&reg, pin)
	d.get(200, "POST", d.public+"/setupDone/"+reg.MpinID, nil, nil)
	return u
}

func (d *deployment) fetchSecret(reg *wire.RegisterAnswer, pin string) *user {
	d.t.Helper()
	var sig wire.SignatureAnswer
	d.get(200, "GET", d.public+"/signature/"+reg.MpinID+"?regOTT="+reg.RegOTT, nil, &sig)
	raw, err := hex.DecodeString(reg.MpinID)
	if err != nil {
		d.t.Fatal(err)
	}
	u := &user{deployment: d, mpinID: reg.MpinID, raw: raw}
	hash := sha256.Sum256(raw)
	if q, err := url.ParseQuery(sig.Params); err != nil || q.Get("hash_mpin_id") != hex.EncodeToString(hash[:]) {
		d.t.Fatalf("params %s %v", sig.Params, err)
	}
	if u.id, err = d.suite.Identity(raw); err != nil {
		d.t.Fatal(err)
	}
	first, err := d.suite.DecodeClientSecret(unhex(d.t, sig.ClientSecretShare))
	if err != nil {
		d.t.Fatal(err)
	}
	second, err := d.dtas.other.ClientShare(u.id)
	if err != nil {
		d.t.Fatal(err)
	}
	secret, err := protocol.CombineClientSecrets(first, second)
	if err != nil {
		d.t.Fatal(err)
	}
	if u.token, err = secret.Token(u.id, d.pin(pin)); err != nil {
		d.t.Fatal(err)
	}
	return u
}

func (d *deployment) pin(digits string) protocol.Factor {
	d.t.Helper()
	f, err := d.suite.PIN(digits)
	if err != nil {
		d.t.Fatal(err)
	}
	return f
}

// permit asks for a permit of the server's day and adds the other half.
func (u *user) permit() *protocol.Permit {
	u.t.Helper()
	var a wire.PermitHalfAnswer
	u.get(200, "GET", u.public+"/timePermit/"+u.mpinID, nil, &a)
	first, err := u.suite.DecodePermit(protocol.Date(a.Date), unhex(u.t, a.TimePermit))
	if err != nil {
		u.t.Fatal(err)
	}
	return u.complete(first)
}

func (u *user) complete(first *protocol.Permit) *protocol.Permit {
	u.t.Helper()
	second, err := u.dtas.other.PermitShare(u.id, first.Date())
	if err != nil {
		u.t.Fatal(err)
	}
	p, err := protocol.CombinePermits(first, second)
	if err != nil {
		u.t.Fatal(err)
	}
	return p
}

// permitFor makes a permit for any day.
func (u *user) permitFor(date protocol.Date) *protocol.Permit {
	u.t.Helper()
	first, err := u.dtas.customer.PermitShare(u.id, date)
	if err != nil {
		u.t.Fatal(err)
	}
	return u.complete(first)
}

// prover begins a login.
func (u *user) prover(pin string, permit *protocol.Permit) *protocol.Prover {
	u.t.Helper()
	secret, err := u.token.Secret(u.id, u.pin(pin))
	if err != nil {
		u.t.Fatal(err)
	}
	p, err := u.suite.NewProver(u.id, secret, permit, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return p
}

func (u *user) request1(p *protocol.Prover) *wire.Pass1Request {
	u.t.Helper()
	m := p.Pass1()
	q := &wire.Pass1Request{MpinID: u.mpinID, U: hex.EncodeToString(m.U), UT: hex.EncodeToString(m.UT), Pass: 1}
	if u.proof {
		proof, err := p.ProveBinding(nil)
		if err != nil {
			u.t.Fatal(err)
		}
		q.Proof = hex.EncodeToString(proof)
	}
	return q
}

func (u *user) request2(p *protocol.Prover, y string) *wire.Pass2Request {
	u.t.Helper()
	v, err := p.Pass2(unhex(u.t, y))
	if err != nil {
		u.t.Fatal(err)
	}
	return &wire.Pass2Request{MpinID: u.mpinID, V: hex.EncodeToString(v), WID: "0", Pass: 2}
}

// passes logs in up to pass 2 and returns authOTT.
func (u *user) passes(pin string) string {
	u.t.Helper()
	return u.passesWith(pin, u.permit(), "0")
}

func (u *user) passesWith(pin string, permit *protocol.Permit, wid string) string {
	u.t.Helper()
	p := u.prover(pin, permit)
	var one wire.Pass1Answer
	u.get(200, "POST", u.public+"/pass1", u.request1(p), &one)
	q := u.request2(p, one.Y)
	q.WID = wid
	var two wire.Pass2Answer
	u.get(200, "POST", u.public+"/pass2", q, &two)
	if len(two.AuthOTT) != 32 || two.Pass != 2 || one.Pass != 1 || one.Message != "OK" || one.Version != wire.Version || two.OTP != "" {
		u.t.Fatalf("answers %+v %+v", one, two)
	}
	return two.AuthOTT
}

// redeem asks for the verdict as the application does.
func (d *deployment) redeem(ott string) *wire.RedeemAnswer {
	d.t.Helper()
	a, err := d.tryRedeem(ott)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *deployment) tryRedeem(ott string) (*wire.RedeemAnswer, error) {
	status, b, err := d.try("POST", d.private+"/authenticate", wire.RedeemRequest{AuthOTT: ott})
	if err != nil {
		return nil, err
	}
	var a wire.RedeemAnswer
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, err
	}
	if a.Status != status {
		a.Status = status
	}
	return &a, nil
}

// login logs in and returns the status.
func (u *user) login(pin string) int {
	u.t.Helper()
	return u.redeem(u.passes(pin)).Status
}

func (u *user) want(pin string, status int) {
	u.t.Helper()
	if got := u.login(pin); got != status {
		u.t.Fatalf("login with PIN %s: %d, want %d", pin, got, status)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// socket is a WebSocket to a server.
type socket struct {
	t testing.TB
	c *websocket.Conn
}

func (d *deployment) socket() *socket {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(d.public, "http")+"/authenticationToken", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.CloseNow() })
	return &socket{d.t, c}
}

// ask sends a message and returns the answer.
func (s *socket) ask(message any) []byte {
	s.t.Helper()
	b, ok := message.(string)
	if !ok {
		j, err := json.Marshal(message)
		if err != nil {
			s.t.Fatal(err)
		}
		b = string(j)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.c.Write(ctx, websocket.MessageText, []byte(b)); err != nil {
		s.t.Fatal(err)
	}
	_, answer, err := s.c.Read(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// count returns a counter's value.
func (d *deployment) count(name string, labels ...string) uint64 {
	return d.metrics.Counter(name, "", labels...).Value()
}

func newRequest(method, path string, body []byte) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1/", bytes.NewReader(body))
	r.URL.Path = path
	if before, query, ok := strings.Cut(path, "?"); ok {
		r.URL.Path, r.URL.RawQuery = before, query
	}
	return r
}

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// value returns a metric from the exposition.
func (d *deployment) value(name string) float64 {
	d.t.Helper()
	for line := range strings.Lines(d.exposition()) {
		var v float64
		if n, err := fmt.Sscanf(line, name+" %g", &v); err == nil && n == 1 {
			return v
		}
	}
	d.t.Fatalf("no metric %s", name)
	return 0
}

func (d *deployment) exposition() string {
	d.t.Helper()
	status, b := d.call("GET", d.private+"/metrics", nil)
	if status != 200 {
		d.t.Fatalf("metrics: %d", status)
	}
	return string(b)
}
