package kilic

import (
	"fmt"

	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/backends"
)

// gt is an element of GT.
type gt struct{ v bls12381.E }

var _ backends.GT = (*gt)(nil)

func unwrapGT(x backends.GT) *bls12381.E {
	o, ok := x.(*gt)
	if !ok {
		backends.Mixed(id, x)
	}
	return &o.v
}

func (z *gt) Mul(x backends.GT) backends.GT {
	o, r := unwrapGT(x), new(gt)
	t := targets.get()
	t.Mul(&r.v, &z.v, o)
	targets.put(t)
	return r
}

// Inverse is an inversion in F_p^12: the library does not export the
// conjugation that would do.
func (z *gt) Inverse() backends.GT {
	r := new(gt)
	t := targets.get()
	t.Inverse(&r.v, &z.v)
	targets.put(t)
	return r
}

// Exp is variable-time in k.
func (z *gt) Exp(k backends.Scalar) backends.GT {
	e, r := unwrapScalar(k).ToBig(), new(gt)
	t := targets.get()
	t.Exp(&r.v, &z.v, e)
	targets.put(t)
	return r
}

func (z *gt) Equal(x backends.GT) bool { return z.v.Equal(unwrapGT(x)) }
func (z *gt) IsOne() bool              { return z.v.IsOne() }

func (z *gt) Bytes() []byte {
	t := targets.get()
	defer targets.put(t)
	return t.ToBytes(&z.v)
}

// load adds the pairs to an engine. AddPair leaves pairs with an identity out
// by itself, and normalises its arguments in place, hence the copies.
func load(e *bls12381.Engine, p []backends.G1, q []backends.G2) {
	for i := range p {
		x, y := *unwrap1(p[i]), *unwrap2(q[i])
		e.AddPair(&x, &y)
	}
}

func sameLength(p []backends.G1, q []backends.G2) {
	if len(p) != len(q) {
		panic(fmt.Sprintf("backends: %s: a pairing product of %d elements of G1 and %d of G2", id, len(p), len(q)))
	}
}

// PairingCheck implements backends.Backend.
func (b *Backend) PairingCheck(p []backends.G1, q []backends.G2) bool {
	sameLength(p, q)
	e := engines.get()
	load(e, p, q)
	ok := e.Check()
	engines.put(e.Reset())
	return ok
}

// Pair implements backends.Pairer.
func (b *Backend) Pair(p []backends.G1, q []backends.G2) backends.GT {
	sameLength(p, q)
	e := engines.get()
	load(e, p, q)
	r := &gt{*e.Result()}
	engines.put(e.Reset())
	return r
}
