package dta

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
)

func ceremonySuite(t *testing.T) *protocol.Suite {
	t.Helper()
	b, err := gnark.NewCurve(backends.BLS12381)
	if err != nil {
		t.Fatal(err)
	}
	s, err := protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// assemble prepares the ceremony of n D-TAs on listeners of this machine.
func assemble(t *testing.T, threshold, n int) []Ceremony {
	t.Helper()
	s := ceremonySuite(t)
	list := make([]Ceremony, n)
	var peers []Peer
	for i := range list {
		public, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		list[i] = Ceremony{Suite: s, Threshold: threshold, Session: []byte("test"), Index: i + 1, Key: key, Listener: l, Phase: 20 * time.Second}
		peers = append(peers, Peer{i + 1, l.Addr().String(), public})
	}
	for i := range list {
		list[i].Peers = peers
	}
	return list
}

type outcome struct {
	share  *threshold.Share
	faults []*threshold.Fault
	err    error
}

// hold runs all ceremonies at the same time.
func hold(list []Ceremony, generate func(c Ceremony) outcome) []outcome {
	results := make([]outcome, len(list))
	var all sync.WaitGroup
	for i, c := range list {
		all.Go(func() { results[i] = generate(c) })
	}
	all.Wait()
	return results
}

func generate(c Ceremony) (o outcome) {
	o.share, o.faults, o.err = c.Generate(context.Background())
	return o
}

// whole fails unless every D-TA has a share of one secret.
func whole(t *testing.T, s *protocol.Suite, results []outcome, size int) {
	t.Helper()
	for i, r := range results {
		if r.err != nil {
			t.Fatalf("D-TA %d: %v", i+1, r.err)
		}
		if len(r.faults) != 0 {
			t.Errorf("D-TA %d: faults: %v", i+1, r.faults)
		}
	}
	group := results[0].share.Group()
	for first := range len(results) - size + 1 {
		var set []int
		for i := first; i < first+size; i++ {
			set = append(set, i+1)
		}
		var parts []*protocol.ServerSecret
		for _, i := range set {
			m, err := Shared(results[i-1].share).Master(set)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, m.ServerShare())
		}
		sum, err := protocol.CombineServerSecrets(parts...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(sum.Bytes(), group.ServerSecret().Bytes()) {
			t.Errorf("the shares of %v are of another secret", set)
		}
	}
}

// TestCeremony: the D-TAs make a secret over TLS, and any t of them can issue.
func TestCeremony(t *testing.T) {
	for _, size := range []struct{ t, n int }{{2, 3}, {3, 5}} {
		list := assemble(t, size.t, size.n)
		whole(t, list[0].Suite, hold(list, generate), size.t)
	}
}

// trip changes requests.
type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// corrupt has a D-TA send a wrong sub-share to D-TA 1.
func corrupt(c Ceremony) (o outcome) {
	held, err := threshold.NewGeneration(c.Suite, c.Threshold, len(c.Peers), c.Session)
	if err != nil {
		return outcome{err: err}
	}
	r, err := newRound(c)
	if err != nil {
		return outcome{err: err}
	}
	defer r.close()
	next := r.client[1].Transport
	r.client[1].Transport = trip(func(req *http.Request) (*http.Response, error) {
		var b bundle
		if err := json.NewDecoder(req.Body).Decode(&b); err != nil {
			return nil, err
		}
		if n := len(b.SubShare); n > 0 {
			b.SubShare[n-1] ^= 1
		}
		body, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return next.RoundTrip(req)
	})
	o.share, o.faults, o.err = r.hold(context.Background(), held)
	return o
}

// TestCeremonyComplaint: a D-TA that gets a wrong sub-share complains, the right
// one is made public, and all go on.
func TestCeremonyComplaint(t *testing.T) {
	list := assemble(t, 2, 3)
	whole(t, list[0].Suite, hold(list, func(c Ceremony) outcome {
		if c.Index == 3 {
			return corrupt(c)
		}
		return generate(c)
	}), 2)
}

// TestCeremonyDisagreement: a D-TA that says another group fails it for all.
func TestCeremonyDisagreement(t *testing.T) {
	list := assemble(t, 2, 3)
	for i, r := range hold(list, func(c Ceremony) outcome {
		if c.Index != 2 {
			return generate(c)
		}
		r, err := newRound(c)
		if err != nil {
			return outcome{err: err}
		}
		defer r.close()
		for p := range phases { // nothing in any phase, and no group
			if _, err := r.exchange(context.Background(), p, func(int) (*bundle, error) { return &bundle{Group: []byte("x")}, nil }); err != nil {
				return outcome{err: err}
			}
		}
		return outcome{err: ErrDisagree}
	}) {
		if !errors.Is(r.err, ErrDisagree) || r.share != nil {
			t.Errorf("D-TA %d: %v, share: %v", i+1, r.err, r.share != nil)
		}
	}
}

// TestCeremonyWithoutOne: whoever is not there is waited for, and then there is
// no secret.
func TestCeremonyWithoutOne(t *testing.T) {
	list := assemble(t, 2, 3)
	for i := range list {
		list[i].Phase = 300 * time.Millisecond
	}
	list[2].Listener.Close()
	for i, r := range hold(list[:2], generate) {
		if r.err == nil || r.share != nil {
			t.Errorf("D-TA %d has a share: %v", i+1, r.err)
		}
	}
}

// TestCeremonyIsAmongItself: nobody without a pinned key gets a word in, and a
// D-TA talks to nobody who has not the key of whom it wants to talk to.
func TestCeremonyIsAmongItself(t *testing.T) {
	list := assemble(t, 2, 3)
	r, err := newRound(list[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	post := func(key ed25519.PrivateKey, pinned ed25519.PublicKey, path, body string) (int, error) {
		config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}
		if key != nil {
			cert, err := selfSigned(key)
			if err != nil {
				t.Fatal(err)
			}
			config = pinnedTLS(cert, func(k ed25519.PublicKey) bool { return k.Equal(pinned) })
		}
		client := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		resp, err := client.Post("https://"+list[0].Peers[0].Address+path, "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
	first, second := list[0].Peers[0].Key, list[1].Peers[1].Key
	for _, c := range []struct {
		name       string
		key        ed25519.PrivateKey
		pinned     ed25519.PublicKey
		path, body string
		want       int // 0: no connection, -1: that or 400
	}{
		{"a D-TA", list[1].Key, first, "/0", "{}", 200},
		{"no certificate", nil, nil, "/0", "{}", 0},
		{"a stranger", stranger, first, "/0", "{}", 0},
		{"another D-TA was wanted", list[1].Key, second, "/0", "{}", 0},
		{"no phase", list[1].Key, first, "/4", "{}", 404},
		{"no number", list[1].Key, first, "/x", "{}", 404},
		{"negative", list[1].Key, first, "/-1", "{}", 404},
		{"no JSON", list[1].Key, first, "/1", "{", 400},
		{"oversize", list[1].Key, first, "/1", `{"deal":"` + string(bytes.Repeat([]byte("A"), maxBundle)) + `"}`, -1},
	} {
		if got, err := post(c.key, c.pinned, c.path, c.body); c.want < 0 {
			if got != 0 && got != 400 {
				t.Errorf("%s: %d %v", c.name, got, err)
			}
		} else if got != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%s: %d %v", c.name, got, err)
		}
	}
	if len(r.received[0]) != 1 || r.received[0][2] == nil || len(r.received[1]) != 0 {
		t.Errorf("taken: %v", r.received)
	}
	// The first message of a phase counts.
	if _, err := post(list[1].Key, first, "/0", `{"deal":"AAAA"}`); err != nil || r.received[0][2].Deal != nil {
		t.Errorf("it was replaced: %v", err)
	}
}

// TestCeremonyConfig: a ceremony that cannot be held is refused.
func TestCeremonyConfig(t *testing.T) {
	for name, change := range map[string]func(c *Ceremony){
		"threshold":     func(c *Ceremony) { c.Threshold = 4 },
		"no session":    func(c *Ceremony) { c.Session = nil },
		"another's key": func(c *Ceremony) { c.Index = 2 },
		"a key twice": func(c *Ceremony) {
			c.Peers = []Peer{c.Peers[0], c.Peers[1], {3, c.Peers[2].Address, c.Peers[0].Key}}
		},
		"out of order": func(c *Ceremony) { c.Peers = []Peer{c.Peers[1], c.Peers[0], c.Peers[2]} },
		"no key":       func(c *Ceremony) { c.Peers = []Peer{c.Peers[0], c.Peers[1], {Index: 3}} },
	} {
		c := assemble(t, 2, 3)[0]
		change(&c)
		if o := generate(c); o.err == nil {
			t.Errorf("%s: held", name)
		}
	}
}
