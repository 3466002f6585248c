package backendtest

import (
	"bytes"
	"fmt"
	"math/rand"

	"mpinlab/backends"
)

var pairingLaws = []Law{
	{"e(a·P, b·Q) = e(ab·P, Q) = e(P, ab·Q)", func(b backends.Backend, e Effort) error {
		P, Q := b.G1(), b.G2()
		one := backends.SmallScalar(b, 1)
		return e.all(
			scalars2(b, "e(a·P, b·Q) · e(−ab·P, Q) = 1", func(x, y backends.Scalar) bool {
				return b.PairingCheck([]backends.G1{P.Mul(x), P.Mul(x.Mul(y).Neg())}, []backends.G2{Q.Mul(y), Q})
			}),
			scalars2(b, "e(a·P, b·Q) · e(P, −ab·Q) = 1", func(x, y backends.Scalar) bool {
				return b.PairingCheck([]backends.G1{P.Mul(x), P}, []backends.G2{Q.Mul(y), Q.Mul(x.Mul(y).Neg())})
			}),
			scalars2(b, "e(a·P, b·Q) · e(−(ab + 1)·P, Q) ≠ 1", func(x, y backends.Scalar) bool {
				return !b.PairingCheck([]backends.G1{P.Mul(x), P.Mul(x.Mul(y).Add(one).Neg())}, []backends.G2{Q.Mul(y), Q})
			}),
		)
	}},
	{"the pairing check of one and many pairs", func(b backends.Backend, e Effort) error {
		P, Q := b.G1(), b.G2()
		zero := backends.SmallScalar(b, 0)
		O1, O2 := P.Mul(zero), Q.Mul(zero)
		for _, c := range []struct {
			what string
			p    []backends.G1
			q    []backends.G2
			want bool
		}{
			{"no pairs", nil, nil, true},
			{"e(P, Q)", []backends.G1{P}, []backends.G2{Q}, false},
			{"e(0, Q)", []backends.G1{O1}, []backends.G2{Q}, true},
			{"e(P, 0)", []backends.G1{P}, []backends.G2{O2}, true},
			{"e(0, 0)", []backends.G1{O1}, []backends.G2{O2}, true},
			{"e(0, Q)·e(P, 0)", []backends.G1{O1, P}, []backends.G2{Q, O2}, true},
			{"e(0, Q)·e(P, Q)", []backends.G1{O1, P}, []backends.G2{Q, Q}, false},
			{"e(P, Q)·e(−P, Q)", []backends.G1{P, P.Neg()}, []backends.G2{Q, Q}, true},
			{"e(P, Q)·e(P, −Q)", []backends.G1{P, P}, []backends.G2{Q, Q.Neg()}, true},
			{"e(P, Q)·e(P, Q)", []backends.G1{P, P}, []backends.G2{Q, Q}, false},
		} {
			if got := b.PairingCheck(c.p, c.q); got != c.want {
				return fmt.Errorf("%s = 1: %v", c.what, got)
			}
		}
		return sums(b, e, b.PairingCheck)
	}},
}

// sums checks products of up to nine pairs whose exponents are known.
func sums(b backends.Backend, e Effort, check func([]backends.G1, []backends.G2) bool) error {
	rng := rand.New(rand.NewSource(e.Seed + 4))
	for i := range e.Cases {
		n := 1 + rng.Intn(8)
		p, q, last := pairsWithSum(b, rng, n)
		if !check(append(p, last), append(q, b.G2())) {
			return fmt.Errorf("case %d: a product of %d pairs that is 1 is refused", i, n+1)
		}
		if check(append(p, last.Add(b.G1())), append(q, b.G2())) {
			return fmt.Errorf("case %d: a product of %d pairs that is not 1 is accepted", i, n+1)
		}
	}
	return nil
}

// pairsWithSum returns n pairs and the point that, paired with the generator
// of G2, makes the product of all of them one.
func pairsWithSum(b backends.Backend, rng *rand.Rand, n int) (p []backends.G1, q []backends.G2, last backends.G1) {
	sum := backends.SmallScalar(b, 0)
	for range n {
		x, y := randomScalar(b, rng), randomScalar(b, rng)
		sum = sum.Add(x.Mul(y))
		p, q = append(p, b.G1().Mul(x)), append(q, b.G2().Mul(y))
	}
	return p, q, b.G1().Mul(sum.Neg())
}

