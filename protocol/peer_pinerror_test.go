package protocol_test

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"

	"github.com/hyperledger/fabric-amcl/amcl"
	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// TestPINErrorAgreesWithAMCL holds the PIN error against AMCL's in both
// directions: the same E and F, and the same δ wherever its kangaroos find one.
func TestPINErrorAgreesWithAMCL(t *testing.T) {
	logins, found := 0, 0
	eachBackend(t, protocol.SuiteID{Dialect: protocol.Milagro, Curve: backends.FP256BN}, func(t *testing.T, s *protocol.Suite) {
		seeded(t, "wrong PINs", func(t *testing.T, rng *rand.Rand) {
			p, w, name := amclPeer{t}, newWorld(s, rng, 2), randomIdentity(rng)
			u := w.user(string(name))
			for _, date := range peerDays(s, rng) {
				permit := w.permit(u.id, date)
				for range max(2, casesFor(s.Backend())) {
					entered := wrongPIN(u.pin, rng)
					x, y := draw(p, rng), draw(p, rng)
					secret, m := p.pass1(peerClient{name, entered, u.token.Bytes(), date, permitBytes(permit)}, x)
					theirs := &protocol.FailedLogin{Date: date, Pass1: m, Y: y, V: p.pass2(secret, x, y)}
					ours := w.failed(u.id, must(u.token.Secret(u.id, w.pin(entered))), date, permit)
					for _, l := range []*protocol.FailedLogin{theirs, ours} {
						w.wantPINError(t, u.id, l, protocol.FourDigits, entered-u.pin)
						logins++
						// AMCL gives 0 where it fails.
						if delta := p.pinError(t, w, u.id, name, l); delta != 0 {
							found++
							if delta != entered-u.pin {
								t.Errorf("%s: AMCL says %d, not %d", date, delta, entered-u.pin)
							}
						}
					}
				}
			}
		})
		seeded(t, "bad tokens", func(t *testing.T, rng *rand.Rand) {
			p, w, name := amclPeer{t}, newWorld(s, rng, 2), randomIdentity(rng)
			id, eve := must(s.Identity(name)), w.identity("eve@example.com")
			for _, date := range peerDays(s, rng) {
				l := w.failed(id, w.clientSecret(eve), date, w.permit(id, date))
				_, err := w.verifier.PINError(id, l, protocol.FourDigits)
				is(t, "ours, "+date.String(), err, protocol.ErrNoPINError)
				if delta := p.pinError(t, w, id, name, l); delta != 0 {
					t.Errorf("%s: AMCL says %d", date, delta)
				}
			}
		})
	})
	t.Logf("AMCL found %d of %d", found, logins)
	if found == 0 {
		t.Error("AMCL found none")
	}
}

// pinError is what AMCL's server makes of a failed login. On the way it
// compares AMCL's E and F with e(V, Q)·e(U' + y·A', s·Q) and e(U + y·A, Q).
func (p amclPeer) pinError(t *testing.T, w *world, id *protocol.Identity, name []byte, l *protocol.FailedLogin) int {
	t.Helper()
	a, at := make([]byte, amclG1), make([]byte, amclG1)
	FP256BN.MPIN_SERVER_1(amcl.SHA256, int(l.Date), bytes.Clone(name), a, at)
	e, f := make([]byte, 12*amclField), make([]byte, 12*amclField)
	code := FP256BN.MPIN_SERVER_2(int(l.Date), a, at, bytes.Clone(l.Y), w.server.Bytes(),
		bytes.Clone(l.Pass1.U), bytes.Clone(l.Pass1.UT), bytes.Clone(l.V), e, f)
	theirVerdict(t, l.Date.String(), code, badPIN)

	s, y := w.suite, must(w.suite.DecodeScalar(l.Y))
	base := must(s.DecodeG1(l.Pass1.U)).Add(id.Point().Mul(y))
	sum := base
	if l.Date != 0 {
		sum = must(s.DecodeG1(l.Pass1.UT)).Add(id.Point().Add(must(id.PermitPoint(l.Date))).Mul(y))
	}
	q, server := s.Backend().G2(), must(s.DecodeG2(w.server.Bytes()))
	pairer := s.Backend().(backends.Pairer)
	sameBytes(t, "E", pairer.Pair([]backends.G1{must(s.DecodeG1(l.V)), sum}, []backends.G2{q, server}).Bytes(), reversed(e))
	sameBytes(t, "F", pairer.Pair([]backends.G1{base}, []backends.G2{q}).Bytes(), reversed(f))
	return FP256BN.MPIN_KANGAROO(e, f)
}

// reversed turns the order of AMCL's coefficients into that of package
// backends.
func reversed(b []byte) []byte {
	coefficients := slices.Collect(slices.Chunk(b, amclField))
	slices.Reverse(coefficients)
	return bytes.Join(coefficients, nil)
}
