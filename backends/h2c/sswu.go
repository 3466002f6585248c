package h2c

import (
	"math/big"

	"mpinlab/backends/arith/ec"
	"mpinlab/backends/arith/field"
)

// isogenous is the simplified map of Shallue, van de Woestijne and Ulas for
// curves with b only, RFC 9380, section 6.6.3: a map to an isogenous curve
// y² = g(x) = x³ + A'·x + B' after section 6.6.2, with the non-square Z, and
// the isogeny from there. Where Z misses the section's fourth criterion, that
// g(B'/(Z·A')) is a square, no point belongs to u = 0, and the identity stands
// in.
func isogenous(z int64, iso isogeny) func(*field.Prime, *ec.Curve[*big.Int]) mapToCurve {
	return func(f *field.Prime, curve *ec.Curve[*big.Int]) mapToCurve {
		Z := f.Int(z)
		A, B := constant(iso.a), constant(iso.b)
		g := func(x *big.Int) *big.Int {
			return f.Add(f.Mul(f.Add(f.Sqr(x), A), x), B)
		}
		ratio := f.Neg(f.Mul(B, f.Inv(A)))          // −B'/A'
		exceptional := f.Mul(B, f.Inv(f.Mul(Z, A))) // B'/(Z·A')
		xNum, xDen := polynomial(iso.xNum), append(polynomial(iso.xDen), f.One())
		yNum, yDen := polynomial(iso.yNum), append(polynomial(iso.yDen), f.One())

		return func(u *big.Int) ec.Point[*big.Int] {
			zu2 := f.Mul(Z, f.Sqr(u))
			t := f.Inv(f.Add(f.Sqr(zu2), zu2))
			x := exceptional
			if !f.IsZero(t) {
				x = f.Mul(ratio, f.Add(f.One(), t))
			}
			if !f.IsSquare(g(x)) {
				x = f.Mul(zu2, x)
			}
			y, ok := rootLike(f, g(x), u)
			if !ok {
				return curve.Identity() // u = 0 with a Z that misses it
			}

			// iso_map: the poles are what it takes to the identity.
			xd, yd := evaluate(f, xDen, x), evaluate(f, yDen, x)
			if f.IsZero(xd) || f.IsZero(yd) {
				return curve.Identity()
			}
			return curve.Affine(
				f.Mul(evaluate(f, xNum, x), f.Inv(xd)),
				f.Mul(f.Mul(y, evaluate(f, yNum, x)), f.Inv(yd)))
		}
	}
}

// polynomial reads coefficients from the lowest.
func polynomial(coefficients []string) []*big.Int {
	k := make([]*big.Int, len(coefficients))
	for i, s := range coefficients {
		k[i] = constant(s)
	}
	return k
}

// evaluate returns Σ k[i]·x^i.
func evaluate(f *field.Prime, k []*big.Int, x *big.Int) *big.Int {
	v := f.Zero()
	for i := len(k) - 1; i >= 0; i-- {
		v = f.Add(f.Mul(v, x), k[i])
	}
	return v
}
