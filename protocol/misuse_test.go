package protocol_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
)

// fastSuite is rfc9380/bls12-381 on gnark-crypto.
func fastSuite(t testing.TB) *protocol.Suite {
	return suiteOn(t, "rfc9380/bls12-381", "gnark/bls12-381")
}

func suiteOn(t testing.TB, suite, backend string) *protocol.Suite {
	t.Helper()
	id, err := protocol.ParseSuiteID(suite)
	if err != nil {
		t.Fatal(err)
	}
	b, err := all.Get(backend)
	if err != nil {
		t.Fatal(err)
	}
	s, err := protocol.New(id, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, not %v", what, err, want)
	}
}

func TestChallengeServesOnce(t *testing.T) {
	w := newWorld(fastSuite(t), rand.New(rand.NewSource(2)), 2)
	u := w.user("alice@example.com")
	p := w.prover(u, u.pin, nil)
	c := must(w.verifier.Challenge(u.id, p.Pass1(), 0, nil))
	v := must(p.Pass2(c.Y()))
	if err := c.Verify(v); err != nil {
		t.Fatal(err)
	}
	is(t, "the same answer again", c.Verify(v), protocol.ErrUsed)
	_, err := p.Pass2(c.Y())
	is(t, "the same prover again", err, protocol.ErrUsed)

	// A wrong answer uses the challenge up as well.
	p = w.prover(u, (u.pin+1)%10000, nil)
	c = must(w.verifier.Challenge(u.id, p.Pass1(), 0, nil))
	is(t, "wrong PIN", c.Verify(must(p.Pass2(c.Y()))), protocol.ErrRejected)
	is(t, "second guess", c.Verify(v), protocol.ErrUsed)
}

func TestChallengeServesOnceConcurrently(t *testing.T) {
	w := newWorld(fastSuite(t), rand.New(rand.NewSource(3)), 2)
	u := w.user("alice@example.com")
	p := w.prover(u, u.pin, nil)
	c := must(w.verifier.Challenge(u.id, p.Pass1(), 0, nil))
	v := must(p.Pass2(c.Y()))
	var accepted, used atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			switch err := c.Verify(v); {
			case err == nil:
				accepted.Add(1)
			case errors.Is(err, protocol.ErrUsed):
				used.Add(1)
			}
		})
	}
	wg.Wait()
	if accepted.Load() != 1 || used.Load() != 15 {
		t.Errorf("%d accepted, %d refused as used", accepted.Load(), used.Load())
	}
}

func TestHostileMessages(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		w := newWorld(s, rng, 2)
		u := w.user("alice@example.com")
		good := w.transcript(t, u, 0)
		g := s.Backend().G1()
		identity := s.EncodeG1(g.Sub(g))
		zero := make([]byte, len(good.Y))
		r := s.ID().Curve.Params().R.FillBytes(make([]byte, len(good.Y)))
		for _, c := range []struct {
			what    string
			u, y, v []byte
			want    error
		}{
			{"U is the identity", identity, good.Y, good.V, protocol.ErrIdentityPoint},
			{"V is the identity", good.U, good.Y, identity, protocol.ErrIdentityPoint},
			{"both are", identity, good.Y, identity, protocol.ErrIdentityPoint},
			{"no U", nil, good.Y, good.V, backends.ErrLength},
			{"no V", good.U, good.Y, nil, backends.ErrLength},
			{"U with a trailing byte", append(bytes.Clone(good.U), 0), good.Y, good.V, backends.ErrLength},
			{"V with a trailing byte", good.U, good.Y, append(bytes.Clone(good.V), 0), backends.ErrLength},
			{"y is zero", good.U, zero, good.V, protocol.ErrZeroScalar},
			{"y is r", good.U, r, good.V, backends.ErrNotCanonical},
			{"y is short", good.U, good.Y[1:], good.V, backends.ErrLength},
		} {
			is(t, c.what, w.verifier.Verify(u.id, &protocol.Transcript{U: c.u, Y: c.y, V: c.v}), c.want)
		}
		_, err := w.verifier.Challenge(u.id, protocol.Pass1{U: identity}, 0, nil)
		is(t, "pass 1 with the identity", err, protocol.ErrIdentityPoint)
		_, err = w.prover(u, u.pin, nil).Pass2(zero)
		is(t, "challenge zero", err, protocol.ErrZeroScalar)
		_, err = s.DecodeMasterSecret(zero)
		is(t, "master secret zero", err, protocol.ErrZeroScalar)
		_, err = s.DecodeToken(identity)
		is(t, "token identity", err, protocol.ErrIdentityPoint)
		q := s.Backend().G2()
		_, err = s.DecodeServerSecret(s.EncodeG2(q.Sub(q)))
		is(t, "server secret identity", err, protocol.ErrIdentityPoint)
		if !s.ID().TimePermits() {
			_, err = u.id.PermitPoint(1)
			is(t, "permit in a dialect without", err, protocol.ErrNoPermits)
			_, err = s.DecodePermit(1, good.U)
			is(t, "permit in a dialect without", err, protocol.ErrNoPermits)
		} else {
			_, err = u.id.PermitPoint(0)
			is(t, "permit for no day", err, protocol.ErrDate)
			_, err = w.verifier.Challenge(u.id, protocol.Pass1{U: good.U}, 5, nil)
			is(t, "no U_T where a permit is required", err, backends.ErrLength)
		}
	})
}

