//go:build cgo && (amd64 || arm64)

package blst

import (
	blst "github.com/supranational/blst/bindings/go"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// Scalar is an integer modulo r, always reduced. Arithmetic is meant to be
// constant-time; each operation is a cgo call.
//
// blst's scalars are secret keys to it, so its operations also report whether
// the result is a valid key, which 0 is not. The results themselves are right,
// and the reports are left unread.
type Scalar struct{ s blst.Scalar }

var _ backends.Scalar = (*Scalar)(nil)

// DecodeScalar reads 32 bytes, big-endian, below r. Errors: ErrLength,
// ErrNotCanonical.
func (*Backend) DecodeScalar(b []byte) (backends.Scalar, error) {
	if err := encoding.CheckScalar(backends.BLS12381, b); err != nil {
		return nil, err
	}
	return reduce(b), nil
}

// ReduceScalar reads a big-endian integer of any length and reduces it modulo
// r, in time that depends on the length alone.
func (*Backend) ReduceScalar(b []byte) backends.Scalar {
	if len(b) < blst.BLST_SCALAR_BYTES {
		var padded [blst.BLST_SCALAR_BYTES]byte
		copy(padded[len(padded)-len(b):], b)
		b = padded[:]
	}
	return reduce(b)
}

// reduce reads at least 32 bytes: blst takes no fewer.
func reduce(b []byte) *Scalar {
	r := new(Scalar)
	r.s.FromBEndian(b)
	return r
}

func asScalar(v backends.Scalar) *Scalar {
	s, ok := v.(*Scalar)
	if !ok {
		backends.Mixed(id, v)
	}
	return s
}

func (a *Scalar) Add(v backends.Scalar) backends.Scalar {
	r := &Scalar{a.s}
	r.s.AddAssign(&asScalar(v).s)
	return r
}

func (a *Scalar) Sub(v backends.Scalar) backends.Scalar {
	r := &Scalar{a.s}
	r.s.SubAssign(&asScalar(v).s)
	return r
}

func (a *Scalar) Mul(v backends.Scalar) backends.Scalar {
	r := &Scalar{a.s}
	r.s.MulAssign(&asScalar(v).s)
	return r
}

func (a *Scalar) Neg() backends.Scalar { return new(Scalar).Sub(a) }

// Inverse returns 1/a; blst's inverse of 0 is 0.
func (a *Scalar) Inverse() backends.Scalar { return &Scalar{*a.s.Inverse()} }

// Equal may stop at the first difference.
func (a *Scalar) Equal(v backends.Scalar) bool { return a.s == asScalar(v).s }

func (a *Scalar) IsZero() bool { return a.s == blst.Scalar{} }

// Bytes returns 32 bytes, big-endian.
func (a *Scalar) Bytes() []byte { return a.s.ToBEndian() }
