//go:build cgo && (amd64 || arm64)

package blst

import (
	"fmt"
	"math/bits"

	blst "github.com/supranational/blst/bindings/go"

	"mpinlab/backends"
)

const scalarBits = 255

// MulShort returns k·p for k below 2^length, meant to be constant-time in k.
// From 176 bits on blst uses the endomorphism, and a full-length k costs no
// more.
func (*Backend) MulShort(p backends.G1, k backends.Scalar, length int) backends.G1 {
	r := &G1{asG1(p).p}
	r.p.MultAssign(&asScalar(k).s, max(0, min(length, scalarBits)))
	return r
}

// MultiScalarG1 returns Σ k[i]·p[i], variable-time. The work follows the
// longest scalar, so that short weights cost less. blst interleaves tables of
// the points below 32 of them and uses Pippenger's buckets from there; a single
// point is cheaper by the endomorphism. Slices of different lengths panic.
func (b *Backend) MultiScalarG1(p []backends.G1, k []backends.Scalar) backends.G1 {
	if len(p) != len(k) {
		panic(fmt.Sprintf("backends: %s was handed %d points and %d scalars", id, len(p), len(k)))
	}
	longest := 0
	scalars := make([][]byte, len(k))
	for i, v := range k {
		scalars[i] = asScalar(v).s.ToLEndian()
		longest = max(longest, bitLen(scalars[i]))
	}
	switch {
	case longest == 0:
		for _, v := range p {
			asG1(v)
		}
		return new(G1)
	case len(p) == 1:
		return b.MulShort(p[0], k[0], longest)
	}
	points := make(blst.P1s, len(p))
	for i, v := range p {
		points[i] = asG1(v).p
	}
	size := (longest + 7) / 8
	packed := make([]byte, 0, size*len(k))
	for _, s := range scalars {
		packed = append(packed, s[:size]...)
	}
	return &G1{*points.Mult(packed, longest)}
}

// bitLen returns the length in bits of a little-endian integer.
func bitLen(le []byte) int {
	for i := len(le) - 1; i >= 0; i-- {
		if le[i] != 0 {
			return 8*i + bits.Len8(le[i])
		}
	}
	return 0
}