func TestSecretsRoundTrip(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		w := newWorld(s, rng, 2)
		u := w.user("alice@example.com")
		same := func(what string, a, b []byte) {
			t.Helper()
			if !bytes.Equal(a, b) {
				t.Errorf("%s: %x, not %x", what, b, a)
			}
		}
		m := w.masters[0].Bytes()
		same("master secret", m, must(s.DecodeMasterSecret(m)).Bytes())
		same("server secret", w.server.Bytes(), must(s.DecodeServerSecret(w.server.Bytes())).Bytes())
		c := w.clientSecret(u.id).Bytes()
		same("client secret", c, must(s.DecodeClientSecret(c)).Bytes())
		same("token", u.token.Bytes(), must(s.DecodeToken(u.token.Bytes())).Bytes())
		if s.ID().TimePermits() {
			p := w.permit(u.id, 9)
			same("permit", p.Bytes(), must(s.DecodePermit(9, p.Bytes())).Bytes())
		}
		h := must(s.IdentityFromHash(u.id.Hash()))
		same("identity point", s.EncodeG1(u.id.Point()), s.EncodeG1(h.Point()))
	})
}

func TestSuitesDoNotMix(t *testing.T) {
	a, b := fastSuite(t), suiteOn(t, "rfc9380/bn254", "gnark/bn254")
	wa, wb := newWorld(a, rand.New(rand.NewSource(4)), 2), newWorld(b, rand.New(rand.NewSource(5)), 2)
	ua, ub := wa.user("x"), wb.user("x")
	calls := map[string]error{}
	_, calls["NewVerifier"] = a.NewVerifier(wb.server)
	_, calls["ClientShare"] = wa.masters[0].ClientShare(ub.id)
	_, calls["PermitShare"] = wa.masters[0].PermitShare(ub.id, 1)
	_, calls["Token"] = wa.clientSecret(ua.id).Token(ub.id)
	_, calls["Token with a foreign PIN"] = wa.clientSecret(ua.id).Token(ua.id, wb.pin(1))
	_, calls["NewProver"] = a.NewProver(ua.id, wb.clientSecret(ub.id), nil, nil)
	_, calls["NewProver with a foreign permit"] = a.NewProver(ua.id, wa.clientSecret(ua.id), wb.permit(ub.id, 1), nil)
	_, calls["Challenge"] = wa.verifier.Challenge(ub.id, protocol.Pass1{}, 0, nil)
	calls["Verify"] = wa.verifier.Verify(ub.id, &protocol.Transcript{})
	_, calls["CombineMasterSecrets"] = protocol.CombineMasterSecrets(wa.masters[0], wb.masters[0])
	_, calls["CombineServerSecrets"] = protocol.CombineServerSecrets(wa.server, wb.server)
	_, calls["CombineClientSecrets"] = protocol.CombineClientSecrets(wa.clientSecret(ua.id), wb.clientSecret(ub.id))
	_, calls["CombinePermits"] = protocol.CombinePermits(wa.permit(ua.id, 1), wb.permit(ub.id, 1))
	for what, err := range calls {
		is(t, what, err, protocol.ErrSuiteMismatch)
	}
	if _, err := protocol.New(a.ID(), b.Backend()); err == nil {
		t.Error("a suite on a backend of another curve")
	}
}

