package amcl

import (
	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// Scalar is an integer modulo r, always reduced and normalised. Reduction, and
// with it all arithmetic, is variable-time.
type Scalar struct{ v *FP256BN.BIG }

var _ backends.Scalar = (*Scalar)(nil)

// wrap is 2^256 modulo r.
var wrap = func() *FP256BN.BIG {
	b := make([]byte, fieldBytes)
	b[0] = 1 << 7
	half := FP256BN.FromBytes(b)
	return add(half, half)
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
		sum = add(FP256BN.Modmul(sum, wrap, order), read(b[:fieldBytes]))
	}
	return &Scalar{sum}
}

// read returns the integer in at most 32 bytes.
func read(b []byte) *FP256BN.BIG {
	var full [fieldBytes]byte
	copy(full[fieldBytes-len(b):], b)
	return FP256BN.FromBytes(full[:])
}

// add returns a + b modulo r.
func add(a, b *FP256BN.BIG) *FP256BN.BIG {
	sum := a.Plus(b)
	sum.Mod(order)
	return sum
}

// negate returns −a modulo r. The library's own negative of 0 is r.
func negate(a *FP256BN.BIG) *FP256BN.BIG {
	n := FP256BN.Modneg(a, order)
	n.Mod(order)
	return n
}

func asScalar(v backends.Scalar) *Scalar {
	s, ok := v.(*Scalar)
	if !ok {
		backends.Mixed(id, v)
	}
	return s
}

func (a *Scalar) Add(v backends.Scalar) backends.Scalar { return &Scalar{add(a.v, asScalar(v).v)} }

func (a *Scalar) Sub(v backends.Scalar) backends.Scalar {
	return &Scalar{add(a.v, negate(asScalar(v).v))}
}

func (a *Scalar) Mul(v backends.Scalar) backends.Scalar {
	return &Scalar{FP256BN.Modmul(a.v, asScalar(v).v, order)}
}

func (a *Scalar) Neg() backends.Scalar { return &Scalar{negate(a.v)} }

// Inverse returns 1/a, and 0 for 0.
func (a *Scalar) Inverse() backends.Scalar {
	n := FP256BN.NewBIGcopy(a.v)
	n.Invmodp(order)
	return &Scalar{n}
}

func (a *Scalar) Equal(v backends.Scalar) bool { return *a.v == *asScalar(v).v }

func (a *Scalar) IsZero() bool { return *a.v == FP256BN.BIG{} }

// Bytes returns 32 bytes, big-endian.
func (a *Scalar) Bytes() []byte {
	b := make([]byte, fieldBytes)
	a.v.ToBytes(b)
	return b
}
