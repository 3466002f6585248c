package ec

import "mpinlab/backends/arith/field"

// jacobian is the point (X/Z², Y/Z³), the identity where Z = 0.
type jacobian[E any] struct {
	X, Y, Z E
}

func (c *Curve[E]) jacobianIdentity() jacobian[E] {
	return jacobian[E]{X: c.F.One(), Y: c.F.One(), Z: c.F.Zero()}
}

// affine divides by Z.
func (c *Curve[E]) affine(p jacobian[E]) Point[E] {
	f := c.F
	if f.IsZero(p.Z) {
		return c.Identity()
	}
	inv := f.Inv(p.Z)
	inv2 := f.Sqr(inv)
	return Point[E]{X: f.Mul(p.X, inv2), Y: f.Mul(p.Y, f.Mul(inv2, inv))}
}

// double returns 2p: Explicit-Formulas Database, short Weierstrass curves with
// a = 0, Jacobian coordinates, "dbl-2009-l". It holds for the identity and for
// points of order two as well, both of which give Z = 0.
func (c *Curve[E]) double(p jacobian[E]) jacobian[E] {
	f := c.F
	A, B := f.Sqr(p.X), f.Sqr(p.Y)
	C := f.Sqr(B)
	D := field.Twice(f, f.Sub(f.Sub(f.Sqr(f.Add(p.X, B)), A), C))
	M := field.Thrice(f, A)
	X := f.Sub(f.Sqr(M), field.Twice(f, D))
	eightC := field.Twice(f, field.Twice(f, field.Twice(f, C)))
	return jacobian[E]{
		X: X,
		Y: f.Sub(f.Mul(M, f.Sub(D, X)), eightC),
		Z: field.Twice(f, f.Mul(p.Y, p.Z)),
	}
}

// addAffine returns p + q for q other than the identity: the same database,
// "madd-2004-hmv", with the cases that it leaves out.
func (c *Curve[E]) addAffine(p jacobian[E], q Point[E]) jacobian[E] {
	f := c.F
	if f.IsZero(p.Z) {
		return jacobian[E]{X: q.X, Y: q.Y, Z: f.One()}
	}
	ZZ := f.Sqr(p.Z)
	U := f.Mul(q.X, ZZ)
	S := f.Mul(q.Y, f.Mul(ZZ, p.Z))
	if f.Equal(U, p.X) {
		if f.Equal(S, p.Y) {
			return c.double(p)
		}
		return c.jacobianIdentity()
	}
	H, R := f.Sub(U, p.X), f.Sub(S, p.Y)
	HH := f.Sqr(H)
	HHH, V := f.Mul(HH, H), f.Mul(p.X, HH)
	X := f.Sub(f.Sub(f.Sqr(R), HHH), field.Twice(f, V))
	return jacobian[E]{
		X: X,
		Y: f.Sub(f.Mul(R, f.Sub(V, X)), f.Mul(p.Y, HHH)),
		Z: f.Mul(p.Z, H),
	}
}
