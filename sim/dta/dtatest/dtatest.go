// Package dtatest brings up D-TAs on real listeners for tests, records what they
// see, and makes them lie.
package dtatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/dta"
	"mpinlab/sim/quorum"
	"mpinlab/sim/wire"
)

// The application that the D-TAs serve.
const (
	AppID  = "app-1"
	AppKey = "super secret"
)

// Suite returns rfc9380/bls12-381 on gnark.
func Suite(t testing.TB) *protocol.Suite {
	t.Helper()
	return SuiteOf(t, protocol.RFC9380, backends.BLS12381)
}

// SuiteOf returns a suite on gnark.
func SuiteOf(t testing.TB, d protocol.Dialect, c backends.Curve) *protocol.Suite {
	t.Helper()
	b, err := gnark.NewCurve(c)
	if err != nil {
		t.Fatal(err)
	}
	s, err := protocol.New(protocol.SuiteID{Dialect: d, Curve: c}, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Options say what D-TAs to bring up.
type Options struct {
	// N D-TAs; Threshold 0 for all together.
	N, Threshold int
	// Now is the clock of D-TA i, from 1; nil is the system's.
	Now func(i int) func() time.Time
	// Master, if not nil, is the secret to be split in a threshold deployment.
	Master     *protocol.MasterSecret
	AdminToken string
}

// Deployment is D-TAs that run.
type Deployment struct {
	Suite     *protocol.Suite
	Threshold int
	Nodes     []*Node // D-TA i is Nodes[i-1]
	Keys      []wire.ShareKey
	// Master is the whole secret, which no real deployment has anywhere.
	Master *protocol.MasterSecret
}

// Node is one D-TA.
type Node struct {
	*dta.Server
	URL string
	// Seen is what the D-TA received and logged.
	Seen *Recorder
	// Liar decides what it answers.
	Liar *Liar
	http *httptest.Server
}

// Stop closes the D-TA's listener and connections.
func (n *Node) Stop() { n.http.Close() }

// New brings D-TAs up; they stop when the test ends.
func New(t testing.TB, s *protocol.Suite, o Options) *Deployment {
	t.Helper()
	d := &Deployment{Suite: s, Threshold: o.Threshold}
	issuers := make([]dta.Issuer, o.N)
	if o.Threshold == 0 {
		var all []*protocol.MasterSecret
		for i := range issuers {
			m := must(s.NewMasterSecret(nil))(t)
			all = append(all, m)
			issuers[i] = must(dta.Additive(i+1, m))(t)
		}
		d.Master = must(protocol.CombineMasterSecrets(all...))(t)
	} else {
		if d.Master = o.Master; d.Master == nil {
			d.Master = must(s.NewMasterSecret(nil))(t)
		}
		_, shares, err := threshold.Split(s, d.Master, o.Threshold, o.N, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range issuers {
			issuers[i] = dta.Shared(shares[i])
		}
	}
	for i := range issuers {
		d.Nodes = append(d.Nodes, start(t, s, o, i+1, issuers[i]))
		k, _ := d.Nodes[i].ShareKey(AppID)
		d.Keys = append(d.Keys, k)
	}
	return d
}

func start(t testing.TB, s *protocol.Suite, o Options, index int, issuer dta.Issuer) *Node {
	t.Helper()
	var now func() time.Time
	if o.Now != nil {
		now = o.Now(index)
	}
	seen := &Recorder{}
	server := must(dta.New(dta.Config{Suite: s, Index: index, Now: now, AdminToken: o.AdminToken,
		Logger:       slog.New(slog.NewJSONHandler(seen, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Applications: []*dta.Application{{ID: AppID, Key: AppKey, Issuer: issuer}}}))(t)
	other := must(dta.NewApplication(s, index, AppID, AppKey, nil))(t)
	if issuer.Threshold() != 0 {
		_, shares, err := threshold.Split(s, must(s.NewMasterSecret(nil))(t), o.Threshold, o.N, nil)
		if err != nil {
			t.Fatal(err)
		}
		other.Issuer = dta.Shared(shares[index-1])
	}
	lying := must(dta.New(dta.Config{Suite: s, Index: index, Now: now, Applications: []*dta.Application{other}}))(t)
	liar := &Liar{Honest: server.Handler(), Other: lying.Handler()}
	h := httptest.NewServer(seen.Wrap(liar))
	t.Cleanup(h.Close)
	return &Node{Server: server, URL: h.URL, Seen: seen, Liar: liar, http: h}
}

// Members returns the D-TAs of these indices, or all.
func (d *Deployment) Members(indices ...int) []quorum.Member {
	if len(indices) == 0 {
		for i := range d.Nodes {
			indices = append(indices, i+1)
		}
	}
	var list []quorum.Member
	for _, i := range indices {
		list = append(list, quorum.Member{Index: i, URL: d.Nodes[i-1].URL})
	}
	return list
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Lie is what a lying D-TA does.
type Lie int32

// The lies. Status is always answered honestly.
const (
	Honest       Lie = iota
	OtherSecret      // shares of another secret, with the proofs that go with it
	BadProof         // the right shares with proofs in which a digit is changed
	SwappedShare     // shares of another secret with the proofs of the right ones
	OtherName        // shares that name another D-TA
	NoProof          // the original's answer, without proofs
	Garbage          // no JSON
	Endless          // more than anybody reads
	Failing          // status 500
	Silent           // no answer until the client gives up
	numberOfLies
)

// Lies are all of them but Honest.
func Lies() []Lie {
	var list []Lie
	for l := Honest + 1; l < numberOfLies; l++ {
		list = append(list, l)
	}
	return list
}

// Liar answers as a D-TA that lies.
type Liar struct {
	Honest, Other http.Handler
	lie           atomic.Int32
}

// Set sets the lie.
func (l *Liar) Set(lie Lie) { l.lie.Store(int32(lie)) }

// ServeHTTP answers.
func (l *Liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lie := Lie(l.lie.Load())
	if lie == Honest || r.URL.Path == wire.StatusPath {
		l.Honest.ServeHTTP(w, r)
		return
	}
	switch lie {
	case OtherSecret:
		l.Other.ServeHTTP(w, r)
	case Garbage:
		fmt.Fprint(w, "<html>")
	case Endless:
		for range 1024 {
			if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<10)); err != nil {
				return
			}
		}
	case Failing:
		w.WriteHeader(http.StatusInternalServerError)
	case Silent:
		<-r.Context().Done()
	default:
		honest, other := record(l.Honest, r), record(l.Other, r)
		status := honest.Code
		answer, otherAnswer := object(honest.Body), object(other.Body)
		forge(answer, otherAnswer, lie)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}
}

func record(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func object(r io.Reader) map[string]any {
	m := map[string]any{}
	_ = json.NewDecoder(r).Decode(&m)
	return m
}

// forge changes an answer; other is that of another secret.
func forge(answer, other map[string]any, lie Lie) {
	if lie == NoProof {
		delete(answer, "shares")
		return
	}
	if lie == SwappedShare {
		for _, name := range []string{"clientSecret", "serverSecret", "timePermit", "timePermits"} {
			if v, ok := other[name]; ok {
				answer[name] = v
			}
		}
	}
	each(answer["shares"], other["shares"], func(p, o map[string]any) {
		switch lie {
		case SwappedShare:
			p["share"] = o["share"]
		case OtherName:
			if n, ok := p["dta"].(float64); ok {
				p["dta"] = n + 1
			}
		case BadProof:
			if text, ok := p["proof"].(string); ok && text != "" {
				last := byte('0')
				if text[len(text)-1] == '0' {
					last = '1'
				}
				p["proof"] = text[:len(text)-1] + string(last)
			}
		}
	})
}

// each goes through the shares of two answers of one form.
func each(a, b any, f func(a, b map[string]any)) {
	switch a := a.(type) {
	case []any:
		b, _ := b.([]any)
		for i := range min(len(a), len(b)) {
			x, _ := a[i].(map[string]any)
			y, _ := b[i].(map[string]any)
			f(x, y)
		}
	case map[string]any:
		b, _ := b.(map[string]any)
		for k := range a {
			each(a[k], b[k], f)
		}
	}
}

// Recorder keeps everything that a server received and logged. It is the
// server's slog writer too.
type Recorder struct {
	mu   sync.Mutex
	seen bytes.Buffer
}

// Write adds a line of the log.
func (r *Recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen.Write(b)
}

// Bytes returns what was seen.
func (r *Recorder) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.seen.Bytes())
}

// Wrap records requests: line, decoded query, headers, body.
func (r *Recorder) Wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s %s\n", req.Method, req.RequestURI)
		if q, err := url.QueryUnescape(req.URL.RawQuery); err == nil {
			fmt.Fprintln(&b, q)
		}
		_ = req.Header.Write(&b)
		b.Write(body)
		_, _ = r.Write(append(b.Bytes(), '\n'))
		h.ServeHTTP(w, req)
	})
}

