package capacity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
)

// batchSizes and badOnes are the batches that are measured. The policy keeps
// the bad logins that a batch is expected to have below one.
var (
	batchSizes = []int{1, 2, 4, 8, 16, 32, 64, 128, 256}
	badOnes    = []int{0, 1, 2, 3}
)

// crypto measures the cryptography of an RPS on one CPU of this process, and the
// verdicts with it.
func (e *Entry) crypto(ctx context.Context, suite *protocol.Suite, samples int) error {
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	w, err := newWorkload(suite, batchSizes[len(batchSizes)-1])
	if err != nil {
		return err
	}
	// The yardstick is from the same time: everything is between two ticks, and told
	// at the pace of all of them.
	var ticks []time.Duration
	tick := func() (float64, error) {
		took, err := w.tick(len(ticks), processTime)
		ticks = append(ticks, took)
		return float64(took), err
	}
	paced := func(do func() (time.Duration, error)) (float64, error) {
		before, err := tick()
		if err != nil {
			return 0, err
		}
		took, err := do()
		if err != nil {
			return 0, err
		}
		after, err := tick()
		return 2 * float64(took) / (before + after), err
	}
	var verify []float64 // in ticks
	for i := range samples + samples/10 {
		if err := ctx.Err(); err != nil {
			return err
		}
		took, err := paced(func() (time.Duration, error) { return w.verifyOne(i % len(w.good)) })
		if err != nil {
			return err
		}
		if i >= samples/10 {
			verify = append(verify, took)
		}
	}
	for _, n := range batchSizes {
		for _, bad := range badOnes {
			if bad > n || n == 1 && bad > 0 {
				continue
			}
			var took []float64
			for k := range max(7, samples/(4*n)) {
				if err := ctx.Err(); err != nil {
					return err
				}
				t, err := paced(func() (time.Duration, error) { return w.verifyMany(n, bad, k) })
				if err != nil {
					return err
				}
				took = append(took, t)
			}
			e.Batch = append(e.Batch, BatchCost{N: n, Bad: bad, Time: median(took)})
		}
	}
	e.Yardstick = meanTick(ticks)
	for i := range e.Batch {
		e.Batch[i].Time *= e.Yardstick
	}
	var verifying []time.Duration
	for _, t := range verify {
		verifying = append(verifying, us(t*e.Yardstick))
	}
	if e.Verify, err = Measured(withoutStrays(verifying)); err != nil {
		return err
	}
	if e.Answer, err = Measured(withoutStrays(w.answers)); err != nil {
		return err
	}
	if e.FindPIN, err = w.findPIN(ctx, max(5, samples/20)); err != nil {
		return err
	}
	e.Contention, err = w.contention(ctx, max(4, samples/20))
	return err
}

