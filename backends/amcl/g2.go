package amcl

import (
	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// G2 is an element of G2 on the twist y² = x³ + 3(1+i) in homogeneous
// coordinates. The twist has odd order, so that the library's formulas for
// addition hold for all its points.
type G2 struct{ p *FP256BN.ECP2 }

var _ backends.G2 = (*G2)(nil)

// G2 returns the library's generator.
func (*Backend) G2() backends.G2 { return &G2{FP256BN.ECP2_generator()} }

// DecodeG2 reads 129 or 65 bytes. The library has no test for the subgroup, so
// the point is multiplied by r, with the plain multiplication: the one by the
// endomorphism assumes what is to be tested.
func (*Backend) DecodeG2(b []byte) (backends.G2, error) {
	form, err := g2Codec.Check(b)
	if err != nil {
		return nil, err
	}
	var p *FP256BN.ECP2
	switch form {
	case encoding.Identity:
		return &G2{FP256BN.NewECP2()}, nil
	case encoding.Compressed:
		p = decompress(b)
	default:
		p = FP256BN.ECP2_fromBytes(swap(b[1:])) // the identity for a point off the curve
	}
	switch {
	case p.Is_infinity():
		return nil, g2Codec.Error(backends.ErrNotOnCurve)
	case !p.Mul(order).Is_infinity():
		return nil, g2Codec.Error(backends.ErrNotInSubgroup)
	}
	return &G2{p}, nil
}

// swap exchanges the two halves of each element of F_p² in b, between the
// canonical order b ‖ a and AMCL's a ‖ b.
func swap(b []byte) []byte {
	s := make([]byte, 0, len(b))
	for ; len(b) > 0; b = b[2*fieldBytes:] {
		s = append(append(s, b[fieldBytes:2*fieldBytes]...), b[:fieldBytes]...)
	}
	return s
}

func asG2(v backends.G2) *G2 {
	p, ok := v.(*G2)
	if !ok {
		backends.Mixed(id, v)
	}
	return p
}

func (a *G2) copy() *FP256BN.ECP2 {
	r := FP256BN.NewECP2()
	r.Copy(a.p)
	return r
}

func (a *G2) Add(v backends.G2) backends.G2 {
	r := a.copy()
	r.Add(asG2(v).p)
	return &G2{r}
}

func (a *G2) Sub(v backends.G2) backends.G2 {
	r := a.copy()
	r.Sub(asG2(v).p)
	return &G2{r}
}

func (a *G2) Neg() backends.G2 { return &G2{opposite(a.p)} }

// opposite subtracts from the identity: the library keeps its negation to
// itself.
func opposite(p *FP256BN.ECP2) *FP256BN.ECP2 {
	r := FP256BN.NewECP2()
	r.Sub(p)
	return r
}

// Mul returns k·a by the endomorphism. See Info on timing.
func (a *G2) Mul(k backends.Scalar) backends.G2 {
	return &G2{FP256BN.G2mul(a.p, asScalar(k).v)}
}

func (a *G2) Equal(v backends.G2) bool { return a.p.Equals(asG2(v).p) }

func (a *G2) IsIdentity() bool { return a.copy().Is_infinity() }

// Bytes returns 129 bytes.
func (a *G2) Bytes() []byte {
	if a.IsIdentity() {
		return g2Codec.IdentityBytes()
	}
	return append([]byte{4}, swap(affine(a.p))...)
}

// BytesCompressed returns 65 bytes.
func (a *G2) BytesCompressed() []byte {
	if a.IsIdentity() {
		return g2Codec.IdentityCompressed()
	}
	own := affine(a.p)
	x, y := own[:2*fieldBytes], own[2*fieldBytes:]
	return append([]byte{2 + sign(y)}, swap(x)...)
}

// affine returns AMCL's encoding of p, x.a ‖ x.b ‖ y.a ‖ y.b.
func affine(p *FP256BN.ECP2) []byte {
	b := make([]byte, 4*fieldBytes)
	p.ToBytes(b)
	return b
}
