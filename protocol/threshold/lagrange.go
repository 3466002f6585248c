package threshold

import (
	"math/big"

	"mpinlab/backends"
)

// weights are the Lagrange coefficients λ_i = Π (at − j)/(i − j), j ≠ i, of a
// set of indices as integers over one denominator: λ_i = num[i]/den. Indices
// are small, and so are these as long as there are few: with indices 1 to t
// the denominator is 1 and the numerators are binomial coefficients. All of it
// is public.
type weights struct {
	num  []*big.Int
	den  *big.Int
	bits int // of the longest numerator
}

// lagrange returns the weights of distinct indices xs with which values at xs
// make the value at the index at.
func lagrange(xs []int, at int) *weights {
	w := &weights{den: big.NewInt(1)}
	dens := make([]*big.Int, len(xs))
	for k, i := range xs {
		num, den := big.NewInt(1), big.NewInt(1)
		for _, j := range xs {
			if j != i {
				num.Mul(num, big.NewInt(int64(at-j)))
				den.Mul(den, big.NewInt(int64(i-j)))
			}
		}
		if den.Sign() < 0 {
			num.Neg(num)
			den.Neg(den)
		}
		if g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(num), den); g.Sign() > 0 {
			num.Quo(num, g)
			den.Quo(den, g)
		}
		w.num, dens[k] = append(w.num, num), den
		g := new(big.Int).GCD(nil, nil, w.den, den)
		w.den.Mul(w.den, new(big.Int).Quo(den, g))
	}
	for k, num := range w.num {
		num.Mul(num, new(big.Int).Quo(w.den, dens[k]))
		w.bits = max(w.bits, num.BitLen())
	}
	return w
}

// scalars returns λ_i modulo r. No index reaches r, so den is invertible.
func (w *weights) scalars(b backends.Backend) []backends.Scalar {
	inverse := scalarOf(b, w.den).Inverse()
	ks := make([]backends.Scalar, len(w.num))
	for i, num := range w.num {
		ks[i] = scalarOf(b, num).Mul(inverse)
	}
	return ks
}

// sumG1 returns Σ λ_i·p_i: multiplications by short numerators and one by
// 1/den where that is less work, else by λ_i. Time depends on the indices.
func (w *weights) sumG1(b backends.Backend, points []backends.G1) backends.G1 {
	if w.bits*len(points) < b.Info().Curve.Params().R.BitLen()*(len(points)-1)/2 {
		return w.sumShort(b, points)
	}
	ks := w.scalars(b)
	if m, ok := b.(backends.MultiScalar); ok {
		return m.MultiScalarG1(points, ks)
	}
	sum := points[0].Mul(ks[0])
	for i, p := range points[1:] {
		sum = sum.Add(p.Mul(ks[i+1]))
	}
	return sum
}

// sumShort multiplies by the numerators, by the backend where it is good at
// short scalars and else by doubling and adding in one go, and by 1/den.
func (w *weights) sumShort(b backends.Backend, points []backends.G1) backends.G1 {
	var sum backends.G1
	if short, ok := b.(backends.ShortScalar); ok {
		for i, p := range points {
			p = short.MulShort(signed(p, w.num[i]), scalarOf(b, new(big.Int).Abs(w.num[i])), w.bits)
			if sum == nil {
				sum = p
			} else {
				sum = sum.Add(p)
			}
		}
	} else {
		sum = w.interleaved(points)
	}
	if w.den.Cmp(big.NewInt(1)) != 0 {
		sum = sum.Mul(scalarOf(b, w.den).Inverse())
	}
	return sum
}

// interleaved returns Σ num_i·p_i with common doublings (Straus's method).
func (w *weights) interleaved(points []backends.G1) backends.G1 {
	sum := points[0].Sub(points[0])
	for bit := w.bits - 1; bit >= 0; bit-- {
		sum = sum.Add(sum)
		for i, p := range points {
			if new(big.Int).Abs(w.num[i]).Bit(bit) == 1 {
				sum = sum.Add(signed(p, w.num[i]))
			}
		}
	}
	return sum
}

// signed returns p with the sign of v.
func signed(p backends.G1, v *big.Int) backends.G1 {
	if v.Sign() < 0 {
		return p.Neg()
	}
	return p
}

// sumG2 returns Σ λ_i·p_i.
func (w *weights) sumG2(b backends.Backend, points []backends.G2) backends.G2 {
	ks := w.scalars(b)
	sum := points[0].Mul(ks[0])
	for i, p := range points[1:] {
		sum = sum.Add(p.Mul(ks[i+1]))
	}
	return sum
}

// scalarOf returns v modulo r.
func scalarOf(b backends.Backend, v *big.Int) backends.Scalar {
	k := b.ReduceScalar(new(big.Int).Abs(v).Bytes())
	if v.Sign() < 0 {
		return k.Neg()
	}
	return k
}
