package capacity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/deploy"
)

// batchSizes and badOnes are the batches that are measured. The policy keeps
// the bad logins that a batch is expected to have below one.
var (
	batchSizes = []int{1, 2, 4, 8, 16, 32, 64, 128, 256}
	badOnes    = []int{0, 1, 2, 3}
)

// crypto measures the cryptography of an RPS on the servers' CPU, and the verdicts with
// it.
func (e *Entry) crypto(ctx context.Context, m *machine, suite *protocol.Suite, samples int) error {
	if err := deploy.Pin(os.Getpid(), []int{m.server}); err != nil {
		return err
	}
	w, err := e.onOne(ctx, m, suite, samples)
	if err := errors.Join(err, deploy.Pin(os.Getpid(), m.all)); err != nil {
		return err
	}
	e.Contention, err = w.contention(ctx, max(4, samples/20))
	return err
}

// processors sets GOMAXPROCS until undone, whereupon it follows the CPUs that this process
// is pinned to again, unless the environment says what it is.
func processors(n int) (undo func()) {
	old := runtime.GOMAXPROCS(n)
	if os.Getenv("GOMAXPROCS") != "" {
		return func() { runtime.GOMAXPROCS(old) }
	}
	return runtime.SetDefaultGOMAXPROCS
}

// onOne is what is measured on one CPU.
func (e *Entry) onOne(ctx context.Context, m *machine, suite *protocol.Suite, samples int) (*workload, error) {
	defer processors(1)()
	begun := time.Now()
	w, err := newWorkload(suite, batchSizes[len(batchSizes)-1])
	if err != nil {
		return nil, err
	}
	var verify []span
	for i := range samples + samples/10 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := w.verifyOne(i % len(w.good))
		if err != nil {
			return nil, err
		}
		if i >= samples/10 {
			verify = append(verify, s)
		}
	}
	batches := map[BatchCost][]span{} // by N and Bad
	manners := map[int][]manner{}     // by N, of those without bad logins
	for _, n := range batchSizes {
		for _, bad := range badOnes {
			if bad > n || n == 1 && bad > 0 {
				continue
			}
			c := BatchCost{N: n, Bad: bad}
			e.Batch = append(e.Batch, c)
			for k := range max(7, samples/(4*n)) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				s, g, err := w.verifyMany(n, bad, k)
				if err != nil {
					return nil, err
				}
				batches[c] = append(batches[c], s)
				if bad == 0 {
					manners[n] = append(manners[n], g)
				}
				// Over the whole time, since the machine has several speeds.
				if s, err = w.verifyOne(k % len(w.good)); err != nil {
					return nil, err
				}
				verify = append(verify, s)
			}
		}
	}
	findPIN, err := w.findPIN(ctx, max(5, samples/20))
	if err != nil {
		return nil, err
	}
	if e.Scale, err = m.newScale(m.server, begun); err != nil {
		return nil, err
	}
	for i, c := range e.Batch {
		list, err := m.scaledAll(m.server, e.Scale, batches[c])
		if err != nil {
			return nil, err
		}
		var us []float64
		for _, d := range list {
			us = append(us, d.Seconds()*1e6)
		}
		e.Batch[i].Time = median(us)
		if c.Bad == 0 {
			e.Batch[i].Turns, e.Batch[i].First = usual(manners[c.N])
		}
	}
	for _, to := range []struct {
		d    *Dist
		list []span
	}{{&e.Verify, verify}, {&e.Answer, w.answers}, {&e.FindPIN, findPIN}} {
		list, err := m.scaledAll(m.server, e.Scale, to.list)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			continue // this backend cannot, and so the RPS does not
		}
		if *to.d, err = Measured(list); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// contention is the time of verifying while every CPU verifies over that while
