package protocol_test

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
)

// failed runs a login with the given secret and returns what the server saw.
func (w *world) failed(id *protocol.Identity, secret *protocol.ClientSecret, date protocol.Date, permit *protocol.Permit) *protocol.FailedLogin {
	p := must(w.suite.NewProver(id, secret, permit, w.rng))
	y := w.suite.EncodeScalar(must(backends.RandomScalar(w.suite.Backend(), w.rng)))
	return &protocol.FailedLogin{Date: date, Pass1: p.Pass1(), Y: y, V: must(p.Pass2(y))}
}

// enter is failed with a PIN set and another entered.
func (w *world) enter(id *protocol.Identity, set, entered protocol.Factor, date protocol.Date) *protocol.FailedLogin {
	token := must(w.clientSecret(id).Token(id, set))
	return w.failed(id, must(token.Secret(id, entered)), date, w.permit(id, date))
}

func (w *world) wantPINError(t *testing.T, id *protocol.Identity, l *protocol.FailedLogin, pins, want int) {
	t.Helper()
	if got, err := w.verifier.PINError(id, l, pins); err != nil || got != want {
		t.Errorf("%s, among %d: error of the PIN %d, %v, not %d", l.Date, pins, got, err, want)
	}
}

// onceOnReference leaves out the reference's dialects but its first: it is slow,
// and the dialects differ in what other tests see to.
func onceOnReference(t *testing.T, s *protocol.Suite) {
	t.Helper()
	if s.ID().Dialect != protocol.RFC9380 {
		leaveOutReference(t, s)
	}
}

func leaveOutReference(t *testing.T, s *protocol.Suite) {
	t.Helper()
	if strings.HasPrefix(s.Backend().Info().ID, "reference/") {
		t.Skip("the reference is slow")
	}
}

func TestPINErrorIsEnteredLessTrue(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		onceOnReference(t, s)
		w := newWorld(s, rng, 2)
		id := w.identity("alice@example.com")
		for _, date := range dates(s) {
			pairs := [][2]int{{0, 9999}, {9999, 0}, {5000, 5000}}
			for range cases {
				pairs = append(pairs, [2]int{rng.Intn(10000), rng.Intn(10000)})
			}
			rng.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
			for _, p := range pairs[:max(2, cases)] {
				w.wantPINError(t, id, w.enter(id, w.pin(p[0]), w.pin(p[1]), date), protocol.FourDigits, p[1]-p[0])
			}
		}
	})
}

// TestPINErrorIsFoundThroughoutTheRange takes every δ of small ranges and the
// two beyond each end.
func TestPINErrorIsFoundThroughoutTheRange(t *testing.T) {
	s := fastSuite(t)
	w := newWorld(s, rand.New(rand.NewSource(11)), 2)
	id := w.identity("alice@example.com")
	for _, pins := range []int{2, 3, 4, 9, 30} {
		for delta := -pins; delta <= pins; delta++ {
			l := w.enter(id, w.pin(5000), w.pin(5000+delta), 0)
			if delta != pins && delta != -pins {
				w.wantPINError(t, id, l, pins, delta)
				continue
			}
			_, err := w.verifier.PINError(id, l, pins)
			is(t, fmt.Sprintf("%d among %d", delta, pins), err, protocol.ErrNoPINError)
		}
	}
}

func TestPINErrorOfSixDigits(t *testing.T) {
	for _, b := range []string{"gnark/bls12-381", "blst/bls12-381", "gnark/bn254"} {
		backend, err := all.Get(b)
		if err != nil {
			t.Log(err) // blst needs cgo
			continue
		}
		s := must(protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backend.Info().Curve}, backend))
		w := newWorld(s, rand.New(rand.NewSource(12)), 2)
		id := w.identity("alice@example.com")
		pin := func(n int) protocol.Factor { return must(s.PINNumber(uint64(n), 6)) }
		for _, p := range [][2]int{{0, 999999}, {999999, 0}, {w.rng.Intn(1e6), w.rng.Intn(1e6)}} {
			l := w.enter(id, pin(p[0]), pin(p[1]), 20000)
			w.wantPINError(t, id, l, protocol.SixDigits, p[1]-p[0])
		}
		_, err = w.verifier.PINError(id, w.enter(id, pin(1), pin(700001), 0), protocol.FourDigits)
		is(t, "six digits among four", err, protocol.ErrNoPINError)
	}
}

// TestPINErrorInThePeersDialects: a PIN is its last four digits there.
func TestPINErrorInThePeersDialects(t *testing.T) {
	s := suiteOn(t, "milagro/bn254", "gnark/bn254")
	w := newWorld(s, rand.New(rand.NewSource(13)), 1)
	id := w.identity("alice@example.com")
	w.wantPINError(t, id, w.enter(id, must(s.PIN("12344")), must(s.PIN("992345")), 0), protocol.SixDigits, 1)
	w.wantPINError(t, id, w.enter(id, must(s.PIN("12344")), must(s.PIN("2344")), 0), protocol.FourDigits, 0)
}

