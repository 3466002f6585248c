package kilic

import (
	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/backends"
)

// g2 is an element of G2 in Jacobian coordinates.
type g2 struct{ v bls12381.PointG2 }

var _ backends.G2 = (*g2)(nil)

// G2 implements backends.Backend.
func (b *Backend) G2() backends.G2 {
	g := groups2.get()
	defer groups2.put(g)
	return &g2{*g.One()}
}

func unwrap2(p backends.G2) *bls12381.PointG2 {
	o, ok := p.(*g2)
	if !ok {
		backends.Mixed(id, p)
	}
	return &o.v
}

func (p *g2) Add(q backends.G2) backends.G2 {
	o, r := unwrap2(q), new(g2)
	g := groups2.get()
	g.Add(&r.v, &p.v, o)
	groups2.put(g)
	return r
}

func (p *g2) Sub(q backends.G2) backends.G2 {
	o, r := unwrap2(q), new(g2)
	g := groups2.get()
	g.Sub(&r.v, &p.v, o)
	groups2.put(g)
	return r
}

func (p *g2) Neg() backends.G2 {
	r := new(g2)
	g := groups2.get()
	g.Neg(&r.v, &p.v)
	groups2.put(g)
	return r
}

// Mul is variable-time in k, and only right on points of the subgroup.
func (p *g2) Mul(k backends.Scalar) backends.G2 {
	s, r := unwrapScalar(k), new(g2)
	g := groups2.get()
	g.MulScalar(&r.v, &p.v, s)
	groups2.put(g)
	return r
}

func (p *g2) Equal(q backends.G2) bool {
	o := unwrap2(q)
	g := groups2.get()
	defer groups2.put(g)
	return g.Equal(&p.v, o)
}

func (p *g2) IsIdentity() bool {
	g := groups2.get()
	defer groups2.put(g)
	return g.IsZero(&p.v)
}

func (p *g2) Bytes() []byte {
	g := groups2.get()
	defer groups2.put(g)
	v := p.v // is brought into affine form in place
	return g.ToUncompressed(&v)
}

func (p *g2) BytesCompressed() []byte {
	g := groups2.get()
	defer groups2.put(g)
	v := p.v // likewise
	return g.ToCompressed(&v)
}
