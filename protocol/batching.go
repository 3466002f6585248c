package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"mpinlab/backends"
)

var (
	// ErrOverloaded: more logins are waiting than a BatchingVerifier may hold.
	// The login was not looked at and may be tried again.
	ErrOverloaded = errors.New("too many logins are waiting")
	// ErrClosed: the verifier was closed.
	ErrClosed = errors.New("verifier is closed")
)

// BatchingOptions say how a BatchingVerifier works. The zero value is ready
// for use.
type BatchingOptions struct {
	// Batch is the greatest number of logins verified together; 0 means 256. A
	// login waits for its whole batch, 20 ms for 256 on gnark/bls12-381.
	Batch int
	// Waiting is the greatest number of logins that wait; 0 means 10000. Each
	// takes about 4 KB, most of it the stack of the goroutine that waits.
	Waiting int
	// Workers is the number of batches verified at a time; 0 means GOMAXPROCS.
	Workers int
	// Delay is how long a login may wait for others while a worker is free, so
	// that fewer, larger batches leave more of the CPU to other work. A login
	// that finds all workers free never waits. The default, 0, is best for
	// the logins themselves at any load: see [BatchingVerifier].
	Delay time.Duration
	// Rand is the source of weights, safe for concurrent use; nil is the
	// system's.
	Rand io.Reader
	// Observe, if not nil, is told the size of each batch that is about to be verified.
	// All workers call it.
	Observe func(logins int)
}

// BatchingVerifier verifies the logins that many goroutines bring at the same
// time in batches, on all CPUs. It is safe for concurrent use.
//
// # Policy
//
// A free worker takes what is waiting, at once, so that an unloaded server
// verifies each login alone as soon as it is there, and batches grow by
// themselves while all workers are busy: with their number as the load
// comes near to what single verification can bear, and not before. A worker
// takes at most
//
//   - Batch logins,
//   - its share, one in Workers, of all logins waiting and being verified, so
//     that one does not take everything and leave the others single logins,
//   - as many as pay at the present share p of bad logins (a moving average
//     over about 256): patience/p.
//
// Logins are taken in the order of their arrival, good ones and bad ones
// alike. A flood of wrong PINs makes batches smaller down to single
// verification, which no number of bad logins can make slower; what does not
// fit into the queue is refused at once with ErrOverloaded.
//
// The limit follows the cost of a login in µs on gnark/bls12-381, one CPU
// (BenchmarkVerifyBatch, 1024 logins each; Xeon, 2026-11-23, before that backend
// interleaved short sums, since when batches of 4 to 24 cost 0.7 to 0.9 of it):
//
//	bad     batch of 1    4    16    64   256
//	0 %            769  458   228   138    79
//	1 %            757  487   318   296   328
//	2 %            770  518   374   408   451
//	5 %            771  620   579   682   741
//	10 %           770  735   842   940   997
//	20 %           759  951  1128  1102   920
//	50 %           756 1391  1350  1006   836
//	100 %          757 1642  1219   963   825
//
// With it 512 clients that log in without pause, on one CPU, had this then
// (BenchmarkBatchingVerifier):
//
//	bad                0 %   1 %   5 %  10 %  20 %  50 %  100 %
//	logins a second  11400  3160  1750  1380  1280  1280   1300
//	p99 in ms           51   210   321   394   460   424    408
//
// With 2048 clients and no bad logins a second CPU brought 85 µs a login down to
// 44. Logins that arrive at random, at 90 % of what one CPU verifies one by one,
// had a p99 of 4.0 ms without Delay, 5.0 with 1 ms and 9.9 with 5 ms; at 200 %,
// 5.7, 6.1 and 13.5 (BenchmarkBatchingOpen).
type BatchingVerifier struct {
	verifier *Verifier
	opt      BatchingOptions

	mu          sync.Mutex
	wake        sync.Cond // a login came, or the verifier was closed
	first, last *waiting  // in order of arrival
	stats       BatchingStats
	busy        int // workers verifying
	closed      bool
	workers     sync.WaitGroup
}

