package kilic

import (
	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/backends"
)

// g1 is an element of G1 in Jacobian coordinates.
type g1 struct{ v bls12381.PointG1 }

var _ backends.G1 = (*g1)(nil)

// G1 implements backends.Backend.
func (b *Backend) G1() backends.G1 {
	g := groups1.get()
	defer groups1.put(g)
	return &g1{*g.One()}
}

func unwrap1(p backends.G1) *bls12381.PointG1 {
	o, ok := p.(*g1)
	if !ok {
		backends.Mixed(id, p)
	}
	return &o.v
}

func (p *g1) Add(q backends.G1) backends.G1 {
	o, r := unwrap1(q), new(g1)
	g := groups1.get()
	g.Add(&r.v, &p.v, o)
	groups1.put(g)
	return r
}

func (p *g1) Sub(q backends.G1) backends.G1 {
	o, r := unwrap1(q), new(g1)
	g := groups1.get()
	g.Sub(&r.v, &p.v, o)
	groups1.put(g)
	return r
}

func (p *g1) Neg() backends.G1 {
	r := new(g1)
	g := groups1.get()
	g.Neg(&r.v, &p.v)
	groups1.put(g)
	return r
}

// Mul is variable-time in k, and only right on points of the subgroup.
func (p *g1) Mul(k backends.Scalar) backends.G1 {
	s, r := unwrapScalar(k), new(g1)
	g := groups1.get()
	g.MulScalar(&r.v, &p.v, s)
	groups1.put(g)
	return r
}

func (p *g1) Equal(q backends.G1) bool {
	o := unwrap1(q)
	g := groups1.get()
	defer groups1.put(g)
	return g.Equal(&p.v, o)
}

func (p *g1) IsIdentity() bool {
	g := groups1.get()
	defer groups1.put(g)
	return g.IsZero(&p.v)
}

func (p *g1) Bytes() []byte {
	g := groups1.get()
	defer groups1.put(g)
	v := p.v // is brought into affine form in place
	return g.ToUncompressed(&v)
}

func (p *g1) BytesCompressed() []byte {
	g := groups1.get()
	defer groups1.put(g)
	v := p.v // likewise
	return g.ToCompressed(&v)
}
