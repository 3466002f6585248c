package protocol_test

import (
	"bytes"
	"math/rand"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// The attacks on M-Pin Full. In each the attacker is on the wire, or is a user
// of the deployment.

func attackedFull(t testing.TB) (*world, *user) {
	w := newWorld(fastSuite(t), rand.New(rand.NewSource(time.Now().UnixNano())), 2)
	return w, w.user("alice@example.com")
}

// unconfirmed demands that neither side takes the other's tag.
func unconfirmed(t *testing.T, what string, client, server *protocol.SharedKey) {
	t.Helper()
	_, err := client.Confirm(server.Tag())
	is(t, what+": client", err, protocol.ErrNotConfirmed)
	_, err = server.Confirm(client.Tag())
	is(t, what+": server", err, protocol.ErrNotConfirmed)
	if bytes.Equal(client.Unconfirmed(), server.Unconfirmed()) {
		t.Errorf("%s: the same key", what)
	}
}

// TestAttackChangedKeyShare replaces R or W on the way. The log-in stands,
// since V does not depend on them; the key is not confirmed.
func TestAttackChangedKeyShare(t *testing.T) {
	w, u := attackedFull(t)
	a := u.id.Point()
	k := must(backends.RandomScalar(w.suite.Backend(), w.rng))
	mine := w.suite.EncodeG1(a.Mul(k))
	for what, r := range map[string]fullRun{
		"R": {first: func(m *protocol.FullPass1) { m.R = mine }},
		"W": {reply: func(m *protocol.FullReply) { m.W = mine }},
		"both": {first: func(m *protocol.FullPass1) { m.R = mine },
			reply: func(m *protocol.FullReply) { m.W = mine }},
	} {
		client, server, err := r.do(w, u, u.pin, 0)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		unconfirmed(t, what, client, server)
	}
}

// TestAttackReflectedTag sends each side its own tag.
func TestAttackReflectedTag(t *testing.T) {
	w, u := attackedFull(t)
	client, server, err := fullRun{}.do(w, u, u.pin, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Confirm(client.Tag())
	is(t, "to the client", err, protocol.ErrNotConfirmed)
	_, err = server.Confirm(server.Tag())
	is(t, "to the server", err, protocol.ErrNotConfirmed)
	_, err = client.Confirm(nil)
	is(t, "no tag", err, protocol.ErrNotConfirmed)
	_, err = client.Confirm(server.Tag()[:31])
	is(t, "a short tag", err, protocol.ErrNotConfirmed)
	again, _, err := fullRun{}.do(w, u, u.pin, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = again.Confirm(server.Tag())
	is(t, "another session's tag", err, protocol.ErrNotConfirmed)
}

// TestAttackKeyShareOfAnotherUser is Eve in the middle of Alice's log-in, who
// swaps R for r·B, B being her own point: without H in the exponent she would
// know e(R, s·Q) = e(s·B, Q)^r.
func TestAttackKeyShareOfAnotherUser(t *testing.T) {
	w, u := attackedFull(t)
	s := w.suite
	eve := w.identity("eve@example.com")
	secret := must(s.DecodeG1(w.clientSecret(eve).Bytes()))
	b := s.Backend()
	r := must(backends.RandomScalar(b, w.rng))
	client, server, err := fullRun{first: func(m *protocol.FullPass1) { m.R = s.EncodeG1(eve.Point().Mul(r)) }}.do(w, u, u.pin, 0)
	if err != nil {
		t.Fatal(err)
	}
	unconfirmed(t, "R of another user", client, server)

	// What Eve knows is not g.
	k := must(backends.RandomScalar(b, w.rng))
	first := must(must(s.NewFullToken(u.id, u.token)).Prover(nil, w.rng, w.pin(u.pin))).Pass1()
	tr := &protocol.FullTranscript{
		Transcript: protocol.Transcript{U: first.U, Y: s.EncodeScalar(k), V: first.U}, R: s.EncodeG1(eve.Point().Mul(r)), W: s.EncodeG1(u.id.Point().Mul(k))}
	h := b.ReduceScalar(must(s.FullTranscriptHash(u.id, tr)))
	e := b.(backends.Pairer)
	known := e.Pair([]backends.G1{secret.Mul(r)}, []backends.G2{b.G2()})
	bound := must(s.DecodeG1(tr.R)).Add(u.id.Point().Mul(h))
	if g := e.Pair([]backends.G1{bound}, []backends.G2{must(s.DecodeG2(w.server.Bytes()))}); g.Equal(known) {
		t.Error("the server's g is what Eve can compute")
	}
}

// TestAttackFalseServer has no server secret: it may answer, but its tag is
// wrong.
func TestAttackFalseServer(t *testing.T) {
	w, u := attackedFull(t)
	impostor := newWorld(w.suite, w.rng, 2)
	prover := must(must(w.suite.NewFullToken(u.id, u.token)).Prover(nil, w.rng, w.pin(u.pin)))
	first := prover.Pass1()
	k := w.masters[0].Bytes()
	reply := protocol.FullReply{Y: k, W: w.suite.EncodeG1(u.id.Point().Mul(must(w.suite.DecodeScalar(k))))}
	v, key, err := prover.Pass2(reply)
	if err != nil {
		t.Fatal(err)
	}
	tr := &protocol.FullTranscript{Transcript: protocol.Transcript{U: first.U, Y: reply.Y, V: v}, R: first.R, W: reply.W}
	theirs := must(impostor.verifier.FullKey(u.id, tr, k))
	unconfirmed(t, "false server", key, theirs)
	// The true one, with the same scalar, has the key.
	if _, err := key.Confirm(must(w.verifier.FullKey(u.id, tr, k)).Tag()); err != nil {
		t.Error(err)
	}
}

// TestAttackReplayedRun repeats a whole run to the server and to the client.
func TestAttackReplayedRun(t *testing.T) {
	w, u := attackedFull(t)
	var v []byte
	var first protocol.FullPass1
	_, server, err := fullRun{first: func(m *protocol.FullPass1) { first = *m },
		answer: func(b []byte) []byte { v = b; return b }}.do(w, u, u.pin, 0)
	if err != nil || server == nil {
		t.Fatal(err)
	}
	challenge := must(w.verifier.FullChallenge(u.id, first, 0, w.rng))
	_, err = challenge.Verify(v)
	is(t, "the old answer", err, protocol.ErrRejected)
	prover := must(must(w.suite.NewFullToken(u.id, u.token)).Prover(nil, w.rng, w.pin(u.pin)))
	challenge = must(w.verifier.FullChallenge(u.id, prover.Pass1(), 0, w.rng))
	if _, _, err := prover.Pass2(challenge.Reply()); err != nil {
		t.Fatal(err)
	}
	_, _, err = prover.Pass2(challenge.Reply())
	is(t, "the prover again", err, protocol.ErrUsed)
}
