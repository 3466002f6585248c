package quorum_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/quorum"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

var ctx = context.Background()

// identity is a user with the hash that D-TAs see.
type identity struct {
	*protocol.Identity
	hash string
}

func newIdentity(t testing.TB, s *protocol.Suite, user string) identity {
	t.Helper()
	id, err := wire.NewIdentity(user, false, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	point, err := s.Identity(id.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	h := wire.HashIdentity(id.Bytes())
	return identity{point, hex.EncodeToString(h[:])}
}

// config is for a test: quick to notice, slow to forget. Where a machine may be
// too busy for a status within a second, it must not matter that a D-TA is taken
// for down meanwhile.
func config(d *dtatest.Deployment, members ...int) quorum.Config {
	return quorum.Config{
		Suite: d.Suite, AppID: dtatest.AppID, AppKey: dtatest.AppKey, Threshold: d.Threshold,
		Members: d.Members(members...), Keys: d.Keys, Name: "test",
		Timeout: 20 * time.Second, Probe: 100 * time.Millisecond, Avoid: time.Minute,
	}
}

func open(t testing.TB, c quorum.Config) *quorum.Quorum {
	t.Helper()
	q, err := quorum.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func decode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sameSecret fails unless two halves add up to the whole secret's s·A.
func sameSecret(t *testing.T, d *dtatest.Deployment, id identity, halves ...string) {
	t.Helper()
	var parts []*protocol.ClientSecret
	for _, h := range halves {
		c, err := d.Suite.DecodeClientSecret(decode(t, h))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, c)
	}
	sum, err := protocol.CombineClientSecrets(parts...)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := d.Master.ClientShare(id.Identity)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sum.Bytes(), whole.Bytes()) {
		t.Fatal("the halves do not add up to s·A")
	}
}

// samePermit is sameSecret for a permit.
func samePermit(t *testing.T, d *dtatest.Deployment, id identity, date protocol.Date, halves ...string) {
	t.Helper()
	var parts []*protocol.Permit
	for _, h := range halves {
		c, err := d.Suite.DecodePermit(date, decode(t, h))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, c)
	}
	sum, err := protocol.CombinePermits(parts...)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := d.Master.PermitShare(id.Identity, date)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sum.Bytes(), whole.Bytes()) {
		t.Fatal("the halves do not add up to s·A_T")
	}
}

// params reads what the RPS signed for the proxy.
func params(t *testing.T, text string) (set wire.Set, dtas string) {
	t.Helper()
	q, err := wire.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	_, set, err = q.CheckClientSecret(dtatest.AppKey, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return set, q["dtas"]
}

// issue takes a secret and a permit through both halves and checks them.
func issue(t *testing.T, d *dtatest.Deployment, rps, proxy *quorum.Quorum, user string) *quorum.ClientHalf {
	t.Helper()
	id := newIdentity(t, d.Suite, user)
	own, err := rps.ClientHalf(ctx, id.hash, false)
	if err != nil {
		t.Fatal(err)
	}
	set, dtas := params(t, own.Params)
	rest, err := proxy.ClientRest(ctx, set, id.hash, "", false)
	if err != nil {
		t.Fatal(err)
	}
	sameSecret(t, d, id, own.Share, rest.Share)
	if d.Threshold > 0 && len(own.Shares)+len(rest.Shares) != d.Threshold {
		t.Fatalf("%d and %d D-TAs issued, not %d", len(own.Shares), len(rest.Shares), d.Threshold)
	}
	if from, err := proxy.Rest(set); err != nil || set != nil && from.String() != dtas {
		t.Fatalf("the RPS names %q for the proxy, which takes %s: %v", dtas, from, err)
	}

	permit, err := rps.PermitHalf(ctx, id.hash)
	if err != nil {
		t.Fatal(err)
	}
	set, err = wire.VerifyPermitSignature(dtatest.AppKey, dtatest.AppID, id.hash, permit.Signature, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if permit.StorageID != wire.StorageID(id.hash, set) {
		t.Fatalf("storage ID %s for set %s", permit.StorageID, set)
	}
	days, err := proxy.PermitsRest(ctx, set, id.hash, 1)
	if err != nil {
		t.Fatal(err)
	}
	samePermit(t, d, id, permit.Date, permit.Share, days[0].Share)
	return own
}

// TestAdditive: the customer's D-TAs and MIRACL's add up, whichever are whose.
func TestAdditive(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 4})
	for _, own := range [][]int{{1}, {2, 4}, {1, 2, 3}} {
		var rest []int
		for i := 1; i <= 4; i++ {
			if !slices.Contains(own, i) {
				rest = append(rest, i)
			}
		}
		h := issue(t, d, open(t, config(d, own...)), open(t, config(d, rest...)), "alice")
		if strings.Contains(h.Params, "set") || strings.Contains(h.Params, "dtas") {
			t.Errorf("a set is named where there is none: %s", h.Params)
		}
	}
}

