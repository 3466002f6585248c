package backendtest

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand"

	"mpinlab/backends"
	"mpinlab/backends/outside"
)

var capabilityLaws = []Law{
	{"GT and the pairing's value", pairLaw},
	{"Miller loop and final exponentiation make the pairing", splitLaw},
	{"multi-scalar multiplication equals the sum", multiScalarLaw},
	{"short multiplication equals the long one", shortLaw},
	{"batch subgroup check equals one by one", batchLaw},
}

func multiScalarLaw(b backends.Backend, e Effort) error {
	m, ok := b.(backends.MultiScalar)
	if !ok {
		return nil
	}
	rng := rand.New(rand.NewSource(e.Seed + 9))
	identity := b.G1().Sub(b.G1())
	for _, n := range []int{0, 1, 2, 3, 7, 8, 9, 31, 64, 100} {
		p, k := make([]backends.G1, n), make([]backends.Scalar, n)
		want := identity
		for i := range p {
			k[i], p[i] = randomScalar(b, rng), b.G1().Mul(randomScalar(b, rng))
			switch {
			case i%7 == 3:
				p[i] = p[0] // the same point twice
			case i%7 == 5:
				p[i] = p[0].Neg()
			case i%11 == 4:
				p[i] = identity
			}
			want = want.Add(p[i].Mul(k[i]))
		}
		if got := m.MultiScalarG1(p, k); !got.Equal(want) {
			return fmt.Errorf("of %d points: %x, not %x", n, got.Bytes(), want.Bytes())
		}
	}
	return panics("slices of different lengths", "", func() { m.MultiScalarG1([]backends.G1{b.G1()}, nil) })
}

func shortLaw(b backends.Backend, e Effort) error {
	s, ok := b.(backends.ShortScalar)
	if !ok {
		return nil
	}
	rng := rand.New(rand.NewSource(e.Seed + 10))
	order := b.Info().Curve.Params().R
	for _, bits := range []int{1, 7, 8, 14, 15, 16, 40, 63, 64, 65, 127, 128, 129, order.BitLen()} {
		limit := new(big.Int).Lsh(big.NewInt(1), uint(bits))
		if limit.Cmp(order) > 0 {
			limit = order
		}
		greatest := new(big.Int).Sub(limit, big.NewInt(1))
		for _, v := range []*big.Int{new(big.Int), big.NewInt(1), greatest, new(big.Int).Rand(rng, limit)} {
			k := scalarOf(b, v)
			for _, p := range []backends.G1{b.G1(), b.G1().Mul(randomScalar(b, rng)), b.G1().Sub(b.G1())} {
				if got, want := s.MulShort(p, k, bits), p.Mul(k); !got.Equal(want) {
					return fmt.Errorf("%x·P in %d bits: %x, not %x", v, bits, got.Bytes(), want.Bytes())
				}
			}
		}
	}
	return nil
}

func batchLaw(b backends.Backend, e Effort) error {
	s, ok := b.(backends.BatchSubgroup)
	if !ok {
		return nil
	}
	rng := rand.New(rand.NewSource(e.Seed + 11))
	curve := b.Info().Curve
	if !s.InSubgroupG1() {
		return fmt.Errorf("no points are not all in the subgroup")
	}
	off := outside.Point(curve, "G1")
	for _, n := range []int{1, 2, 5, 63, 64, 65, 130} {
		p := make([]backends.G1, n)
		for i := range p {
			q := b.G1().Mul(randomScalar(b, rng))
			data := q.Bytes()
			if i%2 == 1 {
				data = q.BytesCompressed()
			}
			var err error
			if p[i], err = s.DecodeG1Unchecked(data); err != nil || !p[i].Equal(q) {
				return fmt.Errorf("unchecked decoding: %v", err)
			}
		}
		if !s.InSubgroupG1(p...) {
			return fmt.Errorf("%d points of the subgroup are refused", n)
		}
		if off == nil {
			continue
		}
		bad, err := s.DecodeG1Unchecked(off)
		if err != nil {
			return fmt.Errorf("unchecked decoding of a point of another order: %w", err)
		}
		for _, at := range []int{0, n / 2, n - 1} {
			q := append([]backends.G1(nil), p...)
			q[at] = bad
			if s.InSubgroupG1(q...) {
				return fmt.Errorf("a point of another order at %d of %d is accepted", at, n)
			}
		}
	}
	x, y := g1Of(b).codec.Coordinates(b.G1().Bytes())
	if _, err := s.DecodeG1Unchecked(g1Of(b).codec.Encode(y, x)); !errors.Is(err, backends.ErrNotOnCurve) {
		return fmt.Errorf("unchecked decoding off the curve: error %v", err)
	}
	for _, data := range [][]byte{nil, append(b.G1().Bytes(), 0)} {
		if _, err := s.DecodeG1Unchecked(data); !errors.Is(err, backends.ErrLength) {
			return fmt.Errorf("unchecked decoding of %d bytes: error %v", len(data), err)
		}
	}
	return nil
}
