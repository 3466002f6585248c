package gnark

import (
	"math/big"

	"mpinlab/backends"
)

// scalar is an element of F_r in Montgomery form.
type scalar[S any, PS field[S]] struct {
	group *group[S]
	v     S
}

func (s *scalar[S, PS]) operand(k backends.Scalar) *S {
	o, ok := k.(*scalar[S, PS])
	if !ok {
		backends.Mixed(s.group.id, k)
	}
	return &o.v
}

func (s *scalar[S, PS]) Add(k backends.Scalar) backends.Scalar {
	r := &scalar[S, PS]{group: s.group}
	PS(&r.v).Add(&s.v, s.operand(k))
	return r
}

func (s *scalar[S, PS]) Sub(k backends.Scalar) backends.Scalar {
	r := &scalar[S, PS]{group: s.group}
	PS(&r.v).Sub(&s.v, s.operand(k))
	return r
}

func (s *scalar[S, PS]) Mul(k backends.Scalar) backends.Scalar {
	r := &scalar[S, PS]{group: s.group}
	PS(&r.v).Mul(&s.v, s.operand(k))
	return r
}

func (s *scalar[S, PS]) Neg() backends.Scalar {
	r := &scalar[S, PS]{group: s.group}
	PS(&r.v).Neg(&s.v)
	return r
}

// Inverse is variable-time.
func (s *scalar[S, PS]) Inverse() backends.Scalar {
	r := &scalar[S, PS]{group: s.group}
	PS(&r.v).Inverse(&s.v)
	return r
}

func (s *scalar[S, PS]) Equal(k backends.Scalar) bool { return PS(&s.v).Equal(s.operand(k)) }
func (s *scalar[S, PS]) IsZero() bool                 { return PS(&s.v).IsZero() }
func (s *scalar[S, PS]) Bytes() []byte                { return s.group.bytes(&s.v) }

// integer returns s as the integer below r that gnark-crypto's
// multiplications take.
func (s *scalar[S, PS]) integer() *big.Int { return PS(&s.v).BigInt(new(big.Int)) }
