// Package ec is the group of points of a curve y² = x³ + b over any field.
//
// G1 and G2 of a pairing-friendly curve differ only in the field of their
// coordinates, so both are this one piece of code. Points are kept affine and
// are never changed; only Mul goes through Jacobian coordinates. The formulas
// are complete: doubling, inverse points and the identity are told apart by
// comparison, so points of any order may be added. Variable-time.
package ec

import (
	"math/big"

	"mpinlab/backends/arith/field"
)

// Curve is y² = x³ + B over F.
type Curve[E any] struct {
	F field.Field[E]
	B E
}

// Point is a point in affine coordinates, or the identity, whose coordinates
// mean nothing.
type Point[E any] struct {
	X, Y     E
	Identity bool
}

// Identity returns the neutral element.
func (c *Curve[E]) Identity() Point[E] {
	return Point[E]{X: c.F.Zero(), Y: c.F.Zero(), Identity: true}
}

// Affine returns the point (x, y), which must satisfy Contains.
func (c *Curve[E]) Affine(x, y E) Point[E] { return Point[E]{X: x, Y: y} }

// RightSide returns x³ + b.
func (c *Curve[E]) RightSide(x E) E {
	return c.F.Add(c.F.Mul(c.F.Sqr(x), x), c.B)
}

// Contains reports whether p is the identity or satisfies the curve equation.
func (c *Curve[E]) Contains(p Point[E]) bool {
	return p.Identity || c.F.Equal(c.F.Sqr(p.Y), c.RightSide(p.X))
}

// Equal reports whether p and q are the same point.
func (c *Curve[E]) Equal(p, q Point[E]) bool {
	if p.Identity || q.Identity {
		return p.Identity == q.Identity
	}
	return c.F.Equal(p.X, q.X) && c.F.Equal(p.Y, q.Y)
}

// Neg returns −p.
func (c *Curve[E]) Neg(p Point[E]) Point[E] {
	if p.Identity {
		return p
	}
	return Point[E]{X: p.X, Y: c.F.Neg(p.Y)}
}

// Add returns p + q.
func (c *Curve[E]) Add(p, q Point[E]) Point[E] {
	switch {
	case p.Identity:
		return q
	case q.Identity:
		return p
	}
	slope, ok := c.Slope(p, q)
	if !ok {
		return c.Identity()
	}
	return c.AddAlong(slope, p, q)
}

// Slope returns the slope of the line through p and q, the tangent where they
// are equal. It reports false where that line is vertical, that is q = −p.
// Neither may be the identity. It costs one inversion.
func (c *Curve[E]) Slope(p, q Point[E]) (E, bool) {
	f := c.F
	if !f.Equal(p.X, q.X) {
		return f.Mul(f.Sub(q.Y, p.Y), f.Inv(f.Sub(q.X, p.X))), true
	}
	if !f.Equal(p.Y, q.Y) || f.IsZero(p.Y) {
		return f.Zero(), false
	}
	return f.Mul(field.Thrice(f, f.Sqr(p.X)), f.Inv(field.Twice(f, p.Y))), true
}

// AddAlong returns p + q, given the slope of the line through them.
func (c *Curve[E]) AddAlong(slope E, p, q Point[E]) Point[E] {
	f := c.F
	x := f.Sub(f.Sub(f.Sqr(slope), p.X), q.X)
	y := f.Sub(f.Mul(slope, f.Sub(p.X, x)), p.Y)
	return Point[E]{X: x, Y: y}
}

// Mul returns k·p for any integer k: the left-to-right signed-digit method,
// whose time and order of operations depend on k.
func (c *Curve[E]) Mul(p Point[E], k *big.Int) Point[E] {
	if p.Identity {
		return p
	}
	if k.Sign() < 0 {
		p, k = c.Neg(p), new(big.Int).Neg(k)
	}
	minus := c.Neg(p)
	sum := c.jacobianIdentity()
	for _, digit := range field.NAF(k) {
		sum = c.double(sum)
		switch digit {
		case 1:
			sum = c.addAffine(sum, p)
		case -1:
			sum = c.addAffine(sum, minus)
		}
	}
	return c.affine(sum)
}
