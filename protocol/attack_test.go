package protocol_test

import (
	"math/rand"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/outside"
	"mpinlab/protocol"
)

// The tests of this file are attacks. Each is named for what the attacker does
// and must fail.

// TestAttackRogueDTAShare: one of three D-TAs issues a share of its own
// making. The user finds it, and which D-TA it was, before there is a token.
// TestGoodSharesVerify shows that honest shares pass.
func TestAttackRogueDTAShare(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		leaveOutReference(t, s)
		w := newWorld(s, rng, 3)
		id := w.identity("alice@example.com")
		rogue := must(s.NewMasterSecret(rng))
		for what, issue := range map[string]func(m *protocol.MasterSecret) (*protocol.ClientSecret, []byte){
			"another secret": func(*protocol.MasterSecret) (*protocol.ClientSecret, []byte) {
				c, proof, err := rogue.ProveClientShare(id, rng)
				is(t, "proving", err, nil)
				return c, proof
			},
			"another identity": func(m *protocol.MasterSecret) (*protocol.ClientSecret, []byte) {
				c, proof, err := m.ProveClientShare(w.identity("eve@example.com"), rng)
				is(t, "proving", err, nil)
				return c, proof
			},
			"a PIN put in": func(m *protocol.MasterSecret) (*protocol.ClientSecret, []byte) {
				c, proof, err := m.ProveClientShare(id, rng)
				is(t, "proving", err, nil)
				shifted := must(s.DecodeG1(c.Bytes())).Add(id.Point())
				return must(s.DecodeClientSecret(s.EncodeG1(shifted))), proof
			},
		} {
			bad := w.masters[rng.Intn(len(w.masters))]
			c, proof := issue(bad)
			is(t, what+": the user's check", bad.ShareKey().VerifyClientShare(id, c, proof), protocol.ErrBadShare)
			is(t, what+": the server's check", c.VerifyShare(id, bad.ServerShare()), protocol.ErrBadShare)
		}
		is(t, "server share of another secret", w.masters[0].ShareKey().VerifyServerShare(rogue.ServerShare()), protocol.ErrBadShare)
		if s.ID().TimePermits() {
			p := must(rogue.PermitShare(id, 20000))
			is(t, "permit of another secret", p.VerifyShare(id, w.masters[0].ServerShare()), protocol.ErrBadShare)
		}
	})
}

// TestAttackTwoRogueSharesCancel: two D-TAs shift their shares against each
// other. The sum is right, and both are caught all the same.
func TestAttackTwoRogueSharesCancel(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(41)), 2)
	id := w.identity("alice@example.com")
	shift := s.Backend().G1()
	a := must(s.DecodeClientSecret(s.EncodeG1(must(s.DecodeG1(must(w.masters[0].ClientShare(id)).Bytes())).Add(shift))))
	b := must(s.DecodeClientSecret(s.EncodeG1(must(s.DecodeG1(must(w.masters[1].ClientShare(id)).Bytes())).Sub(shift))))
	is(t, "the sum", must(protocol.CombineClientSecrets(a, b)).VerifyShare(id, w.server), nil)
	is(t, "the first", a.VerifyShare(id, w.masters[0].ServerShare()), protocol.ErrBadShare)
	is(t, "the second", b.VerifyShare(id, w.masters[1].ServerShare()), protocol.ErrBadShare)
}

// TestAttackReplayedCommitment: an eavesdropper sends a user's U and V again,
// under a new challenge, and then again under the one that was answered.
func TestAttackReplayedCommitment(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		leaveOutReference(t, s)
		w := newWorld(s, rng, 2)
		u := w.user("alice@example.com")
		p := w.prover(u, u.pin, nil)
		c := must(w.verifier.Challenge(u.id, p.Pass1(), 0, rng))
		v := must(p.Pass2(c.Y()))
		is(t, "the user", c.Verify(v), nil)
		is(t, "the same challenge", c.Verify(v), protocol.ErrUsed)
		is(t, "a new challenge", must(w.verifier.Challenge(u.id, p.Pass1(), 0, rng)).Verify(v), protocol.ErrRejected)
	})
}

// TestAttackTwoGuessesOnOneChallenge: a thief with the token tries PINs until
// one fits.
func TestAttackTwoGuessesOnOneChallenge(t *testing.T) {
	w := newWorld(fastSuite(t), rand.New(rand.NewSource(42)), 2)
	u := w.user("alice@example.com")
	// The same x serves for a prover of each PIN.
	x := must(w.suite.NewMasterSecret(w.rng)).Bytes()
	guess := func(pin int) *protocol.Prover {
		return must(w.suite.NewProver(u.id, must(u.token.Secret(u.id, w.pin(pin))), nil, drawing(w.suite, x)))
	}
	c := must(w.verifier.Challenge(u.id, guess(0).Pass1(), 0, w.rng))
	is(t, "a wrong guess", c.Verify(must(guess((u.pin+1)%10000).Pass2(c.Y()))), protocol.ErrRejected)
	is(t, "the right one after it", c.Verify(must(guess(u.pin).Pass2(c.Y()))), protocol.ErrUsed)
}

