package reference

import (
	"math/big"

	"mpinlab/backends"
	"mpinlab/backends/arith/ec"
	"mpinlab/backends/arith/field"
	"mpinlab/backends/encoding"
)

// group is G1 or G2 as bytes see it.
type group[E any] struct {
	curve *ec.Curve[E]
	codec *encoding.Codec
	style backends.Style
	order *big.Int
	field *field.Prime
	sqrt  func(E) (E, bool)
	// split and assemble go between a coordinate and its coefficients from
	// the lowest.
	split    func(E) []fp
	assemble func([]fp) E
}

// encode returns the uncompressed encoding of p.
func (g *group[E]) encode(p ec.Point[E]) []byte {
	if p.Identity {
		return g.codec.IdentityBytes()
	}
	return g.codec.Encode(g.split(p.X), g.split(p.Y))
}

// compress returns the compressed encoding of p: x and the choice of y.
func (g *group[E]) compress(p ec.Point[E]) []byte {
	b := g.codec.IdentityCompressed()
	if p.Identity {
		return b
	}
	copy(b, g.encode(p))
	upper := g.upper(p.Y)
	switch g.style {
	case backends.Prefixed:
		b[0] = 2
		if upper {
			b[0] = 3
		}
	case backends.TwoFlags:
		b[0] |= 0b10 << 6
		if upper {
			b[0] |= 0b11 << 6
		}
	case backends.ThreeFlags:
		b[0] |= 0b100 << 5
		if upper {
			b[0] |= 0b101 << 5
		}
	}
	return b
}

// decode reads an encoding of either form. Errors as backends.Backend has
// them, in that order.
func (g *group[E]) decode(b []byte) (ec.Point[E], error) {
	form, err := g.codec.Check(b)
	if err != nil {
		return ec.Point[E]{}, err
	}
	var p ec.Point[E]
	switch form {
	case encoding.Identity:
		return g.curve.Identity(), nil
	case encoding.Uncompressed:
		x, y := g.codec.Coordinates(b)
		p = g.curve.Affine(g.assemble(x), g.assemble(y))
		if !g.curve.Contains(p) {
			return ec.Point[E]{}, g.codec.Error(backends.ErrNotOnCurve)
		}
	case encoding.Compressed:
		var ok bool
		if p, ok = g.decompress(b); !ok {
			return ec.Point[E]{}, g.codec.Error(backends.ErrNotOnCurve)
		}
	}
	if !g.curve.Mul(p, g.order).Identity {
		return ec.Point[E]{}, g.codec.Error(backends.ErrNotInSubgroup)
	}
	return p, nil
}

// decompress returns the point of a compressed encoding that was checked, or
// false where there is none.
func (g *group[E]) decompress(b []byte) (ec.Point[E], bool) {
	var upper bool
	x := append([]byte(nil), b...)
	switch g.style {
	case backends.Prefixed:
		upper = x[0] == 3
		x = x[1:]
	case backends.TwoFlags:
		upper = x[0]>>6 == 0b11
		x[0] &= 0x3f
	case backends.ThreeFlags:
		upper = x[0]>>5 == 0b101
		x[0] &= 0x1f
	}
	size := (g.field.P.BitLen() + 7) / 8
	k := make([]fp, len(x)/size)
	for i := range k { // highest coefficient first
		at := len(x) - (i+1)*size
		k[i] = new(big.Int).SetBytes(x[at : at+size])
	}
	p := ec.Point[E]{X: g.assemble(k)}
	y, ok := g.sqrt(g.curve.RightSide(p.X))
	if !ok {
		return p, false
	}
	p.Y = y
	if g.upper(y) != upper {
		p = g.curve.Neg(p)
	}
	return p, true
}

// upper tells a coordinate from its negative, as the style of the curve does.
// ZCash's form and gnark-crypto's ask whether y is the larger of the two,
// comparing the highest coefficient first. MIRACL Core's asks for the sign of
// RFC 9380, section 4.1: the parity of the lowest coefficient that is not
// zero.
func (g *group[E]) upper(y E) bool {
	k := g.split(y)
	if g.style == backends.Prefixed {
		for _, v := range k {
			if v.Sign() != 0 {
				return v.Bit(0) == 1
			}
		}
		return false
	}
	for i := len(k) - 1; i >= 0; i-- {
		if k[i].Sign() != 0 {
			return k[i].Cmp(g.field.Neg(k[i])) > 0
		}
	}
	return false
}
