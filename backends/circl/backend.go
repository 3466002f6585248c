// Package circl adapts ecc/bls12381 of Cloudflare's CIRCL to package backends.
//
// CIRCL is written in Go throughout. Multiplication by a scalar, in G1, G2 and
// GT, reads its table in constant time; CIRCL's README names the packages that
// are known to leak timing, and this one is not among them. Decoding, hashing
// and reducing a scalar of other than 32 bytes are variable-time.
//
// Points are kept in projective coordinates; encoding one costs an inversion.
// The package exports neither a Miller loop nor a decoder without subgroup
// check nor a multi-scalar multiplication, so only the hashes and the pairing
// are there as optional interfaces.
//
// GT is encoded as ff.Fp12 documents, F_p^12 = F_p^6[w] = F_p^2[v][w] with
// w² = v, 48 bytes a coefficient, from the highest to the lowest: w·v²·u,
// w·v², w·v·u, …, u, 1. The value of the pairing is the cube of the reduced
// ate pairing. Both are gnark-crypto's.
package circl

import (
	"github.com/cloudflare/circl/ecc/bls12381"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

const id = "circl/bls12-381"

// New lists the backend. It runs everywhere.
func New() backends.Entry { return backends.Available(newBackend()) }

// Backend is CIRCL on bls12-381.
type Backend struct {
	info           backends.Info
	codec1, codec2 *encoding.Codec
}

var (
	_ backends.Backend = (*Backend)(nil)
	_ backends.Hasher  = (*Backend)(nil)
	_ backends.Encoder = (*Backend)(nil)
	_ backends.Pairer  = (*Backend)(nil)
)

func newBackend() *Backend {
	return &Backend{
		info: backends.Info{
			ID:             id,
			Library:        "CIRCL",
			Curve:          backends.BLS12381,
			Version:        backends.ModuleVersion("github.com/cloudflare/circl"),
			Implementation: "Go",
			ConstantTime:   backends.ConstantTimeClaimed,
			ConstantTimeSource: `CIRCL README, "Constant-Time Caveats": ecc/bls12381 is not among the packages ` +
				`known to leak timing; ScalarMult in ecc/bls12381/g1.go scans its table with conditional moves`,
		},
		codec1: encoding.G1(backends.BLS12381),
		codec2: encoding.G2(backends.BLS12381),
	}
}

// Info implements backends.Backend.
func (b *Backend) Info() backends.Info { return b.info }

// G1 implements backends.Backend.
func (b *Backend) G1() backends.G1 { return &g1{*bls12381.G1Generator()} }

// G2 implements backends.Backend.
func (b *Backend) G2() backends.G2 { return &g2{*bls12381.G2Generator()} }

// HashToG1 implements backends.Hasher.
func (b *Backend) HashToG1(dst, msg []byte) backends.G1 {
	p := new(g1)
	p.v.Hash(msg, encoding.ShortenDST(dst))
	return p
}

// EncodeToG1 implements backends.Encoder.
func (b *Backend) EncodeToG1(dst, msg []byte) backends.G1 {
	p := new(g1)
	p.v.Encode(msg, encoding.ShortenDST(dst))
	return p
}
