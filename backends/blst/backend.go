//go:build cgo && (amd64 || arm64)

package blst

import (
	"fmt"

	blst "github.com/supranational/blst/bindings/go"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

var (
	g1Codec = encoding.G1(backends.BLS12381)
	g2Codec = encoding.G2(backends.BLS12381)
)

func init() { blst.SetMaxProcs(1) } // see the package comment

// Backend is blst on bls12-381. It has no state.
type Backend struct{}

var (
	_ backends.Backend       = (*Backend)(nil)
	_ backends.Hasher        = (*Backend)(nil)
	_ backends.Encoder       = (*Backend)(nil)
	_ backends.MultiScalar   = (*Backend)(nil)
	_ backends.ShortScalar   = (*Backend)(nil)
	_ backends.BatchSubgroup = (*Backend)(nil)
	_ backends.Pairer        = (*Backend)(nil)
	_ backends.Splitter      = (*Backend)(nil)
)

// New returns the entry of the backend.
func New() backends.Entry { return backends.Available(new(Backend)) }

// Info describes the backend.
func (*Backend) Info() backends.Info { return info() }

// HashToG1 is hash_to_curve of BLS12381G1_XMD:SHA-256_SSWU_RO_ (RFC 9380,
// section 8.8.1) with the given tag in place of the suite's. blst shortens
// tags over 255 bytes itself.
func (*Backend) HashToG1(dst, msg []byte) backends.G1 {
	return &G1{*blst.HashToG1(msg, dst)}
}

// EncodeToG1 is encode_to_curve of BLS12381G1_XMD:SHA-256_SSWU_NU_.
func (*Backend) EncodeToG1(dst, msg []byte) backends.G1 {
	return &G1{*blst.EncodeToG1(msg, dst)}
}

// PairingCheck reports whether Π e(p[i], q[i]) = 1. The pairs share the
// squarings of one Miller loop, sixteen pairs at a time, and one final
// exponentiation.
func (b *Backend) PairingCheck(p []backends.G1, q []backends.G2) bool {
	f := miller(p, q)
	f.FinalExp()
	return *f == blst.Fp12One()
}

// Pair returns Π e(p[i], q[i]).
func (b *Backend) Pair(p []backends.G1, q []backends.G2) backends.GT {
	f := miller(p, q)
	f.FinalExp()
	return &GT{*f}
}

// MillerLoop returns the product of the Miller functions of the pairs.
func (b *Backend) MillerLoop(p []backends.G1, q []backends.G2) backends.Unreduced {
	return unreduced{miller(p, q)}
}

// FinalExp raises the value of a Miller loop to (p¹²−1)/r, times the factor 3
// that bls12-381 libraries share.
func (b *Backend) FinalExp(u backends.Unreduced) backends.GT {
	f, ok := u.(unreduced)
	if !ok {
		backends.Mixed(id, u)
	}
	r := &GT{*f.f}
	r.f.FinalExp()
	return r
}

type unreduced struct{ f *blst.Fp12 }

// miller leaves out pairs with an identity, because blst's loop over several
// pairs gives a wrong product where a G2 point is the identity.
func miller(p []backends.G1, q []backends.G2) *blst.Fp12 {
	if len(p) != len(q) {
		panic(fmt.Sprintf("backends: %s was handed %d points of G1 to pair with %d of G2", id, len(p), len(q)))
	}
	ps := make([]blst.P1Affine, 0, len(p))
	qs := make([]blst.P2Affine, 0, len(q))
	for i := range p {
		a, b := asG1(p[i]).p.ToAffine(), asG2(q[i]).p.ToAffine()
		if *a != (blst.P1Affine{}) && *b != (blst.P2Affine{}) {
			ps, qs = append(ps, *a), append(qs, *b)
		}
	}
	if len(ps) == 0 {
		one := blst.Fp12One()
		return &one
	}
	return blst.Fp12MillerLoopN(qs, ps)
}
