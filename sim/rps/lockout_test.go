package rps_test

import (
	"context"
	"encoding/hex"
	"sync"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/rps"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// garbage begins a login of the user by someone without a token: points of the
// group that nothing connects.
func (u *user) garbage() string {
	u.t.Helper()
	m, err := u.suite.NewMasterSecret(nil)
	if err != nil {
		u.t.Fatal(err)
	}
	secret, err := m.ClientShare(u.id)
	if err != nil {
		u.t.Fatal(err)
	}
	permit, err := m.PermitShare(u.id, u.today())
	if err != nil {
		u.t.Fatal(err)
	}
	p, err := u.suite.NewProver(u.id, secret, permit, nil)
	if err != nil {
		u.t.Fatal(err)
	}
	return u.send(p, u.request1(p))
}

func (u *user) today() protocol.Date {
	u.t.Helper()
	day, err := wire.Today(u.clock.Now())
	if err != nil {
		u.t.Fatal(err)
	}
	return day
}

// send sends both passes, the first as given.
func (u *user) send(p *protocol.Prover, q *wire.Pass1Request) string {
	u.t.Helper()
	var one wire.Pass1Answer
	u.get(200, "POST", u.public+"/pass1", q, &one)
	var two wire.Pass2Answer
	u.get(200, "POST", u.public+"/pass2", u.request2(p, one.Y), &two)
	return two.AuthOTT
}

// hidden begins a login with a false U, by which a thief who has the token
// hides how wrong his PIN is. With proof it carries the proof for the true U,
// which does not hold for the false one.
func (u *user) hidden(pin string, proof bool) string {
	u.t.Helper()
	p := u.prover(pin, u.permitFor(u.today()))
	q := u.request1(p)
	m, err := u.suite.NewMasterSecret(nil)
	if err != nil {
		u.t.Fatal(err)
	}
	q.U = hex.EncodeToString(m.ShareKey().Bytes())
	if proof {
		b, err := p.ProveBinding(nil)
		if err != nil {
			u.t.Fatal(err)
		}
		q.Proof = hex.EncodeToString(b)
	}
	return u.send(p, q)
}

func (u *user) failures() int {
	u.t.Helper()
	n, err := u.store.Failures(u.t.Context(), hashKey(u.raw))
	if err != nil {
		u.t.Fatal(err)
	}
	return n
}

func (d *deployment) verdicts(class string) uint64 {
	return d.count("mpin_logins_total", "verdict", class)
}

// TestOutsidersLockNobodyOut: failures that are not from a token do not count
// towards the block, and when they have used up the allowance of logins
// without a proof, those with one are judged as ever.
func TestOutsidersLockNobodyOut(t *testing.T) {
	d := deploy(t, fast(t), func(c *rps.Config) { c.UnprovedAllowance = 5 })
	u := d.enrol("alice", "1234")
	for i := range 12 {
		if got := d.redeem(u.garbage()).Status; got != 401 {
			t.Fatalf("garbage %d: %d", i, got)
		}
	}
	if n := u.failures(); n != 0 {
		t.Fatalf("%d failures count", n)
	}
	if n, m := d.verdicts("unexplained"), d.verdicts("allowance"); n != 5 || m != 7 {
		t.Fatalf("%d unexplained, %d beyond the allowance", n, m)
	}
	u.want("1234", 401) // an old client has to wait
	u.proof = true
	u.want("1235", 401)
	if n := u.failures(); n != 1 {
		t.Fatalf("%d failures count", n)
	}
	u.want("1234", 200)
	u.proof = false
	u.want("1234", 401) // a success with a proof does not clear the allowance

	// The next day brings a new one, and so does a success without a proof.
	d.clock.Add(24 * time.Hour)
	d.redeem(u.garbage())
	u.want("1234", 200)
	for range 5 {
		d.redeem(u.garbage())
	}
	if n := d.verdicts("unexplained"); n != 5+1+5 {
		t.Fatalf("%d unexplained", n)
	}
	u.want("1234", 401)
}

// TestThiefBetweenLogins: a user who logs in often, with a client that proves,
// gives a thief who hides the PIN error no more than the day's allowance.
func TestThiefBetweenLogins(t *testing.T) {
	const allowance = 6
	d := deploy(t, fast(t), func(c *rps.Config) { c.UnprovedAllowance = allowance })
	u := d.enrol("alice", "1234")
	u.proof = true
	for range 4 {
		for range 3 {
			d.redeem(u.hidden("1111", false))
		}
		u.want("1234", 200)
	}
	if n := d.verdicts("unexplained"); n != allowance {
		t.Errorf("%d guesses were judged, %d may be", n, allowance)
	}
}

// lateTurns gives a reservation when its caller's time is over, as a store may.
type lateTurns struct{ store.Store }

func (l lateTurns) Reserve(ctx context.Context, id string, p store.Policy) (*store.Reservation, error) {
	r, err := l.Store.Reserve(ctx, id, p)
	<-ctx.Done()
	return r, err
}

// TestLateTurn: a login that got its turn at the last moment is judged and
// counted as any other.
func TestLateTurn(t *testing.T) {
	memory := store.NewMemory(store.Options{})
	t.Cleanup(func() { memory.Close() })
	d := deploy(t, fast(t), func(c *rps.Config) {
		c.Store, c.Lease = lateTurns{memory}, 2*time.Second
	})
	u := d.enrol("alice", "1234")
	u.proof = true
	u.want("1111", 401)
	if n := u.failures(); n != 1 {
		t.Errorf("%d failures count", n)
	}
	u.want("1234", 200)
	if n := u.failures(); n != 0 {
		t.Errorf("%d failures count", n)
	}
}

// TestGarbageWithProof: a proof of binding that holds shows that no PIN was
// tried, so that such failures use up nothing.
func TestGarbageWithProof(t *testing.T) {
	d := deploy(t, fast(t), func(c *rps.Config) { c.UnprovedAllowance = 4 })
	u := d.enrol("alice", "1234")
	u.proof = true
	for range 8 {
		if got := d.redeem(u.garbage()).Status; got != 401 {
			t.Fatal(got)
		}
	}
	if n := d.verdicts("unexplained"); n != 8 {
		t.Errorf("%d unexplained", n)
	}
	u.proof = false
	u.want("1234", 200)
}

// TestThief: guesses with the token count, also against a true U with a proof.
func TestThief(t *testing.T) {
	for _, proof := range []bool{false, true} {
		d := deploy(t, fast(t), nil)
		u := d.enrol("alice", "1234")
		u.proof = proof
		for i, want := range []int{401, 401, 410, 410} {
			if got := u.login([]string{"0000", "9999", "1235", "1234"}[i]); got != want {
				t.Errorf("guess %d: %d, want %d", i, got, want)
			}
		}
		if n := d.verdicts("wrong_pin"); n != 3 {
			t.Errorf("%d wrong PINs", n)
		}
	}
}

// TestThiefWithFalseU: who hides his PIN error gets the allowance and no more,
// then not even the right PIN helps; nor does a proof that does not hold. The
// user's own client is not blocked.
func TestThiefWithFalseU(t *testing.T) {
	const allowance = 6
	for _, proof := range []bool{false, true} {
		d := deploy(t, fast(t), func(c *rps.Config) { c.UnprovedAllowance = allowance })
		u := d.enrol("alice", "1234")
		for range allowance + 5 {
			if got := d.redeem(u.hidden("1111", proof)).Status; got != 401 {
				t.Fatal(got)
			}
		}
		if n, m := d.verdicts("unexplained"), d.verdicts("allowance"); n != allowance || m != 5 {
			t.Errorf("%d judged, %d not", n, m)
		}
		if got := d.redeem(u.hidden("1234", proof)).Status; got != 401 {
			t.Errorf("right PIN after the allowance: %d", got)
		}
		u.proof = true
		u.want("1234", 200)
	}
}

// TestThiefInParallel: the allowance holds for guesses made at the same time.
func TestThiefInParallel(t *testing.T) {
	const allowance = 7
	d := deploy(t, fast(t), func(c *rps.Config) { c.UnprovedAllowance = allowance })
	u := d.enrol("alice", "1234")
	var otts []string
	for range 40 {
		otts = append(otts, u.hidden("1111", false))
	}
	d.redeemAll(otts)
	if n, m := d.verdicts("unexplained"), d.verdicts("allowance"); n != allowance || m != uint64(len(otts))-allowance {
		t.Errorf("%d judged, %d not", n, m)
	}
}

// redeemAll redeems all at once and counts the verdicts.
func (d *deployment) redeemAll(otts []string, more ...*deployment) map[int]int {
	all := append([]*deployment{d}, more...)
	count := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, ott := range otts {
		wg.Go(func() {
			a, err := all[i%len(all)].tryRedeem(ott)
			if err != nil {
				d.t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			count[a.Status]++
		})
	}
	wg.Wait()
	return count
}

// TestAny: every failure counts, garbage too.
func TestAny(t *testing.T) {
	d := deploy(t, fast(t), func(c *rps.Config) { c.Lockout = rps.LockoutAny })
	u := d.enrol("alice", "1234")
	for i, want := range []int{401, 401, 410} {
		if got := d.redeem(u.garbage()).Status; got != want {
			t.Errorf("garbage %d: %d", i, got)
		}
	}
	u.want("1234", 410)

	milagro := deploy(t, suite(t, "milagro/fp256bn", "amcl/fp256bn"), func(c *rps.Config) { c.MaxAttempts = 1 })
	v := milagro.enrol("alice", "1234")
	if got := milagro.redeem(v.garbage()).Status; got != 410 {
		t.Errorf("default of milagro: %d", got)
	}
}

// TestTokenInMilagro: the policy works in that dialect too.
func TestTokenInMilagro(t *testing.T) {
	d := deploy(t, suite(t, "milagro/fp256bn", "amcl/fp256bn"), func(c *rps.Config) { c.Lockout = rps.LockoutToken })
	u := d.enrol("alice", "1234")
	u.proof = true
	if got := d.redeem(u.garbage()).Status; got != 401 {
		t.Errorf("garbage: %d", got)
	}
	if n := u.failures(); n != 0 {
		t.Errorf("%d failures", n)
	}
	u.want("1235", 401)
	if n := u.failures(); n != 1 {
		t.Errorf("%d failures", n)
	}
}

// TestMalformedAnswer: a V that is no point is no guess, and no success.
func TestMalformedAnswer(t *testing.T) {
	for _, c := range []struct {
		policy  rps.Lockout
		batches *protocol.BatchingOptions
		counted int
	}{{rps.LockoutToken, nil, 0}, {rps.LockoutAny, nil, 1}, {rps.LockoutToken, &protocol.BatchingOptions{}, 0}} {
		d := deploy(t, fast(t), func(cfg *rps.Config) { cfg.Lockout, cfg.Batching = c.policy, c.batches })
		u := d.enrol("alice", "1234")
		p := u.prover("1234", u.permit())
		var one wire.Pass1Answer
		d.get(200, "POST", d.public+"/pass1", u.request1(p), &one)
		q := u.request2(p, one.Y)
		q.V = "ff" + q.V[2:]
		var two wire.Pass2Answer
		d.get(200, "POST", d.public+"/pass2", q, &two)
		if got := d.redeem(two.AuthOTT).Status; got != 401 {
			t.Errorf("%s: %d", c.policy, got)
		}
		if n := u.failures(); n != c.counted {
			t.Errorf("%s: %d failures", c.policy, n)
		}
	}
}

// TestFailureTime: a refusal takes a multiple of the time that hides what was
// found out, a success does not wait for it.
func TestFailureTime(t *testing.T) {
	const quantum = 400 * time.Millisecond
	d := deploy(t, fast(t), func(c *rps.Config) { c.FailureTime = quantum })
	u := d.enrol("alice", "1234")
	ott := u.passes("1235")
	start := time.Now()
	if got := d.redeem(ott).Status; got != 401 {
		t.Fatal(got)
	}
	if took := time.Since(start); took < quantum {
		t.Errorf("refused after %s", took)
	}
}

// TestOverload: a login that finds too many waiting gets no verdict, keeps its
// authOTT, and leaves no attempt reserved.
func TestOverload(t *testing.T) {
	d := deploy(t, fast(t), func(c *rps.Config) {
		c.MaxAttempts = 1 // so that a reservation left behind would show
		c.Batching = &protocol.BatchingOptions{Waiting: 1, Workers: 1, Batch: 1}
	})
	var otts []string
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		otts = append(otts, d.enrol(name, "1234").passes("1234"))
	}
	left, overloaded, passed := otts, 0, 0
	for round := 0; len(left) > 0 && round < 100; round++ {
		var mu sync.Mutex
		var again []string
		var wg sync.WaitGroup
		for _, ott := range left {
			wg.Go(func() {
				a, err := d.tryRedeem(ott)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case a.Status == 503:
					again, overloaded = append(again, ott), overloaded+1
				case a.Status == 200:
					passed++
				default:
					t.Errorf("status %d", a.Status)
				}
			})
		}
		wg.Wait()
		left = again
	}
	if passed != len(otts) || overloaded == 0 {
		t.Errorf("%d of %d passed, %d overloaded", passed, len(otts), overloaded)
	}
}

// TestLeaseEnded: a verdict whose reservation has ended is not told.
func TestLeaseEnded(t *testing.T) {
	d := deploy(t, fast(t), func(c *rps.Config) { c.Store = &slowStore{Store: c.Store} })
	u := d.enrol("alice", "1234")
	ott := u.passes("1234")
	if got := d.redeem(ott).Status; got != 503 {
		t.Errorf("%d", got)
	}
	if got := d.redeem(ott).Status; got != 200 {
		t.Errorf("once more: %d", got)
	}
}

// slowStore gives the first reservation up before it is settled.
type slowStore struct {
	store.Store
	once sync.Once
}

func (s *slowStore) Settle(ctx context.Context, r *store.Reservation, o store.Outcome) (int, error) {
	ended := false
	s.once.Do(func() { ended = true })
	if ended {
		if _, err := s.Store.Settle(ctx, r, store.Withdrawn); err != nil {
			return 0, err
		}
	}
	return s.Store.Settle(ctx, r, o)
}
