package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// gate is a source of randomness that gives nothing before it is opened: a
// worker that wants weights stands still.
type gate struct {
	reached, open chan struct{}
	once          sync.Once
}

func newGate() *gate { return &gate{reached: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) Read(p []byte) (int, error) {
	g.once.Do(func() { close(g.reached) })
	<-g.open
	for i := range p {
		p[i] = byte(i + 1)
	}
	return len(p), nil
}

// until waits for a condition that is bound to come true.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 30000 {
		if f() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// stall brings the only worker of b, which has gate as its source, to a stop in
// a batch of several logins. Their verdicts come on the channel.
func stall(t *testing.T, b *protocol.BatchingVerifier, g *gate, good []protocol.Session) chan error {
	t.Helper()
	verdicts := make(chan error, 1<<16)
	for begun := uint64(8); ; begun += 8 {
		for range 8 {
			go func() {
				verdicts <- b.Verify(context.Background(), good[0].Identity, good[0].Transcript)
			}()
		}
		select {
		case <-g.reached:
			until(t, "all have come in", func() bool {
				s := b.Stats()
				return s.Verified+uint64(s.Verifying+s.Waiting) == begun
			})
			return verdicts
		case <-time.After(50 * time.Millisecond):
			// The worker came too early and took them one by one.
		}
	}
}

func TestBatchingSaysWhatVerifySays(t *testing.T) {
	for _, backend := range []string{"gnark/bls12-381", "blst/bls12-381", "gnark/bn254", "circl/bls12-381"} {
		t.Run(backend, func(t *testing.T) {
			v, good, bad := batchWorld(t, backend, 48)
			for _, opt := range []protocol.BatchingOptions{
				{},
				{Batch: 5, Workers: 3},
				{Delay: time.Millisecond, Workers: 1},
				{Batch: 1},
			} {
				b := protocol.NewBatchingVerifier(v, opt)
				var wg sync.WaitGroup
				for i := range good {
					wg.Go(func() {
						if err := b.Verify(context.Background(), good[i].Identity, good[i].Transcript); err != nil {
							t.Errorf("%+v: a good login: %v", opt, err)
						}
					})
					if i%5 == 0 {
						wg.Go(func() {
							if err := b.Verify(context.Background(), bad[i].Identity, bad[i].Transcript); !errors.Is(err, protocol.ErrRejected) {
								t.Errorf("%+v: a bad login: %v", opt, err)
							}
						})
					}
				}
				wg.Wait()
				b.Close()
				s := b.Stats()
				if s.Verified != 58 || s.Bad != 10 || s.Waiting != 0 || s.Verifying != 0 {
					t.Errorf("%+v: counted %+v", opt, s)
				}
			}
		})
	}
}

// TestBatchingMalformed: what is malformed gets the same error as ever, also
// where it is too long for the queue.
func TestBatchingMalformed(t *testing.T) {
	w := fastWorld(t, "gnark/bls12-381")
	b := protocol.NewBatchingVerifier(w.verifier, protocol.BatchingOptions{})
	defer b.Close()
	u, other := w.user("alice@example.com"), w.user("bob@example.com")
	good := w.session(u, u.pin, 0)
	for _, f := range flaws {
		s := f.make(w, u, other, good)
		if got, want := b.Verify(context.Background(), s.Identity, s.Transcript), w.verifier.Verify(s.Identity, s.Transcript); !sameError(got, want) {
			t.Errorf("%s: %v, alone %v", f.name, got, want)
		}
	}
	for _, long := range []*protocol.Transcript{
		{U: make([]byte, 1<<20), Y: good.Transcript.Y, V: good.Transcript.V},
		{U: good.Transcript.U, Y: good.Transcript.Y, V: make([]byte, 1<<20)},
	} {
		if err := b.Verify(context.Background(), u.id, long); !errors.Is(err, backends.ErrLength) {
			t.Errorf("a megabyte: %v", err)
		}
	}
	foreign := fastWorld(t, "gnark/bn254").identity("alice@example.com")
	if err := b.Verify(context.Background(), foreign, good.Transcript); !errors.Is(err, protocol.ErrSuiteMismatch) {
		t.Errorf("identity of another suite: %v", err)
	}
}

func TestBatchingChallenge(t *testing.T) {
	w := fastWorld(t, "gnark/bls12-381")
	b := protocol.NewBatchingVerifier(w.verifier, protocol.BatchingOptions{Workers: 1})
	defer b.Close()
	var wg sync.WaitGroup
	for i := range 20 {
		u := w.user(fmt.Sprint("user", i))
		date := dates(w.suite)[i%2]
		pin, want := u.pin, error(nil)
		if i%7 == 3 {
			pin, want = (u.pin+1)%10000, protocol.ErrRejected
		}
		p := w.prover(u, pin, w.permit(u.id, date))
		c := must(w.verifier.Challenge(u.id, p.Pass1(), date, nil))
		answer := must(p.Pass2(c.Y()))
		wg.Go(func() {
			if err := b.VerifyChallenge(context.Background(), c, answer); !errors.Is(err, want) {
				t.Errorf("login %d: %v, expected %v", i, err, want)
			}
			if err := b.VerifyChallenge(context.Background(), c, answer); !errors.Is(err, protocol.ErrUsed) {
				t.Errorf("login %d, again: %v", i, err)
			}
		})
	}
	wg.Wait()
	u := w.user("malformed")
	fresh := func() *protocol.Challenge {
		return must(w.verifier.Challenge(u.id, w.prover(u, u.pin, nil).Pass1(), 0, nil))
	}
	for _, answer := range [][]byte{nil, {1}, make([]byte, 1<<20)} {
		if err := b.VerifyChallenge(context.Background(), fresh(), answer); !errors.Is(err, backends.ErrLength) {
			t.Errorf("an answer of %d bytes: %v", len(answer), err)
		}
	}
	other := must(w.suite.NewVerifier(w.server))
	c := must(other.Challenge(u.id, w.prover(u, u.pin, nil).Pass1(), 0, nil))
	if err := b.VerifyChallenge(context.Background(), c, nil); !errors.Is(err, protocol.ErrSuiteMismatch) {
		t.Errorf("a challenge of another verifier: %v", err)
	}
}

// TestBatchingOverload fills the queue behind a worker that stands still.
func TestBatchingOverload(t *testing.T) {
	v, good, _ := batchWorld(t, "gnark/bn254", 8)
	g := newGate()
	const limit = 100
	b := protocol.NewBatchingVerifier(v, protocol.BatchingOptions{Workers: 1, Waiting: limit, Rand: g})
	verdicts := stall(t, b, g, good)

	ctx, cancel := context.WithCancel(context.Background())
	given := make(chan error, limit)
	left := limit - b.Stats().Waiting
	for range left {
		go func() { given <- b.Verify(ctx, good[1].Identity, good[1].Transcript) }()
	}
	until(t, "the queue is full", func() bool { return b.Stats().Waiting == limit })
	if err := b.Verify(ctx, good[2].Identity, good[2].Transcript); !errors.Is(err, protocol.ErrOverloaded) {
		t.Errorf("one too many: %v", err)
	}
	// Callers who give up make room at once.
	cancel()
	for range left {
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
	}
	until(t, "room is made", func() bool { return b.Stats().Waiting == limit-left })
	if s := b.Stats(); s.GivenUp != uint64(left) || s.Overloaded != 1 {
		t.Errorf("counted %+v", s)
	}
	if err := b.Verify(ctx, good[2].Identity, good[2].Transcript); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}

	// Close lets those that wait have their verdicts, and nobody else in.
	waiting := b.Stats().Waiting + b.Stats().Verifying
	closed := make(chan struct{})
	go func() { b.Close(); close(closed) }()
	until(t, "closed", func() bool {
		// It must not wait where it comes too early.
		short, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		return errors.Is(b.Verify(short, good[3].Identity, good[3].Transcript), protocol.ErrClosed)
	})
	close(g.open)
	<-closed
	for range waiting {
		if err := <-verdicts; err != nil {
			t.Errorf("drained: %v", err)
		}
	}
	b.Close()
}

