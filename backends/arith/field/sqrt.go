package field

// SqrtFp2 returns a square root of x, or false where x is no square: with
// N = √(a² − β·b²) and c = √((a ± N)/2), the root of a + b·i is c + b/(2c)·i
// (the complex method: Scott, "Implementing cryptographic pairings", Pairing
// 2007). Which of the two roots it returns is not specified.
func (t *Tower) SqrtFp2(x Fp2) (Fp2, bool) {
	f := t.Fp
	if f.IsZero(x.B) { // the root of a or of a/β lies in F_p
		if c, ok := f.Sqrt(x.A); ok {
			return Fp2{A: c, B: f.Zero()}, true
		}
		beta := t.Fp2.Times(f.One())
		d, ok := f.Sqrt(f.Mul(x.A, f.Inv(beta)))
		return Fp2{A: f.Zero(), B: d}, ok
	}
	norm, ok := f.Sqrt(t.Fp2.Norm(x))
	if !ok {
		return Fp2{}, false
	}
	half := f.Inv(f.Int(2))
	c, ok := f.Sqrt(f.Mul(f.Add(x.A, norm), half))
	if !ok {
		c, ok = f.Sqrt(f.Mul(f.Sub(x.A, norm), half))
	}
	if !ok {
		return Fp2{}, false
	}
	return Fp2{A: c, B: f.Mul(x.B, f.Inv(f.Add(c, c)))}, true
}
