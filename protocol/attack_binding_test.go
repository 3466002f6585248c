package protocol_test

import (
	"math/rand"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// The tests of this file are attacks on a lock-out policy that counts failures
// with a δ and, with permits, those without that have no binding proof.

// nearPINs is the range of PINs here, so that the search takes no time.
const nearPINs = 100

// near is a wrong PIN whose error is in that range.
func near(pin int, rng *rand.Rand) int {
	if pin < 5000 {
		return pin + 1 + rng.Intn(nearPINs-1)
	}
	return pin - 1 - rng.Intn(nearPINs-1)
}

// attempt is a failed login under a permit and the proof that came with it.
type attempt struct {
	*protocol.FailedLogin
	proof []byte
}

// counted applies the policy of PINError's documentation to a rejected login.
func (w *world) counted(t *testing.T, id *protocol.Identity, a attempt) bool {
	t.Helper()
	is(t, "the verdict", w.verifier.Verify(id, &protocol.Transcript{Date: a.Date, U: a.Pass1.UT, Y: a.Y, V: a.V}), protocol.ErrRejected)
	_, err := w.verifier.PINError(id, a.FailedLogin, nearPINs)
	if err == nil {
		return true
	}
	is(t, "no δ", err, protocol.ErrNoPINError)
	return w.suite.VerifyBinding(id, a.Date, a.Pass1, a.proof) != nil
}

// guess is a thief's login with a user's token and a PIN that he tries.
func (w *world) guess(t *testing.T, u *user, pin int, date protocol.Date) attempt {
	t.Helper()
	p, proof := w.bound(u, pin, date)
	return w.answer(u, p, p.Pass1(), proof, date)
}

// answer sends the pass 1 given in place of the prover's and answers a
// challenge for it.
func (w *world) answer(u *user, p *protocol.Prover, m protocol.Pass1, proof []byte, date protocol.Date) attempt {
	y := must(w.verifier.Challenge(u.id, m, date, w.rng)).Y()
	return attempt{&protocol.FailedLogin{Date: date, Pass1: m, Y: y, V: must(p.Pass2(y))}, proof}
}

// TestAttackGuessesWithoutCounting: a thief has the token and fetches permits.
// Whatever he does about U and the proof, a guess of the PIN is counted.
func TestAttackGuessesWithoutCounting(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		leaveOutReference(t, s)
		leaveOutPermitless(t, s)
		w := newWorld(s, rng, 1)
		u := w.user("alice@example.com")
		const date = 20000
		for range (cases + 1) / 3 {
			pin := near(u.pin, rng)
			honest := w.guess(t, u, pin, date)
			w.wantPINError(t, u.id, honest.FailedLogin, nearPINs, pin-u.pin)
			is(t, "his proof", s.VerifyBinding(u.id, date, honest.Pass1, honest.proof), nil)
			if !w.counted(t, u.id, honest) {
				t.Error("a guess with a proof is not counted")
			}
			// A false U hides the δ, and with it goes the proof: there is none,
			// or one for other points.
			for what, proof := range map[string]func(own []byte) []byte{
				"no proof":                 func([]byte) []byte { return nil },
				"the proof of the true U":  func(own []byte) []byte { return own },
				"the proof of another run": func([]byte) []byte { _, other := w.bound(u, pin, date); return other },
			} {
				p, own := w.bound(u, pin, date)
				m := p.Pass1()
				m.U = s.EncodeG1(must(s.DecodeG1(m.U)).Add(u.id.Point()))
				a := w.answer(u, p, m, proof(own), date)
				if _, err := w.verifier.PINError(u.id, a.FailedLogin, nearPINs); err == nil {
					t.Errorf("%s: a false U hides nothing, which makes this test void", what)
				}
				if !w.counted(t, u.id, a) {
					t.Errorf("%s: a guess with a false U is not counted", what)
				}
			}
		}
	})
}

