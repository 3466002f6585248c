package bench

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"mpinlab/backends"
	"mpinlab/bench/direct"
	"mpinlab/protocol"
)

// batchSizes are the sizes at which batch verification is measured.
var batchSizes = []int{8, 64, 256, 1024}

// batchOps are batch verification at several sizes.
var batchOps = func() (ops []protocolOp) {
	for _, n := range batchSizes {
		ops = append(ops, protocolOp{
			Operation: Operation{"ServerVerifyBatch", "the server judges n good logins at once, from bytes with curve and subgroup checks, the identities' points at hand; cost of one login"},
			n:         n, nName: "n", perRun: n, concurrent: true,
			needs: func(s *protocol.Suite) bool { return n <= greatestBatch(s.Backend()) },
			build: func(w *world) (*direct.Op, func(int) []byte) { return w.verifyBatch(n), w.sameVerdict },
		})
	}
	return ops
}()

// greatestBatch keeps a row below about a quarter of a second a run, and leaves
// out sizes at which nothing is gained: without multi-scalar multiplication the
// cost of a session is that of its multiplications.
func greatestBatch(b backends.Backend) int {
	switch c := b.Info().Curve; {
	case !needs[backends.MultiScalar](b) && !needs[backends.Hasher](b), c == backends.BW6633:
		return 8
	case !needs[backends.MultiScalar](b), c == backends.FP256BN, c == backends.BW6761, c == backends.BLS24315, c == backends.BLS24317:
		return 64
	}
	return 1024
}

// sessions makes distinct good sessions, as many as the largest batch needs:
// each with its own x and y, the users repeating.
func (w *world) sessions(n int) []protocol.Session {
	w.batch.mu.Lock()
	defer w.batch.mu.Unlock()
	for i := len(w.batch.sessions); i < n; i++ {
		rng := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%16x batch %-9d", inputSeed, i) + w.suite.ID().String() + "                ")[:32]))
		u := &w.users[i%len(w.users)]
		p := must(w.suite.NewProver(u.id, must(u.token.Secret(u.id, u.pin)), nil, rng))
		y := w.suite.EncodeScalar(must(backends.RandomScalar(w.suite.Backend(), rng)))
		w.batch.sessions = append(w.batch.sessions, protocol.Session{
			Identity:   u.id,
			Transcript: &protocol.Transcript{U: p.Pass1().U, Y: y, V: must(p.Pass2(y))},
		})
	}
	return w.batch.sessions[:n]
}

// batchData is the part of a world that only batches need.
type batchData struct {
	mu       sync.Mutex
	sessions []protocol.Session
}

// verifyBatch verifies n good sessions. Its result tells besides, outside of
// the timed region, whether one bad session among them is found: at a place
// that moves with the input, so that the check is not of one constant answer.
func (w *world) verifyBatch(n int) *direct.Op {
	good := w.sessions(n)
	var kept [Inputs][]error
	var bad [Inputs]bool
	return &direct.Op{
		Run: func(i int) { kept[i] = w.verifier.VerifyBatch(good, nil) },
		Result: func(i int) []byte {
			for _, err := range kept[i] {
				if err != nil {
					return verdict(false)
				}
			}
			if len(kept[i]) != n {
				return verdict(false)
			}
			if !bad[i] {
				bad[i] = w.findsBad(good, i%n)
			}
			return verdict(bad[i])
		},
	}
}

// findsBad plants the answer of another session at one place and reports
// whether VerifyBatch and Verify agree about it and about its neighbours.
func (w *world) findsBad(good []protocol.Session, at int) bool {
	from := max(0, min(at-4, len(good)-8))
	few := append([]protocol.Session(nil), good[from:from+8]...)
	at -= from
	wrong := *few[at].Transcript
	wrong.V = few[(at+1)%len(few)].Transcript.V
	few[at].Transcript = &wrong
	for i, err := range w.verifier.VerifyBatch(few, nil) {
		if (err == nil) != (i != at) || (w.verifier.Verify(few[i].Identity, few[i].Transcript) == nil) != (i != at) {
			return false
		}
	}
	return true
}

func (w *world) sameVerdict(int) []byte { return verdict(true) }
