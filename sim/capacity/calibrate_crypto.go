package capacity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
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
	// The server's collector is in its requests' times.
	runtime.GC()
	limit, percent := debug.SetMemoryLimit(memory), debug.SetGCPercent(-1)
	defer func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) }()
	w, err := newWorkload(suite, batchSizes[len(batchSizes)-1])
	if err != nil {
		return err
	}
	// The yardstick is from the same time: the first of many.
	var ticks []time.Duration
	tick := func() error {
		took, err := w.tick(len(ticks), processTime)
		ticks = append(ticks, took)
		return err
	}
	var verify []time.Duration
	for i := range samples + samples/10 {
		if i%4 == 0 {
			if err := tick(); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		took, err := w.verifyOne(i % len(w.good))
		if err != nil {
			return err
		}
		if i >= samples/10 {
			verify = append(verify, took)
		}
	}
	if e.Verify, err = Measured(withoutStrays(verify)); err != nil {
		return err
	}
	few := func() (float64, error) {
		for range 4 {
			if err := tick(); err != nil {
				return 0, err
			}
		}
		return meanTick(ticks[len(ticks)-4:]), nil
	}
	var pace []float64 // while each batch was measured
	for _, n := range batchSizes {
		before, err := few()
		if err != nil {
			return err
		}
		for _, bad := range badOnes {
			if bad > n || n == 1 && bad > 0 {
				continue
			}
			cost, err := w.verifyMany(ctx, n, bad, max(7, samples/(4*n)))
			if err != nil {
				return err
			}
			e.Batch = append(e.Batch, BatchCost{N: n, Bad: bad, Time: float64(cost.Nanoseconds()) / 1000})
		}
		after, err := few()
		if err != nil {
			return err
		}
		for len(pace) < len(e.Batch) {
			pace = append(pace, (before+after)/2)
		}
	}
	e.Yardstick = meanTick(ticks)
	for i := range e.Batch {
		e.Batch[i].Time *= e.Yardstick / pace[i]
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

// withoutStrays leaves out what took more than ten times the median: somebody
// else had the CPU, and the CPU time of the requests has no such thing either.
func withoutStrays(sample []time.Duration) []time.Duration {
	d, err := Measured(sample)
	if err != nil {
		return sample
	}
	kept := sample[:0:0]
	for _, s := range sample {
		if s <= 10*d.Quantile(0.5) {
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

// verifyMany is the median time of a batch.
func (w *workload) verifyMany(ctx context.Context, n, bad, times int) (time.Duration, error) {
	sessions := make([]protocol.Session, n)
	var took []time.Duration
	for k := range times {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for i := range sessions {
			sessions[i] = w.good[(i+k*n)%len(w.good)]
		}
		for i := range bad { // apart from each other
			sessions[(i*n/bad+k)%n] = w.bad[i]
		}
		start := processTime()
		verdicts := w.verifier.VerifyBatch(sessions, rand.Reader)
		took = append(took, processTime()-start)
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
	}
	d, err := Measured(took)
	return d.Quantile(0.5), err
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
