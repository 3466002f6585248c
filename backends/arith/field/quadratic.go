package field

// Pair is an element a + b·t of a quadratic extension.
type Pair[E any] struct {
	A, B E
}

// Quadratic is F[t]/(t² − n) for a non-square n of F.
type Quadratic[E any] struct {
	Base Field[E]
	// Times multiplies an element of F by n. It is a function because n is
	// always chosen so that no multiplication is needed.
	Times func(E) E
}

func (q *Quadratic[E]) Zero() Pair[E] { return Pair[E]{q.Base.Zero(), q.Base.Zero()} }

func (q *Quadratic[E]) One() Pair[E] { return Pair[E]{q.Base.One(), q.Base.Zero()} }

func (q *Quadratic[E]) Add(x, y Pair[E]) Pair[E] {
	return Pair[E]{q.Base.Add(x.A, y.A), q.Base.Add(x.B, y.B)}
}

func (q *Quadratic[E]) Sub(x, y Pair[E]) Pair[E] {
	return Pair[E]{q.Base.Sub(x.A, y.A), q.Base.Sub(x.B, y.B)}
}

func (q *Quadratic[E]) Neg(x Pair[E]) Pair[E] {
	return Pair[E]{q.Base.Neg(x.A), q.Base.Neg(x.B)}
}

// Conj returns a − b·t.
func (q *Quadratic[E]) Conj(x Pair[E]) Pair[E] { return Pair[E]{x.A, q.Base.Neg(x.B)} }

// Mul is Karatsuba's: three multiplications in F.
func (q *Quadratic[E]) Mul(x, y Pair[E]) Pair[E] {
	f := q.Base
	aa, bb := f.Mul(x.A, y.A), f.Mul(x.B, y.B)
	cross := f.Mul(f.Add(x.A, x.B), f.Add(y.A, y.B))
	return Pair[E]{
		A: f.Add(aa, q.Times(bb)),
		B: f.Sub(f.Sub(cross, aa), bb),
	}
}

// Sqr is the complex method: two multiplications in F.
//
//	(a + b·t)² = (a + b)(a + n·b) − ab − n·ab + 2ab·t
func (q *Quadratic[E]) Sqr(x Pair[E]) Pair[E] {
	f := q.Base
	ab := f.Mul(x.A, x.B)
	m := f.Mul(f.Add(x.A, x.B), f.Add(x.A, q.Times(x.B)))
	return Pair[E]{
		A: f.Sub(f.Sub(m, ab), q.Times(ab)),
		B: f.Add(ab, ab),
	}
}

// Norm returns a² − n·b², the product of x and its conjugate.
func (q *Quadratic[E]) Norm(x Pair[E]) E {
	return q.Base.Sub(q.Base.Sqr(x.A), q.Times(q.Base.Sqr(x.B)))
}

// Inv returns the conjugate over the norm, and 0 for 0.
func (q *Quadratic[E]) Inv(x Pair[E]) Pair[E] {
	inv := q.Base.Inv(q.Norm(x))
	return q.Scale(q.Conj(x), inv)
}

// Scale multiplies x by an element of F.
func (q *Quadratic[E]) Scale(x Pair[E], k E) Pair[E] {
	return Pair[E]{q.Base.Mul(x.A, k), q.Base.Mul(x.B, k)}
}

func (q *Quadratic[E]) Equal(x, y Pair[E]) bool {
	return q.Base.Equal(x.A, y.A) && q.Base.Equal(x.B, y.B)
}

func (q *Quadratic[E]) IsZero(x Pair[E]) bool { return q.Base.IsZero(x.A) && q.Base.IsZero(x.B) }
