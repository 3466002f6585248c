package protocol_test

import (
	"math"
	"math/rand"
	"testing"

	"mpinlab/protocol"
)

// agreeMilagro compares what only the milagro dialect has; messages are those
// that the peer's one-pass functions take, nil for a log-in.
func agreeMilagro[P milagroPeer](t *testing.T, s *protocol.Suite, cases int, newPeer func(testing.TB) P, messages ...[]byte) {
	agree(t, s, cases, newPeer)
	seeded(t, "equal hashes and permits", func(t *testing.T, rng *rand.Rand) {
		samePermits(t, s, newPeer(t), rng)
	})
	seeded(t, "equal one-pass challenges", func(t *testing.T, rng *rand.Rand) {
		sameChallenges(t, s, newPeer(t), rng)
	})
	for _, message := range messages {
		what := "one pass"
		if message != nil {
			what = "one pass with a message"
		}
		seeded(t, what, func(t *testing.T, rng *rand.Rand) {
			for range cases {
				onePassBothWays(t, s, newPeer(t), rng, message)
			}
		})
	}
}

func samePermits(t *testing.T, s *protocol.Suite, p milagroPeer, rng *rand.Rand) {
	w, name := newWorld(s, rng, 2), randomIdentity(rng)
	id := must(s.Identity(name))
	sameBytes(t, "H(id)", id.Hash(), p.hash(name))
	for _, date := range []protocol.Date{1, 255, 256, 1 << 24, math.MaxInt32, protocol.Date(1 + rng.Int31n(math.MaxInt32))} {
		var theirs [2][]byte
		for i, m := range w.masters {
			theirs[i] = p.permit(m.Bytes(), name, date)
			sameBytes(t, "s_i·A_T, "+date.String(), must(m.PermitShare(id, date)).Bytes(), theirs[i])
		}
		sameBytes(t, "Σ s_i·A_T, "+date.String(), w.permit(id, date).Bytes(), p.addG1(theirs[0], theirs[1]))
	}
}

func sameChallenges(t *testing.T, s *protocol.Suite, p milagroPeer, rng *rand.Rand) {
	id := must(s.Identity(randomIdentity(rng)))
	for _, time := range []int64{0, 1, 1 << 24, math.MaxInt32, rng.Int63n(math.MaxInt32)} {
		u := s.EncodeG1(must(s.Identity(randomIdentity(rng))).Point())
		sameBytes(t, "y", must(s.OnePassChallenge(id, time, u, nil)), p.challenge(time, u))
	}
}

// onePassBothWays runs the one-pass protocol in both directions, over the transcript
// on our side.
func onePassBothWays(t *testing.T, s *protocol.Suite, p milagroPeer, rng *rand.Rand, message []byte) {
	w, name := newWorld(s, rng, 2), randomIdentity(rng)
	u := w.user(string(name))
	server := w.server.Bytes()
	for _, date := range peerDays(s, rng) {
		permit := w.permit(u.id, date)
		time := rng.Int63n(math.MaxInt32)

		x := draw(p, rng)
		theirs := p.prove(peerClient{name, u.pin, u.token.Bytes(), date, permitBytes(permit)}, x, time, message)
		sameBytes(t, "y, "+date.String(), must(s.OnePassChallenge(u.id, time, theirs.U, message)), theirs.Y)
		is(t, "their client, "+date.String(), w.verifier.Verify(u.id, theirs), nil)

		whole := must(u.token.Secret(u.id, w.pin(u.pin)))
		equal := must(s.NewProver(u.id, whole, permit, drawing(s, x)))
		sameBytes(t, "U', "+date.String(), committed(equal.Pass1(), date), theirs.U)
		sameBytes(t, "V, "+date.String(), must(equal.Pass2(theirs.Y)), theirs.V)

		theirs = p.prove(peerClient{name, wrongPIN(u.pin, rng), u.token.Bytes(), date, permitBytes(permit)}, x, time, message)
		is(t, "their client with a wrong PIN, "+date.String(), w.verifier.Verify(u.id, theirs), protocol.ErrRejected)

		login := func(what string, pin int, late int64, want int) {
			t.Helper()
			ours := w.prover(u, pin, permit)
			point := committed(ours.Pass1(), date)
			tr := &protocol.Transcript{Date: date, U: point, V: must(ours.Pass2(must(s.OnePassChallenge(u.id, time, point, message))))}
			theirVerdict(t, what+", "+date.String(), p.verifyOnePass(name, server, tr, time+late, message), want)
		}
		login("our client", u.pin, 0, accepted)
		login("our client with a wrong PIN", wrongPIN(u.pin, rng), 0, badPIN)
		login("our client at another time", u.pin, 1, badPIN)
	}
}
