package field

import "math/big"

// In the cyclotomic subgroup, the elements x of F_p¹² with
// x^(p⁴ − p² + 1) = 1, where a pairing's values lie, squaring is cheaper and
// the inverse is the conjugate.

// CyclotomicSqr returns x² for x in the cyclotomic subgroup. With
// x = a + b·w + c·w² over F_p⁴ and bars for conjugates there,
//
//	x² = (3a² − 2ā) + (3s·c² + 2b̄)·w + (3b² − 2c̄)·w²
//
// (Granger and Scott, "Faster squaring in the cyclotomic subgroup of sixth
// degree extensions", ePrint 2009/565, section 3.2).
func (t *Tower) CyclotomicSqr(x Fp12) Fp12 {
	f := t.Fp4
	g := t.Coefficients(x)
	a, b, c := Fp4{g[0], g[3]}, Fp4{g[1], g[4]}, Fp4{g[2], g[5]}
	cc := f.Sqr(c)
	scc := Fp4{t.Fp6.Times(cc.B), cc.A}

	a, b, c = f.Sub(Thrice(f, f.Sqr(a)), Twice(f, f.Conj(a))),
		f.Add(Thrice(f, scc), Twice(f, f.Conj(b))),
		f.Sub(Thrice(f, f.Sqr(b)), Twice(f, f.Conj(c)))
	return t.FromCoefficients([6]Fp2{a.A, b.A, c.A, a.B, b.B, c.B})
}

// CyclotomicExp returns x^k for x in the cyclotomic subgroup and any
// integer k.
func (t *Tower) CyclotomicExp(x Fp12, k *big.Int) Fp12 {
	if k.Sign() < 0 {
		x, k = t.Fp12.Conj(x), new(big.Int).Neg(k)
	}
	inverse := t.Fp12.Conj(x)
	y := t.Fp12.One()
	for _, digit := range NAF(k) {
		y = t.CyclotomicSqr(y)
		switch digit {
		case 1:
			y = t.Fp12.Mul(y, x)
		case -1:
			y = t.Fp12.Mul(y, inverse)
		}
	}
	return y
}

// NAF returns the non-adjacent form of k ≥ 0, highest digit first: digits −1,
// 0 and 1 of which no two neighbours are both non-zero, so that as few as
// possible are (Handbook of Elliptic and Hyperelliptic Curve Cryptography,
// algorithm 9.14).
func NAF(k *big.Int) []int {
	// Digit i is the difference of bits i+1 of 3k and of k.
	triple := new(big.Int).Mul(k, big.NewInt(3))
	digits := make([]int, 0, triple.BitLen())
	for i := triple.BitLen() - 1; i >= 1; i-- {
		digits = append(digits, int(triple.Bit(i))-int(k.Bit(i)))
	}
	return digits
}
