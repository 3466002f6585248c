package miracl

import (
	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// Scalar is an integer modulo r, always reduced and normalised. The library
// means its arithmetic to be constant-time, Inverse excepted.
type Scalar struct{ v *FP256BN.BIG }

var _ backends.Scalar = (*Scalar)(nil)

// wrap is 2^256 modulo r.
var wrap = func() *FP256BN.BIG {
	b := make([]byte, fieldBytes)
	b[0] = 1 << 7
	half := FP256BN.FromBytes(b)
	return FP256BN.Modadd(half, half, order)
}()

// DecodeScalar reads 32 bytes, big-endian, below r. Errors: ErrLength,
// ErrNotCanonical.
func (*Backend) DecodeScalar(b []byte) (backends.Scalar, error) {
	if err := encoding.CheckScalar(backends.FP256BN, b); err != nil {
		return nil, err
	}
	return &Scalar{FP256BN.FromBytes(b)}, nil
}

// ReduceScalar reads a big-endian integer of any length and reduces it modulo
// r, 32 bytes at a time.
func (*Backend) ReduceScalar(b []byte) backends.Scalar {
	first := len(b) % fieldBytes
	sum := read(b[:first])
	for b = b[first:]; len(b) > 0; b = b[fieldBytes:] {
		sum = FP256BN.Modadd(FP256BN.Modmul(sum, wrap, order), read(b[:fieldBytes]), order)
	}
	return &Scalar{sum}
}

// read returns the integer in at most 32 bytes. The library reads exactly 32
// and takes fewer for the leading ones.
func read(b []byte) *FP256BN.BIG {
	var full [fieldBytes]byte
	copy(full[fieldBytes-len(b):], b)
	return FP256BN.FromBytes(full[:])
}

func asScalar(v backends.Scalar) *Scalar {
	s, ok := v.(*Scalar)
	if !ok {
		backends.Mixed(id, v)
	}
	return s
}

func (a *Scalar) Add(v backends.Scalar) backends.Scalar {
	return &Scalar{FP256BN.Modadd(a.v, asScalar(v).v, order)}
}

func (a *Scalar) Sub(v backends.Scalar) backends.Scalar {
	return &Scalar{FP256BN.Modadd(a.v, FP256BN.Modneg(asScalar(v).v, order), order)}
}

func (a *Scalar) Mul(v backends.Scalar) backends.Scalar {
	return &Scalar{FP256BN.Modmul(a.v, asScalar(v).v, order)}
}

func (a *Scalar) Neg() backends.Scalar {
	n := FP256BN.Modneg(a.v, order) // r where a is 0
	n.Mod(order)
	return &Scalar{n}
}

// Inverse returns 1/a, and 0 for 0, in variable time.
func (a *Scalar) Inverse() backends.Scalar {
	n := FP256BN.NewBIGcopy(a.v)
	n.Invmodp(order)
	return &Scalar{n}
}

func (a *Scalar) Equal(v backends.Scalar) bool { return FP256BN.Comp(a.v, asScalar(v).v) == 0 }

func (a *Scalar) IsZero() bool { return *a.v == FP256BN.BIG{} }

// Bytes returns 32 bytes, big-endian.
func (a *Scalar) Bytes() []byte {
	b := make([]byte, fieldBytes)
	a.v.ToBytes(b)
	return b
}
