package protocol_test

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// batchWorld has good sessions and, for each, the same with another answer.
func batchWorld(tb testing.TB, backend string, n int) (v *protocol.Verifier, good, bad []protocol.Session) {
	tb.Helper()
	s := rfcSuite(tb, backend)
	w := newWorld(s, rand.New(rand.NewSource(7)), 1)
	u := make([]*user, min(n, 64))
	for i := range u {
		u[i] = w.user(fmt.Sprintf("user%d@example.com", i))
	}
	for i := range n {
		session := w.session(u[i%len(u)], u[i%len(u)].pin, 0)
		wrong := *session.Transcript
		if i > 0 {
			wrong.V = good[i-1].Transcript.V
		} else {
			wrong.V = s.EncodeG1(s.Backend().G1())
		}
		good = append(good, session)
		bad = append(bad, protocol.Session{Identity: session.Identity, Transcript: &wrong})
	}
	return w.verifier, good, bad
}

// session runs both passes with the given PIN and returns what the server saw.
func (w *world) session(u *user, pin int, date protocol.Date) protocol.Session {
	p := w.prover(u, pin, w.permit(u.id, date))
	y := w.suite.EncodeScalar(must(backends.RandomScalar(w.suite.Backend(), w.rng)))
	t := &protocol.Transcript{Date: date, U: p.Pass1().U, Y: y, V: must(p.Pass2(y))}
	if date != 0 {
		t.U = p.Pass1().UT
	}
	return protocol.Session{Identity: u.id, Transcript: t}
}

// BenchmarkVerifyBatch is what the policy of the batching verifier rests on: the
// cost of a login against the size of the batch and the share of bad logins.
func BenchmarkVerifyBatch(b *testing.B) {
	const total = 1024
	for _, backend := range []string{"gnark/bls12-381", "blst/bls12-381", "gnark/bn254"} {
		v, good, bad := batchWorld(b, backend, total)
		for _, percent := range []int{0, 1, 2, 5, 10, 20, 50, 100} {
			rng := rand.New(rand.NewSource(int64(percent)))
			sessions := make([]protocol.Session, total)
			for i := range sessions {
				sessions[i] = good[i]
				if rng.Intn(100) < percent {
					sessions[i] = bad[i]
				}
			}
			for _, n := range []int{1, 4, 16, 64, 256} {
				b.Run(fmt.Sprintf("backend=%s/bad=%d/n=%d", backend, percent, n), func(b *testing.B) {
					for b.Loop() {
						for batch := range slices.Chunk(sessions, n) {
							v.VerifyBatch(batch, nil)
						}
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*total), "ns/login")
				})
			}
		}
	}
}
