package protocol_test

import (
	"bytes"
	"math/rand"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// TestGoodSharesVerify: e(s_i·A, Q) = e(A, s_i·Q), for shares and for sums, and
// the proofs that clients check.
func TestGoodSharesVerify(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		leaveOutReference(t, s)
		w := newWorld(s, rng, 2)
		id := w.identity("alice@example.com")
		for _, m := range w.masters {
			server := m.ServerShare()
			key := must(s.DecodeShareKey(m.ShareKey().Bytes()))
			c, proof, err := m.ProveClientShare(id, rng)
			is(t, "proving", err, nil)
			if !bytes.Equal(c.Bytes(), must(m.ClientShare(id)).Bytes()) {
				t.Error("the share with a proof is another")
			}
			is(t, "client share", c.VerifyShare(id, server), nil)
			is(t, "client share by the key", key.VerifyClientShare(id, c, proof), nil)
			is(t, "server share by the key", key.VerifyServerShare(server), nil)
			if !s.ID().TimePermits() {
				continue
			}
			p, proof, err := m.ProvePermitShare(id, 20000, rng)
			is(t, "proving a permit", err, nil)
			is(t, "permit share", p.VerifyShare(id, server), nil)
			is(t, "permit share by the key", key.VerifyPermitShare(id, p, proof), nil)
		}
		is(t, "client secret", w.clientSecret(id).VerifyShare(id, w.server), nil)
		if s.ID().TimePermits() {
			is(t, "permit", w.permit(id, 20000).VerifyShare(id, w.server), nil)
		}
	})
}

func TestShareProofsAreBound(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		leaveOutReference(t, s)
		w := newWorld(s, rng, 2)
		m, id, eve := w.masters[0], w.identity("alice@example.com"), w.identity("eve@example.com")
		key := m.ShareKey()
		c, proof, err := m.ProveClientShare(id, rng)
		is(t, "proving", err, nil)
		own, _, err := m.ProveClientShare(eve, rng)
		is(t, "proving", err, nil)
		other := must(w.masters[1].ClientShare(id))
		is(t, "another identity", key.VerifyClientShare(eve, c, proof), protocol.ErrBadShare)
		is(t, "another's share and proof", key.VerifyClientShare(eve, own, proof), protocol.ErrBadShare)
		is(t, "another D-TA's share", key.VerifyClientShare(id, other, proof), protocol.ErrBadShare)
		is(t, "another D-TA's key", w.masters[1].ShareKey().VerifyClientShare(id, c, proof), protocol.ErrBadShare)
		is(t, "another D-TA's server share", key.VerifyServerShare(w.masters[1].ServerShare()), protocol.ErrBadShare)
		is(t, "no proof", key.VerifyClientShare(id, c, nil), backends.ErrLength)
		is(t, "long proof", key.VerifyClientShare(id, c, append(bytes.Clone(proof), 0)), backends.ErrLength)
		is(t, "zero proof", key.VerifyClientShare(id, c, make([]byte, len(proof))), protocol.ErrBadShare)
		r := s.ID().Curve.Params().R.FillBytes(make([]byte, len(proof)/2))
		is(t, "c is r", key.VerifyClientShare(id, c, append(bytes.Clone(r), proof[len(r):]...)), backends.ErrNotCanonical)
		is(t, "z is r", key.VerifyClientShare(id, c, append(bytes.Clone(proof[:len(r)]), r...)), backends.ErrNotCanonical)
		for range cases {
			changed := bytes.Clone(proof)
			changed[rng.Intn(len(changed))] ^= 1 << rng.Intn(8)
			if key.VerifyClientShare(id, c, changed) == nil {
				t.Errorf("accepted the proof %x for %x", changed, proof)
			}
		}
		again, second, err := m.ProveClientShare(id, rng)
		is(t, "proving again", err, nil)
		if bytes.Equal(second, proof) {
			t.Error("one draw for two proofs")
		}
		is(t, "second proof", key.VerifyClientShare(id, again, second), nil)
		if !s.ID().TimePermits() {
			_, _, err := m.ProvePermitShare(id, 20000, rng)
			is(t, "no permits", err, protocol.ErrNoPermits)
			return
		}
		p, proof, err := m.ProvePermitShare(id, 20000, rng)
		is(t, "proving a permit", err, nil)
		later := must(s.DecodePermit(20001, p.Bytes()))
		is(t, "another day", key.VerifyPermitShare(id, later, proof), protocol.ErrBadShare)
		is(t, "another day, by pairing", later.VerifyShare(id, m.ServerShare()), protocol.ErrBadShare)
		is(t, "another's permit", key.VerifyPermitShare(eve, p, proof), protocol.ErrBadShare)
		_, _, err = m.ProvePermitShare(id, -1, rng)
		is(t, "negative day", err, protocol.ErrDate)
	})
}

// TestServerSecretAndTokenGiveThePIN is why clients check shares by proofs and
// are not shown s·Q: with it, the check of a share is a test of a PIN.
func TestServerSecretAndTokenGiveThePIN(t *testing.T) {
	w := newWorld(fastSuite(t), rand.New(rand.NewSource(51)), 2)
	id := w.identity("alice@example.com")
	const pin = 17
	token := must(w.clientSecret(id).Token(id, w.pin(pin)))
	for guess := range 30 {
		err := must(token.Secret(id, w.pin(guess))).VerifyShare(id, w.server)
		if (err == nil) != (guess == pin) {
			t.Errorf("PIN %d: %v", guess, err)
		}
	}
}
