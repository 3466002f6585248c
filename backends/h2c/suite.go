package h2c

import (
	"math/big"
	"sync"

	"mpinlab/backends"
	"mpinlab/backends/arith/ec"
	"mpinlab/backends/arith/field"
)

// suite is what fixes a hash to G1 of a curve.
type suite struct {
	curve    *ec.Curve[*big.Int]
	toCurve  mapToCurve
	cofactor *big.Int // h_eff, RFC 9380, section 7
}

// mapToCurve takes an element of F_p to a point of the curve: RFC 9380,
// section 6.
type mapToCurve func(u *big.Int) ec.Point[*big.Int]

// suites makes the suite of each curve that has one, at first use.
var suites = map[backends.Curve]func() *suite{
	// The effective cofactor is 1 − u for the parameter u of the curve,
	// instead of the cofactor (1 − u)²/3: RFC 9380, section 8.8.1; Wahby and
	// Boneh, ePrint 2019/403, section 5.
	backends.BLS12381: lazy(backends.BLS12381, "d201000000010001", isogenous(11, isogeny11)),
	backends.BLS12377: lazy(backends.BLS12377, "-8508c00000000000", isogenous(5, isogeny2)),
	// These have cofactor 1.
	backends.BN254:   lazy(backends.BN254, "1", svdw(1)),
	backends.FP256BN: lazy(backends.FP256BN, "1", svdw(1)),
	backends.BN254N:  lazy(backends.BN254N, "1", svdw(-1)),
	backends.BN254CX: lazy(backends.BN254CX, "1", svdw(-1)),
}

// suiteOf returns the suite of c, or ErrCurve.
func suiteOf(c backends.Curve) (*suite, error) {
	built, ok := suites[c]
	if !ok {
		return nil, unsupported(c, "hash to curve of RFC 9380", func(c backends.Curve) bool { return suites[c] != nil })
	}
	return built(), nil
}

func lazy(c backends.Curve, cofactor string, build func(*field.Prime, *ec.Curve[*big.Int]) mapToCurve) func() *suite {
	return sync.OnceValue(func() *suite {
		f, curve := arithmetic(c)
		return &suite{curve: curve, toCurve: build(f, curve), cofactor: constant(cofactor)}
	})
}

// arithmetic returns the field of c and the curve of its G1.
func arithmetic(c backends.Curve) (*field.Prime, *ec.Curve[*big.Int]) {
	p := c.Params()
	f := field.NewPrime(p.P)
	return f, &ec.Curve[*big.Int]{F: f, B: p.B}
}

func constant(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("h2c: bad constant " + s)
	}
	return v
}
