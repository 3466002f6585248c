package backendtest

import (
	"bytes"
	"fmt"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// element is the shape that G1 and G2 share.
type element[E any] interface {
	Add(E) E
	Sub(E) E
	Neg() E
	Mul(backends.Scalar) E
	Equal(E) bool
	IsIdentity() bool
	Bytes() []byte
	BytesCompressed() []byte
}

// group is G1 or G2 of a backend.
type group[E element[E]] struct {
	b          backends.Backend
	name       string
	generator  E
	decode     func([]byte) (E, error)
	codec      *encoding.Codec
	long       int // bytes uncompressed
	short      int // bytes compressed
	degree     int // coefficients a coordinate
	hasOutside bool
}

func g1Of(b backends.Backend) group[backends.G1] {
	c := b.Info().Curve
	p := c.Params()
	return group[backends.G1]{b, "G1", b.G1(), b.DecodeG1, encoding.G1(c), p.G1Bytes, p.G1CompressedBytes, 1,
		p.Cofactor.BitLen() > 1}
}

func g2Of(b backends.Backend) group[backends.G2] {
	c := b.Info().Curve
	p := c.Params()
	return group[backends.G2]{b, "G2", b.G2(), b.DecodeG2, encoding.G2(c), p.G2Bytes, p.G2CompressedBytes, p.G2Degree, true}
}

// both makes a law of one that holds for either group.
func both(name string, one func(group[backends.G1], Effort) error, two func(group[backends.G2], Effort) error) []Law {
	return []Law{
		{"G1 " + name, func(b backends.Backend, e Effort) error { return one(g1Of(b), e) }},
		{"G2 " + name, func(b backends.Backend, e Effort) error { return two(g2Of(b), e) }},
	}
}

var groupLaws = append(
	both("is a group of order r", groupLaw[backends.G1], groupLaw[backends.G2]),
	both("round trips", roundTrip[backends.G1], roundTrip[backends.G2])...)

func groupLaw[E element[E]](g group[E], e Effort) error {
	b, p := g.b, g.generator
	zero, one := backends.SmallScalar(b, 0), backends.SmallScalar(b, 1)
	identity := p.Mul(zero)
	switch {
	case p.IsIdentity():
		return fmt.Errorf("the generator is the identity")
	case !identity.IsIdentity():
		return fmt.Errorf("0·P is not the identity")
	case !p.Mul(one).Equal(p):
		return fmt.Errorf("1·P is not P")
	case !p.Mul(one.Neg()).Equal(p.Neg()):
		return fmt.Errorf("(r−1)·P is not −P")
	case !p.Add(p.Mul(one.Neg())).IsIdentity():
		return fmt.Errorf("r·P is not the identity")
	case !p.Add(p).Equal(p.Mul(backends.SmallScalar(b, 2))):
		return fmt.Errorf("the sum P + P is not 2·P")
	case !identity.Neg().IsIdentity() || !identity.Add(identity).IsIdentity() || !identity.Mul(one.Neg()).IsIdentity():
		return fmt.Errorf("the identity does not stay the identity")
	case !identity.Equal(p.Sub(p)) || identity.Equal(p) || p.Equal(identity):
		return fmt.Errorf("the identity does not compare")
	}
	return e.all(
		scalars2(b, "(a + b)·P = a·P + b·P", func(x, y backends.Scalar) bool {
			return p.Mul(x.Add(y)).Equal(p.Mul(x).Add(p.Mul(y)))
		}),
		scalars2(b, "(a − b)·P = a·P − b·P", func(x, y backends.Scalar) bool {
			return p.Mul(x.Sub(y)).Equal(p.Mul(x).Sub(p.Mul(y)))
		}),
		scalars2(b, "a·(b·P) = (ab)·P", func(x, y backends.Scalar) bool {
			return p.Mul(y).Mul(x).Equal(p.Mul(x.Mul(y)))
		}),
		scalars3(b, "(A + B) + C = A + (B + C) and A + B = B + A", func(x, y, z backends.Scalar) bool {
			X, Y, Z := p.Mul(x), p.Mul(y), p.Mul(z)
			return X.Add(Y).Add(Z).Equal(X.Add(Y.Add(Z))) && X.Add(Y).Equal(Y.Add(X))
		}),
		scalars2(b, "a·P = b·P iff a = b", func(x, y backends.Scalar) bool {
			return p.Mul(x).Equal(p.Mul(y)) == x.Equal(y)
		}),
		scalars1(b, "A + 0 = A, A − A = 0, A + A = 2A, A = 0 iff a = 0", func(x backends.Scalar) bool {
			X := p.Mul(x)
			return X.Add(identity).Equal(X) && identity.Add(X).Equal(X) && X.Sub(X).IsIdentity() &&
				X.Add(X.Neg()).IsIdentity() && X.Add(X).Equal(X.Mul(backends.SmallScalar(b, 2))) &&
				X.IsIdentity() == x.IsZero()
		}),
	)
}

func roundTrip[E element[E]](g group[E], e Effort) error {
	return e.all(scalars1(g.b, "decode(bytes(A)) = A, compressed and not", func(x backends.Scalar) bool {
		X := g.generator.Mul(x)
		long, short := X.Bytes(), X.BytesCompressed()
		if len(long) != g.long || len(short) != g.short {
			return false
		}
		for _, data := range [][]byte{long, short} {
			input := bytes.Clone(data)
			Y, err := g.decode(input)
			ones(input) // the decoder must not have kept its input
			if err != nil || !Y.Equal(X) || !bytes.Equal(Y.Bytes(), long) || !bytes.Equal(Y.BytesCompressed(), short) {
				return false
			}
		}
		return true
	}))
}