// TestThresholdWithDTAsDown: with any n − t D-TAs down the rest issue the very
// secrets that all of them do.
func TestThresholdWithDTAsDown(t *testing.T) {
	suite := dtatest.Suite(t)
	sizes := []struct{ t, n int }{{2, 3}, {3, 5}}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, size := range sizes {
		for _, down := range subsets(size.n, size.n-size.t) {
			t.Run(fmt.Sprintf("%d of %d without %v", size.t, size.n, down), func(t *testing.T) {
				t.Parallel()
				d := dtatest.New(t, suite, dtatest.Options{N: size.n, Threshold: size.t})
				rps, proxy := open(t, config(d)), open(t, config(d))
				h := issue(t, d, rps, proxy, "alice")
				if set, _ := params(t, h.Params); set != nil {
					t.Errorf("with all up, set %s is named", set)
				}
				for _, i := range down {
					d.Nodes[i-1].Stop()
				}
				poll(t, "the RPS sees them go", func() bool {
					return !slices.ContainsFunc(rps.Live(), func(i int) bool { return slices.Contains(down, i) })
				})
				h = issue(t, d, rps, proxy, "bob")
				set, _ := params(t, h.Params)
				if set == nil {
					set = rps.Canonical()
				}
				if slices.ContainsFunc(set, func(i int) bool { return slices.Contains(down, i) }) {
					t.Errorf("set %s has a D-TA that is down", set)
				}
				if _, err := rps.ServerSecret(ctx); err != nil {
					t.Error(err)
				}
				for i, n := range d.Nodes {
					if !slices.Contains(down, i+1) {
						n.Stop()
						break
					}
				}
				id := newIdentity(t, suite, "carol")
				_, err := rps.ServerSecret(ctx)
				if !errors.Is(err, quorum.ErrUnavailable) {
					t.Errorf("with one too few: %v", err)
				}
				poll(t, "the last t are not t", func() bool { return len(rps.Live()) < size.t })
				if _, err := proxy.ClientRest(ctx, nil, id.hash, "", false); err != nil && !errors.Is(err, quorum.ErrUnavailable) {
					t.Errorf("the proxy, with one too few: %v", err)
				}
			})
		}
	}
}

func subsets(n, k int) (list [][]int) {
	for m := range 1 << n {
		var s []int
		for i := range n {
			if m>>i&1 == 1 {
				s = append(s, i+1)
			}
		}
		if len(s) == k {
			list = append(list, s)
		}
	}
	return list
}

func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: not in 30 s", what)
}

