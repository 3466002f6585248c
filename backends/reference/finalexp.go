package reference

// finalExp raises f to a fixed multiple of (p¹² − 1)/r that is prime to r:
// the easy part (p⁶ − 1)(p² + 1), and the hard part, a multiple of
// (p⁴ − p² + 1)/r. The easy part leads into the cyclotomic subgroup.
//
// Which multiple is a convention: the value of the pairing depends on it. Each
// curve has the one that its libraries share.
func (e *pairing) finalExp(f fp12) fp12 {
	F := e.tower.Fp12
	f = F.Mul(F.Conj(f), F.Inv(f))  // p⁶ − 1
	f = F.Mul(e.frob(e.frob(f)), f) // p² + 1
	return e.hardPart(e, f)
}

// exact is the hard part for BN curves with the exponent (p⁴ − p² + 1)/r
// itself: Scott, Benger, Charlemagne, Dominguez Perez and Kachisa, "On the
// final exponentiation for calculating pairings on ordinary elliptic curves",
// ePrint 2008/490, section 5. MIRACL's libraries use it.
//
// The exponent is a sum of multiples of u^i·p^j. The seven groups of terms
// with equal multiplicity are y0 to y6, and the result is
// y0·y1²·y2⁶·y3¹²·y4¹⁸·y5³⁰·y6³⁶ by the paper's addition chain.
func exact(e *pairing, f fp12) fp12 {
	mul, sqr, inv, frob := e.tower.Fp12.Mul, e.tower.CyclotomicSqr, e.tower.Fp12.Conj, e.frob
	fu := e.powU(f)
	fu2 := e.powU(fu)
	fu3 := e.powU(fu2)
	fp := frob(f)
	fp2 := frob(fp)

	y0 := mul(mul(fp, fp2), frob(fp2))
	y1 := inv(f)
	y2 := frob(frob(fu2))
	y3 := inv(frob(fu))
	y4 := inv(mul(fu, frob(fu2)))
	y5 := inv(fu2)
	y6 := inv(mul(fu3, frob(fu3)))

	t0 := mul(mul(sqr(y6), y4), y5)
	t1 := mul(mul(y3, y5), t0)
	t0 = mul(t0, y2)
	t1 = sqr(mul(sqr(t1), t0))
	t0 = mul(t1, y1)
	t1 = mul(t1, y0)
	return mul(sqr(t0), t1)
}

// fuentes is the hard part for BN curves with the exponent
// 2u(6u² + 3u + 1)·(p⁴ − p² + 1)/r: Fuentes-Castañeda, Knapp and
// Rodríguez-Henríquez, "Faster hashing to G2", SAC 2011, section 5. The
// libraries for bn254 use it. With a = f^(12u³ + 6u² + 6u) and
// b = a·f^(−2u) it is
//
//	(a·f^(6u²)·f) · b^p · a^(p²) · (b/f)^(p³)
func fuentes(e *pairing, f fp12) fp12 {
	mul, sqr, inv, frob := e.tower.Fp12.Mul, e.tower.CyclotomicSqr, e.tower.Fp12.Conj, e.frob
	f2u := sqr(e.powU(f))
	f6u := mul(sqr(f2u), f2u)
	f6u2 := e.powU(f6u)
	f12u3 := e.powU(sqr(f6u2))

	a := mul(mul(f12u3, f6u2), f6u)
	b := mul(a, inv(f2u))
	r := mul(mul(a, f6u2), f)
	r = mul(r, frob(b))
	r = mul(r, frob(frob(a)))
	return mul(r, frob(frob(frob(mul(b, inv(f))))))
}

// hayashida is the hard part for BLS12 curves with the exponent
// 3·(p⁴ − p² + 1)/r = (u − 1)²·(u + p)·(u² + p² − 1) + 3: Hayashida, Hayasaka
// and Teruya, "Efficient final exponentiation via cyclotomic structure for
// pairings over families of elliptic curves", ePrint 2020/875, section 4.
func hayashida(e *pairing, f fp12) fp12 {
	mul, sqr, inv, frob := e.tower.Fp12.Mul, e.tower.CyclotomicSqr, e.tower.Fp12.Conj, e.frob
	g := mul(e.powU(f), inv(f))                            // u − 1
	g = mul(e.powU(g), inv(g))                             // u − 1
	g = mul(e.powU(g), frob(g))                            // u + p
	g = mul(mul(e.powU(e.powU(g)), frob(frob(g))), inv(g)) // u² + p² − 1
	return mul(g, mul(sqr(f), f))
}

// powU returns f^u in the cyclotomic subgroup.
func (e *pairing) powU(f fp12) fp12 { return e.tower.CyclotomicExp(f, e.u) }

// frob returns f^p.
func (e *pairing) frob(f fp12) fp12 { return e.tower.Frobenius(f) }
