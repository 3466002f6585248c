// Package kilic adapts kilic/bls12-381 to package backends.
//
// The library is variable-time throughout: multiplications walk signed-digit
// forms of the scalar and skip the zeros, inversions are binary.
//
// Its groups and its pairing engine keep temporary values and must not be
// shared between goroutines; some of its operations (encoding, pairing, sums
// of products) bring their operands into affine form in place. Here every
// operation borrows a group or an engine from a pool, and those operations
// work on copies, so that elements stay immutable and may be shared. Points
// are kept in Jacobian coordinates; encoding one and pairing with one cost an
// inversion unless it was decoded, hashed to or is a generator.
//
// Hashing follows draft-irtf-cfrg-hash-to-curve-06 and -07, which agree with
// RFC 9380 on both suites of G1 for tags of up to 255 bytes; longer ones are
// shortened here, as the library would hash a wrong length.
//
// GT is encoded as the library does, F_p^12 = F_p^6[w] = F_p^2[v][w] with
// w² = v, 48 bytes a coefficient, from the highest to the lowest: w·v²·u,
// w·v², w·v·u, …, u, 1. The value of the pairing is the cube of the reduced
// ate pairing. Both are gnark-crypto's.
package kilic

import (
	"sync"

	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

const id = "kilic/bls12-381"

// New lists the backend. It runs everywhere.
func New() backends.Entry { return backends.Available(newBackend()) }

// Backend is kilic/bls12-381.
type Backend struct {
	info           backends.Info
	codec1, codec2 *encoding.Codec
}

var (
	_ backends.Backend       = (*Backend)(nil)
	_ backends.Hasher        = (*Backend)(nil)
	_ backends.Encoder       = (*Backend)(nil)
	_ backends.MultiScalar   = (*Backend)(nil)
	_ backends.BatchSubgroup = (*Backend)(nil)
	_ backends.Pairer        = (*Backend)(nil)
)

func newBackend() *Backend {
	return &Backend{
		info: backends.Info{
			ID:             id,
			Library:        "kilic/bls12-381",
			Curve:          backends.BLS12381,
			Version:        backends.ModuleVersion("github.com/kilic/bls12-381"),
			Implementation: implementation,
			ConstantTime:   backends.ConstantTimeNo,
			ConstantTimeSource: `the source: MulScalar in g1.go skips the zero digits of the scalar ` +
				`(wnaf.go, glv.go); the README claims nothing`,
		},
		codec1: encoding.G1(backends.BLS12381),
		codec2: encoding.G2(backends.BLS12381),
	}
}

// Info implements backends.Backend.
func (b *Backend) Info() backends.Info { return b.info }

// pool lends out objects of the library for the time of one operation.
type pool[T any] struct{ p sync.Pool }

func newPool[T any](make func() *T) *pool[T] {
	return &pool[T]{sync.Pool{New: func() any { return make() }}}
}

func (p *pool[T]) get() *T  { return p.p.Get().(*T) }
func (p *pool[T]) put(v *T) { p.p.Put(v) }

var (
	groups1 = newPool(bls12381.NewG1)
	groups2 = newPool(bls12381.NewG2)
	targets = newPool(bls12381.NewGT)
	engines = newPool(bls12381.NewEngine)
)

// HashToG1 implements backends.Hasher.
func (b *Backend) HashToG1(dst, msg []byte) backends.G1 {
	g := groups1.get()
	defer groups1.put(g)
	return hashed(g.HashToCurve(msg, encoding.ShortenDST(dst)))
}

// EncodeToG1 implements backends.Encoder.
func (b *Backend) EncodeToG1(dst, msg []byte) backends.G1 {
	g := groups1.get()
	defer groups1.put(g)
	return hashed(g.EncodeToCurve(msg, encoding.ShortenDST(dst)))
}

func hashed(p *bls12381.PointG1, err error) backends.G1 {
	if err != nil {
		panic("backends/kilic: " + err.Error()) // only for tags that are not passed
	}
	return &g1{*p}
}
