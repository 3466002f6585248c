package attack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// The three ways of searching for a PIN with the token and the server secret.
//
//   - ByPairing tries e(token + k·A, Q)·e(−A, s·Q) = 1 for k = 0, 1, 2, …: a
//     pairing product a guess.
//   - ByPowers computes g = e(A, Q) and h = e(A, s·Q)/e(token, Q) = g^PIN once
//     and compares 1, g, g², … with h: a multiplication in GT a guess.
//   - BySquareRoot finds the same logarithm by baby steps and giant steps, in
//     about twice the square root of the number of PINs. It needs no program
//     of the thief's own: [protocol.Verifier.PINError] of a login that he makes
//     with the token and PIN 0 says −PIN.
const (
	ByPairing    = "pairing"
	ByPowers     = "powers"
	BySquareRoot = "square-root"
)

// SearchRow is the time that a search for a PIN takes with the stolen token and
// the server secret.
type SearchRow struct {
	Backend string `json:"backend"`
	Suite   string `json:"suite"`
	Method  string `json:"method"`
	Digits  int    `json:"digits"`
	// Seconds is the time for all PINs of that length, on one core.
	Seconds float64 `json:"seconds"`
	// Guesses is the number of guesses that were timed, 0 for BySquareRoot.
	// Where it is less than the number of PINs, Seconds is computed from them.
	Guesses int `json:"guesses"`
	// Measured says that the whole search was carried out.
	Measured bool `json:"measured"`
}

// errNotFound: a search that must find its PIN did not.
var errNotFound = errors.New("the search did not find the PIN")

// lengths are the PIN lengths of the rows. Longer ones than PINError searches
// are computed by the square-root law.
var lengths = []int{4, 6, 8, 12}

// search measures all ways on a backend, in rfc9380: the other dialects keep
// four digits of a PIN.
func search(ctx context.Context, b backends.Backend, o Options) (rows []SearchRow, err error) {
	s, err := protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: b.Info().Curve}, b)
	if err != nil {
		return nil, err
	}
	v, err := newVictim(s, o.Seed)
	if err != nil {
		return nil, err
	}
	row := func(method string, digits int) SearchRow {
		return SearchRow{Backend: b.Info().ID, Suite: s.ID().String(), Method: method, Digits: digits}
	}
	for _, way := range []struct {
		method string
		walk   func(*victim, *protocol.Token, int) (uint64, error)
		first  int
	}{{ByPairing, byPairing, 16}, {ByPowers, byPowers, 256}} {
		if _, ok := b.(backends.Pairer); !ok && way.method == ByPowers {
			continue
		}
		each, guesses, err := rate(ctx, v, way.walk, way.first, o)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", way.method, err)
		}
		for _, d := range lengths {
			r := row(way.method, d)
			r.Seconds, r.Guesses, r.Measured = each*float64(pins(d)), guesses, guesses >= pins(d)
			rows = append(rows, r)
		}
	}
	var last SearchRow
	for _, d := range lengths {
		r := row(BySquareRoot, d)
		switch {
		case pins(d) <= protocol.MaxPINRange && !(o.Quick && d > 4):
			took, err := bySquareRoot(v, d)
			if errors.Is(err, protocol.ErrNoPairing) {
				return rows, nil
			}
			if err != nil {
				return rows, fmt.Errorf("%s: %w", BySquareRoot, err)
			}
			r.Seconds, r.Measured = took.Seconds(), true
			last = r
		default:
			r.Seconds = last.Seconds
			for n := pins(last.Digits); n < pins(d); n *= 100 {
				r.Seconds *= 10
			}
		}
		rows = append(rows, r)
	}
	return rows, ctx.Err()
}

func pins(digits int) int {
	n := 1
	for range digits {
		n *= 10
	}
	return n
}

