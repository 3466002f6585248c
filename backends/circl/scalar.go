package circl

import (
	"github.com/cloudflare/circl/ecc/bls12381"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// scalar is an element of F_r in Montgomery form.
type scalar struct{ v bls12381.Scalar }

var _ backends.Scalar = (*scalar)(nil)

// DecodeScalar implements backends.Backend.
func (b *Backend) DecodeScalar(data []byte) (backends.Scalar, error) {
	if err := encoding.CheckScalar(backends.BLS12381, data); err != nil {
		return nil, err
	}
	s := new(scalar)
	if err := s.v.UnmarshalBinary(data); err != nil {
		panic("backends/circl: " + err.Error()) // length and range are right
	}
	return s, nil
}

// ReduceScalar implements backends.Backend. It is variable-time: CIRCL reduces
// with math/big.
func (b *Backend) ReduceScalar(data []byte) backends.Scalar {
	s := new(scalar)
	s.v.SetBytes(data)
	return s
}

func unwrapScalar(k backends.Scalar) *bls12381.Scalar {
	s, ok := k.(*scalar)
	if !ok {
		backends.Mixed(id, k)
	}
	return &s.v
}

func (s *scalar) Add(k backends.Scalar) backends.Scalar {
	r := new(scalar)
	r.v.Add(&s.v, unwrapScalar(k))
	return r
}

func (s *scalar) Sub(k backends.Scalar) backends.Scalar {
	r := new(scalar)
	r.v.Sub(&s.v, unwrapScalar(k))
	return r
}

func (s *scalar) Mul(k backends.Scalar) backends.Scalar {
	r := new(scalar)
	r.v.Mul(&s.v, unwrapScalar(k))
	return r
}

func (s *scalar) Neg() backends.Scalar {
	r := &scalar{s.v}
	r.v.Neg()
	return r
}

// Inverse raises to r − 2 in constant time: only the exponent, which is
// public, steers it.
func (s *scalar) Inverse() backends.Scalar {
	r := new(scalar)
	r.v.Inv(&s.v)
	return r
}

func (s *scalar) Equal(k backends.Scalar) bool { return s.v.IsEqual(unwrapScalar(k)) == 1 }
func (s *scalar) IsZero() bool                 { return s.v.IsZero() == 1 }

func (s *scalar) Bytes() []byte {
	b, _ := s.v.MarshalBinary() // never an error
	return b
}
