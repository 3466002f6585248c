package protocol_test

import (
	"bytes"
	"math/rand"
	"testing"

	"mpinlab/protocol"
)

// TestPINChange compares changed tokens with those that the D-TAs' secret
// gives.
func TestPINChange(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		onceOnReference(t, s)
		w := newWorld(s, rng, 2)
		id := w.identity("alice@example.com")
		secret := w.clientSecret(id)
		device := must(s.HashedFactor([]byte("device")))
		same := func(what string, got *protocol.Token, factors ...protocol.Factor) {
			t.Helper()
			if want := must(secret.Token(id, factors...)); !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%s: another token", what)
			}
		}
		for range cases {
			a, b, wrong := rng.Intn(5000), rng.Intn(5000), rng.Intn(5000)
			token := must(secret.Token(id, w.pin(a), device))
			changed := must(token.ChangeFactor(id, w.pin(a), w.pin(b)))
			same("changed", changed, w.pin(b), device)
			same("changed back", must(changed.ChangeFactor(id, w.pin(b), w.pin(a))), device, w.pin(a))
			same("changed to itself", must(token.ChangeFactor(id, w.pin(a), w.pin(a))), w.pin(a), device)
			same("another device", must(token.ChangeFactor(id, device, w.pin(b))), w.pin(a), w.pin(b))
			// token(true) with a wrong old PIN is the token of new + true − old.
			if shifted := b + a - wrong; shifted >= 0 {
				same("wrong old PIN", must(token.ChangeFactor(id, w.pin(wrong), w.pin(b))), w.pin(shifted), device)
			}
		}
		pin := w.pin(rng.Intn(10000))
		twice := must(secret.Token(id, pin, pin))
		same("one of two equal factors put back", must(twice.Restore(id, pin)), pin)
		same("both put back", must(twice.Restore(id, pin, pin)))
	})
}

func TestPINChangeAcrossSuites(t *testing.T) {
	a := newWorld(fastSuite(t), rand.New(rand.NewSource(31)), 1)
	b := newWorld(suiteOn(t, "rfc9380/bn254", "gnark/bn254"), a.rng, 1)
	u := a.user("x")
	_, err := u.token.ChangeFactor(u.id, b.pin(1), a.pin(2))
	is(t, "old PIN", err, protocol.ErrSuiteMismatch)
	_, err = u.token.ChangeFactor(u.id, a.pin(1), b.pin(2))
	is(t, "new PIN", err, protocol.ErrSuiteMismatch)
	_, err = u.token.ChangeFactor(b.identity("x"), a.pin(1), a.pin(2))
	is(t, "identity", err, protocol.ErrSuiteMismatch)
}
