package gnark

import "math/big"

// field is what the seven types fr.Element share.
type field[S any] interface {
	*S
	Add(x, y *S) *S
	Sub(x, y *S) *S
	Mul(x, y *S) *S
	Neg(x *S) *S
	Inverse(x *S) *S
	Equal(x *S) bool
	IsZero() bool
	SetBytes(b []byte) *S
	BigInt(v *big.Int) *big.Int
	Marshal() []byte
}

// affine is what the fourteen types G1Affine and G2Affine share. The zero
// value is the identity.
type affine[E any] interface {
	*E
	Add(p, q *E) *E
	Sub(p, q *E) *E
	Neg(p *E) *E
	ScalarMultiplication(p *E, k *big.Int) *E
	Equal(p *E) bool
	IsInfinity() bool
	IsOnCurve() bool
	IsInSubGroup() bool
	SetBytes(b []byte) (int, error)
	Marshal() []byte
}

// unit is what the seven types GT share.
type unit[T any] interface {
	*T
	SetOne() *T
	Mul(x, y *T) *T
	InverseUnitary(x *T) *T
	CyclotomicExp(x T, k *big.Int) *T
	ExpGLV(x T, k *big.Int) *T
	Equal(x *T) bool
	IsOne() bool
}

// group is what all elements of one group of one curve have in common. It
// names them in messages and holds the one conversion whose result,
// an array, has another type on every curve.
type group[E any] struct {
	id string // the backend's
	// bytes encodes an element: compressed for points.
	bytes func(*E) []byte
}
