package gnark

import "mpinlab/backends"

// target is an element of GT.
type target[T, S any, PT unit[T], PS field[S]] struct {
	group *group[T]
	v     T
}

func (z *target[T, S, PT, PS]) operand(x backends.GT) *T {
	o, ok := x.(*target[T, S, PT, PS])
	if !ok {
		backends.Mixed(z.group.id, x)
	}
	return &o.v
}

func (z *target[T, S, PT, PS]) Mul(x backends.GT) backends.GT {
	r := &target[T, S, PT, PS]{group: z.group}
	PT(&r.v).Mul(&z.v, z.operand(x))
	return r
}

// Inverse is a conjugation, as elements of GT are unitary.
func (z *target[T, S, PT, PS]) Inverse() backends.GT {
	r := &target[T, S, PT, PS]{group: z.group}
	PT(&r.v).InverseUnitary(&z.v)
	return r
}

// Exp is variable-time in k.
func (z *target[T, S, PT, PS]) Exp(k backends.Scalar) backends.GT {
	s, ok := k.(*scalar[S, PS])
	if !ok {
		backends.Mixed(z.group.id, k)
	}
	r := &target[T, S, PT, PS]{group: z.group}
	// ExpGLV halves the squarings but first fills a table of fifteen
	// elements; it wins from about a third of the length of r.
	if n := s.integer(); n.BitLen() > shortExponent {
		PT(&r.v).ExpGLV(z.v, n)
	} else {
		PT(&r.v).CyclotomicExp(z.v, n)
	}
	return r
}

// shortExponent is the length in bits up to which an exponent is short.
const shortExponent = 90

func (z *target[T, S, PT, PS]) Equal(x backends.GT) bool { return PT(&z.v).Equal(z.operand(x)) }
func (z *target[T, S, PT, PS]) IsOne() bool              { return PT(&z.v).IsOne() }
func (z *target[T, S, PT, PS]) Bytes() []byte            { return z.group.bytes(&z.v) }