// contention is the time of verifying while every CPU verifies over that while
// the others have nothing of ours to do, the median of turns.
func (w *workload) contention(ctx context.Context, turns int) (float64, error) {
	n := runtime.NumCPU()
	old := runtime.GOMAXPROCS(n)
	defer runtime.GOMAXPROCS(old)
	const each = 10
	verify := func(i int) error {
		return w.verifier.Verify(w.good[i%len(w.good)].Identity, w.good[i%len(w.good)].Transcript)
	}
	turn := func(threads int) (time.Duration, error) {
		var stop atomic.Bool
		var all sync.WaitGroup
		defer all.Wait()
		defer stop.Store(true)
		for k := 1; k < threads; k++ {
			all.Go(func() {
				for i := k; !stop.Load(); i++ {
					if verify(i) != nil {
						return // the one that is measured fails too
					}
				}
			})
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		start := threadTime()
		for i := range each {
			if err := verify(i); err != nil {
				return 0, err
			}
		}
		return threadTime() - start, nil
	}
	var ratios []float64
	for range turns {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		alone, err := turn(1)
		if err != nil {
			return 0, err
		}
		together, err := turn(n)
		if err != nil {
			return 0, err
		}
		ratios = append(ratios, float64(together)/float64(alone))
	}
	return median(ratios), nil
}

// stray is how many times the usual no work takes: somebody else had the CPU.
const stray = 10

// withoutStrays leaves out what took more than that of the median; the CPU time of the
// requests has no such thing either.
func withoutStrays(sample []time.Duration) []time.Duration {
	d, err := Measured(sample)
	if err != nil {
		return sample
	}
	kept := sample[:0:0]
	for _, s := range sample {
		if s <= stray*d.Quantile(0.5) {
			kept = append(kept, s)
		}
	}
	return kept
}

// workload is logins ready to be verified.
type workload struct {
	suite     *protocol.Suite
	verifier  *protocol.Verifier
	date      protocol.Date
	secrets   []*protocol.ClientSecret // with the PIN
	permits   []*protocol.Permit
	good, bad []protocol.Session
	failed    []*protocol.FailedLogin // of the bad
	answers   []time.Duration         // the times of computing V
}

func newWorkload(suite *protocol.Suite, n int) (*workload, error) {
	master, err := suite.NewMasterSecret(rand.Reader)
	if err != nil {
		return nil, err
	}
	verifier, err := suite.NewVerifier(master.ServerShare())
	if err != nil {
		return nil, err
	}
	date, err := protocol.DateOf(time.Now())
	if err != nil {
		return nil, err
	}
	w := &workload{suite: suite, verifier: verifier, date: date}
	for i := range n {
		id, err := suite.Identity([]byte("calibrating-" + strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		secret, err := master.ClientShare(id)
		if err != nil {
			return nil, err
		}
		permit, err := master.PermitShare(id, date)
		if err != nil {
			return nil, err
		}
		right, err := suite.PIN("1234")
		if err != nil {
			return nil, err
		}
		typed, err := suite.PIN("1235")
		if err != nil {
			return nil, err
		}
		token, err := secret.Token(id, right)
		if err != nil {
			return nil, err
		}
		wrong, err := token.Secret(id, typed)
		if err != nil {
			return nil, err
		}
		w.secrets, w.permits = append(w.secrets, secret), append(w.permits, permit)
		good, _, err := w.session(id, secret, permit)
		if err != nil {
			return nil, err
		}
		w.good = append(w.good, good)
		if i < badOnes[len(badOnes)-1] {
			bad, failed, err := w.session(id, wrong, permit)
			if err != nil {
				return nil, err
			}
			w.bad, w.failed = append(w.bad, bad), append(w.failed, failed)
		}
	}
	return w, nil
}

func (w *workload) session(id *protocol.Identity, secret *protocol.ClientSecret, permit *protocol.Permit) (s protocol.Session, f *protocol.FailedLogin, err error) {
	p, err := w.suite.NewProver(id, secret, permit, rand.Reader)
	if err != nil {
		return s, nil, err
	}
	c, err := w.verifier.Challenge(id, p.Pass1(), w.date, rand.Reader)
	if err != nil {
		return s, nil, err
	}
	start := processTime()
	v, err := p.Pass2(c.Y())
	w.answers = append(w.answers, processTime()-start)
	if err != nil {
		return s, nil, err
	}
	f = &protocol.FailedLogin{Date: w.date, Pass1: p.Pass1(), Y: c.Y(), V: v}
	return protocol.Session{Identity: id, Transcript: &protocol.Transcript{Date: w.date, U: p.Pass1().UT, Y: c.Y(), V: v}}, f, nil
}

// verifyOne verifies one login as an RPS does: pass 1 was decoded before.
func (w *workload) verifyOne(i int) (time.Duration, error) {
	id := w.good[i].Identity
	p, err := w.suite.NewProver(id, w.secrets[i], w.permits[i], rand.Reader)
	if err != nil {
		return 0, err
	}
	c, err := w.verifier.Challenge(id, p.Pass1(), w.date, rand.Reader)
	if err != nil {
		return 0, err
	}
	v, err := p.Pass2(c.Y())
	if err != nil {
		return 0, err
	}
	start := processTime()
	err = c.Verify(v)
	return processTime() - start, err
}

// verifyMany is the time of the k-th batch of a size.
func (w *workload) verifyMany(n, bad, k int) (time.Duration, error) {
	sessions := make([]protocol.Session, n)
	for i := range sessions {
		sessions[i] = w.good[(i+k*n)%len(w.good)]
	}
	for i := range bad { // apart from each other
		sessions[(i*n/bad+k)%n] = w.bad[i]
	}
	start := processTime()
	verdicts := w.verifier.VerifyBatch(sessions, rand.Reader)
	took := processTime() - start
	rejected := 0
	for _, err := range verdicts {
		if errors.Is(err, protocol.ErrRejected) {
			rejected++
		} else if err != nil {
			return 0, err
		}
	}
	if rejected != bad {
		return 0, fmt.Errorf("%d of %d bad logins were rejected", rejected, bad)
	}
	return took, nil
}

// pins is the range of the PIN errors that an RPS looks for: six digits.
const pins = 1_000_000

func (w *workload) findPIN(ctx context.Context, times int) (Dist, error) {
	var took []time.Duration
	for i := range times {
		if err := ctx.Err(); err != nil {
			return Dist{}, err
		}
		k := i % len(w.bad)
		start := processTime()
		_, err := w.verifier.PINError(w.bad[k].Identity, w.failed[k], pins)
		if errors.Is(err, protocol.ErrNoPairing) {
			return Constant(0), nil // this backend cannot, and so the RPS does not
		}
		if err != nil {
			return Dist{}, err
		}
		took = append(took, processTime()-start)
	}
	return Measured(withoutStrays(took))
}