// the others have nothing of ours to do, the median of turns.
func (w *workload) contention(ctx context.Context, turns int) (float64, error) {
	n := runtime.NumCPU()
	defer processors(n)()
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
	answers   []span                  // of computing V
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
	var v []byte
	answer, err := worked(processTime, func() (err error) {
		v, err = p.Pass2(c.Y())
		return err
	})
	if err != nil {
		return s, nil, err
	}
	w.answers = append(w.answers, answer)
	f = &protocol.FailedLogin{Date: w.date, Pass1: p.Pass1(), Y: c.Y(), V: v}
	return protocol.Session{Identity: id, Transcript: &protocol.Transcript{Date: w.date, U: p.Pass1().UT, Y: c.Y(), V: v}}, f, nil
}

// verifyOne verifies one login as an RPS does: pass 1 was decoded before.
func (w *workload) verifyOne(i int) (s span, err error) {
	id := w.good[i].Identity
	p, err := w.suite.NewProver(id, w.secrets[i], w.permits[i], rand.Reader)
	if err != nil {
		return s, err
	}
	c, err := w.verifier.Challenge(id, p.Pass1(), w.date, rand.Reader)
	if err != nil {
		return s, err
	}
	v, err := p.Pass2(c.Y())
	if err != nil {
		return s, err
	}
	return worked(processTime, func() error { return c.Verify(v) })
}

// manner is how a batch ran on one CPU: the goroutines that it made, and after what share
// of its time it first gave way to others.
type manner struct {
	goroutines uint64
	first      float64
}

// usual is the median of manners; a share of 0 stands for a batch that gives way nowhere,
// or that takes so long that it is made to.
func usual(list []manner) (turns, first float64) {
	var all, shares []float64
	for _, m := range list {
		all, shares = append(all, float64(m.goroutines)), append(shares, m.first)
	}
	if turns = median(all); turns > 0 {
		first = median(shares)
	}
	return turns, first
}

// observed runs something on one CPU and tells its manner, for which a goroutine waits
// that runs as soon as it may.
func observed(do func()) (m manner) {
	created := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	count := func() uint64 {
		metrics.Read(created)
		if created[0].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return created[0].Value.Uint64()
	}
	before := count()
	start := processTime()
	waited := make(chan time.Duration, 1)
	go func() { waited <- processTime() - start }()
	do()
	took := processTime() - start
	if n := count() - before; n > 1 {
		m.goroutines = n - 1
	}
	if first := <-waited; first < took && took < time.Duration(slice) {
		m.first = first.Seconds() / took.Seconds()
	}
	return m
}

// verifyMany verifies the k-th batch of a size.
func (w *workload) verifyMany(n, bad, k int) (s span, m manner, err error) {
	sessions := make([]protocol.Session, n)
	for i := range sessions {
		sessions[i] = w.good[(i+k*n)%len(w.good)]
	}
	for i := range bad { // apart from each other
		sessions[(i*n/bad+k)%n] = w.bad[i]
	}
	var verdicts []error
	m = observed(func() {
		s, _ = worked(processTime, func() error {
			verdicts = w.verifier.VerifyBatch(sessions, rand.Reader)
			return nil
		})
	})
	rejected := 0
	for _, err := range verdicts {
		if errors.Is(err, protocol.ErrRejected) {
			rejected++
		} else if err != nil {
			return s, m, err
		}
	}
	if rejected != bad {
		return s, m, fmt.Errorf("%d of %d bad logins were rejected", rejected, bad)
	}
	return s, m, nil
}

// pins is the range of the PIN errors that an RPS looks for: six digits.
const pins = 1_000_000

// findPIN finds out so often how wrong a PIN was; never where the backend cannot.
func (w *workload) findPIN(ctx context.Context, times int) (list []span, err error) {
	for i := range times {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k := i % len(w.bad)
		s, err := worked(processTime, func() error {
			_, err := w.verifier.PINError(w.bad[k].Identity, w.failed[k], pins)
			return err
		})
		if errors.Is(err, protocol.ErrNoPairing) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