func TestPINErrorRefuses(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, _ int) {
		w := newWorld(s, rng, 2)
		id := w.identity("alice@example.com")
		good := w.enter(id, w.pin(1), w.pin(2), 0)
		g := s.Backend().G1()
		identity, zero := s.EncodeG1(g.Sub(g)), make([]byte, len(good.Y))
		minusYA := s.EncodeG1(id.Point().Mul(must(s.DecodeScalar(good.Y))).Neg())
		for _, c := range []struct {
			what string
			l    protocol.FailedLogin
			want error
		}{
			{"no U", protocol.FailedLogin{Y: good.Y, V: good.V}, backends.ErrLength},
			{"no V", protocol.FailedLogin{Pass1: good.Pass1, Y: good.Y}, backends.ErrLength},
			{"no y", protocol.FailedLogin{Pass1: good.Pass1, V: good.V}, backends.ErrLength},
			{"y is zero", protocol.FailedLogin{Pass1: good.Pass1, Y: zero, V: good.V}, protocol.ErrZeroScalar},
			{"U is the identity", protocol.FailedLogin{Pass1: protocol.Pass1{U: identity}, Y: good.Y, V: good.V}, protocol.ErrIdentityPoint},
			{"V is the identity", protocol.FailedLogin{Pass1: good.Pass1, Y: good.Y, V: identity}, protocol.ErrIdentityPoint},
			{"U = −y·A", protocol.FailedLogin{Pass1: protocol.Pass1{U: minusYA}, Y: good.Y, V: good.V}, protocol.ErrIdentityPoint},
		} {
			_, err := w.verifier.PINError(id, &c.l, protocol.FourDigits)
			is(t, c.what, err, c.want)
		}
		for _, pins := range []int{-1, 0, 1, protocol.MaxPINRange + 1} {
			_, err := w.verifier.PINError(id, good, pins)
			is(t, fmt.Sprintf("%d PINs", pins), err, protocol.ErrPINRange)
		}
		dated := *good
		dated.Date = 20000
		_, err := w.verifier.PINError(id, &dated, protocol.FourDigits)
		if s.ID().TimePermits() {
			is(t, "no U_T", err, backends.ErrLength)
			dated.Pass1.UT = identity
			_, err = w.verifier.PINError(id, &dated, protocol.FourDigits)
			is(t, "U_T is the identity", err, protocol.ErrIdentityPoint)
			dated.Date = -1
			_, err = w.verifier.PINError(id, &dated, protocol.FourDigits)
			is(t, "negative date", err, protocol.ErrDate)
		} else {
			is(t, "a date", err, protocol.ErrNoPermits)
		}
	})
}

// TestPINErrorNeedsThePairing hides what backends may lack.
func TestPINErrorNeedsThePairing(t *testing.T) {
	whole := fastSuite(t)
	s := must(protocol.New(whole.ID(), struct{ backends.Backend }{whole.Backend()}))
	w := newWorld(s, rand.New(rand.NewSource(14)), 1)
	id := w.identity("alice@example.com")
	_, err := w.verifier.PINError(id, w.enter(id, w.pin(1), w.pin(2), 0), protocol.FourDigits)
	is(t, "without GT", err, protocol.ErrNoPairing)
}

// FuzzPINError hands hostile logins to the search: it must neither panic nor
// find a δ for another V than those that belong to U and y.
func FuzzPINError(f *testing.F) {
	s := fastSuite(f)
	w := newWorld(s, rand.New(rand.NewSource(15)), 2)
	id := w.identity("alice@example.com")
	for _, date := range dates(s) {
		l := w.enter(id, w.pin(1), w.pin(3), date)
		f.Add(int32(date), l.Pass1.U, l.Pass1.UT, l.Y, l.V, 5)
	}
	f.Add(int32(-1), []byte{}, []byte{}, []byte{}, []byte{}, -1)
	q, server := s.Backend().G2(), must(s.DecodeG2(w.server.Bytes()))
	f.Fuzz(func(t *testing.T, date int32, u, ut, y, v []byte, pins int) {
		l := &protocol.FailedLogin{Date: protocol.Date(date), Pass1: protocol.Pass1{U: u, UT: ut}, Y: y, V: v}
		delta, err := w.verifier.PINError(id, l, min(pins, protocol.FourDigits))
		if err != nil {
			return
		}
		// V + δ·(U + y·A) would have been accepted.
		k := must(s.DecodeScalar(y))
		base := must(s.DecodeG1(u)).Add(id.Point().Mul(k))
		sum := base
		if date != 0 {
			a := id.Point().Add(must(id.PermitPoint(l.Date)))
			sum = must(s.DecodeG1(ut)).Add(a.Mul(k))
		}
		shift := base.Mul(backends.SmallScalar(s.Backend(), uint64(max(delta, -delta))))
		if delta < 0 {
			shift = shift.Neg()
		}
		mended := must(s.DecodeG1(v)).Add(shift)
		if !s.Backend().PairingCheck([]backends.G1{mended, sum}, []backends.G2{q, server}) {
			t.Errorf("an error of %d that is none", delta)
		}
	})
}