// TestDownBeforeItIsNoticed: an RPS that was told nothing finds another set
// itself when one of its own half does not answer.
func TestDownBeforeItIsNoticed(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 4, Threshold: 2})
	c := config(d)
	c.Probe = time.Hour
	rps := open(t, c)
	d.Nodes[0].Stop()
	d.Nodes[1].Stop()
	// The proxy's half is not asked by the RPS: only what it has met itself is
	// avoided. Its first D-TA is, and so the second becomes its own and is met.
	id := newIdentity(t, d.Suite, "alice")
	h, err := rps.ClientHalf(ctx, id.hash, false)
	if err != nil {
		t.Fatal(err)
	}
	if set, dtas := params(t, h.Params); set.String() != "3.4" || dtas != "4" {
		t.Errorf("set %s, proxy's %s", set, dtas)
	}
}

// TestLiars: whatever a D-TA sends instead of its share, an additive deployment
// names it and a threshold deployment does without it.
func TestLiars(t *testing.T) {
	suite := dtatest.Suite(t)
	lies := map[dtatest.Lie]bool{ // whether it can be told from being down
		dtatest.OtherSecret: true, dtatest.BadProof: true, dtatest.SwappedShare: true, dtatest.OtherName: true,
		dtatest.NoProof: true, dtatest.Garbage: false, dtatest.Endless: false, dtatest.Failing: false, dtatest.Silent: false,
	}
	if len(lies) != len(dtatest.Lies()) {
		t.Fatal("not all lies are here")
	}
	for lie, named := range lies {
		t.Run(fmt.Sprint(lie), func(t *testing.T) {
			t.Parallel()
			check := func(what string, err error, index int) {
				t.Helper()
				var f *quorum.Fault
				switch {
				case err == nil:
					t.Errorf("%s: believed", what)
				case named && (!errors.As(err, &f) || f.DTA != index):
					t.Errorf("%s: D-TA %d is not named: %v", what, index, err)
				case !named && !errors.Is(err, quorum.ErrUnavailable):
					t.Errorf("%s: %v", what, err)
				}
			}
			d := dtatest.New(t, suite, dtatest.Options{N: 3})
			id := newIdentity(t, suite, "alice")
			c := config(d)
			c.Probe = time.Hour // status says nothing of lies
			if lie == dtatest.Silent {
				c.Timeout = 300 * time.Millisecond
			}
			q := open(t, c)
			d.Nodes[1].Liar.Set(lie)
			_, err := q.ClientHalf(ctx, id.hash, false)
			check("client secret", err, 2)
			_, err = q.PermitHalf(ctx, id.hash)
			check("permit", err, 2)
			if lie != dtatest.BadProof { // server shares have none
				_, err = q.ServerSecret(ctx)
				check("server secret", err, 2)
			}

			d = dtatest.New(t, suite, dtatest.Options{N: 3, Threshold: 2})
			c = config(d)
			c.Probe = time.Hour
			if lie == dtatest.Silent {
				c.Timeout = 3 * time.Second // enough for the others on a busy machine
			}
			rps, proxy := open(t, c), open(t, c)
			d.Nodes[0].Liar.Set(lie)
			h := issue(t, d, rps, proxy, "bob")
			if set, _ := params(t, h.Params); set.String() != "2.3" {
				t.Errorf("set %s with D-TA 1 lying", set)
			}
			if live := rps.Live(); named && live.Has(1) {
				t.Errorf("live: %s", live)
			}
			s, err := rps.ServerSecret(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(s.Bytes(), d.Master.ServerShare().Bytes()) {
				t.Error("the server secret is another")
			}
		})
	}
}

// TestShareKeyIsPinned: a D-TA that comes back with another secret and its key
// is not believed for saying so.
func TestShareKeyIsPinned(t *testing.T) {
	suite := dtatest.Suite(t)
	d := dtatest.New(t, suite, dtatest.Options{N: 3, Threshold: 2})
	other := dtatest.New(t, suite, dtatest.Options{N: 3, Threshold: 2})
	c := config(d)
	c.Members[0].URL = other.Nodes[0].URL
	q := open(t, c)
	poll(t, "it is found out by its status", func() bool { return q.Live().String() == "2.3" })
	issue(t, d, q, q, "alice")
}

// TestSecondTry: a request that gets stuck is sent again beside the first.
func TestSecondTry(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 2})
	var requests atomic.Int32
	c := config(d)
	c.Hedge = 20 * time.Millisecond
	c.Transport = trip(func(r *http.Request) (*http.Response, error) {
		if requests.Add(1) == 1 {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	c.Members = c.Members[:1]
	q := open(t, c)
	if _, err := q.ClientHalf(ctx, newIdentity(t, d.Suite, "alice").hash, false); err != nil {
		t.Fatal(err)
	}
	requests.Store(0)
	c.Transport = trip(func(*http.Request) (*http.Response, error) {
		requests.Add(1)
		return nil, errors.New("connection reset")
	})
	if _, err := open(t, c).ClientHalf(ctx, newIdentity(t, d.Suite, "alice").hash, false); !errors.Is(err, quorum.ErrUnavailable) || !errors.Is(err, service.ErrUnreachable) {
		t.Errorf("a D-TA that cannot be reached: %v", err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d tries, not 2", n)
	}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestCallerLeaves: whose context ends gets its error, and no D-TA is blamed.
func TestCallerLeaves(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 3, Threshold: 2})
	d.Nodes[0].Liar.Set(dtatest.Silent)
	c := config(d)
	c.Probe = time.Hour
	q := open(t, c)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := q.ClientHalf(short, newIdentity(t, d.Suite, "alice").hash, false); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if live := q.Live().String(); live != "1.2.3" {
		t.Errorf("live: %s", live)
	}
}

// TestClockSkew: a D-TA whose clock is two days off refuses (408), or issues
// for another day; an additive deployment says which, a threshold deployment
// does without it.
func TestClockSkew(t *testing.T) {
	suite := dtatest.Suite(t)
	for _, days := range []int{-2, 2} {
		skewed := func(i int) func() time.Time {
			if i == 1 {
				return func() time.Time { return time.Now().AddDate(0, 0, days) }
			}
			return time.Now
		}
		d := dtatest.New(t, suite, dtatest.Options{N: 2, Now: skewed})
		q := open(t, config(d))
		_, err := q.ClientHalf(ctx, newIdentity(t, suite, "alice").hash, false)
		var status *service.StatusError
		if !errors.Is(err, quorum.ErrUnavailable) || !errors.As(err, &status) || status.Status != 408 || !strings.Contains(err.Error(), "D-TA 1") {
			t.Errorf("%d days: %v", days, err)
		}

		d = dtatest.New(t, suite, dtatest.Options{N: 3, Threshold: 2, Now: skewed})
		c := config(d)
		c.Probe = time.Hour // status says nothing of clocks
		h := issue(t, d, open(t, c), open(t, c), "bob")
		if set, _ := params(t, h.Params); set.String() != "2.3" {
			t.Errorf("%d days: set %s", days, set)
		}
	}
	// A D-TA that does not look at expiries, or was asked around midnight.
	d := dtatest.New(t, suite, dtatest.Options{N: 2})
	c := config(d)
	c.Now = func() time.Time { return time.Now().AddDate(0, 0, 1) }
	c.Transport = trip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		q, err := wire.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, err
		}
		q["expires"] = wire.Expires(time.Now())
		q["signature"] = wire.Sign(dtatest.AppKey, wire.PermitParts(q["app_id"], q["hash_mpin_id"], q["expires"])...)
		r.URL.RawQuery = q.Encode()
		return http.DefaultTransport.RoundTrip(r)
	})
	var f *quorum.Fault
	if _, err := open(t, c).PermitHalf(ctx, newIdentity(t, suite, "alice").hash); !errors.Is(err, quorum.ErrClock) || !errors.As(err, &f) {
		t.Errorf("a permit of yesterday: %v", err)
	}
}