// TestBatchingMemory: 10,000 waiting logins stay under 64 MB, the goroutines
// that wait included.
func TestBatchingMemory(t *testing.T) {
	const n = 10000
	v, good, _ := batchWorld(t, "gnark/bls12-381", 4)
	g := newGate()
	b := protocol.NewBatchingVerifier(v, protocol.BatchingOptions{Workers: 1, Rand: g})
	stall(t, b, g, good)
	used := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before := used()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := b.Stats().Waiting; i < n; i++ {
		wg.Go(func() { b.Verify(ctx, good[i%4].Identity, good[i%4].Transcript) })
	}
	until(t, "all are waiting", func() bool { return b.Stats().Waiting == n })
	after := used()
	t.Logf("%d waiting logins take %.1f MB", n, float64(after-before)/1e6)
	if after-before > 64e6 {
		t.Error("more than 64 MB")
	}
	cancel()
	wg.Wait()
	close(g.open)
	b.Close()
}

// TestBatchingFlood: under nothing but wrong PINs batches shrink to single
// logins, and grow again when it is over.
func TestBatchingFlood(t *testing.T) {
	v, good, bad := batchWorld(t, "gnark/bn254", 32)
	b := protocol.NewBatchingVerifier(v, protocol.BatchingOptions{})
	defer b.Close()
	all := func(sessions []protocol.Session) {
		var wg sync.WaitGroup
		for range 16 {
			for _, s := range sessions {
				wg.Go(func() { b.Verify(context.Background(), s.Identity, s.Transcript) })
			}
		}
		wg.Wait()
	}
	all(bad)
	until(t, "counted", func() bool { return b.Stats().Verifying == 0 })
	if s := b.Stats(); s.Limit != 1 || s.Bad != 512 || s.BadShare < 0.5 {
		t.Errorf("in the flood: %+v", s)
	}
	for range 4 {
		all(good)
	}
	until(t, "counted", func() bool { return b.Stats().Verifying == 0 })
	if s := b.Stats(); s.Limit < 32 || s.BadShare > 0.02 {
		t.Errorf("after the flood: %+v", s)
	}
}

