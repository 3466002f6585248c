package reference

import (
	"math/big"

	"mpinlab/backends"
)

// scalar is an integer modulo r.
type scalar struct {
	b *Backend
	k *big.Int
}

// g1 is an element of G1.
type g1 struct {
	b *Backend
	p pointG1
}

// g2 is an element of G2.
type g2 struct {
	b *Backend
	p pointG2
}

var (
	_ backends.Scalar = scalar{}
	_ backends.G1     = g1{}
	_ backends.G2     = g2{}
)

// own returns v as this backend's element type T, and panics for any other.
func own[T interface{ of() *Backend }](b *Backend, v any) T {
	e, ok := v.(T)
	if !ok || e.of() != b {
		backends.Mixed(b.info.ID, v)
	}
	return e
}

func (s scalar) of() *Backend { return s.b }
func (p g1) of() *Backend     { return p.b }
func (p g2) of() *Backend     { return p.b }

// scalar returns v modulo r.
func (b *Backend) scalar(v *big.Int) scalar { return scalar{b, v.Mod(v, b.order)} }

func (s scalar) Add(t backends.Scalar) backends.Scalar {
	return s.b.scalar(new(big.Int).Add(s.k, own[scalar](s.b, t).k))
}

func (s scalar) Sub(t backends.Scalar) backends.Scalar {
	return s.b.scalar(new(big.Int).Sub(s.k, own[scalar](s.b, t).k))
}

func (s scalar) Mul(t backends.Scalar) backends.Scalar {
	return s.b.scalar(new(big.Int).Mul(s.k, own[scalar](s.b, t).k))
}

func (s scalar) Neg() backends.Scalar { return s.b.scalar(new(big.Int).Neg(s.k)) }

func (s scalar) Inverse() backends.Scalar {
	if s.IsZero() {
		return s
	}
	return scalar{s.b, new(big.Int).ModInverse(s.k, s.b.order)}
}

func (s scalar) Equal(t backends.Scalar) bool { return s.k.Cmp(own[scalar](s.b, t).k) == 0 }

func (s scalar) IsZero() bool { return s.k.Sign() == 0 }

func (s scalar) Bytes() []byte {
	return s.k.FillBytes(make([]byte, s.b.info.Curve.Params().ScalarBytes))
}

func (p g1) Add(q backends.G1) backends.G1 {
	return g1{p.b, p.b.g1.curve.Add(p.p, own[g1](p.b, q).p)}
}

func (p g1) Sub(q backends.G1) backends.G1 {
	c := p.b.g1.curve
	return g1{p.b, c.Add(p.p, c.Neg(own[g1](p.b, q).p))}
}

func (p g1) Neg() backends.G1 { return g1{p.b, p.b.g1.curve.Neg(p.p)} }

// Mul is variable-time.
func (p g1) Mul(k backends.Scalar) backends.G1 {
	return g1{p.b, p.b.g1.curve.Mul(p.p, own[scalar](p.b, k).k)}
}

func (p g1) Equal(q backends.G1) bool { return p.b.g1.curve.Equal(p.p, own[g1](p.b, q).p) }

func (p g1) IsIdentity() bool { return p.p.Identity }

func (p g1) Bytes() []byte { return p.b.g1.encode(p.p) }

func (p g1) BytesCompressed() []byte { return p.b.g1.compress(p.p) }

func (p g2) Add(q backends.G2) backends.G2 {
	return g2{p.b, p.b.g2.curve.Add(p.p, own[g2](p.b, q).p)}
}

func (p g2) Sub(q backends.G2) backends.G2 {
	c := p.b.g2.curve
	return g2{p.b, c.Add(p.p, c.Neg(own[g2](p.b, q).p))}
}

func (p g2) Neg() backends.G2 { return g2{p.b, p.b.g2.curve.Neg(p.p)} }

// Mul is variable-time.
func (p g2) Mul(k backends.Scalar) backends.G2 {
	return g2{p.b, p.b.g2.curve.Mul(p.p, own[scalar](p.b, k).k)}
}

func (p g2) Equal(q backends.G2) bool { return p.b.g2.curve.Equal(p.p, own[g2](p.b, q).p) }

func (p g2) IsIdentity() bool { return p.p.Identity }

func (p g2) Bytes() []byte { return p.b.g2.encode(p.p) }

func (p g2) BytesCompressed() []byte { return p.b.g2.compress(p.p) }