// TestHalves: the two halves of a set have no D-TA in common, and neither is
// empty or the whole.
func TestHalves(t *testing.T) {
	for n := 2; n <= 9; n++ {
		for _, set := range subsets(10, n) {
			own, rest := wire.Halves(set)
			if len(own) == 0 || len(rest) == 0 || len(own)+len(rest) != n || !slices.Equal(append(slices.Clone(own), rest...), set) {
				t.Fatalf("%v: %v and %v", set, own, rest)
			}
		}
	}
}

func TestRestRefusesSets(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 4, Threshold: 3})
	q := open(t, config(d))
	for _, set := range []wire.Set{{1}, {1, 2}, {1, 2, 3, 4}, {1, 2, 5}} {
		if _, err := q.ClientRest(ctx, set, strings.Repeat("0", 64), "", false); !errors.Is(err, quorum.ErrSet) {
			t.Errorf("%v: %v", set, err)
		}
	}
	additive := open(t, config(dtatest.New(t, d.Suite, dtatest.Options{N: 2})))
	if _, err := additive.PermitsRest(ctx, wire.Set{1, 2}, strings.Repeat("0", 64), 1); !errors.Is(err, quorum.ErrSet) {
		t.Errorf("a set in an additive deployment: %v", err)
	}
	if _, err := additive.ClientHalf(ctx, "no hash", false); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("no hash: %v", err)
	}
}