// rate measures the seconds that a guess takes, with the PIN where the walk
// ends: the number of guesses is doubled until a walk takes long enough, and
// the shortest of three such walks counts.
func rate(ctx context.Context, v *victim, walk func(*victim, *protocol.Token, int) (uint64, error), n int, o Options) (seconds float64, guesses int, err error) {
	enough := 200 * time.Millisecond
	if o.Quick {
		enough = time.Millisecond
	}
	best := time.Duration(0)
	for repeats := 0; repeats < 3; {
		pin := uint64(n - 1)
		token, err := v.token(pin, 8)
		if err != nil {
			return 0, 0, err
		}
		start := time.Now()
		found, err := walk(v, token, n)
		took := time.Since(start)
		if err == nil && found != pin {
			err = fmt.Errorf("%w: %d for %d", errNotFound, found, pin)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return 0, 0, err
		}
		if took < enough && n < pins(4) {
			n = min(2*n, pins(4))
			continue
		}
		repeats++
		if best == 0 || took < best {
			best = took
		}
	}
	return best.Seconds() / float64(n), n, nil
}

// points reads what the thief has: the token, A, Q and s·Q.
func (v *victim) points(token *protocol.Token) (t, a backends.G1, q, sq backends.G2, err error) {
	if t, err = v.suite.DecodeG1(token.Bytes()); err != nil {
		return
	}
	sq, err = v.suite.DecodeG2(v.server.Bytes())
	return t, v.id.Point(), v.suite.Backend().G2(), sq, err
}

func byPairing(v *victim, token *protocol.Token, most int) (uint64, error) {
	at, a, q, sq, err := v.points(token)
	if err != nil {
		return 0, err
	}
	check := func(p backends.G1, minusA backends.G1) bool {
		return v.suite.Backend().PairingCheck([]backends.G1{p, minusA}, []backends.G2{q, sq})
	}
	if fixer, ok := v.suite.Backend().(backends.FixedG2); ok {
		fixed := fixer.FixG2(q, sq)
		check = func(p, minusA backends.G1) bool { return fixed.PairingCheck(p, minusA) }
	}
	minusA := a.Neg()
	for k := range uint64(most) {
		if check(at, minusA) {
			return k, nil
		}
		at = at.Add(a)
	}
	return 0, errNotFound
}

func byPowers(v *victim, token *protocol.Token, most int) (uint64, error) {
	t, a, q, sq, err := v.points(token)
	if err != nil {
		return 0, err
	}
	pairer := v.suite.Backend().(backends.Pairer)
	g := pairer.Pair([]backends.G1{a}, []backends.G2{q})
	h := pairer.Pair([]backends.G1{a, t.Neg()}, []backends.G2{sq, q})
	at := g.Mul(g.Inverse())
	for k := range uint64(most) {
		if at.Equal(h) {
			return k, nil
		}
		at = at.Mul(g)
	}
	return 0, errNotFound
}

// bySquareRoot searches for the greatest PIN of a length, whose δ stands where
// the search of PINError ends, and returns the time it took. The shortest of
// three counts.
func bySquareRoot(v *victim, digits int) (best time.Duration, err error) {
	pin := uint64(pins(digits) - 1)
	token, err := v.token(pin, digits)
	if err != nil {
		return 0, err
	}
	verifier, err := v.suite.NewVerifier(v.server)
	if err != nil {
		return 0, err
	}
	for range 3 {
		start := time.Now()
		zero, err := v.suite.PINNumber(0, digits)
		if err != nil {
			return 0, err
		}
		secret, err := token.Secret(v.id, zero)
		if err != nil {
			return 0, err
		}
		l, err := login(v.suite, v.id, secret, v.rng)
		if err != nil {
			return 0, err
		}
		delta, err := verifier.PINError(v.id, l, pins(digits))
		took := time.Since(start)
		if err != nil {
			return 0, err
		}
		if uint64(-delta) != pin {
			return 0, fmt.Errorf("%w: %d for %d", errNotFound, -delta, pin)
		}
		if best == 0 || took < best {
			best = took
		}
	}
	return best, nil
}
