package kilic

import (
	"bytes"
	"errors"
	"math/big"
	"math/rand"
	"sync"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// The library's scalar keeps r as it is, and its field has arithmetic in two
// representations: compare with math/big.
func TestScalars(t *testing.T) {
	b := newBackend()
	r := backends.BLS12381.Params().R
	one := big.NewInt(1)
	values := []*big.Int{new(big.Int), one, big.NewInt(2), new(big.Int).Sub(r, one), r, new(big.Int).Add(r, one),
		new(big.Int).Lsh(one, 128), new(big.Int).Lsh(one, 255), new(big.Int).Lsh(one, 400)}
	rng := rand.New(rand.NewSource(1))
	for range 20 {
		values = append(values, new(big.Int).Rand(rng, r))
	}
	check := func(what string, got backends.Scalar, want *big.Int) {
		t.Helper()
		want = new(big.Int).Mod(want, r)
		if !bytes.Equal(got.Bytes(), want.FillBytes(make([]byte, 32))) {
			t.Errorf("%s is %x, not %x", what, got.Bytes(), want)
		}
	}
	for _, x := range values {
		s := b.ReduceScalar(x.Bytes())
		check("x", s, x)
		check("−x", s.Neg(), new(big.Int).Neg(x))
		inverse := new(big.Int).ModInverse(x, r)
		if inverse == nil {
			inverse = new(big.Int)
		}
		check("1/x", s.Inverse(), inverse)
		for _, y := range values {
			k := b.ReduceScalar(y.Bytes())
			check("x + y", s.Add(k), new(big.Int).Add(x, y))
			check("x − y", s.Sub(k), new(big.Int).Sub(x, y))
			check("x·y", s.Mul(k), new(big.Int).Mul(x, y))
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	b := newBackend()
	c := backends.BLS12381.Params()
	codec := encoding.G1(backends.BLS12381)
	zero, two, seven := new(big.Int), big.NewInt(2), big.NewInt(7)
	compressed := func(x *big.Int, flags byte) []byte {
		d := x.FillBytes(make([]byte, c.G1CompressedBytes))
		d[0] |= flags
		return d
	}
	for name, test := range map[string]struct {
		data []byte
		want error
	}{
		"order 3":                   {codec.Encode([]*big.Int{zero}, []*big.Int{two}), backends.ErrNotInSubgroup},
		"order 3, compressed":       {compressed(zero, 0x80), backends.ErrNotInSubgroup},
		"order 3, larger y":         {compressed(zero, 0xa0), backends.ErrNotInSubgroup},
		"off the curve":             {codec.Encode([]*big.Int{seven}, []*big.Int{two}), backends.ErrNotOnCurve},
		"off the curve, compressed": {compressed(seven, 0x80), backends.ErrNotOnCurve},
		"(0, 0)":                    {make([]byte, c.G1Bytes), backends.ErrNotOnCurve},
	} {
		if p, err := b.DecodeG1(test.data); !errors.Is(err, test.want) || p != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		p, err := b.DecodeG1Unchecked(test.data)
		if test.want == backends.ErrNotInSubgroup {
			if err != nil || b.InSubgroupG1(b.G1(), p) || !bytes.Equal(p.Bytes(), test.data) && !bytes.Equal(p.BytesCompressed(), test.data) {
				t.Errorf("%s, unchecked: %v", name, err)
			}
		} else if !errors.Is(err, test.want) {
			t.Errorf("%s, unchecked: %v, want %v", name, err, test.want)
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
	if _, err := b.DecodeG2(make([]byte, 192)); !errors.Is(err, backends.ErrNotOnCurve) {
		t.Errorf("(0, 0): %v", err)
	}
}

// Under the race detector this notices an operation that normalises an
// element in place or shares the library's temporary values.
func TestElementsMayBeShared(t *testing.T) {
	b := newBackend()
	k := backends.SmallScalar(b, 0x123456789)
	p, q := b.G1().Mul(k), b.G2().Mul(k)
	many := make([]backends.G1, multiFrom+2)
	ks := make([]backends.Scalar, len(many))
	for i := range many {
		many[i], ks[i] = p, k
	}
	before := *p.(*g1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if !b.PairingCheck([]backends.G1{p, b.G1().Neg()}, []backends.G2{b.G2(), q}) {
				t.Error("e(kP, Q) is not e(P, kQ)")
			}
			if !bytes.Equal(p.Bytes(), p.Add(p).Sub(p).Bytes()) || !p.Equal(p.Neg().Neg()) || !b.InSubgroupG1(p) {
				t.Error("2P − P is not P")
			}
			p.BytesCompressed()
			q.BytesCompressed()
			q.Bytes()
			if !b.MultiScalarG1(many, ks).Equal(p.Mul(k.Mul(backends.SmallScalar(b, uint64(len(many)))))) {
				t.Error("a sum of products is wrong")
			}
		})
	}
	wg.Wait()
	if *p.(*g1) != before {
		t.Error("the element changed")
	}
}
