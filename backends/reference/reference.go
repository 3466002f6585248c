// Package reference is our own pairing, in math/big: a backend to judge the
// libraries by, written to be read beside the literature and not to be fast.
//
// It covers the Barreto–Naehrig and BLS12 curves. A curve is a row of
// constants (params.go) and a choice between two twists and three final
// exponentiations; all else is computed from them. The layers are small and
// each has its source named where it is used:
//
//   - package field: F_p, F_p², F_p⁶ and F_p¹² as a tower of generic extensions
//   - package ec: the points of y² = x³ + b over any field
//   - miller.go: the optimal ate Miller loop with affine line functions
//   - finalexp.go: the final exponentiation
//   - group.go: encodings, square roots by sign, subgroup checks
//
// The subgroup checks multiply by r and the scalar multiplications know no
// endomorphism, so that nothing rests on the structure that the libraries'
// faster ways exploit. Hashing is that of package h2c.
//
// GT's bytes are those of gnark-crypto on bls12-381, bls12-377 and bn254, and
// those of MIRACL Core on fp256bn, bn254n and bn254cx. A pairing is settled
// only up to a power prime to r, and which power is the value is a convention.
// Here the Miller loop's result is raised, with u the parameter of the curve,
// to
//
//	bn254n, bn254cx, fp256bn   (p¹² − 1)/r
//	bn254                      2u(6u² + 3u + 1)·(p¹² − 1)/r
//	bls12-381, bls12-377       3·(p¹² − 1)/r
//
// which gives the values of the same libraries.
//
// Everything here is variable-time, scalar multiplications first of all. Do
// not use it with secrets that matter.
package reference

import (
	"fmt"
	"math/big"
	"strings"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
	"mpinlab/backends/h2c"
)

// Backend is the reference pairing on one curve. It is immutable and safe for
// concurrent use.
type Backend struct {
	info    backends.Info
	order   *big.Int
	pairing *pairing
	g1      group[fp]
	g2      group[fp2]
}

var (
	_ backends.Backend  = (*Backend)(nil)
	_ backends.Hasher   = (*Backend)(nil)
	_ backends.Encoder  = (*Backend)(nil)
	_ backends.Pairer   = (*Backend)(nil)
	_ backends.Splitter = (*Backend)(nil)
)

// New returns the reference backends, one for each curve there is.
func New() []backends.Entry {
	var entries []backends.Entry
	for _, c := range curves() {
		entries = append(entries, backends.Available(newBackend(c)))
	}
	return entries
}

// NewCurve returns the reference backend of c. Each call builds one anew, and
// the elements of two are not to be mixed. The error names the curves there
// are.
func NewCurve(c backends.Curve) (backends.Backend, error) {
	if _, ok := table[c]; !ok {
		var ids []string
		for _, known := range curves() {
			ids = append(ids, known.String())
		}
		return nil, fmt.Errorf("reference: no pairing on %s; there are %s", c, strings.Join(ids, ", "))
	}
	return newBackend(c), nil
}

// curves lists the curves of the table in the order of backends.Curves.
func curves() []backends.Curve {
	var has []backends.Curve
	for _, c := range backends.Curves() {
		if _, ok := table[c]; ok {
			has = append(has, c)
		}
	}
	return has
}

func newBackend(c backends.Curve) *Backend {
	p := newPairing(c, table[c])
	order := c.Params().R
	return &Backend{
		info: backends.Info{
			ID:                 "reference/" + c.String(),
			Library:            "mpinlab reference",
			Curve:              c,
			Version:            backends.ModuleVersion("mpinlab"),
			Implementation:     "Go (math/big)",
			ConstantTime:       backends.ConstantTimeNo,
			ConstantTimeSource: "documentation of this package",
		},
		order:   order,
		pairing: p,
		g1: group[fp]{
			curve: p.g1, codec: encoding.G1(c), style: c.Params().Style, order: order, field: p.tower.Fp,
			sqrt:     p.tower.Fp.Sqrt,
			split:    func(x fp) []fp { return []fp{x} },
			assemble: func(k []fp) fp { return k[0] },
		},
		g2: group[fp2]{
			curve: p.g2, codec: encoding.G2(c), style: c.Params().Style, order: order, field: p.tower.Fp,
			sqrt:     p.tower.SqrtFp2,
			split:    func(x fp2) []fp { return []fp{x.A, x.B} },
			assemble: func(k []fp) fp2 { return fp2{A: k[0], B: k[1]} },
		},
	}
}

// Info tells who this backend is.
func (b *Backend) Info() backends.Info { return b.info }

// DecodeScalar reads a big-endian integer below r.
func (b *Backend) DecodeScalar(v []byte) (backends.Scalar, error) {
	if err := encoding.CheckScalar(b.info.Curve, v); err != nil {
		return nil, err
	}
	return b.ReduceScalar(v), nil
}

// ReduceScalar reads a big-endian integer and reduces it modulo r.
// Variable-time.
func (b *Backend) ReduceScalar(v []byte) backends.Scalar {
	k := new(big.Int).SetBytes(v)
	return scalar{b, k.Mod(k, b.order)}
}

// G1 returns the generator of G1.
func (b *Backend) G1() backends.G1 { return g1{b, b.pairing.p} }

// G2 returns the generator of G2.
func (b *Backend) G2() backends.G2 { return g2{b, b.pairing.q} }

// DecodeG1 reads a point of G1.
func (b *Backend) DecodeG1(v []byte) (backends.G1, error) {
	p, err := b.g1.decode(v)
	if err != nil {
		return nil, err
	}
	return g1{b, p}, nil
}

// DecodeG2 reads a point of G2.
func (b *Backend) DecodeG2(v []byte) (backends.G2, error) {
	p, err := b.g2.decode(v)
	if err != nil {
		return nil, err
	}
	return g2{b, p}, nil
}

// HashToG1 is hash_to_curve of RFC 9380.
func (b *Backend) HashToG1(dst, msg []byte) backends.G1 {
	return b.hashed(h2c.HashToG1(b.info.Curve, dst, msg))
}

// EncodeToG1 is encode_to_curve of RFC 9380.
func (b *Backend) EncodeToG1(dst, msg []byte) backends.G1 {
	return b.hashed(h2c.EncodeToG1(b.info.Curve, dst, msg))
}

func (b *Backend) hashed(p h2c.Point, err error) backends.G1 {
	if err != nil {
		panic(err) // every curve of the table has a hash
	}
	if p.IsIdentity() {
		return g1{b, b.g1.curve.Identity()}
	}
	return g1{b, b.g1.curve.Affine(p.X, p.Y)}
}
