package circl

import (
	"github.com/cloudflare/circl/ecc/bls12381"

	"mpinlab/backends"
)

// g2 is an element of G2 in projective coordinates.
type g2 struct{ v bls12381.G2 }

var _ backends.G2 = (*g2)(nil)

func unwrap2(p backends.G2) *bls12381.G2 {
	o, ok := p.(*g2)
	if !ok {
		backends.Mixed(id, p)
	}
	return &o.v
}

func (p *g2) Add(q backends.G2) backends.G2 {
	r := new(g2)
	r.v.Add(&p.v, unwrap2(q))
	return r
}

func (p *g2) Sub(q backends.G2) backends.G2 {
	r := &g2{*unwrap2(q)}
	r.v.Neg()
	r.v.Add(&p.v, &r.v)
	return r
}

func (p *g2) Neg() backends.G2 {
	r := &g2{p.v}
	r.v.Neg()
	return r
}

// Mul is meant to be constant-time in k.
func (p *g2) Mul(k backends.Scalar) backends.G2 {
	r := new(g2)
	r.v.ScalarMult(unwrapScalar(k), &p.v)
	return r
}

func (p *g2) Equal(q backends.G2) bool { return p.v.IsEqual(unwrap2(q)) }
func (p *g2) IsIdentity() bool         { return p.v.IsIdentity() }
func (p *g2) Bytes() []byte            { return p.v.Bytes() }
func (p *g2) BytesCompressed() []byte  { return p.v.BytesCompressed() }
