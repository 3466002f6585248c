package circl

import (
	"fmt"

	"github.com/cloudflare/circl/ecc/bls12381"

	"mpinlab/backends"
)

// gt is an element of GT.
type gt struct{ v bls12381.Gt }

var _ backends.GT = (*gt)(nil)

func unwrapGT(x backends.GT) *bls12381.Gt {
	o, ok := x.(*gt)
	if !ok {
		backends.Mixed(id, x)
	}
	return &o.v
}

func (z *gt) Mul(x backends.GT) backends.GT {
	r := new(gt)
	r.v.Mul(&z.v, unwrapGT(x))
	return r
}

func (z *gt) Inverse() backends.GT {
	r := new(gt)
	r.v.Inv(&z.v)
	return r
}

// Exp is meant to be constant-time in k.
func (z *gt) Exp(k backends.Scalar) backends.GT {
	r := new(gt)
	r.v.Exp(&z.v, unwrapScalar(k))
	return r
}

func (z *gt) Equal(x backends.GT) bool { return z.v.IsEqual(unwrapGT(x)) }
func (z *gt) IsOne() bool              { return z.v.IsIdentity() }

func (z *gt) Bytes() []byte {
	b, _ := z.v.MarshalBinary() // never an error
	return b
}

// product returns Π e(p[i], q[i]), or nil where no pair is without an identity.
// CIRCL would give such pairs their due 1, since their Miller loops stay in
// proper subfields of F_p^12, but only after walking them.
func product(p []backends.G1, q []backends.G2) *bls12381.Gt {
	if len(p) != len(q) {
		panic(fmt.Sprintf("backends: %s: a pairing product of %d elements of G1 and %d of G2", id, len(p), len(q)))
	}
	ps := make([]*bls12381.G1, 0, len(p))
	qs := make([]*bls12381.G2, 0, len(q))
	signs := make([]int, 0, len(p))
	for i := range p {
		x, y := unwrap1(p[i]), unwrap2(q[i])
		if !x.IsIdentity() && !y.IsIdentity() {
			ps, qs, signs = append(ps, x), append(qs, y), append(signs, 1)
		}
	}
	if len(ps) == 0 {
		return nil
	}
	return bls12381.ProdPairFrac(ps, qs, signs)
}

// PairingCheck implements backends.Backend.
func (b *Backend) PairingCheck(p []backends.G1, q []backends.G2) bool {
	z := product(p, q)
	return z == nil || z.IsIdentity()
}

// Pair implements backends.Pairer.
func (b *Backend) Pair(p []backends.G1, q []backends.G2) backends.GT {
	r := new(gt)
	if z := product(p, q); z != nil {
		r.v = *z
	} else {
		r.v.SetIdentity()
	}
	return r
}