// TestAttackOldTokenOnNewGeneration: a stolen token of a replaced master
// secret.
func TestAttackOldTokenOnNewGeneration(t *testing.T) {
	s := fastSuite(t)
	older, newer := newWorld(s, rand.New(rand.NewSource(43)), 2), newWorld(s, rand.New(rand.NewSource(44)), 2)
	stolen := older.user("alice@example.com")
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	k := s.NewKeyring()
	is(t, "old", k.Add(7, older.verifier, now), nil)
	is(t, "new", k.Add(8, newer.verifier, time.Time{}), nil)
	is(t, "naming the new generation", older.through(k, 8, now, stolen), protocol.ErrRejected)
	is(t, "naming the retired one", older.through(k, 7, now, stolen), protocol.ErrGenerationRetired)
	is(t, "naming one that never was", older.through(k, 9, now, stolen), protocol.ErrUnknownGeneration)

	// A challenge of one generation does not serve for another.
	p := older.prover(stolen, stolen.pin, nil)
	c := must(must(k.Verifier(8, now)).Challenge(stolen.id, p.Pass1(), 0, older.rng))
	is(t, "switching between the passes", c.Verify(must(p.Pass2(c.Y()))), protocol.ErrRejected)
}

// TestAttackPINErrorWithoutToken: whoever lacks the token, or another factor,
// is given no δ, whatever he sends.
func TestAttackPINErrorWithoutToken(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		leaveOutReference(t, s)
		w, other := newWorld(s, rng, 2), newWorld(s, rng, 2)
		id, eve := w.identity("alice@example.com"), w.identity("eve@example.com")
		device := must(s.HashedFactor([]byte("device")))
		secret := w.clientSecret(id)
		for _, date := range dates(s) {
			none := func(what string, l *protocol.FailedLogin) {
				t.Helper()
				_, err := w.verifier.PINError(id, l, 100)
				is(t, what+", "+date.String(), err, protocol.ErrNoPINError)
			}
			permit := w.permit(id, date)
			none("another's token", w.failed(id, w.clientSecret(eve), date, permit))
			none("a token of another deployment", w.failed(id, other.clientSecret(id), date, permit))
			none("a missing factor", w.failed(id, must(must(secret.Token(id, device)).Secret(id)), date, permit))
			l := w.failed(id, secret, date, permit)
			l.V = s.EncodeG1(must(s.DecodeG1(l.V)).Add(s.Backend().G1()))
			none("a random V", l)
			l = w.failed(id, secret, date, permit)
			l.Y = s.EncodeScalar(must(backends.RandomScalar(s.Backend(), rng)))
			none("another challenge", l)
			if date == 0 {
				continue
			}
			none("a permit of another day", w.failed(id, secret, date, must(s.DecodePermit(date, w.permit(id, date+1).Bytes()))))
			// What the documentation warns of: with a permit, a thief can hide
			// the error of a guess by a false U.
			guess := must(must(secret.Token(id, w.pin(1234))).Secret(id, w.pin(1235)))
			l = w.failed(id, guess, date, permit)
			w.wantPINError(t, id, l, 100, 1)
			l.Pass1.U = s.EncodeG1(must(s.DecodeG1(l.Pass1.U)).Add(id.Point()))
			none("a false U", l)
		}
	})
}

