package bench

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"mpinlab/bench/direct"
	"mpinlab/protocol"
)

// A verifier is saturated by saturating clients: each begins its next login
// when the last is answered. Of their logins a share is bad: another session's
// answer, which takes the whole equation to refuse.
const (
	saturating = 256
	// steady is the number of verdicts after which the queue is as it will be.
	steady = saturating / 8
	// together is the number of logins that begin at the same moment where the
	// 99th percentile is measured: the time of the last but one.
	together = 100
)

// Two ways of verifying what waits in one queue, and at which shares of bad
// logins in percent they are measured. One by one costs the same at any.
var queues = []struct {
	name, doc string
	options   protocol.BatchingOptions
	bad       []int
}{
	{"BatchingVerifier", "the batching verifier", protocol.BatchingOptions{}, []int{0, 1, 2, 5, 10, 20, 50}},
	{"SingleVerifier", "a verifier that takes logins one by one from the same queue", protocol.BatchingOptions{Batch: 1}, []int{0, 50}},
}

// saturatedBackend is the one on which the batching verifier's policy was
// chosen. These rows take seconds, and others would show the same.
const saturatedBackend = "gnark/bls12-381"

// saturatedOps are verifiers under more load than they bear.
var saturatedOps = func() (ops []protocolOp) {
	add := func(o Operation, bad, perRun int, build func(w *world) (*direct.Op, func(int) []byte)) {
		ops = append(ops, protocolOp{
			Operation: o, n: bad, nName: "bad", perRun: perRun, concurrent: true,
			needs: func(s *protocol.Suite) bool { return s.Backend().Info().ID == saturatedBackend },
			build: build,
		})
	}
	for _, q := range queues {
		for _, bad := range q.bad {
			o := Operation{q.name, q.doc + " is kept saturated by 256 clients, of whose logins bad in a hundred are rejected; cost of one login"}
			add(o, bad, saturating, func(w *world) (*direct.Op, func(int) []byte) {
				s := w.saturate(q.options, bad, saturating)
				return s.op(s.answer), w.always
			})
		}
		for _, bad := range q.bad {
			o := Operation{q.name + "P99", "156 clients saturate " + q.doc + " as in " + q.name + ", and 100 more log in at the same moment; time until 99 of these have their verdicts"}
			add(o, bad, 1, func(w *world) (*direct.Op, func(int) []byte) {
				s := w.saturate(q.options, bad, saturating-together)
				return s.op(s.burst), w.always
			})
		}
	}
	return ops
}()

// saturated is a verifier with its clients, who are at work from Prepare to
// Check.
type saturated struct {
	options   protocol.BatchingOptions
	bad       int // in a hundred
	clients   int
	good      []protocol.Session
	wrong     []protocol.Session
	verifier  func() *protocol.BatchingVerifier
	stopping  atomic.Bool
	working   sync.WaitGroup
	mistakes  atomic.Int64
	mu        sync.Mutex
	verdicts  int
	wanted    int           // verdicts after which reached is closed
	reached   chan struct{} // nil while nobody waits
	lastBurst uint64
}

// saturate makes the sessions. The verifier is made in the first series, when
// GOMAXPROCS is what it will be, and stays, for it remembers the share of bad
// logins.
func (w *world) saturate(options protocol.BatchingOptions, bad, clients int) *saturated {
	s := &saturated{options: options, bad: bad, clients: clients, good: w.sessions(saturating)}
	for i, session := range s.good {
		t := *session.Transcript
		t.V = s.good[(i+1)%len(s.good)].Transcript.V
		s.wrong = append(s.wrong, protocol.Session{Identity: session.Identity, Transcript: &t})
	}
	s.verifier = sync.OnceValue(func() *protocol.BatchingVerifier { return protocol.NewBatchingVerifier(w.verifier, options) })
	return s
}

// op measures run while the clients are at work.
func (s *saturated) op(run func()) *direct.Op {
	return &direct.Op{
		Prepare: func(int, int) { s.start() },
		Run:     func(int) { run() },
		Result:  func(int) []byte { return verdict(s.stop()) },
	}
}

// start sets the clients to work and waits until they keep the verifier busy.
func (s *saturated) start() {
	s.stop()
	s.stopping.Store(false)
	for c := range s.clients {
		rng := rand.New(rand.NewPCG(inputSeed, uint64(c)))
		s.working.Go(func() {
			for !s.stopping.Load() {
				s.login(rng)
			}
		})
	}
	s.await(steady)
}

// stop lets every client finish its login, and reports whether all verdicts
// were right.
func (s *saturated) stop() bool {
	s.stopping.Store(true)
	s.working.Wait()
	return s.mistakes.Load() == 0
}

// login brings a good or a bad login.
func (s *saturated) login(rng *rand.Rand) {
	at, bad := rng.IntN(len(s.good)), rng.IntN(100) < s.bad
	session := s.good[at]
	if bad {
		session = s.wrong[at]
	}
	if err := s.verifier().Verify(context.Background(), session.Identity, session.Transcript); (err != nil) != bad {
		s.mistakes.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verdicts++; s.reached != nil && s.verdicts >= s.wanted {
		close(s.reached)
		s.reached = nil
	}
}

// await returns after n more verdicts.
func (s *saturated) await(n int) {
	reached := make(chan struct{})
	s.mu.Lock()
	s.wanted, s.reached = s.verdicts+n, reached
	s.mu.Unlock()
	<-reached
}

// answer is the time of as many verdicts as there are clients.
func (s *saturated) answer() { s.await(s.clients) }

// burst is the time of 99 of 100 logins that come at once.
func (s *saturated) burst() {
	var answered atomic.Int64
	nearlyAll := make(chan struct{})
	for range together {
		s.lastBurst++
		rng := rand.New(rand.NewPCG(^uint64(inputSeed), s.lastBurst))
		s.working.Go(func() {
			s.login(rng)
			if answered.Add(1) == together-together/100 {
				close(nearlyAll)
			}
		})
	}
	<-nearlyAll
}
