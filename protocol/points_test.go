package protocol_test

import (
	"bytes"
	"math/rand"
	"testing"

	"mpinlab/protocol"
)

func TestValuesOfPoints(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		w := newWorld(s, rng, 2)
		id := w.identity("alice@example.com")
		c, b := w.clientSecret(id).Bytes(), s.Backend()
		if got := must(s.ClientSecretOf(must(s.DecodeG1(c)))); !bytes.Equal(got.Bytes(), c) {
			t.Error("client secret")
		}
		if got := must(s.ServerSecretOf(must(s.DecodeG2(w.server.Bytes())))); !bytes.Equal(got.Bytes(), w.server.Bytes()) {
			t.Error("server secret")
		}
		key := w.masters[0].ShareKey()
		if got := must(key.Suite().ShareKeyOf(key.Point())); !bytes.Equal(got.Bytes(), key.Bytes()) {
			t.Error("share key")
		}
		_, err := s.ShareKeyOf(b.G1().Sub(b.G1()))
		is(t, "share key", err, protocol.ErrIdentityPoint)
		_, err = s.ClientSecretOf(b.G1().Sub(b.G1()))
		is(t, "client secret", err, protocol.ErrIdentityPoint)
		_, err = s.ServerSecretOf(b.G2().Sub(b.G2()))
		is(t, "server secret", err, protocol.ErrIdentityPoint)
		if !s.ID().TimePermits() {
			_, err = s.PermitOf(1, b.G1())
			is(t, "permit", err, protocol.ErrNoPermits)
			return
		}
		_, err = s.PermitOf(1, b.G1().Sub(b.G1()))
		is(t, "permit", err, protocol.ErrIdentityPoint)
		_, err = s.PermitOf(0, b.G1())
		is(t, "permit for no day", err, protocol.ErrDate)
		if p := must(s.PermitOf(9, b.G1())); p.Date() != 9 || !bytes.Equal(p.Bytes(), s.EncodeG1(b.G1())) {
			t.Error("permit")
		}
	})
}

func TestSameSuite(t *testing.T) {
	a, b := fastSuite(t), fastSuite(t)
	if !a.Same(b) || a.Same(nil) || a.Same(suiteOn(t, "milagro/bls12-381", "gnark/bls12-381")) ||
		a.Same(suiteOn(t, "rfc9380/bls12-381", "circl/bls12-381")) {
		t.Error("which suites are the same")
	}
	core := suiteOn(t, "miracl-core/fp256bn", "miracl/fp256bn")
	if core.Same(must(core.WithIdentityDST("another"))) {
		t.Error("a suite with another tag")
	}
}
