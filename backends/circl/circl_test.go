package circl

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

func TestDecodeErrors(t *testing.T) {
	b := newBackend()
	c := backends.BLS12381.Params()
	codec := encoding.G1(backends.BLS12381)
	// (0, 2) has order 3; 7³ + 4 is not a square (checked below).
	zero, two, seven := new(big.Int), big.NewInt(2), big.NewInt(7)
	if big.Jacobi(new(big.Int).Add(new(big.Int).Exp(seven, big.NewInt(3), nil), c.B), c.P) != -1 {
		t.Fatal("7 is the abscissa of a point")
	}
	compressed := func(x *big.Int) []byte {
		d := x.FillBytes(make([]byte, c.G1CompressedBytes))
		d[0] |= 0x80
		return d
	}
	for name, test := range map[string]struct {
		data []byte
		want error
	}{
		"trailing byte":            {append(b.G1().Bytes(), 0), backends.ErrLength},
		"order 3":                  {codec.Encode([]*big.Int{zero}, []*big.Int{two}), backends.ErrNotInSubgroup},
		"order 3, compressed":      {compressed(zero), backends.ErrNotInSubgroup},
		"off the curve":            {codec.Encode([]*big.Int{seven}, []*big.Int{two}), backends.ErrNotOnCurve},
		"off the curve compressed": {compressed(seven), backends.ErrNotOnCurve},
		"(0, 0)":                   {make([]byte, c.G1Bytes), backends.ErrNotOnCurve},
		"x at the modulus":         {codec.Encode([]*big.Int{c.P}, []*big.Int{two}), backends.ErrNotCanonical},
	} {
		if p, err := b.DecodeG1(test.data); !errors.Is(err, test.want) || p != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestDecodeG2Errors(t *testing.T) {
	b := newBackend()
	data := b.G2().BytesCompressed()
	kinds := map[error]int{}
	for range 40 {
		data[len(data)-1]++
		_, err := b.DecodeG2(data)
		for _, kind := range []error{backends.ErrNotOnCurve, backends.ErrNotInSubgroup} {
			if errors.Is(err, kind) {
				kinds[kind]++
			}
		}
	}
	if n := kinds[backends.ErrNotOnCurve]; n < 8 || n > 32 || n+kinds[backends.ErrNotInSubgroup] != 40 {
		t.Errorf("of 40 abscissas: %v", kinds)
	}
	data = b.G2().Bytes()
	data[len(data)-1] ^= 1
	if _, err := b.DecodeG2(data); !errors.Is(err, backends.ErrNotOnCurve) {
		t.Errorf("off the curve: %v", err)
	}
}

func TestScalars(t *testing.T) {
	b := newBackend()
	r := backends.BLS12381.Params().R
	if !b.ReduceScalar(r.Bytes()).IsZero() || !b.ReduceScalar(nil).IsZero() {
		t.Error("r is not zero")
	}
	zero := b.ReduceScalar(nil)
	if !zero.Inverse().IsZero() || !zero.Neg().IsZero() {
		t.Error("1/0 or −0 is not zero")
	}
	if _, err := b.DecodeScalar(r.Bytes()); !errors.Is(err, backends.ErrNotCanonical) {
		t.Errorf("r decodes: %v", err)
	}
	wide := bytes.Repeat([]byte{0xff}, 100)
	want := new(big.Int).Mod(new(big.Int).SetBytes(wide), r).FillBytes(make([]byte, 32))
	if got := b.ReduceScalar(wide).Bytes(); !bytes.Equal(got, want) {
		t.Errorf("reduced to %x, not %x", got, want)
	}
}
