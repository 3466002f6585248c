//go:build cgo && (amd64 || arm64)

package blst

import (
	blst "github.com/supranational/blst/bindings/go"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// G1 is an element of G1 in Jacobian coordinates. Decoded points have Z = 1,
// which blst recognises wherever affine coordinates are wanted, so that only
// results of arithmetic cost an inversion there.
type G1 struct{ p blst.P1 }

var _ backends.G1 = (*G1)(nil)

var infinity1 blst.P1

// G1 returns the standard generator.
func (*Backend) G1() backends.G1 { return &G1{*blst.P1Generator()} }

// DecodeG1 reads 96 or 48 bytes in ZCash's encoding and checks the subgroup.
func (*Backend) DecodeG1(b []byte) (backends.G1, error) {
	r, a, err := decodeG1(b)
	if err != nil {
		return nil, err
	}
	if !a.InG1() {
		return nil, g1Codec.Error(backends.ErrNotInSubgroup)
	}
	return r, nil
}

// DecodeG1Unchecked is DecodeG1 without the subgroup check.
func (*Backend) DecodeG1Unchecked(b []byte) (backends.G1, error) {
	r, _, err := decodeG1(b)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// InSubgroupG1 checks each point by itself: blst has no batch check. (The
// binding's Validate looks at many points, but refuses the identity.)
func (*Backend) InSubgroupG1(p ...backends.G1) bool {
	for _, v := range p {
		if !asG1(v).p.ToAffine().InG1() {
			return false
		}
	}
	return true
}

func decodeG1(b []byte) (*G1, *blst.P1Affine, error) {
	form, err := g1Codec.Check(b)
	if err != nil {
		return nil, nil, err
	}
	a, read := new(blst.P1Affine), false
	switch form {
	case encoding.Identity:
		return new(G1), a, nil
	case encoding.Compressed:
		read = a.Uncompress(b) != nil
	default:
		read = a.Deserialize(b) != nil
	}
	// blst refuses the two points with x = 0 here because they are outside the
	// subgroup, but it has written them to a; nothing is written for
	// coordinates off the curve.
	if !read && *a == (blst.P1Affine{}) {
		return nil, nil, g1Codec.Error(backends.ErrNotOnCurve)
	}
	r := new(G1)
	r.p.FromAffine(a)
	return r, a, nil
}

func asG1(v backends.G1) *G1 {
	p, ok := v.(*G1)
	if !ok {
		backends.Mixed(id, v)
	}
	return p
}

func (a *G1) Add(v backends.G1) backends.G1 {
	r := &G1{a.p}
	r.p.AddAssign(&asG1(v).p)
	return r
}

func (a *G1) Sub(v backends.G1) backends.G1 {
	r := &G1{a.p}
	r.p.SubAssign(&asG1(v).p)
	return r
}

// Neg subtracts from the identity: the binding has no negation.
func (a *G1) Neg() backends.G1 { return new(G1).Sub(a) }

// Mul returns k·a, meant to be constant-time in k.
func (a *G1) Mul(k backends.Scalar) backends.G1 {
	r := &G1{a.p}
	r.p.MultAssign(&asScalar(k).s)
	return r
}

func (a *G1) Equal(v backends.G1) bool { return a.p.Equals(&asG1(v).p) }

func (a *G1) IsIdentity() bool { return a.p.Equals(&infinity1) }

// Bytes returns 96 bytes.
func (a *G1) Bytes() []byte { return a.p.Serialize() }

// BytesCompressed returns 48 bytes.
func (a *G1) BytesCompressed() []byte { return a.p.Compress() }
