package protocol_test

import (
	"bytes"
	"math/rand"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// signer is a user with a key pair of her own.
type signer struct {
	*user
	pair *protocol.KeyPair
}

func (w *world) signer(name string) *signer {
	id, pin := w.identity(name), w.rng.Intn(10000)
	pair := must(w.suite.NewKeyPair(w.rng))
	bound := must(pair.BindSecret(w.clientSecret(id)))
	return &signer{&user{id, must(bound.Token(id, w.pin(pin))), pin}, pair}
}

// sign signs with a PIN, and with a permit unless date is 0; the permit is
// bound if pair is not nil.
func (w *world) sign(u *user, pair *protocol.KeyPair, pin int, date protocol.Date, message []byte) *protocol.Signature {
	permit := w.permit(u.id, date)
	if pair != nil && permit != nil {
		permit = must(pair.BindPermit(permit))
	}
	return must(w.suite.Sign(u.id, must(u.token.Secret(u.id, w.pin(pin))), permit, noon, message, w.rng))
}

// TestSignatures verifies both forms and changes one thing at a time.
func TestSignatures(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		w := newWorld(s, rng, 2)
		u := w.user("alice@example.com")
		if !s.HasOnePass() {
			_, err := s.Sign(u.id, w.clientSecret(u.id), nil, noon, []byte("x"), rng)
			is(t, "signing", err, protocol.ErrNoOnePass)
			is(t, "verifying", w.verifier.VerifySignature(u.id, 0, &protocol.Signature{}, []byte("x")), protocol.ErrNoOnePass)
			return
		}
		k := w.signer("alice@example.com")
		message := randomBytes(rng, 1+rng.Intn(1000))
		for _, date := range dates(s) {
			check := func(what string, key *protocol.PublicKey, id *protocol.Identity, date protocol.Date, sig *protocol.Signature, message []byte, want error) {
				t.Helper()
				var err error
				if key == nil {
					err = w.verifier.VerifySignature(id, date, sig, message)
				} else {
					err = w.verifier.VerifySignatureKey(id, key, date, sig, message)
				}
				is(t, what+", "+date.String(), err, want)
			}
			for _, form := range []struct {
				name string
				u    *user
				pair *protocol.KeyPair
				key  *protocol.PublicKey
			}{{"plain", u, nil, nil}, {"with a key pair", k.user, k.pair, k.pair.Public()}} {
				sig := w.sign(form.u, form.pair, form.u.pin, date, message)
				check(form.name, form.key, u.id, date, sig, message, nil)
				check(form.name+", wrong PIN", form.key, u.id, date, w.sign(form.u, form.pair, wrongPIN(form.u.pin, rng), date, message), message, protocol.ErrRejected)
				check(form.name+", another identity", form.key, w.identity("eve@example.com"), date, sig, message, protocol.ErrRejected)
				changed := bytes.Clone(message)
				changed[rng.Intn(len(changed))] ^= 1 << rng.Intn(8)
				check(form.name+", another message", form.key, u.id, date, sig, changed, protocol.ErrRejected)
				later := *sig
				later.Time++
				check(form.name+", another time", form.key, u.id, date, &later, message, protocol.ErrRejected)
			}
			check("plain under a key", k.pair.Public(), u.id, date, w.sign(u, nil, u.pin, date, message), message, protocol.ErrRejected)
			check("bound without its key", nil, u.id, date, w.sign(k.user, k.pair, k.pin, date, message), message, protocol.ErrRejected)
		}
	})
}

func TestKeyPairs(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		pair := must(s.NewKeyPair(rng))
		same := must(s.DecodeKeyPair(pair.Bytes()))
		public := must(s.DecodePublicKey(pair.Public().Bytes()))
		if !bytes.Equal(same.Public().Bytes(), public.Bytes()) {
			t.Error("z does not give its public key again")
		}
		z := must(s.DecodeScalar(pair.Bytes()))
		if !must(s.DecodeG2(public.Bytes())).Mul(z).Equal(s.Backend().G2()) {
			t.Error("z·Pa is not Q")
		}
		q := s.Backend().G2()
		_, err := s.DecodePublicKey(s.EncodeG2(q.Sub(q)))
		is(t, "the identity as a public key", err, protocol.ErrIdentityPoint)
		_, err = s.DecodePublicKey(nil)
		is(t, "no public key", err, backends.ErrLength)
		_, err = s.DecodeKeyPair(make([]byte, len(pair.Bytes())))
		is(t, "z = 0", err, protocol.ErrZeroScalar)
	})
}

func TestSignatureBadInput(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(1)), 1)
	u := w.user("alice@example.com")
	secret := w.clientSecret(u.id)
	for _, message := range [][]byte{nil, {}, make([]byte, protocol.MaxMessage+1)} {
		_, err := s.Sign(u.id, secret, nil, noon, message, nil)
		is(t, "signing", err, protocol.ErrMessageLength)
		is(t, "verifying", w.verifier.VerifySignature(u.id, 0, &protocol.Signature{}, message), protocol.ErrMessageLength)
	}
	long := make([]byte, protocol.MaxMessage)
	is(t, "the longest message", w.verifier.VerifySignature(u.id, 0, must(s.Sign(u.id, secret, nil, noon, long, nil)), long), nil)

	other := newWorld(suiteOn(t, "rfc9380/bn254", "gnark/bn254"), w.rng, 1)
	foreign := must(other.suite.NewKeyPair(nil))
	sig := w.sign(u, nil, u.pin, 0, []byte("x"))
	is(t, "a foreign key", w.verifier.VerifySignatureKey(u.id, foreign.Public(), 0, sig, []byte("x")), protocol.ErrSuiteMismatch)
	is(t, "a foreign identity", w.verifier.VerifySignature(other.identity("a"), 0, sig, []byte("x")), protocol.ErrSuiteMismatch)
	_, err := foreign.BindSecret(secret)
	is(t, "binding a foreign secret", err, protocol.ErrSuiteMismatch)
	_, err = foreign.BindPermit(w.permit(u.id, 1))
	is(t, "binding a foreign permit", err, protocol.ErrSuiteMismatch)
}

func FuzzVerifySignature(f *testing.F) {
	s := fastSuite(f)
	w := newWorld(s, rand.New(rand.NewSource(2)), 2)
	k := w.signer("alice@example.com")
	good := w.sign(k.user, k.pair, k.pin, 0, []byte("message"))
	public := k.pair.Public().Bytes()
	f.Add(good.U, good.V, good.Time, []byte("message"), public)
	f.Add(good.U[:48], []byte{}, int64(-1), []byte{}, public[:96])
	f.Fuzz(func(t *testing.T, commitment, v []byte, at int64, message, key []byte) {
		pk, err := s.DecodePublicKey(key)
		if err != nil {
			return
		}
		sig := &protocol.Signature{OnePassProof: protocol.OnePassProof{Time: at, Pass1: protocol.Pass1{U: commitment}, V: v}}
		if w.verifier.VerifySignatureKey(k.id, pk, 0, sig, message) == nil &&
			!(samePoint(s, commitment, good.U) && samePoint(s, v, good.V) && at == good.Time && string(message) == "message") {
			t.Error("accepted")
		}
	})
}