func TestBadInput(t *testing.T) {
	s := fastSuite(t)
	for _, pin := range []string{"", "123", "1234567890123", "12a4", "12 4", "-123", "+123", "１２３４"} {
		_, err := s.PIN(pin)
		is(t, "PIN "+pin, err, protocol.ErrPIN)
		if pin != "" && err != nil && strings.Contains(err.Error(), pin) {
			t.Errorf("the error quotes the PIN: %v", err)
		}
	}
	_, err := s.PINNumber(10000, 4)
	is(t, "five digits as four", err, protocol.ErrPIN)
	_, err = s.Identity(nil)
	is(t, "no identity", err, protocol.ErrIdentityLength)
	_, err = s.Identity(make([]byte, protocol.MaxIdentity+1))
	is(t, "long identity", err, protocol.ErrIdentityLength)
	_, err = s.IdentityFromHash(make([]byte, 31))
	is(t, "short hash", err, protocol.ErrIdentityLength)
	_, err = protocol.CombineMasterSecrets()
	is(t, "no master secrets", err, protocol.ErrNoShares)
	_, err = protocol.CombineClientSecrets()
	is(t, "no client shares", err, protocol.ErrNoShares)
	_, err = protocol.CombineServerSecrets()
	is(t, "no server shares", err, protocol.ErrNoShares)
	_, err = protocol.CombinePermits()
	is(t, "no permit shares", err, protocol.ErrNoShares)
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	_, err = s.NewMasterSecret(broken)
	is(t, "no randomness", err, io.ErrUnexpectedEOF)
	if _, err := s.NewMasterSecret(zeros{}); err == nil {
		t.Error("a source of zeros gave a secret")
	}
	if _, err := protocol.ParseSuiteID("rfc9380/bls12381"); err == nil || !strings.Contains(err.Error(), "rfc9380/bls12-381") {
		t.Errorf("unknown suite: %v", err)
	}
	if _, err := s.WithIdentityDST("x"); err == nil {
		t.Error("rfc9380 took a tag")
	}
	w := newWorld(s, rand.New(rand.NewSource(6)), 2)
	id := w.identity("alice")
	_, err = protocol.CombinePermits(must(w.masters[0].PermitShare(id, 1)), must(w.masters[1].PermitShare(id, 2)))
	is(t, "permits for two days", err, protocol.ErrDate)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func TestDates(t *testing.T) {
	d, err := protocol.DateOf(time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC))
	if err != nil || d != 20780 || d.String() != "2026-11-23" {
		t.Errorf("date %d (%s), %v", d, d, err)
	}
	_, err = protocol.DateOf(time.Unix(0, 0))
	is(t, "the epoch", err, protocol.ErrDate)
	_, err = protocol.DateOf(time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC))
	is(t, "long ago", err, protocol.ErrDate)
}

// FuzzVerify hands hostile messages to the server.
func FuzzVerify(f *testing.F) {
	s := fastSuite(f)
	w := newWorld(s, rand.New(rand.NewSource(7)), 2)
	u := w.user("alice@example.com")
	p := w.prover(u, u.pin, nil)
	y := s.EncodeScalar(backends.SmallScalar(s.Backend(), 99))
	v := must(p.Pass2(y))
	good := p.Pass1().U
	f.Add(good, y, v)
	f.Add([]byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		err := w.verifier.Verify(u.id, &protocol.Transcript{U: a, Y: b, V: c})
		if err == nil && !(samePoint(s, a, good) && bytes.Equal(b, y) && samePoint(s, c, v)) {
			t.Errorf("accepted %x %x %x", a, b, c)
		}
	})
}

// samePoint compares points that may be compressed.
func samePoint(s *protocol.Suite, a, b []byte) bool {
	p, err := s.DecodeG1(a)
	return err == nil && p.Equal(must(s.DecodeG1(b)))
}
