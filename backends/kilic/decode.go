package kilic

import (
	"math/big"

	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// DecodeG1 implements backends.Backend.
func (b *Backend) DecodeG1(data []byte) (backends.G1, error) {
	form, err := b.codec1.Check(data)
	if err != nil {
		return nil, err
	}
	g := groups1.get()
	defer groups1.put(g)
	if p, err := decode(data, g.FromUncompressed, g.FromCompressed); err == nil {
		return &g1{*p}, nil
	}
	// Refused; the library's errors differ only in their text.
	if _, err := b.offSubgroup(g, form, data); err != nil {
		return nil, err
	}
	return nil, b.codec1.Error(backends.ErrNotInSubgroup)
}

// DecodeG2 implements backends.Backend.
func (b *Backend) DecodeG2(data []byte) (backends.G2, error) {
	form, err := b.codec2.Check(data)
	if err != nil {
		return nil, err
	}
	g := groups2.get()
	defer groups2.put(g)
	if q, err := decode(data, g.FromUncompressed, g.FromCompressed); err == nil {
		return &g2{*q}, nil
	}
	on := form == encoding.Compressed && xOnTwist(data)
	if form == encoding.Uncompressed {
		// FromBytes checks the equation alone, and takes (0, 0) for the
		// identity.
		q, err := g.FromBytes(data)
		on = err == nil && !g.IsZero(q)
	}
	if !on {
		return nil, b.codec2.Error(backends.ErrNotOnCurve)
	}
	return nil, b.codec2.Error(backends.ErrNotInSubgroup)
}

// decode picks the decoder for data of a right length.
func decode[P any](data []byte, uncompressed, compressed func([]byte) (*P, error)) (*P, error) {
	if data[0]&0x80 != 0 {
		return compressed(data)
	}
	return uncompressed(data)
}

// DecodeG1Unchecked implements backends.BatchSubgroup. Compressed points are
// checked all the same: the library has no decoder for them that does not.
func (b *Backend) DecodeG1Unchecked(data []byte) (backends.G1, error) {
	form, err := b.codec1.Check(data)
	if err != nil {
		return nil, err
	}
	g := groups1.get()
	defer groups1.put(g)
	if form != encoding.Uncompressed {
		if p, err := decode(data, g.FromUncompressed, g.FromCompressed); err == nil {
			return &g1{*p}, nil
		}
	}
	p, err := b.offSubgroup(g, form, data)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// InSubgroupG1 implements backends.BatchSubgroup: one check after another, as
// the library has no other.
func (b *Backend) InSubgroupG1(p ...backends.G1) bool {
	g := groups1.get()
	defer groups1.put(g)
	for _, o := range p {
		if !g.InCorrectSubgroup(unwrap1(o)) {
			return false
		}
	}
	return true
}

// offSubgroup decodes a point of G1's curve, in the subgroup or not, that is
// not the identity. A compressed point costs a square root in math/big.
func (b *Backend) offSubgroup(g *bls12381.G1, form encoding.Form, data []byte) (*g1, error) {
	if form == encoding.Compressed {
		var ok bool
		if data, ok = decompress(data); !ok {
			return nil, b.codec1.Error(backends.ErrNotOnCurve)
		}
	}
	// FromBytes checks the equation alone, and takes (0, 0) for the identity.
	p, err := g.FromBytes(data)
	if err != nil || g.IsZero(p) {
		return nil, b.codec1.Error(backends.ErrNotOnCurve)
	}
	return &g1{*p}, nil
}

// decompress returns x ‖ y for a compressed point of y² = x³ + 4, or false
// where x has no y.
func decompress(data []byte) ([]byte, bool) {
	c := backends.BLS12381.Params()
	x := coefficient(data[:c.FieldBytes])
	yy := new(big.Int).Exp(x, big.NewInt(3), c.P)
	yy.Add(yy, c.B)
	y := new(big.Int).ModSqrt(yy, c.P)
	if y == nil {
		return nil, false
	}
	// The third flag asks for the larger of y and p − y.
	other := new(big.Int).Sub(c.P, y)
	if larger := y.Cmp(other) > 0; larger != (data[0]&0x20 != 0) {
		y = other
	}
	out := make([]byte, c.G1Bytes)
	x.FillBytes(out[:c.FieldBytes])
	y.FillBytes(out[c.FieldBytes:])
	return out, true
}

// xOnTwist reports whether x³ + 4(1+u), for the x of a compressed point of G2,
// is a square in F_p² = F_p[u]/(u²+1). It is where its norm is one in F_p.
func xOnTwist(data []byte) bool {
	c := backends.BLS12381.Params()
	im, re := coefficient(data[:c.FieldBytes]), coefficient(data[c.FieldBytes:])
	// x³ = (re³ − 3·re·im²) + (3·re²·im − im³)·u
	re2, im2 := new(big.Int).Mul(re, re), new(big.Int).Mul(im, im)
	three := big.NewInt(3)
	real := new(big.Int).Mul(three, im2)
	real.Sub(re2, real).Mul(real, re).Add(real, c.B)
	imaginary := new(big.Int).Mul(three, re2)
	imaginary.Sub(imaginary, im2).Mul(imaginary, im).Add(imaginary, c.B)
	norm := real.Mul(real, real)
	norm.Add(norm, imaginary.Mul(imaginary, imaginary)).Mod(norm, c.P)
	return big.Jacobi(norm, c.P) >= 0
}

// coefficient reads a coefficient and drops the flags, which only the first
// one has.
func coefficient(b []byte) *big.Int {
	v := append([]byte(nil), b...)
	v[0] &= 0x1f
	return new(big.Int).SetBytes(v)
}
