package circl

import (
	"github.com/cloudflare/circl/ecc/bls12381/ff"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// DecodeG1 implements backends.Backend.
func (b *Backend) DecodeG1(data []byte) (backends.G1, error) {
	form, err := b.codec1.Check(data)
	if err != nil {
		return nil, err
	}
	p := new(g1)
	if p.v.SetBytes(data) == nil {
		return p, nil
	}
	var four ff.Fp
	four.SetUint64(4)
	return nil, b.codec1.Error(reason(data, form, four))
}

// DecodeG2 implements backends.Backend.
func (b *Backend) DecodeG2(data []byte) (backends.G2, error) {
	form, err := b.codec2.Check(data)
	if err != nil {
		return nil, err
	}
	q := new(g2)
	if q.v.SetBytes(data) == nil {
		return q, nil
	}
	var twist ff.Fp2 // 4(1 + u)
	twist[0].SetUint64(4)
	twist[1].SetUint64(4)
	return nil, b.codec2.Error(reason(data, form, twist))
}

// coordinate is what ff.Fp and ff.Fp2 share.
type coordinate[F any] interface {
	*F
	UnmarshalBinary([]byte) error
	Add(x, y *F)
	Mul(x, y *F)
	Sqr(x *F)
	Sqrt(x *F) int
}

// reason tells why SetBytes, whose one error says nothing, refused data of
// right length, flags and range on the curve y² = x³ + b.
func reason[F interface{ IsEqual(*F) int }, P coordinate[F]](data []byte, form encoding.Form, b F) error {
	size := len(data)
	if form == encoding.Uncompressed {
		size /= 2
	}
	var x, y, yy, right F
	first := append([]byte(nil), data[:size]...)
	first[0] &= 0x1f // without the flags
	if P(&x).UnmarshalBinary(first) != nil {
		return backends.ErrNotCanonical // excluded by the check before
	}
	P(&right).Sqr(&x)
	P(&right).Mul(&right, &x)
	P(&right).Add(&right, &b)
	if form == encoding.Compressed {
		if P(&y).Sqrt(&right) == 0 {
			return backends.ErrNotOnCurve
		}
		return backends.ErrNotInSubgroup
	}
	if P(&y).UnmarshalBinary(data[size:]) != nil {
		return backends.ErrNotCanonical // likewise
	}
	P(&yy).Sqr(&y)
	if yy.IsEqual(&right) == 0 {
		return backends.ErrNotOnCurve
	}
	return backends.ErrNotInSubgroup
}
