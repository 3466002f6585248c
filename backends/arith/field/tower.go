package field

import "math/big"

// The elements of the tower's fields.
type (
	Fp   = *big.Int
	Fp2  = Pair[Fp]
	Fp4  = Pair[Fp2]
	Fp6  = Triple[Fp2]
	Fp12 = Pair[Fp6]
)

// Tower is the tower of extensions over F_p that pairings with embedding
// degree 12 and a sextic twist use:
//
//	F_p²  = F_p[i]/(i² − β)
//	F_p⁶  = F_p²[v]/(v³ − ξ)
//	F_p¹² = F_p⁶[w]/(w² − v)
//
// so that F_p¹² is F_p²[w]/(w⁶ − ξ) as well, and F_p⁴[w]/(w³ − s) over
// F_p⁴ = F_p²[s]/(s² − ξ). β and the coefficients of ξ are
// small: multiplying by them is done by additions.
type Tower struct {
	Fp   *Prime
	Fp2  *Quadratic[Fp]
	Fp4  *Quadratic[Fp2]
	Fp6  *Cubic[Fp2]
	Fp12 *Quadratic[Fp6]
	// Xi is ξ.
	Xi Fp2
	// Gamma[j] is ξ^(j(p−1)/6), by which the Frobenius map multiplies w^j.
	Gamma [6]Fp2
}

// NewTower returns the tower over F_p with i² = beta and ξ = xiA + xiB·i. It
// is for the caller to know that β is no square and ξ neither a square nor a
// cube.
func NewTower(p *big.Int, beta, xiA, xiB int64) *Tower {
	fp := NewPrime(p)
	fp2 := &Quadratic[Fp]{Base: fp, Times: func(x Fp) Fp { return fp.small(x, beta) }}
	timesXi := func(x Fp2) Fp2 { // (a + bi)(xiA + xiB·i)
		return Fp2{
			A: fp.Add(fp.small(x.A, xiA), fp2.Times(fp.small(x.B, xiB))),
			B: fp.Add(fp.small(x.A, xiB), fp.small(x.B, xiA)),
		}
	}
	fp6 := &Cubic[Fp2]{Base: fp2, Times: timesXi}
	t := &Tower{
		Fp: fp, Fp2: fp2, Fp6: fp6,
		Fp4:  &Quadratic[Fp2]{Base: fp2, Times: timesXi},
		Fp12: &Quadratic[Fp6]{Base: fp6, Times: fp6.TimesRoot},
		Xi:   Fp2{A: fp.Int(xiA), B: fp.Int(xiB)},
	}
	sixth := new(big.Int).Div(p, big.NewInt(6)) // p = 1 mod 6
	t.Gamma[0], t.Gamma[1] = fp2.One(), Exp(fp2, t.Xi, sixth)
	for j := 2; j < 6; j++ {
		t.Gamma[j] = fp2.Mul(t.Gamma[j-1], t.Gamma[1])
	}
	return t
}

// small returns k·x for a small k, with additions only.
func (f *Prime) small(x Fp, k int64) Fp {
	switch {
	case k < 0:
		return f.Neg(f.small(x, -k))
	case k == 0:
		return f.Zero()
	case k == 1:
		return x
	}
	half := f.small(x, k/2)
	if k%2 == 0 {
		return f.Add(half, half)
	}
	return f.Add(f.Add(half, half), x)
}

// Coefficients returns g with x = Σ g[j]·w^j, the view of F_p¹² as
// F_p²[w]/(w⁶ − ξ).
func (t *Tower) Coefficients(x Fp12) [6]Fp2 {
	return [6]Fp2{x.A.A, x.B.A, x.A.B, x.B.B, x.A.C, x.B.C}
}

// FromCoefficients returns Σ g[j]·w^j.
func (t *Tower) FromCoefficients(g [6]Fp2) Fp12 {
	return Fp12{A: Fp6{g[0], g[2], g[4]}, B: Fp6{g[1], g[3], g[5]}}
}

// Frobenius returns x^p: each coefficient is conjugated, and w^j becomes
// γ_j·w^j.
func (t *Tower) Frobenius(x Fp12) Fp12 {
	g := t.Coefficients(x)
	g[0] = t.Fp2.Conj(g[0])
	for j := 1; j < 6; j++ {
		g[j] = t.Fp2.Mul(t.Fp2.Conj(g[j]), t.Gamma[j])
	}
	return t.FromCoefficients(g)
}

// Scale returns k·x for k in F_p².
func (t *Tower) Scale(x Fp12, k Fp2) Fp12 {
	g := t.Coefficients(x)
	for j := range g {
		g[j] = t.Fp2.Mul(g[j], k)
	}
	return t.FromCoefficients(g)
}

// Shift returns x·w^n for 0 ≤ n < 6.
func (t *Tower) Shift(x Fp12, n int) Fp12 {
	g := t.Coefficients(x)
	var shifted [6]Fp2
	for j := range g {
		if j+n < 6 {
			shifted[j+n] = g[j]
		} else {
			shifted[j+n-6] = t.Fp6.Times(g[j])
		}
	}
	return t.FromCoefficients(shifted)
}

// Exp returns x^k in f for k ≥ 0.
func Exp[E any](f Field[E], x E, k *big.Int) E {
	y := f.One()
	for i := k.BitLen() - 1; i >= 0; i-- {
		y = f.Sqr(y)
		if k.Bit(i) == 1 {
			y = f.Mul(y, x)
		}
	}
	return y
}