func TestConfig(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 3})
	for name, change := range map[string]func(*quorum.Config){
		"no suite":        func(c *quorum.Config) { c.Suite = nil },
		"no members":      func(c *quorum.Config) { c.Members = nil },
		"threshold of 1":  func(c *quorum.Config) { c.Threshold = 1 },
		"too high a one":  func(c *quorum.Config) { c.Threshold = 4 },
		"a negative one":  func(c *quorum.Config) { c.Threshold = -1 },
		"no key":          func(c *quorum.Config) { c.AppKey = "" },
		"no ID":           func(c *quorum.Config) { c.AppID = "" },
		"no pinned key":   func(c *quorum.Config) { c.Keys = c.Keys[1:] },
		"a bad key":       func(c *quorum.Config) { c.Keys = append(slices.Clone(c.Keys), wire.ShareKey{DTA: 4, Key: "00"}) },
		"a key, no hex":   func(c *quorum.Config) { c.Keys = append(slices.Clone(c.Keys), wire.ShareKey{DTA: 4, Key: "x"}) },
		"a key twice":     func(c *quorum.Config) { c.Keys = append(slices.Clone(c.Keys), c.Keys[0]) },
		"a member twice":  func(c *quorum.Config) { c.Members = append(c.Members, c.Members[0]) },
		"a member of key": func(c *quorum.Config) { c.Members = append(c.Members, quorum.Member{Index: 9}) },
	} {
		c := config(d)
		change(&c)
		if q, err := quorum.New(c); err == nil {
			q.Close()
			t.Errorf("%s: made", name)
		}
	}
}

// TestLogs: a fault is logged with the D-TA and the application, and no
// identity, signature or share.
func TestLogs(t *testing.T) {
	d := dtatest.New(t, dtatest.Suite(t), dtatest.Options{N: 2})
	var log dtatest.Recorder
	c := config(d)
	c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	q := open(t, c)
	id := newIdentity(t, d.Suite, "alice")
	for _, lie := range []dtatest.Lie{dtatest.OtherSecret, dtatest.Failing} {
		d.Nodes[1].Liar.Set(lie)
		if _, err := q.ClientHalf(ctx, id.hash, false); err == nil || strings.Contains(err.Error(), "signature") || strings.Contains(err.Error(), id.hash) {
			t.Errorf("%v: %v", lie, err)
		}
	}
	text := string(log.Bytes())
	if !strings.Contains(text, `"dta":2`) || !strings.Contains(text, dtatest.AppID) ||
		strings.Contains(text, id.hash) || strings.Contains(text, "signature") || strings.Contains(text, "http://") {
		t.Errorf("the log: %s", text)
	}
}
