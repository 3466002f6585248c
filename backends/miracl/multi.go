package miracl

import (
	"fmt"

	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
)

// bucketsFrom is the number of points from which the library's bucket method
// is faster than its double multiplication, pair by pair. Measured; the same
// for scalars of 128 and of 256 bits.
const bucketsFrom = 20

// MultiScalarG1 returns Σ k[i]·p[i], variable-time. The work follows the
// longest scalar, so that short weights cost less. Slices of different lengths
// panic.
func (*Backend) MultiScalarG1(p []backends.G1, k []backends.Scalar) backends.G1 {
	if len(p) != len(k) {
		panic(fmt.Sprintf("backends: %s was handed %d points and %d scalars", id, len(p), len(k)))
	}
	points, scalars := make([]*FP256BN.ECP, len(p)), make([]*FP256BN.BIG, len(k))
	for i := range p {
		points[i], scalars[i] = asG1(p[i]).p, asScalar(k[i]).v
	}
	if len(points) >= bucketsFrom {
		return &G1{FP256BN.ECP_muln(len(points), points, scalars)}
	}
	sum := FP256BN.NewECP()
	for ; len(points) > 1; points, scalars = points[2:], scalars[2:] {
		sum.Add(points[0].Mul2(scalars[0], points[1], scalars[1]))
	}
	if len(points) == 1 {
		sum.Add(FP256BN.G1mul(points[0], scalars[0]))
	}
	return &G1{sum}
}

// shortBits is the length up to which a double multiplication costs less than
// one by the endomorphism.
const shortBits = 112

// MulShort returns k·p for k below 2^bits, as (k + 2^bits)·p + 2^bits·(−p):
// the library's double multiplication takes time by the length of its scalars,
// which then follows bits and not k.
func (*Backend) MulShort(p backends.G1, k backends.Scalar, bits int) backends.G1 {
	a, s := asG1(p), asScalar(k)
	if bits < 0 || bits > shortBits {
		return a.Mul(s)
	}
	var b [fieldBytes]byte
	b[fieldBytes-1-bits/8] = 1 << (bits % 8)
	offset := FP256BN.FromBytes(b[:])
	minus := a.copy()
	minus.Neg()
	return &G1{a.p.Mul2(s.v.Plus(offset), minus, offset)}
}
