package backends

import (
	"fmt"
	"io"
)

// RandomScalar draws a scalar from rand, a cryptographic source: 128 bits more
// than r are read and reduced, so that the bias is below 2^-128 (RFC 9380,
// section 5.1). Zero, which no secret of M-Pin may be, is drawn again.
func RandomScalar(b Backend, rand io.Reader) (Scalar, error) {
	buf := make([]byte, (b.Info().Curve.Params().R.BitLen()+128+7)/8)
	for range 4 {
		if _, err := io.ReadFull(rand, buf); err != nil {
			return nil, fmt.Errorf("drawing a random scalar: %w", err)
		}
		if s := b.ReduceScalar(buf); !s.IsZero() {
			return s, nil
		}
	}
	return nil, fmt.Errorf("drawing a random scalar: the source gave zero four times")
}

// SmallScalar returns v as a scalar of b.
func SmallScalar(b Backend, v uint64) Scalar {
	var buf [8]byte
	for i := range buf {
		buf[i] = byte(v >> (56 - 8*i))
	}
	return b.ReduceScalar(buf[:])
}
