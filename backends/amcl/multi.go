package amcl

import (
	"fmt"

	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
)

// MultiScalarG1 returns Σ k[i]·p[i], variable-time, two points at a time with
// the library's double multiplication. The work follows the longer scalar of
// each two, so that short weights cost less. Slices of different lengths
// panic.
func (*Backend) MultiScalarG1(p []backends.G1, k []backends.Scalar) backends.G1 {
	if len(p) != len(k) {
		panic(fmt.Sprintf("backends: %s was handed %d points and %d scalars", id, len(p), len(k)))
	}
	sum := FP256BN.NewECP()
	for ; len(p) > 1; p, k = p[2:], k[2:] {
		sum.Add(asG1(p[0]).p.Mul2(asScalar(k[0]).v, asG1(p[1]).p, asScalar(k[1]).v))
	}
	if len(p) == 1 {
		sum.Add(FP256BN.G1mul(asG1(p[0]).p, asScalar(k[0]).v))
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
	minus := FP256BN.NewECP()
	minus.Sub(a.p)
	return &G1{a.p.Mul2(add(s.v, offset), minus, offset)}
}
