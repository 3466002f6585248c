package protocol_test

import (
	"math/rand"
	"testing"
	"time"

	"mpinlab/protocol"
)

// The attacks on signatures.

func attackedSignature(t testing.TB) (*world, *signer) {
	w := newWorld(fastSuite(t), rand.New(rand.NewSource(time.Now().UnixNano())), 2)
	return w, w.signer("alice@example.com")
}

// TestAttackMessageSubstitution puts another message beside a signature, also
// where message and commitment or time together spell the same bytes.
func TestAttackMessageSubstitution(t *testing.T) {
	w, k := attackedSignature(t)
	key := k.pair.Public()
	sig := w.sign(k.user, k.pair, k.pin, 0, []byte("pay 10 to Bob"))
	for _, message := range []string{"pay 100 to Bob", "pay 10 to Bob ", "pay 10 to Bo", "\x00pay 10 to Bob"} {
		is(t, message, w.verifier.VerifySignatureKey(k.id, key, 0, sig, []byte(message)), protocol.ErrRejected)
	}
	// A byte moved from the message to the end of the commitment.
	moved := *sig
	moved.U = append(append([]byte(nil), sig.U...), 'p')
	if w.verifier.VerifySignatureKey(k.id, key, 0, &moved, []byte("ay 10 to Bob")) == nil {
		t.Error("accepted with a byte moved into the commitment")
	}
}

// TestAttackLoginAsSignature takes a one-pass log-in for a signature and a
// signature for a log-in.
func TestAttackLoginAsSignature(t *testing.T) {
	w, u := attackedOnePass(t, 10)
	login := w.prove(u, u.pin, 0, noon)
	for _, message := range [][]byte{nil, {}} {
		is(t, "a log-in as a signature", w.verifier.VerifySignature(u.id, 0, &protocol.Signature{OnePassProof: *login}, message), protocol.ErrMessageLength)
	}
	sig := w.sign(u, nil, u.pin, 0, []byte("x"))
	is(t, "a signature as a log-in", w.server.Verify(u.id, 0, &sig.OnePassProof), protocol.ErrRejected)
}

// TestAttackForgedByAuthorities is all D-TAs together, who know s. They sign
// for anyone in the plain form, and for nobody with a key pair on record.
func TestAttackForgedByAuthorities(t *testing.T) {
	w, k := attackedSignature(t)
	message := []byte("x")
	forged := must(w.suite.Sign(k.id, w.clientSecret(k.id), nil, noon, message, w.rng))
	is(t, "plain form", w.verifier.VerifySignature(k.id, 0, forged, message), nil)
	is(t, "key on record", w.verifier.VerifySignatureKey(k.id, k.pair.Public(), 0, forged, message), protocol.ErrRejected)
	// A key pair of their own does not match the one on record either.
	other := must(w.suite.NewKeyPair(w.rng))
	forged = must(w.suite.Sign(k.id, must(other.BindSecret(w.clientSecret(k.id))), nil, noon, message, w.rng))
	is(t, "another key pair", w.verifier.VerifySignatureKey(k.id, k.pair.Public(), 0, forged, message), protocol.ErrRejected)
	is(t, "under that key", w.verifier.VerifySignatureKey(k.id, other.Public(), 0, forged, message), nil)
}

// TestAttackRogueKey takes, in a public key's place, points that make the
// equation hold for users without the secret.
func TestAttackRogueKey(t *testing.T) {
	w, k := attackedSignature(t)
	s := w.suite
	message := []byte("x")
	eve := w.user("eve@example.com")
	sig := w.sign(eve, nil, eve.pin, 0, message)
	for what, b := range map[string][]byte{
		"Q": s.EncodeG2(s.Backend().G2()), "s·Q": w.server.Bytes(), "−s·Q": s.EncodeG2(must(s.DecodeG2(w.server.Bytes())).Neg()),
	} {
		is(t, what, w.verifier.VerifySignatureKey(k.id, must(s.DecodePublicKey(b)), 0, sig, message), protocol.ErrRejected)
	}
	q := s.Backend().G2()
	_, err := s.DecodePublicKey(s.EncodeG2(q.Sub(q)))
	is(t, "the identity", err, protocol.ErrIdentityPoint)
}

// TestAttackChallengeAsMessage is a server that sends the hash of a message as
// the challenge of a two-pass log-in. The documentation of signatures warns of
// it: the answer is a signature in the plain form, and none under a key pair
// that does not log in.
func TestAttackChallengeAsMessage(t *testing.T) {
	w, k := attackedSignature(t)
	u := w.user("alice@example.com")
	message := []byte("never agreed to")
	p := w.prover(u, u.pin, nil)
	y := must(w.suite.OnePassChallenge(u.id, noon, p.Pass1().U, message))
	sig := &protocol.Signature{OnePassProof: protocol.OnePassProof{Time: noon, Pass1: p.Pass1(), V: must(p.Pass2(y))}}
	is(t, "plain form", w.verifier.VerifySignature(u.id, 0, sig, message), nil)
	is(t, "key pair", w.verifier.VerifySignatureKey(u.id, k.pair.Public(), 0, sig, message), protocol.ErrRejected)
	is(t, "another identity", w.verifier.VerifySignature(w.identity("sign:alice@example.com"), 0, sig, message), protocol.ErrRejected)
}
