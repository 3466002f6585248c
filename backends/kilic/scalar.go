package kilic

import (
	"encoding/binary"
	"math/big"

	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// scalar is an integer below r, not in Montgomery form: the multiplications of
// points take it so.
type scalar struct{ v bls12381.Fr }

var _ backends.Scalar = (*scalar)(nil)

// DecodeScalar implements backends.Backend.
func (b *Backend) DecodeScalar(data []byte) (backends.Scalar, error) {
	if err := encoding.CheckScalar(backends.BLS12381, data); err != nil {
		return nil, err
	}
	return read(data), nil
}

// ReduceScalar implements backends.Backend. It is variable-time. The library's
// own Fr.FromBytes leaves r itself unreduced and takes a big.Word for 64 bits.
func (b *Backend) ReduceScalar(data []byte) backends.Scalar {
	p := backends.BLS12381.Params()
	v := new(big.Int).SetBytes(data)
	return read(v.Mod(v, p.R).FillBytes(make([]byte, p.ScalarBytes)))
}

// read reads 32 bytes, an integer below r.
func read(data []byte) *scalar {
	s := new(scalar)
	for i := range s.v {
		s.v[len(s.v)-1-i] = binary.BigEndian.Uint64(data[8*i:])
	}
	return s
}

func unwrapScalar(k backends.Scalar) *bls12381.Fr {
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
	r := new(scalar)
	r.v.Neg(&s.v)
	return r
}

// Inverse is variable-time.
func (s *scalar) Inverse() backends.Scalar {
	r := new(scalar)
	r.v.Inverse(&s.v)
	return r
}

func (s *scalar) Equal(k backends.Scalar) bool { return s.v.Equal(unwrapScalar(k)) }
func (s *scalar) IsZero() bool                 { return s.v.IsZero() }
func (s *scalar) Bytes() []byte                { return s.v.ToBytes() }
