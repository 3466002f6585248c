//go:build cgo && (amd64 || arm64)

package blst

import (
	blst "github.com/supranational/blst/bindings/go"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// G2 is an element of G2 in Jacobian coordinates; see [G1].
type G2 struct{ p blst.P2 }

var _ backends.G2 = (*G2)(nil)

var infinity2 blst.P2

// G2 returns the standard generator.
func (*Backend) G2() backends.G2 { return &G2{*blst.P2Generator()} }

// DecodeG2 reads 192 or 96 bytes in ZCash's encoding and checks the subgroup.
func (*Backend) DecodeG2(b []byte) (backends.G2, error) {
	form, err := g2Codec.Check(b)
	if err != nil {
		return nil, err
	}
	a, read := new(blst.P2Affine), false
	switch form {
	case encoding.Identity:
		return new(G2), nil
	case encoding.Compressed:
		read = a.Uncompress(b) != nil
	default:
		read = a.Deserialize(b) != nil
	}
	switch {
	case !read:
		return nil, g2Codec.Error(backends.ErrNotOnCurve)
	case !a.InG2():
		return nil, g2Codec.Error(backends.ErrNotInSubgroup)
	}
	r := new(G2)
	r.p.FromAffine(a)
	return r, nil
}

func asG2(v backends.G2) *G2 {
	p, ok := v.(*G2)
	if !ok {
		backends.Mixed(id, v)
	}
	return p
}

func (a *G2) Add(v backends.G2) backends.G2 {
	r := &G2{a.p}
	r.p.AddAssign(&asG2(v).p)
	return r
}

func (a *G2) Sub(v backends.G2) backends.G2 {
	r := &G2{a.p}
	r.p.SubAssign(&asG2(v).p)
	return r
}

// Neg subtracts from the identity: the binding has no negation.
func (a *G2) Neg() backends.G2 { return new(G2).Sub(a) }

// Mul returns k·a, meant to be constant-time in k.
func (a *G2) Mul(k backends.Scalar) backends.G2 {
	r := &G2{a.p}
	r.p.MultAssign(&asScalar(k).s)
	return r
}

func (a *G2) Equal(v backends.G2) bool { return a.p.Equals(&asG2(v).p) }

func (a *G2) IsIdentity() bool { return a.p.Equals(&infinity2) }

// Bytes returns 192 bytes.
func (a *G2) Bytes() []byte { return a.p.Serialize() }

// BytesCompressed returns 96 bytes.
func (a *G2) BytesCompressed() []byte { return a.p.Compress() }