// TestBatchingStress mixes good and bad logins, deadlines of all lengths and
// Close, for the race detector, and looks for goroutines left behind.
func TestBatchingStress(t *testing.T) {
	v, good, bad := batchWorld(t, "gnark/bn254", 32)
	for round := range 3 {
		b := protocol.NewBatchingVerifier(v, protocol.BatchingOptions{Waiting: 40, Workers: 1 + round, Delay: time.Duration(round) * 200 * time.Microsecond})
		var wg sync.WaitGroup
		for c := range 48 {
			wg.Go(func() {
				rng := rand.New(rand.NewSource(int64(100*round + c)))
				for range 12 {
					i := rng.Intn(len(good))
					s, wrong := good[i], rng.Intn(4) == 0
					if wrong {
						s = bad[i]
					}
					mine := *s.Transcript
					mine.V = append([]byte(nil), mine.V...)
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.ExpFloat64()*float64(5*time.Millisecond)))
					err := b.Verify(ctx, s.Identity, &mine)
					cancel()
					mine.V[0] ^= 1 // ours again
					switch {
					case err == nil && !wrong, errors.Is(err, protocol.ErrRejected) && wrong:
					case errors.Is(err, context.DeadlineExceeded), errors.Is(err, protocol.ErrOverloaded), errors.Is(err, protocol.ErrClosed):
					default:
						t.Errorf("wrong is %v: %v", wrong, err)
					}
				}
			})
		}
		if round == 2 {
			time.Sleep(20 * time.Millisecond)
			b.Close() // under load
		}
		wg.Wait()
		b.Close()
		if s := b.Stats(); s.Waiting != 0 || s.Verifying != 0 {
			t.Errorf("left behind: %+v", s)
		}
	}
	until(t, "all goroutines have ended", func() bool {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		return !strings.Contains(string(stacks), "BatchingVerifier).w")
	})
}
