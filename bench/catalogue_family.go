package bench

import (
	"fmt"
	"math/rand/v2"
	"time"

	"mpinlab/backends"
	"mpinlab/bench/direct"
	"mpinlab/protocol"
)

// familyOps are the one-pass, M-Pin Full and signature operations.
var familyOps = []protocolOp{
	{
		Operation: Operation{"OnePassProve", "a client restores its secret from token and PIN and proves itself in one message, encoded; identity point at hand"},
		needs:     (*protocol.Suite).HasOnePass,
		build:     buildOnePassProve,
	},
	{
		Operation: Operation{"OnePassVerify", "ServerVerify of a one-pass proof: hashes the challenge besides and keeps the replay cache"},
		needs:     (*protocol.Suite).HasOnePass,
		build:     buildOnePassVerify,
	},
	{
		Operation: Operation{"FullClientKey", "a client of M-Pin Full, with e(token, Q) and e(A, Q) at hand, derives key and confirmation tags from a transcript, decoding W"},
		needs:     (*protocol.Suite).HasFull,
		build: func(w *world) (*direct.Op, func(int) []byte) {
			runs := w.fullRuns()
			return keepBytes(func(i int) []byte { return runs[i].clientKey(w, i).Unconfirmed() }),
				func(i int) []byte { return runs[i].serverKey(w, i).Unconfirmed() }
		},
	},
	{
		Operation: Operation{"FullServerKey", "a server of M-Pin Full derives key and confirmation tags from a transcript that it has verified, decoding U and R; identity point at hand"},
		needs:     (*protocol.Suite).HasFull,
		build: func(w *world) (*direct.Op, func(int) []byte) {
			runs := w.fullRuns()
			return keepBytes(func(i int) []byte { return runs[i].serverKey(w, i).Unconfirmed() }),
				func(i int) []byte { return runs[i].clientKey(w, i).Unconfirmed() }
		},
	},
	{
		Operation: Operation{"Sign", "a client restores its secret from token and PIN and signs 32 bytes, encoded; identity point at hand"},
		needs:     (*protocol.Suite).HasOnePass,
		build:     buildSign,
	},
	{
		Operation: Operation{"VerifySignature", "ServerVerify of a signature of 32 bytes, plain form: hashes the challenge besides"},
		needs:     (*protocol.Suite).HasOnePass,
		build:     buildVerifySignature,
	},
}

// benchTime is the time of all proofs and signatures, in seconds.
const benchTime = 1_790_000_000

func (w *world) replayCache() *protocol.ReplayCache {
	return must(protocol.NewReplayCache(protocol.ReplayWindow{Past: time.Minute, Future: time.Minute, Capacity: 2 * Inputs,
		Now: func() time.Time { return time.Unix(benchTime, 0) }}))
}

func buildOnePassProve(w *world) (*direct.Op, func(int) []byte) {
	var kept [Inputs]*protocol.OnePassProof
	return &direct.Op{
		Run: func(i int) {
			u := &w.users[i]
			kept[i] = must(w.suite.NewOnePass(u.id, must(u.token.Secret(u.id, u.pin)), nil, benchTime, nil))
		},
		Result: func(i int) []byte {
			server := must(protocol.NewOnePassVerifier(w.verifier, w.replayCache()))
			return verdict(server.Verify(w.users[i].id, 0, kept[i]) == nil)
		},
	}, w.always
}

// always is the verdict of what must be accepted.
func (w *world) always(int) []byte { return verdict(true) }

// onePass makes a proof for each user, good where the user's login is.
func (w *world) onePass() (proofs [Inputs]*protocol.OnePassProof) {
	for i := range proofs {
		proofs[i] = must(w.suite.NewOnePass(w.users[i].id, w.secret(i), nil, benchTime, nil))
	}
	return proofs
}

// secret is what a user's login rests on: the client secret, or the token
// alone where the login must be rejected.
func (w *world) secret(i int) *protocol.ClientSecret {
	u := &w.users[i]
	if w.in.Users[i].Accept {
		return u.secret
	}
	return must(u.token.Secret(u.id))
}

// buildOnePassVerify takes a new replay cache for every round of the inputs,
// because a proof is accepted once.
func buildOnePassVerify(w *world) (*direct.Op, func(int) []byte) {
	proofs := w.onePass()
	var servers []*protocol.OnePassVerifier
	var next int
	var kept [Inputs]bool
	return &direct.Op{
		Prepare: func(_, n int) {
			servers, next = servers[:0], 0
			for range n/Inputs + 1 {
				servers = append(servers, must(protocol.NewOnePassVerifier(w.verifier, w.replayCache())))
			}
		},
		Run: func(i int) {
			server := servers[next/Inputs]
			next++
			id, err := w.suite.Identity(w.in.Users[i].Identity)
			kept[i] = err == nil && server.Verify(id, 0, proofs[i]) == nil
		},
		Result: func(i int) []byte { return verdict(kept[i]) },
	}, w.accept
}

// fullRun is a run of M-Pin Full up to the keys.
type fullRun struct {
	token   *protocol.FullToken
	t       protocol.FullTranscript
	x, r, w []byte
}

func (r *fullRun) clientKey(w *world, i int) *protocol.SharedKey {
	return must(r.token.Key(&r.t, r.x, r.r, w.users[i].pin))
}

func (r *fullRun) serverKey(w *world, i int) *protocol.SharedKey {
	return must(w.verifier.FullKey(w.users[i].id, &r.t, r.w))
}

func (w *world) fullRuns() (runs [Inputs]fullRun) {
	rng := rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%032x", uint64(inputSeed)))))
	s := w.suite
	for i := range runs {
		u, r := &w.users[i], &runs[i]
		multiple := func(k *[]byte) []byte {
			scalar := must(backends.RandomScalar(s.Backend(), rng))
			*k = s.EncodeScalar(scalar)
			return s.EncodeG1(u.id.Point().Mul(scalar))
		}
		r.token = must(s.NewFullToken(u.id, u.token))
		r.t.Transcript = protocol.Transcript{U: multiple(&r.x), Y: w.in.Users[i].Y, V: w.in.Users[i].V}
		r.t.R, r.t.W = multiple(&r.r), multiple(&r.w)
	}
	return runs
}

// signed is the message that user i signs: the hash of nothing in particular.
func (w *world) signed(i int) []byte { return w.in.Users[i].Hash[:32] }

func buildSign(w *world) (*direct.Op, func(int) []byte) {
	var kept [Inputs]*protocol.Signature
	return &direct.Op{
		Run: func(i int) {
			u := &w.users[i]
			kept[i] = must(w.suite.Sign(u.id, must(u.token.Secret(u.id, u.pin)), nil, benchTime, w.signed(i), nil))
		},
		Result: func(i int) []byte {
			return verdict(w.verifier.VerifySignature(w.users[i].id, 0, kept[i], w.signed(i)) == nil)
		},
	}, w.always
}

func buildVerifySignature(w *world) (*direct.Op, func(int) []byte) {
	var sigs [Inputs]*protocol.Signature
	for i := range sigs {
		sigs[i] = must(w.suite.Sign(w.users[i].id, w.secret(i), nil, benchTime, w.signed(i), nil))
	}
	return keepVerdictOp(func(i int) bool {
		id, err := w.suite.Identity(w.in.Users[i].Identity)
		return err == nil && w.verifier.VerifySignature(id, 0, sigs[i], w.signed(i)) == nil
	}), w.accept
}
