package gnark

import "mpinlab/backends"

// point is an element of G1 or of G2. The two differ in the coordinates' type
// E and in the interface I, backends.G1 or backends.G2, that they are handed
// around as; everything else is the same.
type point[I, E, S any, PE affine[E], PS field[S]] struct {
	group *group[E]
	v     E
}

// operand returns the value of another element of the same group.
func (p *point[I, E, S, PE, PS]) operand(q I) *E {
	o, ok := any(q).(*point[I, E, S, PE, PS])
	if !ok {
		backends.Mixed(p.group.id, q)
	}
	return &o.v
}

// public gives p the type under which it is known outside. The assertion
// always holds: point is only instantiated with the I that it implements.
func (p *point[I, E, S, PE, PS]) public() I { return any(p).(I) }

func (p *point[I, E, S, PE, PS]) Add(q I) I {
	r := &point[I, E, S, PE, PS]{group: p.group}
	PE(&r.v).Add(&p.v, p.operand(q))
	return r.public()
}

func (p *point[I, E, S, PE, PS]) Sub(q I) I {
	r := &point[I, E, S, PE, PS]{group: p.group}
	PE(&r.v).Sub(&p.v, p.operand(q))
	return r.public()
}

func (p *point[I, E, S, PE, PS]) Neg() I {
	r := &point[I, E, S, PE, PS]{group: p.group}
	PE(&r.v).Neg(&p.v)
	return r.public()
}

// Mul is variable-time in k: it takes the endomorphism above about half the
// length of r and a signed-digit double-and-add below. The endomorphism is
// only right on points of the subgroup.
func (p *point[I, E, S, PE, PS]) Mul(k backends.Scalar) I {
	s, ok := k.(*scalar[S, PS])
	if !ok {
		backends.Mixed(p.group.id, k)
	}
	r := &point[I, E, S, PE, PS]{group: p.group}
	PE(&r.v).ScalarMultiplication(&p.v, s.integer())
	return r.public()
}

func (p *point[I, E, S, PE, PS]) Equal(q I) bool          { return PE(&p.v).Equal(p.operand(q)) }
func (p *point[I, E, S, PE, PS]) IsIdentity() bool        { return PE(&p.v).IsInfinity() }
func (p *point[I, E, S, PE, PS]) Bytes() []byte           { return PE(&p.v).Marshal() }
func (p *point[I, E, S, PE, PS]) BytesCompressed() []byte { return p.group.bytes(&p.v) }