// BatchingStats are a BatchingVerifier's counters since it was made, and its
// state.
type BatchingStats struct {
	// Verified logins got a verdict; Bad ones among them were rejected or not
	// in the subgroup. Given up are those whose callers left the queue.
	Verified, Bad, GivenUp, Overloaded uint64
	// Batches is the number of times a worker verified something.
	Batches uint64
	// Waiting and Verifying are the numbers of logins there at the moment.
	Waiting, Verifying int
	// BadShare is the moving average of the share of bad logins, and Limit
	// the greatest batch that it allows.
	BadShare float64
	Limit    int
}

// waiting is a login in the queue.
type waiting struct {
	login      login
	arrived    time.Time
	done       chan error
	prev, next *waiting
	queued     bool
}

// NewBatchingVerifier starts the workers. Close ends them.
func NewBatchingVerifier(v *Verifier, opt BatchingOptions) *BatchingVerifier {
	if opt.Batch <= 0 {
		opt.Batch = 256
	}
	if opt.Waiting <= 0 {
		opt.Waiting = 10000
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	b := &BatchingVerifier{verifier: v, opt: opt}
	b.wake.L = &b.mu
	for range opt.Workers {
		b.workers.Go(b.work)
	}
	return b
}

// Verify is [Verifier.Verify], in a batch where there are others. Errors, in
// addition: ErrOverloaded, ErrClosed, and ctx's once it has ended, even while
// the login is being verified. t may be used again when Verify has returned.
func (b *BatchingVerifier) Verify(ctx context.Context, id *Identity, t *Transcript) error {
	if !b.verifier.suite.same(id.suite) {
		return ErrSuiteMismatch
	}
	g1, _, scalar := b.verifier.suite.id.Sizes()
	if len(t.U) > g1 || len(t.Y) > scalar || len(t.V) > g1 {
		// Malformed; it does not get to fill the queue's memory.
		return b.verifier.Verify(id, t)
	}
	all := slices.Concat(t.U, t.Y, t.V)
	y, v := len(t.U), len(t.U)+len(t.Y)
	return b.wait(ctx, &waiting{login: login{
		id:         id,
		transcript: &Transcript{Date: t.Date, U: all[:y], Y: all[y:v], V: all[v:]},
	}})
}

// VerifyChallenge is [Challenge.Verify], in a batch where there are others. The
// challenge is used up even if ctx ends, or the verifier is overloaded or
// closed. Errors: ErrUsed, ErrSuiteMismatch, and those of Verify.
func (b *BatchingVerifier) VerifyChallenge(ctx context.Context, c *Challenge, v []byte) error {
	if c.verifier != b.verifier {
		return ErrSuiteMismatch
	}
	if c.used.Swap(true) {
		return fmt.Errorf("challenge: %w", ErrUsed)
	}
	if g1, _, _ := b.verifier.suite.id.Sizes(); len(v) > g1 {
		return b.verifier.judge(c.id, c.date, c.u, c.y, v)
	}
	return b.wait(ctx, &waiting{login: login{id: c.id, challenge: c, answer: slices.Clone(v)}})
}

// Stats returns the counters.
func (b *BatchingVerifier) Stats() BatchingStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Limit = b.limit()
	return s
}

// Close refuses further logins, verifies those that are waiting, and returns
// when all have their verdicts. It may be called more than once.
func (b *BatchingVerifier) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wake.Broadcast()
	b.workers.Wait()
}

func (b *BatchingVerifier) wait(ctx context.Context, w *waiting) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.done = make(chan error, 1)
	if err := b.enter(w); err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		b.leave(w)
		return ctx.Err()
	}
}