func pairLaw(b backends.Backend, e Effort) error {
	pairer, ok := b.(backends.Pairer)
	if !ok {
		return nil
	}
	one := func(p backends.G1, q backends.G2) backends.GT {
		return pairer.Pair([]backends.G1{p}, []backends.G2{q})
	}
	P, Q := b.G1(), b.G2()
	g := one(P, Q)
	r := backends.SmallScalar(b, 1).Neg()
	if g.IsOne() || !g.Exp(r).Mul(g).IsOne() || !pairer.Pair(nil, nil).IsOne() {
		return fmt.Errorf("e(P, Q) is not of order r, or the empty product is not 1")
	}
	identity := P.Sub(P)
	if !one(identity, Q).IsOne() || !one(P, Q.Sub(Q)).IsOne() {
		return fmt.Errorf("the pairing with an identity is not 1")
	}
	return e.all(
		scalars2(b, "e(a·P, b·Q) = e(P, Q)^(ab)", func(x, y backends.Scalar) bool {
			h := one(P.Mul(x), Q.Mul(y))
			want := g.Exp(x.Mul(y))
			return h.Equal(want) && bytes.Equal(h.Bytes(), want.Bytes())
		}),
		scalars2(b, "g^a · g^b = g^(a + b)", func(x, y backends.Scalar) bool {
			return g.Exp(x).Mul(g.Exp(y)).Equal(g.Exp(x.Add(y)))
		}),
		scalars2(b, "(g^a)^b = g^(ab)", func(x, y backends.Scalar) bool {
			return g.Exp(x).Exp(y).Equal(g.Exp(x.Mul(y)))
		}),
		scalars1(b, "g^a · (g^a)⁻¹ = 1, and g^a = 1 iff a = 0", func(x backends.Scalar) bool {
			h := g.Exp(x)
			return h.Mul(h.Inverse()).IsOne() && h.IsOne() == x.IsZero() && h.Equal(g) == x.Equal(backends.SmallScalar(b, 1))
		}),
		scalars2(b, "Pair is the product", func(x, y backends.Scalar) bool {
			p, q := P.Mul(x), Q.Mul(y)
			return pairer.Pair([]backends.G1{p, P}, []backends.G2{Q, q}).Equal(one(p, Q).Mul(one(P, q)))
		}),
	)
}

func splitLaw(b backends.Backend, e Effort) error {
	s, ok := b.(backends.Splitter)
	if !ok {
		return nil
	}
	pairer, ok := b.(backends.Pairer)
	if !ok {
		return fmt.Errorf("a Splitter that is no Pairer")
	}
	rng := rand.New(rand.NewSource(e.Seed + 5))
	for n := range 4 {
		p, q, last := pairsWithSum(b, rng, n)
		if !s.FinalExp(s.MillerLoop(p, q)).Equal(pairer.Pair(p, q)) {
			return fmt.Errorf("of %d pairs, FinalExp(MillerLoop) is not Pair", n)
		}
		if !s.FinalExp(s.MillerLoop(append(p, last), append(q, b.G2()))).IsOne() {
			return fmt.Errorf("of %d pairs, a product that is 1 is not", n+1)
		}
	}
	return nil
}

var fixedLaws = []Law{
	{"fixed G2 equals plain, again and again", func(b backends.Backend, e Effort) error {
		f, ok := b.(backends.FixedG2)
		if !ok {
			return nil
		}
		Q := b.G2()
		s := randomScalar(b, rand.New(rand.NewSource(e.Seed+6)))
		fixed := f.FixG2(Q, Q.Mul(s))
		for _, prop := range []named{scalars2(b, "fixed(a·P, c·P) = plain", func(x, y backends.Scalar) bool {
			p := []backends.G1{b.G1().Mul(x), b.G1().Mul(y)}
			return fixed.PairingCheck(p...) == b.PairingCheck(p, []backends.G2{Q, Q.Mul(s)})
		}), scalars1(b, "fixed(−as·P, a·P) = 1, twice", func(x backends.Scalar) bool {
			p := []backends.G1{b.G1().Mul(x.Mul(s).Neg()), b.G1().Mul(x)}
			first := fixed.PairingCheck(p...)
			return fixed.PairingCheck(p...) && first
		})} {
			if err := e.holds(prop.name, prop.prop); err != nil {
				return err
			}
		}
		return fixedSizes(b, f, e)
	}},
	{"fixed G2 equals plain, concurrently", func(b backends.Backend, e Effort) error {
		f, ok := b.(backends.FixedG2)
		if !ok {
			return nil
		}
		rng := rand.New(rand.NewSource(e.Seed + 7))
		s := randomScalar(b, rng)
		fixed := f.FixG2(b.G2(), b.G2().Mul(s))
		const workers = 8
		errs := make(chan error, workers)
		for w := range workers {
			x := backends.SmallScalar(b, uint64(w+2))
			good := []backends.G1{b.G1().Mul(x.Mul(s).Neg()), b.G1().Mul(x)}
			bad := []backends.G1{good[0].Add(b.G1()), good[1]}
			go func() {
				for range max(2, e.Cases) {
					if !fixed.PairingCheck(good...) || fixed.PairingCheck(bad...) {
						errs <- fmt.Errorf("a concurrent check gave the wrong verdict")
						return
					}
				}
				errs <- nil
			}()
		}
		var first error
		for range workers {
			if err := <-errs; err != nil {
				first = err
			}
		}
		return first
	}},
}

// fixedSizes prepares none, one and several elements, identities among them.
func fixedSizes(b backends.Backend, f backends.FixedG2, e Effort) error {
	rng := rand.New(rand.NewSource(e.Seed + 8))
	if !f.FixG2().PairingCheck() {
		return fmt.Errorf("the empty product is not 1")
	}
	for n := 1; n <= 4; n++ {
		p, q, last := pairsWithSum(b, rng, n)
		p, q = append(p, last, b.G1().Sub(b.G1()), b.G1()), append(q, b.G2(), b.G2(), b.G2().Sub(b.G2()))
		fixed := f.FixG2(q...)
		q[0] = b.G2() // must not have been kept
		if !fixed.PairingCheck(p...) {
			return fmt.Errorf("of %d elements, a product that is 1 is refused", len(q))
		}
		p[n] = p[n].Add(b.G1())
		if fixed.PairingCheck(p...) {
			return fmt.Errorf("of %d elements, a product that is not 1 is accepted", len(q))
		}
	}
	fixed := f.FixG2(b.G2(), b.G2())
	return panics("a wrong number of points", "", func() { fixed.PairingCheck(b.G1()) })
}