// TestAttackIdentityAndSmallSubgroups hands the identity, and points outside
// the group of order r, to everything that takes a point from outside.
func TestAttackIdentityAndSmallSubgroups(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		onceOnReference(t, s)
		w := newWorld(s, rng, 2)
		u := w.user("alice@example.com")
		good := w.failed(u.id, must(u.token.Secret(u.id, w.pin(u.pin))), 0, nil)
		g, q := s.Backend().G1(), s.Backend().G2()
		attack := func(what string, point []byte, want error) {
			t.Helper()
			calls := map[string]error{}
			_, calls["DecodeClientSecret"] = s.DecodeClientSecret(point)
			_, calls["DecodeToken"] = s.DecodeToken(point)
			_, calls["DecodeShareKey"] = s.DecodeShareKey(point)
			_, calls["Challenge"] = w.verifier.Challenge(u.id, protocol.Pass1{U: point}, 0, rng)
			calls["Verify, U"] = w.verifier.Verify(u.id, &protocol.Transcript{U: point, Y: good.Y, V: good.V})
			calls["Verify, V"] = w.verifier.Verify(u.id, &protocol.Transcript{U: good.Pass1.U, Y: good.Y, V: point})
			_, calls["PINError, U"] = w.verifier.PINError(u.id, &protocol.FailedLogin{Pass1: protocol.Pass1{U: point}, Y: good.Y, V: good.V}, 10)
			_, calls["PINError, V"] = w.verifier.PINError(u.id, &protocol.FailedLogin{Pass1: good.Pass1, Y: good.Y, V: point}, 10)
			if s.ID().TimePermits() {
				dated := protocol.Pass1{U: good.Pass1.U, UT: point}
				_, calls["DecodePermit"] = s.DecodePermit(20000, point)
				_, calls["Challenge, U_T"] = w.verifier.Challenge(u.id, dated, 20000, rng)
				_, calls["PINError, U_T"] = w.verifier.PINError(u.id, &protocol.FailedLogin{Date: 20000, Pass1: dated, Y: good.Y, V: good.V}, 10)
			}
			for call, err := range calls {
				is(t, call+" of "+what, err, want)
			}
		}
		attack("the identity", s.EncodeG1(g.Sub(g)), protocol.ErrIdentityPoint)
		for _, stray := range strayG1(s) {
			attack("a point outside the subgroup", stray, backends.ErrNotInSubgroup)
		}
		_, err := s.DecodeServerSecret(s.EncodeG2(q.Sub(q)))
		is(t, "DecodeServerSecret of the identity", err, protocol.ErrIdentityPoint)
		if s.ID().Dialect == protocol.RFC9380 {
			_, err = s.DecodeServerSecret(outside.Point(s.ID().Curve, "G2"))
			is(t, "DecodeServerSecret of a point outside the subgroup", err, backends.ErrNotInSubgroup)
		}
	})
}

// strayG1 are points of the curve that are not in G1, in the suite's encoding:
// one of great order and those of small order.
func strayG1(s *protocol.Suite) [][]byte {
	c := s.ID().Curve
	var strays [][]byte
	if p := outside.Point(c, "G1"); p != nil {
		strays = append(strays, p)
	}
	for _, p := range outside.Small(c, "G1") {
		strays = append(strays, p.Point)
	}
	if s.ID().Dialect != protocol.RFC9380 && c.Params().Style != backends.Prefixed {
		for i, p := range strays {
			strays[i] = append([]byte{4}, p...)
		}
	}
	return strays
}

// TestAttackForeignSuite hands values of one suite to another.
func TestAttackForeignSuite(t *testing.T) {
	a, b := fastSuite(t), suiteOn(t, "rfc9380/bn254", "gnark/bn254")
	wa, wb := newWorld(a, rand.New(rand.NewSource(45)), 1), newWorld(b, rand.New(rand.NewSource(46)), 1)
	ours, theirs := wa.identity("x"), wb.identity("x")
	m := wa.masters[0]
	key := m.ShareKey()
	calls := map[string]error{}
	_, calls["PINError"] = wa.verifier.PINError(theirs, &protocol.FailedLogin{}, protocol.FourDigits)
	calls["ClientSecret.VerifyShare, identity"] = wa.clientSecret(ours).VerifyShare(theirs, wa.server)
	calls["ClientSecret.VerifyShare, server"] = wa.clientSecret(ours).VerifyShare(ours, wb.server)
	calls["Permit.VerifyShare, identity"] = wa.permit(ours, 1).VerifyShare(theirs, wa.server)
	calls["Permit.VerifyShare, server"] = wa.permit(ours, 1).VerifyShare(ours, wb.server)
	calls["VerifyClientShare, identity"] = key.VerifyClientShare(theirs, wa.clientSecret(ours), nil)
	calls["VerifyClientShare, share"] = key.VerifyClientShare(ours, wb.clientSecret(theirs), nil)
	calls["VerifyPermitShare, identity"] = key.VerifyPermitShare(theirs, wa.permit(ours, 1), nil)
	calls["VerifyPermitShare, share"] = key.VerifyPermitShare(ours, wb.permit(theirs, 1), nil)
	calls["VerifyServerShare"] = key.VerifyServerShare(wb.server)
	_, _, calls["ProveClientShare"] = m.ProveClientShare(theirs, nil)
	_, _, calls["ProvePermitShare"] = m.ProvePermitShare(theirs, 1, nil)
	calls["Keyring.Add"] = a.NewKeyring().Add(1, wb.verifier, time.Time{})
	for what, err := range calls {
		is(t, what, err, protocol.ErrSuiteMismatch)
	}
}