// TestAttackBindingAFalseU: who chooses c and z, however cleverly, has a proof
// for U and U_T with different x only if the hash happens to be his c.
func TestAttackBindingAFalseU(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(71)), 1)
	id := w.identity("alice@example.com")
	const date = 20000
	a := id.Point()
	at := a.Add(must(id.PermitPoint(date)))
	scalar := func() backends.Scalar { return must(backends.RandomScalar(s.Backend(), w.rng)) }
	for range 100 {
		x, false_, k := scalar(), scalar(), scalar()
		m := protocol.Pass1{U: s.EncodeG1(a.Mul(false_)), UT: s.EncodeG1(at.Mul(x))}
		c := make([]byte, 16)
		w.rng.Read(c)
		e := s.Backend().ReduceScalar(c)
		for what, z := range map[string]backends.Scalar{
			"with the x of U_T": k.Add(e.Mul(x)),
			"with the x of U":   k.Add(e.Mul(false_)),
			"anything":          k,
		} {
			is(t, what, s.VerifyBinding(id, date, m, append(c[:16:16], s.EncodeScalar(z)...)), protocol.ErrUnbound)
		}
	}
	// A prover's own proof for either of the two.
	p := must(s.NewProver(id, w.clientSecret(id), w.permit(id, date), w.rng))
	q := must(s.NewProver(id, w.clientSecret(id), w.permit(id, date), w.rng))
	mixed := protocol.Pass1{U: p.Pass1().U, UT: q.Pass1().UT}
	for _, proof := range [][]byte{must(p.ProveBinding(w.rng)), must(q.ProveBinding(w.rng))} {
		is(t, "one run's proof for two runs' points", s.VerifyBinding(id, date, mixed, proof), protocol.ErrUnbound)
	}
}

// TestAttackLockingOutWithoutTheToken: an outsider knows the identity, the
// permit and all messages, and has a token of his own. With a proof, which he
// can make, his failures do not count; without, none of his tricks with U gives
// a δ.
func TestAttackLockingOutWithoutTheToken(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		leaveOutReference(t, s)
		leaveOutPermitless(t, s)
		w := newWorld(s, rng, 1)
		alice, eve := w.user("alice@example.com"), w.user("eve@example.com")
		const date = 20000
		// His own token under her identity, and her permit.
		posing := &user{alice.id, eve.token, eve.pin}
		a := w.guess(t, posing, eve.pin, date)
		is(t, "his proof", s.VerifyBinding(alice.id, date, a.Pass1, a.proof), nil)
		if w.counted(t, alice.id, a) {
			t.Error("an outsider's failure counts")
		}
		if cases < 5 {
			return // a slow backend
		}
		// Tricks: U and U_T chosen against each other, V after y.
		g, k := s.Backend().G1(), must(backends.RandomScalar(s.Backend(), rng))
		point := alice.id.Point()
		dated := point.Add(must(alice.id.PermitPoint(date)))
		permit := must(s.DecodeG1(w.permit(alice.id, date).Bytes()))
		for what, u := range map[string][2]backends.G1{
			"U = U_T":              {dated.Mul(k), dated.Mul(k)},
			"U_T = U":              {point.Mul(k), point.Mul(k)},
			"U_T without A":        {point.Mul(k), dated.Sub(point).Mul(k)},
			"the generator":        {g.Mul(k), g},
			"the permit":           {permit, dated},
			"the permit and A_T":   {permit, permit.Add(dated)},
			"U_T is −2^128·A'":     {point, dated.Mul(must(s.DecodeScalar(power128(s)))).Neg()},
			"the token of his own": {must(s.DecodeG1(eve.token.Bytes())), dated},
		} {
			m := protocol.Pass1{U: s.EncodeG1(u[0]), UT: s.EncodeG1(u[1])}
			y := must(w.verifier.Challenge(alice.id, m, date, rng)).Y()
			base := u[0].Add(point.Mul(must(s.DecodeScalar(y))))
			for _, v := range []backends.G1{base, base.Add(permit), u[1].Add(base)} {
				l := &protocol.FailedLogin{Date: date, Pass1: m, Y: y, V: s.EncodeG1(v)}
				_, err := w.verifier.PINError(alice.id, l, nearPINs)
				is(t, what, err, protocol.ErrNoPINError)
			}
		}
	})
}

// power128 is the encoding of 2^128.
func power128(s *protocol.Suite) []byte {
	_, _, size := s.ID().Sizes()
	b := make([]byte, size)
	b[size-17] = 1
	return b
}
