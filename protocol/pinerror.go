package protocol

import (
	"errors"
	"fmt"

	"mpinlab/backends"
)

var (
	// ErrNoPINError: no wrong PIN within the range explains the failure.
	ErrNoPINError = errors.New("not explained by a wrong PIN")
	// ErrNoPairing: the backend tells whether a product of pairings is one, and
	// not its value.
	ErrNoPairing = errors.New("this backend does not give the value of a pairing")
	// ErrPINRange: the number of PINs to search is not 2 to MaxPINRange.
	ErrPINRange = errors.New("bad range of PINs")
)

// The number of PINs of four and of six digits, and the most that PINError
// searches.
const (
	FourDigits  = 10_000
	SixDigits   = 1_000_000
	MaxPINRange = 100_000_000
)

// FailedLogin is a rejected login as the server saw it.
type FailedLogin struct {
	// Date is the day of the time permit that the server required, 0 for none.
	Date Date
	// Pass1 is the client's first message. U is needed here with a permit too,
	// although the verdict does not depend on it then.
	Pass1 Pass1
	// Y is the challenge and V the client's answer.
	Y, V []byte
}

// PINError tells by how much a PIN was wrong: it returns δ = entered − true
// for abs(δ) < pins, where the PINs are below pins (FourDigits, SixDigits).
// ErrNoPINError says that no such δ exists: the token, the identity, the
// permit or another factor is wrong, or the PIN is longer. δ = 0 is a login
// that [Verifier.Verify] accepts.
//
// It rests on the failed product E = e(V, Q)·e(U' + y·A', s·Q). A client that
// has everything but the PIN sends V = −(x + y)·(s·A' + δ·A), so that
// E = F^(−δ) with F = e(U + y·A, Q), and δ is a discrete logarithm in a small
// range. The pairing cannot be avoided: in G1 the same relation reads
// V + s·(U' + y·A') = −δ·(U + y·A), which takes s itself, whereas the server
// holds s·Q only. Source: Scott, "M-Pin: a multi-factor zero knowledge
// authentication protocol", and AMCL's MPIN_SERVER_2 and MPIN_KANGAROO, whose
// E and F are these. AMCL's kangaroos miss some errors; the search here misses
// none.
//
// The milagro and miracl-core dialects keep PINs modulo 10000 when they are
// taken out and put back, so there δ is the difference of the remainders: 12345
// entered for 2344 is δ = 1, and a range beyond FourDigits finds nothing more.
//
// # What it leaks, and when not to offer it
//
// The server that asks learns something that the protocol was made to keep
// from it. δ is not the PIN, but one entered PIN known from elsewhere (a
// camera, a guess, a user who always begins with last year's PIN) gives the
// true one away, and many δ of one user show which digits slip. So: never
// send δ, or anything computed from it, to the client. Whoever holds a stolen
// token would need one guess and one answer. Do not log it beside the
// identity, and do not offer it at all where the server is to learn nothing
// about PINs, or where PINs are reused elsewhere.
//
// Its use is a lock-out policy. Where there is no factor but the PIN, a δ that
// is found proves that the client holds the identity's token, with permits or
// without, whatever U it sent: from answers to two challenges under one U and
// U', both with a δ, follows V − V' + δ·(U + y·A) − δ'·(U + y'·A) =
// (y' − y)·s·A', so that without a client secret one challenge of 2^128 can be
// answered. Nobody without the token can make failures with a δ, and a policy
// that counts these alone towards locking the account keeps outsiders from
// locking a user out.
//
// It may leave the others out where a thief with the token cannot avoid the δ.
// Without permits he cannot: a V that would have been accepted for the PIN that
// he tries is −(x + y)·(s·A + δ·A), and U is the commitment that the verdict
// rests on. With permits that is U_T, and a false U makes the guess look like
// something else. So count every failure then, except those without a δ that
// come with a proof by [Prover.ProveBinding] that holds: with U = x·A for the x
// of U_T the argument is that of log-ins without permits, and what still shows
// no δ would have been accepted for no PIN in range, and tried none. In the
// one-pass protocol, where U can even be chosen after y, do not trust δ.
//
// The policy must not be gentler on small errors or slips of a digit in any way
// that the client can notice: that tells a thief whether he is close.
//
// Variable-time in δ: answer the client first. A call costs two pairings and
// up to 2.9·√pins multiplications in GT: between two and three verifications
// for four digits and about ten for six. What has no δ costs most, so limit the
// calls per identity and source. Memory: under 50·√pins bytes.
//
// Further errors: those of Verifier.Verify for malformed values, ErrNoPairing,
// ErrPINRange, and ErrIdentityPoint for U = −y·A, with which every δ or none
// would fit.
func (v *Verifier) PINError(id *Identity, t *FailedLogin, pins int) (int, error) {
	s := v.suite
	if !s.same(id.suite) {
		return 0, ErrSuiteMismatch
	}
	pairer, ok := s.backend.(backends.Pairer)
	if !ok {
		return 0, ErrNoPairing
	}
	if pins < 2 || pins > MaxPINRange {
		return 0, fmt.Errorf("%w: %d PINs, not 2 to %d", ErrPINRange, pins, MaxPINRange)
	}
	l, err := s.readFailed(id, t)
	if err != nil {
		return 0, err
	}
	// Shifted by the range, the exponent is never negative:
	// d = E·F^shift = F^(shift − δ).
	q, shift := s.backend.G2(), uint64(pins-1)
	shifted := l.v.Add(s.group.mulShort(l.base, backends.SmallScalar(s.backend, shift), rangeBits))
	d := pairer.Pair([]backends.G1{shifted, l.sum}, []backends.G2{q, v.secret})
	f := pairer.Pair([]backends.G1{l.base}, []backends.G2{q})
	e, ok := smallLog(f, d, 2*shift)
	if !ok {
		return 0, ErrNoPINError
	}
	return int(shift) - int(e), nil
}

// rangeBits is a bound on the bits of a number below MaxPINRange.
const rangeBits = 27

// failedPoints is a FailedLogin decoded.
type failedPoints struct {
	v    backends.G1 // V
	base backends.G1 // U + y·A
	sum  backends.G1 // U' + y·A'
}

func (s *Suite) readFailed(id *Identity, t *FailedLogin) (*failedPoints, error) {
	a, err := id.loginPoint(t.Date)
	if err != nil {
		return nil, err
	}
	u, err := s.DecodeG1(t.Pass1.U)
	if err != nil {
		return nil, fmt.Errorf("commitment U: %w", err)
	}
	y, err := s.nonZeroScalar(t.Y)
	if err != nil {
		return nil, fmt.Errorf("challenge y: %w", err)
	}
	p, err := s.DecodeG1(t.V)
	if err != nil {
		return nil, fmt.Errorf("answer V: %w", err)
	}
	l := &failedPoints{v: p, base: u.Add(s.group.mulChallenge(id.point, y))}
	if l.base.IsIdentity() {
		return nil, fmt.Errorf("commitment U = −y·A: %w", ErrIdentityPoint)
	}
	l.sum = l.base
	if t.Date != 0 {
		ut, err := s.DecodeG1(t.Pass1.UT)
		if err != nil {
			return nil, fmt.Errorf("commitment U_T: %w", err)
		}
		l.sum = ut.Add(s.group.mulChallenge(a, y))
	}
	return l, nil
}
