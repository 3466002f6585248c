package field

// Triple is an element a + b·t + c·t² of a cubic extension.
type Triple[E any] struct {
	A, B, C E
}

// Cubic is F[t]/(t³ − n) for an n of F that is no cube.
type Cubic[E any] struct {
	Base Field[E]
	// Times multiplies an element of F by n, as in Quadratic.
	Times func(E) E
}

func (c *Cubic[E]) Zero() Triple[E] {
	return Triple[E]{c.Base.Zero(), c.Base.Zero(), c.Base.Zero()}
}

func (c *Cubic[E]) One() Triple[E] {
	return Triple[E]{c.Base.One(), c.Base.Zero(), c.Base.Zero()}
}

func (c *Cubic[E]) Add(x, y Triple[E]) Triple[E] {
	f := c.Base
	return Triple[E]{f.Add(x.A, y.A), f.Add(x.B, y.B), f.Add(x.C, y.C)}
}

func (c *Cubic[E]) Sub(x, y Triple[E]) Triple[E] {
	f := c.Base
	return Triple[E]{f.Sub(x.A, y.A), f.Sub(x.B, y.B), f.Sub(x.C, y.C)}
}

func (c *Cubic[E]) Neg(x Triple[E]) Triple[E] {
	f := c.Base
	return Triple[E]{f.Neg(x.A), f.Neg(x.B), f.Neg(x.C)}
}

// Mul is Karatsuba's, six multiplications in F: Devegili, Ó hÉigeartaigh,
// Scott and Dahab, "Multiplication and squaring on pairing-friendly fields",
// ePrint 2006/471, section 4.
func (c *Cubic[E]) Mul(x, y Triple[E]) Triple[E] {
	f := c.Base
	aa, bb, cc := f.Mul(x.A, y.A), f.Mul(x.B, y.B), f.Mul(x.C, y.C)
	// cross(p, q, r, s) = p·s + q·r, given p·r and q·s
	cross := func(p, q, r, s, pr, qs E) E {
		return f.Sub(f.Sub(f.Mul(f.Add(p, q), f.Add(r, s)), pr), qs)
	}
	return Triple[E]{
		A: f.Add(aa, c.Times(cross(x.B, x.C, y.B, y.C, bb, cc))),
		B: f.Add(cross(x.A, x.B, y.A, y.B, aa, bb), c.Times(cc)),
		C: f.Add(cross(x.A, x.C, y.A, y.C, aa, cc), bb),
	}
}

func (c *Cubic[E]) Sqr(x Triple[E]) Triple[E] { return c.Mul(x, x) }

// Inv returns 1/x, and 0 for 0: ePrint 2010/354, algorithm 17.
func (c *Cubic[E]) Inv(x Triple[E]) Triple[E] {
	f := c.Base
	A := f.Sub(f.Sqr(x.A), c.Times(f.Mul(x.B, x.C)))
	B := f.Sub(c.Times(f.Sqr(x.C)), f.Mul(x.A, x.B))
	C := f.Sub(f.Sqr(x.B), f.Mul(x.A, x.C))
	norm := f.Add(f.Mul(x.A, A), c.Times(f.Add(f.Mul(x.C, B), f.Mul(x.B, C))))
	inv := f.Inv(norm)
	return Triple[E]{f.Mul(A, inv), f.Mul(B, inv), f.Mul(C, inv)}
}

// TimesRoot returns x·t.
func (c *Cubic[E]) TimesRoot(x Triple[E]) Triple[E] { return Triple[E]{c.Times(x.C), x.A, x.B} }

func (c *Cubic[E]) Equal(x, y Triple[E]) bool {
	f := c.Base
	return f.Equal(x.A, y.A) && f.Equal(x.B, y.B) && f.Equal(x.C, y.C)
}

func (c *Cubic[E]) IsZero(x Triple[E]) bool {
	f := c.Base
	return f.IsZero(x.A) && f.IsZero(x.B) && f.IsZero(x.C)
}
