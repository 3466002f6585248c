package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"math/rand"

	"mpinlab/backends"
)

func valueOf(k backends.Scalar) *big.Int { return new(big.Int).SetBytes(k.Bytes()) }

var infoLaws = []Law{
	{"info is complete", func(b backends.Backend, _ Effort) error {
		i := b.Info()
		switch {
		case i.ID == "" || i.Library == "" || i.Version == "" || i.Implementation == "" || i.ConstantTimeSource == "":
			return fmt.Errorf("a field is empty in %+v", i)
		case i.ConstantTime != backends.ConstantTimeNo && i.ConstantTime != backends.ConstantTimeClaimed:
			return fmt.Errorf("constant-time standing %q", i.ConstantTime)
		}
		return nil
	}},
}

var scalarLaws = []Law{
	{"scalars are the integers modulo r", func(b backends.Backend, e Effort) error {
		r := b.Info().Curve.Params().R
		is := func(k backends.Scalar, want *big.Int) bool {
			return valueOf(k).Cmp(new(big.Int).Mod(want, r)) == 0
		}
		return e.all(
			scalars2(b, "a + b", func(x, y backends.Scalar) bool {
				return is(x.Add(y), new(big.Int).Add(valueOf(x), valueOf(y)))
			}),
			scalars2(b, "a − b", func(x, y backends.Scalar) bool {
				return is(x.Sub(y), new(big.Int).Sub(valueOf(x), valueOf(y)))
			}),
			scalars2(b, "a · b", func(x, y backends.Scalar) bool {
				return is(x.Mul(y), new(big.Int).Mul(valueOf(x), valueOf(y)))
			}),
			scalars1(b, "−a", func(x backends.Scalar) bool { return is(x.Neg(), new(big.Int).Neg(valueOf(x))) }),
			scalars1(b, "1/a, and 1/0 = 0", func(x backends.Scalar) bool {
				if x.IsZero() {
					return x.Inverse().IsZero()
				}
				return is(x.Inverse(), new(big.Int).ModInverse(valueOf(x), r))
			}),
			scalars2(b, "a = b as integers", func(x, y backends.Scalar) bool {
				return x.Equal(y) == (valueOf(x).Cmp(valueOf(y)) == 0) && x.Equal(x) && x.IsZero() == (valueOf(x).Sign() == 0)
			}),
		)
	}},
	{"scalars round trip", func(b backends.Backend, e Effort) error {
		n := b.Info().Curve.Params().ScalarBytes
		return e.all(scalars1(b, "decode(bytes(a)) = a", func(x backends.Scalar) bool {
			y, err := b.DecodeScalar(x.Bytes())
			return err == nil && y.Equal(x) && len(x.Bytes()) == n
		}))
	}},
	{"scalars reduce any bytes modulo r", func(b backends.Backend, e Effort) error {
		r := b.Info().Curve.Params().R
		rng := rand.New(rand.NewSource(e.Seed + 1))
		for n := range 130 {
			for _, fill := range []func([]byte){func([]byte) {}, func(v []byte) { rng.Read(v) }, ones} {
				v := make([]byte, n)
				fill(v)
				want := new(big.Int).SetBytes(v)
				if got := valueOf(b.ReduceScalar(v)); got.Cmp(want.Mod(want, r)) != 0 {
					return fmt.Errorf("%x reduces to %x, not %x", v, got, want)
				}
			}
		}
		return nil
	}},
	{"scalars are refused by kind", func(b backends.Backend, _ Effort) error {
		p := b.Info().Curve.Params()
		r := p.R.FillBytes(make([]byte, p.ScalarBytes))
		all := make([]byte, p.ScalarBytes)
		ones(all)
		for _, c := range []struct {
			what string
			data []byte
			want error
		}{
			{"nothing", nil, backends.ErrLength},
			{"a byte short", r[1:], backends.ErrLength},
			{"a byte long", append([]byte{0}, r...), backends.ErrLength},
			{"trailing byte", append(bytes.Clone(r), 0), backends.ErrLength},
			{"r", r, backends.ErrNotCanonical},
			{"all ones", all, backends.ErrNotCanonical},
		} {
			if k, err := b.DecodeScalar(c.data); !errors.Is(err, c.want) || k != nil {
				return fmt.Errorf("%s: error %v, not %v", c.what, err, c.want)
			}
		}
		return nil
	}},
}

func ones(b []byte) {
	for i := range b {
		b[i] = 0xff
	}
}
