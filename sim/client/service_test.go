package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/wire"
)

// service is a deployment that does what the tests need and, where one wants it
// to, the wrong thing: answers can be replaced or edited by path. Its
// cryptography is real; it keeps no books. That the client works with the real
// servers is for the tests of package client_test.
type service struct {
	*httptest.Server
	suite    *protocol.Suite
	masters  []*protocol.MasterSecret // additive, by D-TA less 1
	verifier *protocol.Verifier
	date     int

	mu       sync.Mutex
	settings wire.ClientSettings
	on       map[string]http.HandlerFunc // by first element of the path, or two for "rps/…"
	asked    map[string]int
	y        map[string]*protocol.Challenge
	verdict  error
	failures int
}

// curve is one on which tests are quick.
var curve = sync.OnceValue(func() backends.Backend {
	for _, e := range gnark.New() {
		if e.Backend != nil && e.Info.Curve == backends.BLS12381 {
			return e.Backend
		}
	}
	panic("no bls12-381")
})

func suiteOf(t testing.TB, name string) *protocol.Suite {
	t.Helper()
	id, err := protocol.ParseSuiteID(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := protocol.New(id, curve())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	testSuite  = "rfc9380/bls12-381"
	testUser   = "alice@example.com"
	testRegOTT = "5ec4e7000000000000000000000000aa"
	testOTT    = "a074077a074077a074077a074077a074"
)

// newService starts a service of three D-TAs; with t > 0 they issue t together,
// the sets of the RPS and the proxy being {1} and the rest of 1 to t.
func newService(tb testing.TB, t int) *service {
	tb.Helper()
	s := &service{suite: suiteOf(tb, testSuite), date: 20000, on: map[string]http.HandlerFunc{}, asked: map[string]int{}, y: map[string]*protocol.Challenge{}}
	var keys []wire.ShareKey
	var servers []*protocol.ServerSecret
	if t == 0 {
		for i := range 3 {
			m := must(s.suite.NewMasterSecret(nil))
			s.masters = append(s.masters, m)
			keys = append(keys, wire.ShareKey{DTA: i + 1, Key: hexOf(m.ShareKey().Bytes())})
		}
	} else {
		_, shares, err := threshold.Split(s.suite, must(s.suite.NewMasterSecret(nil)), t, 3, nil)
		if err != nil {
			tb.Fatal(err)
		}
		var set []int
		for i := range t {
			set = append(set, i+1)
		}
		for i, share := range shares {
			keys = append(keys, wire.ShareKey{DTA: i + 1, Key: hexOf(share.Key().Bytes())})
			if i < t {
				s.masters = append(s.masters, must(share.Additive(set)))
			}
		}
	}
	for _, m := range s.masters {
		servers = append(servers, m.ServerShare())
	}
	s.verifier = must(s.suite.NewVerifier(must(protocol.CombineServerSecrets(servers...))))
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	tb.Cleanup(s.Close)
	s.settings = wire.ClientSettings{
		CertivoxURL: s.URL + "/certivox/", SignatureURL: "/rps/signature", RegisterURL: s.URL + "/rps/user",
		TimePermitsURL: "/rps/timePermit", TimePermitsStorageURL: s.URL + "/storage", SetupDoneURL: "/rps/setupDone",
		MpinAuthServerURL: s.URL + "/rps", AuthenticateURL: "/mpinAuthenticate", MobileAuthenticateURL: "/rps/authenticate",
		AccessNumberUseCheckSum: true, AccessNumberDigits: 7, CSum: 1, AppID: "app", AccessNumberURL: "/rps/access",
		GetAccessNumberURL: "/rps/getAccessNumber", GetQrURL: "/rps/getQrUrl", CodeStatusURL: "/rps/codeStatus",
		Suite: testSuite, PINDigits: &wire.PINDigits{Min: 4, Max: 6}, ShareKeys: keys, Threshold: t,
	}
	return s
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// open makes a client of the service, changed by options.
func (s *service) open(t testing.TB, change ...func(*Options)) *Client {
	t.Helper()
	opt := Options{Suites: SuitesOf(curve())}
	for _, f := range change {
		f(&opt)
	}
	c, err := Open(t.Context(), s.URL, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.pause = time.Millisecond
	return c
}

// place returns the name under which an answer can be replaced.
func place(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 1 && (parts[0] == "rps" || parts[0] == "certivox") {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// replace has a handler answer at a place.
func (s *service) replace(place string, f http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on[place] = f
}

// edit has the honest answer changed before it is sent.
func (s *service) edit(place string, f func(map[string]any)) {
	s.replace(place, func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		s.honest(rec, r)
		var m map[string]any
		if json.Unmarshal(rec.Body.Bytes(), &m) == nil {
			f(m)
			rec.Body = bytes.NewBuffer(must(json.Marshal(m)))
		}
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	})
}

// count returns how often a place was asked.
func (s *service) count(place string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[place]
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	// A server notices that its client has gone only once the body is read.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	at := place(r.URL.Path)
	s.asked[at]++
	f := s.on[at]
	s.mu.Unlock()
	if f == nil {
		f = s.honest
	}
	f(w, r)
}

func (s *service) honest(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := func(v any) { json.NewEncoder(w).Encode(v) }
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch place(r.URL.Path) {
	case "rps/clientSettings":
		reply(s.settings)
	case "rps/user":
		var m wire.RegisterRequest
		json.NewDecoder(r.Body).Decode(&m)
		id := must(wire.NewIdentity(m.UserID, m.Mobile == 1, time.Unix(1700000000, 0), nil)).String()
		if last != "user" {
			id = last
		}
		reply(wire.RegisterAnswer{MpinID: id, RegOTT: testRegOTT, Active: true,
			NowTime: "2026-01-01T00:00:00.000000Z", ExpireTime: "2026-01-01T01:00:00.000000Z"})
	case "rps/signature":
		sum, shares := s.secret(last, s.masters[:1], 1)
		reply(wire.SignatureAnswer{ClientSecretShare: sum, Params: "hash_mpin_id=" + last, Shares: shares})
	case "certivox/clientSecret":
		sum, shares := s.secret(r.URL.Query().Get("hash_mpin_id"), s.masters[1:], 2)
		reply(wire.ClientSecretAnswer{ClientSecret: sum, Message: "OK", Shares: shares})
	case "rps/setupDone":
	case "rps/timePermit":
		sum, shares := s.permit(last, s.masters[:1], 1)
		reply(wire.PermitHalfAnswer{Date: s.date, Signature: "ab", StorageID: hashText(last), TimePermit: sum, Params: "id=" + last, Shares: shares})
	case "certivox/timePermit":
		sum, shares := s.permit(r.URL.Query().Get("id"), s.masters[1:], 2)
		reply(wire.PermitAnswer{TimePermit: sum, Date: s.date, Message: "OK", Shares: shares})
	case "rps/pass1":
		s.passOne(w, r)
	case "rps/pass2":
		var m wire.Pass2Request
		json.NewDecoder(r.Body).Decode(&m)
		y := s.y[m.MpinID]
		if y == nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		s.verdict = y.Verify(must(fromHex(m.V, wire.MaxPoint)))
		a := wire.Pass2Answer{Version: wire.Version, Pass: 2, AuthOTT: testOTT}
		if m.OTP == 1 {
			a.OTP = "123456"
		}
		reply(a)
	case "mpinAuthenticate", "rps/authenticate":
		switch {
		case s.failures >= 3:
			w.WriteHeader(http.StatusGone)
		case s.verdict != nil:
			s.failures++
			w.WriteHeader(http.StatusUnauthorized)
		default:
			s.failures = 0
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
			reply(wire.LoginAnswer{UserID: testUser, LogoutURL: "/logout", LogoutData: json.RawMessage(`{"a":1}`)})
		}
	case "logout":
		if b, _ := io.ReadAll(r.Body); string(b) != `{"a":1}` {
			w.WriteHeader(http.StatusBadRequest)
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *service) passOne(w http.ResponseWriter, r *http.Request) {
	var m wire.Pass1Request
	json.NewDecoder(r.Body).Decode(&m)
	pass := protocol.Pass1{U: must(fromHex(m.U, wire.MaxPoint)), UT: must(fromHex(m.UT, wire.MaxPoint))}
	id := s.identity(m.MpinID)
	y, err := s.verifier.Challenge(id, pass, protocol.Date(s.date), nil)
	if err == nil {
		err = s.suite.VerifyBinding(id, protocol.Date(s.date), pass, must(fromHex(m.Proof, wire.MaxPoint)))
	}
	if err != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.y[m.MpinID] = y
	json.NewEncoder(w).Encode(wire.Pass1Answer{Version: wire.Version, Y: hexOf(y.Y()), Pass: 1, Message: "OK"})
}

func (s *service) identity(mpinID string) *protocol.Identity {
	return must(s.suite.Identity(must(wire.RawIdentity(mpinID))))
}

func (s *service) secret(mpinID string, ms []*protocol.MasterSecret, from int) (string, []wire.ProvedShare) {
	var parts []*protocol.ClientSecret
	var shares []wire.ProvedShare
	for i, m := range ms {
		p, proof, err := m.ProveClientShare(s.identity(mpinID), nil)
		parts = append(parts, must(p, err))
		shares = append(shares, wire.ProvedShare{DTA: from + i, Share: hexOf(p.Bytes()), Proof: hexOf(proof)})
	}
	return hexOf(must(protocol.CombineClientSecrets(parts...)).Bytes()), shares
}

func (s *service) permit(mpinID string, ms []*protocol.MasterSecret, from int) (string, []wire.ProvedShare) {
	var parts []*protocol.Permit
	var shares []wire.ProvedShare
	for i, m := range ms {
		p, proof, err := m.ProvePermitShare(s.identity(mpinID), protocol.Date(s.date), nil)
		parts = append(parts, must(p, err))
		shares = append(shares, wire.ProvedShare{DTA: from + i, Share: hexOf(p.Bytes()), Proof: hexOf(proof)})
	}
	return hexOf(must(protocol.CombinePermits(parts...)).Bytes()), shares
}

// store answers the storage's half of the identity's permit.
func (s *service) store(mpinID string) {
	s.replace("storage", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.URL.Path == "/storage/app/"+strconv.Itoa(s.date)+"/"+hashText(mpinID) {
			half, _ := s.permit(mpinID, s.masters[1:], 2)
			io.WriteString(w, half+"\n")
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
}

func newPIN(t testing.TB, digits string) *PIN {
	t.Helper()
	p, err := NewPIN([]byte(digits))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// enrolled registers and activates testUser with the PIN 1234.
func enrolled(t testing.TB, c *Client) *Identity {
	t.Helper()
	id, err := c.Register(t.Context(), Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Enrol(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetPIN(newPIN(t, "1234")); err != nil {
		t.Fatal(err)
	}
	return id
}

// direct answers a request without a socket.
func (s *service) direct(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	failed := func() (p any) {
		defer func() { p = recover() }()
		s.serve(rec, r)
		return nil
	}()
	if failed != nil {
		return nil, errors.New("hung up")
	}
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}
