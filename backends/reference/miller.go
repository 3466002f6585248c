package reference

// miller returns the product of the Miller functions of the pairs (p[k], q[k])
// at the optimal length, before the final exponentiation:
//
//	BLS12:  f_{u,Q}(P)
//	BN:     f_{6u+2,Q}(P) · ℓ_{[6u+2]Q,πQ}(P) · ℓ_{[6u+2]Q+πQ,−π²Q}(P)
//
// (Vercauteren, "Optimal pairings", ePrint 2008/096, section IV). None of the
// points is the identity. The squarings are shared by all pairs.
//
// Points are added in affine coordinates, as Lauter, Montgomery and Naehrig
// recommend where inversions are cheap (ePrint 2010/363): the slope then is
// the line, and the formulas are those of a textbook.
func (e *pairing) miller(p []pointG1, q []pointG2) fp12 {
	at := make([]evaluation, len(p))
	sum := make([]pointG2, len(q)) // T_k, a growing multiple of q[k]
	for k := range p {
		at[k] = e.evaluateAt(p[k])
		sum[k] = q[k]
	}

	f := e.tower.Fp12.One()
	for i, digit := range e.loop {
		if i == 0 {
			continue // the leading digit is 1 and f_{1,Q} = 1
		}
		f = e.tower.Fp12.Sqr(f)
		for k := range sum {
			f, sum[k] = e.step(f, sum[k], sum[k], at[k])
			switch digit {
			case 1:
				f, sum[k] = e.step(f, sum[k], q[k], at[k])
			case -1:
				f, sum[k] = e.step(f, sum[k], e.g2.Neg(q[k]), at[k])
			}
		}
	}

	// f_{−n,Q} is 1/f_{n,Q} up to a vertical line; and conjugation, raising
	// to p⁶, inverts once the final exponentiation is done.
	if e.u.Sign() < 0 {
		f = e.tower.Fp12.Conj(f)
		for k := range sum {
			sum[k] = e.g2.Neg(sum[k])
		}
	}

	if e.family == bn {
		for k := range sum {
			q1 := e.frobenius(q[k])
			q2 := e.frobenius(q1)
			f, sum[k] = e.step(f, sum[k], q1, at[k])
			f, _ = e.step(f, sum[k], e.g2.Neg(q2), at[k])
		}
	}
	return f
}

// evaluation holds what lines need of the point P = (x, y) they are
// evaluated at.
type evaluation struct {
	overY  fp // 1/y
	xOverY fp // x/y
}

func (e *pairing) evaluateAt(p pointG1) evaluation {
	overY := e.tower.Fp.Inv(p.Y)
	return evaluation{overY, e.tower.Fp.Mul(p.X, overY)}
}

// step returns f·ℓ(P) and t + q, where ℓ is the line through t and q.
//
// The twist's points are on E by ψ(x, y) = (x·w², y·w³) for D and
// (x/w², y/w³) for M. The line through ψ(t) with the slope λ on the twist,
// divided by y of P, which the final exponentiation turns into 1, is
//
//	D:  1 − λ·(x/y)·w + (λ·x_t − y_t)·(1/y)·w³
//	M:  w³ − λ·(x/y)·w² + (λ·x_t − y_t)·(1/y)
//
// The line of M was also multiplied by w³, an element of F_p⁴ with the same
// fate. Vertical lines do not come up: r is prime and larger than any
// multiplier on the way.
func (e *pairing) step(f fp12, t, q pointG2, at evaluation) (fp12, pointG2) {
	slope, ok := e.g2.Slope(t, q)
	if !ok {
		panic("reference: a pairing met a point outside the subgroup")
	}
	fp2, tower := e.tower.Fp2, e.tower
	atX := tower.Scale(f, fp2.Neg(fp2.Scale(slope, at.xOverY)))
	constant := tower.Scale(f, fp2.Scale(fp2.Sub(fp2.Mul(slope, t.X), t.Y), at.overY))
	if e.twist == dType {
		atX, constant = tower.Shift(atX, 1), tower.Shift(constant, 3)
	} else {
		f, atX = tower.Shift(f, 3), tower.Shift(atX, 2)
	}
	f = tower.Fp12.Add(tower.Fp12.Add(f, atX), constant)
	return f, e.g2.AddAlong(slope, t, q)
}

// frobenius is the Frobenius map π of E seen on the twist, ψ⁻¹∘π∘ψ: it
// conjugates the coordinates and multiplies them by ξ^((p−1)/3) and
// ξ^((p−1)/2), or for an M twist by their inverses.
func (e *pairing) frobenius(q pointG2) pointG2 {
	f := e.tower.Fp2
	return e.g2.Affine(f.Mul(f.Conj(q.X), e.frobX), f.Mul(f.Conj(q.Y), e.frobY))
}
