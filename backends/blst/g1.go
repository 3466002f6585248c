//go:build cgo && (amd64 || arm64)

package blst

import (
	"crypto/rand"

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

// batchFrom is the number of points from which the batch subgroup check beats
// one check after another.
const batchFrom = 96

// rounds is the number of random sums that a batch check looks at.
const rounds = 64

// InSubgroupG1 reports whether all p lie in the subgroup. From 96 points on it
// looks at 64 sums, in each of which every point takes part or not as a fair coin
// falls: a point outside makes each of them fall outside with probability 1/2
// at least, given the other coins, so that it passes with probability 2^-64 at
// most. The sums have blst's batch addition, which shares inversions and takes
// a third of the time of a check for each point. (The binding's Validate looks
// at many points, but one by one, and refuses the identity.)
func (*Backend) InSubgroupG1(p ...backends.G1) bool {
	points := make(blst.P1Affines, 0, len(p))
	for _, v := range p {
		a := asG1(v).p.ToAffine()
		if len(p) < batchFrom && !a.InG1() {
			return false
		}
		if *a != (blst.P1Affine{}) {
			points = append(points, *a)
		}
	}
	if len(p) < batchFrom {
		return true
	}
	chosen := make(blst.P1Affines, 0, len(points))
	coins := make([]byte, (len(points)+7)/8)
	for range rounds {
		rand.Read(coins) // crypto/rand: never fails
		chosen = chosen[:0]
		for i := range points {
			if coins[i/8]>>(i%8)&1 == 1 {
				chosen = append(chosen, points[i])
			}
		}
		if len(chosen) > 0 && !chosen.Add().ToAffine().InG1() {
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