func (b *BatchingVerifier) enter(w *waiting) error {
	if b.opt.Delay > 0 {
		w.arrived = time.Now()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	if b.stats.Waiting >= b.opt.Waiting {
		b.stats.Overloaded++
		return fmt.Errorf("%w: %d", ErrOverloaded, b.stats.Waiting)
	}
	w.queued, w.prev = true, b.last
	if b.last != nil {
		b.last.next = w
	} else {
		b.first = w
	}
	b.last = w
	b.stats.Waiting++
	b.wake.Signal()
	return nil
}

// leave takes a login out of the queue if it is still there.
func (b *BatchingVerifier) leave(w *waiting) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.queued {
		b.remove(w)
		b.stats.GivenUp++
	}
}

func (b *BatchingVerifier) remove(w *waiting) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		b.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		b.last = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	b.stats.Waiting--
}

// work is a worker.
func (b *BatchingVerifier) work() {
	var batch []*waiting
	var logins []login
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for b.stats.Waiting == 0 && !b.closed {
			b.wake.Wait()
		}
		if b.stats.Waiting == 0 {
			return // closed, and nothing is left
		}
		// Callers that are ready to run come in first: what they bring joins
		// the batch. An idle server has none, and goes on at once.
		b.mu.Unlock()
		runtime.Gosched()
		b.mu.Lock()
		if b.stats.Waiting == 0 {
			continue
		}
		if d := b.delay(); d > 0 {
			timer := time.AfterFunc(d, b.wakeAll)
			b.wake.Wait()
			timer.Stop()
			continue
		}
		batch, logins = batch[:0], logins[:0]
		for range b.share() {
			w := b.first
			b.remove(w)
			batch, logins = append(batch, w), append(logins, w.login)
		}
		b.stats.Batches++
		b.stats.Verifying += len(batch)
		b.busy++
		b.mu.Unlock()

		if b.opt.Observe != nil {
			b.opt.Observe(len(batch))
		}
		verdicts := b.verifier.verifyLogins(logins, b.opt.Rand)
		bad := 0
		for i, w := range batch {
			if err := verdicts[i]; errors.Is(err, ErrRejected) || errors.Is(err, backends.ErrNotInSubgroup) {
				bad++
			}
			w.done <- verdicts[i]
		}
		n := len(batch)
		clear(batch) // for the garbage collector
		clear(logins)

		b.mu.Lock()
		b.busy--
		b.stats.Verifying -= n
		b.stats.Verified += uint64(n)
		b.stats.Bad += uint64(bad)
		weight := min(1, float64(n)/memory)
		b.stats.BadShare += weight * (float64(bad)/float64(n) - b.stats.BadShare)
	}
}

// wakeAll takes the lock, so that it cannot come between a worker's decision to
// wait and its waiting.
func (b *BatchingVerifier) wakeAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake.Broadcast()
}

const (
	// memory is the number of logins over which the share of bad ones is
	// averaged.
	memory = 256
	// patience is the number of bad logins that a batch is expected to have at
	// its greatest size, and singleFrom the share from which logins are
	// verified one by one.
	patience, singleFrom = 0.4, 0.15
)

// limit is the greatest batch that pays at the present share of bad logins.
func (b *BatchingVerifier) limit() int {
	switch p := b.stats.BadShare; {
	case p >= singleFrom:
		return 1
	case p*float64(b.opt.Batch) > patience:
		return int(patience / p)
	}
	return b.opt.Batch
}

// share is how many of the waiting logins a free worker takes.
func (b *BatchingVerifier) share() int {
	all := b.stats.Waiting + b.stats.Verifying
	return min(b.stats.Waiting, b.limit(), (all+b.opt.Workers-1)/b.opt.Workers)
}

// delay is how long a free worker still waits for a larger batch.
func (b *BatchingVerifier) delay() time.Duration {
	if b.opt.Delay <= 0 || b.closed || b.busy == 0 && b.stats.Waiting == 1 || b.stats.Waiting >= b.limit() {
		return 0
	}
	return b.opt.Delay - time.Since(b.first.arrived)
}