// ClientSecretURL signs a request for clientSecret as an RPS does and returns its URL's path and query.
func ClientSecretURL(appID, key, hashID string, now time.Time, set wire.Set) string {
	expires := wire.Expires(now)
	q := wire.Query{"app_id": appID, "expires": expires, "hash_mpin_id": hashID, "hash_user_id": "", "mobile": "0"}
	if len(set) != 0 {
		q["set"] = set.String()
	}
	q["signature"] = wire.Sign(key, wire.WithSet(wire.ClientSecretParts(appID, hashID, "", expires), set)...)
	return "/clientSecret?" + q.Encode()
}

// ServerSecretURL is ClientSecretURL for serverSecret.
func ServerSecretURL(appID, key string, now time.Time, set wire.Set) string {
	expires := wire.Expires(now)
	q := wire.Query{"app_id": appID, "expires": expires}
	if len(set) != 0 {
		q["set"] = set.String()
	}
	q["signature"] = wire.Sign(key, wire.WithSet(wire.ServerSecretParts(appID, expires), set)...)
	return "/serverSecret?" + q.Encode()
}

// PermitURL is ClientSecretURL for timePermit, and with a count timePermits. It
// is in our form.
func PermitURL(appID, key, hashID string, now time.Time, set wire.Set, count int) string {
	expires := wire.Expires(now)
	q := wire.Query{"app_id": appID, "expires": expires, "hash_mpin_id": hashID}
	if len(set) != 0 {
		q["set"] = set.String()
	}
	q["signature"] = wire.Sign(key, wire.WithSet(wire.PermitParts(appID, hashID, expires), set)...)
	if count == 0 {
		return "/timePermit?" + q.Encode()
	}
	q["count"] = strconv.Itoa(count)
	return "/timePermits?" + q.Encode()
}
