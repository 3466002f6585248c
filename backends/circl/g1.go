package circl

import (
	"github.com/cloudflare/circl/ecc/bls12381"

	"mpinlab/backends"
)

// g1 is an element of G1 in projective coordinates.
type g1 struct{ v bls12381.G1 }

var _ backends.G1 = (*g1)(nil)

func unwrap1(p backends.G1) *bls12381.G1 {
	o, ok := p.(*g1)
	if !ok {
		backends.Mixed(id, p)
	}
	return &o.v
}

func (p *g1) Add(q backends.G1) backends.G1 {
	r := new(g1)
	r.v.Add(&p.v, unwrap1(q))
	return r
}

func (p *g1) Sub(q backends.G1) backends.G1 {
	r := &g1{*unwrap1(q)}
	r.v.Neg()
	r.v.Add(&p.v, &r.v)
	return r
}

func (p *g1) Neg() backends.G1 {
	r := &g1{p.v}
	r.v.Neg()
	return r
}

// Mul is meant to be constant-time in k.
func (p *g1) Mul(k backends.Scalar) backends.G1 {
	r := new(g1)
	r.v.ScalarMult(unwrapScalar(k), &p.v)
	return r
}

func (p *g1) Equal(q backends.G1) bool { return p.v.IsEqual(unwrap1(q)) }
func (p *g1) IsIdentity() bool         { return p.v.IsIdentity() }
func (p *g1) Bytes() []byte            { return p.v.Bytes() }
func (p *g1) BytesCompressed() []byte  { return p.v.BytesCompressed() }
