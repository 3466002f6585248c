package h2c

import (
	"math/big"

	"mpinlab/backends/arith/ec"
	"mpinlab/backends/arith/field"
)

// svdw is the map of Shallue and van de Woestijne to y² = g(x) = x³ + b:
// RFC 9380, section 6.6.1, with A = 0. Of three candidates for x at least one
// makes g(x) a square; the first that does is taken.
func svdw(z int64) func(*field.Prime, *ec.Curve[*big.Int]) mapToCurve {
	return func(f *field.Prime, curve *ec.Curve[*big.Int]) mapToCurve {
		g := curve.RightSide
		Z := f.Int(z)
		gZ := g(Z)
		threeZ2 := field.Thrice(f, f.Sqr(Z))
		c1 := gZ
		c2 := f.Neg(f.Mul(Z, f.Inv(f.Int(2)))) // −Z/2
		c3, ok := f.Sqrt(f.Neg(f.Mul(gZ, threeZ2)))
		if !ok {
			panic("h2c: Z does not suit the curve")
		}
		if f.Sgn0(c3) != 0 {
			c3 = f.Neg(c3)
		}
		c4 := f.Neg(f.Mul(f.Mul(f.Int(4), gZ), f.Inv(threeZ2))) // −4·g(Z)/3Z²

		return func(u *big.Int) ec.Point[*big.Int] {
			t := f.Mul(f.Sqr(u), c1)
			plus, minus := f.Add(f.One(), t), f.Sub(f.One(), t)
			inv := f.Inv(f.Mul(plus, minus))
			step := f.Mul(f.Mul(f.Mul(u, minus), inv), c3)

			x := f.Sub(c2, step)
			if !f.IsSquare(g(x)) {
				x = f.Add(c2, step)
			}
			if !f.IsSquare(g(x)) {
				x = f.Add(Z, f.Mul(c4, f.Sqr(f.Mul(f.Sqr(plus), inv))))
			}
			y, _ := rootLike(f, g(x), u)
			return curve.Affine(x, y)
		}
	}
}

// rootLike returns the square root of v with the sign of u, or false where v
// is no square.
func rootLike(f *field.Prime, v, u *big.Int) (*big.Int, bool) {
	y, ok := f.Sqrt(v)
	if ok && f.Sgn0(y) != f.Sgn0(u) {
		y = f.Neg(y)
	}
	return y, ok
}
