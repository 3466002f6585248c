package reference

import (
	"math/big"
	"math/rand"
	"sync"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"mpinlab/backends"
)

// genScalar draws scalars, half of them at the edges.
func genScalar(b *Backend) gopter.Gen {
	r := b.order
	shift := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
	var edges []any
	for _, k := range []*big.Int{
		big.NewInt(0), big.NewInt(1), big.NewInt(2), big.NewInt(3),
		new(big.Int).Sub(r, big.NewInt(1)), new(big.Int).Sub(r, big.NewInt(2)),
		new(big.Int).Rsh(r, 1), shift(64), new(big.Int).Sub(shift(64), big.NewInt(1)),
		shift(uint(r.BitLen() - 1)), new(big.Int).Abs(b.pairing.u),
	} {
		edges = append(edges, b.ReduceScalar(k.Bytes()).(scalar))
	}
	uniform := gen.Int64().Map(func(seed int64) scalar {
		return scalar{b, new(big.Int).Rand(rand.New(rand.NewSource(seed)), r)}
	})
	return gen.Weighted([]gen.WeightedGen{{Weight: 1, Gen: gen.OneConstOf(edges...)}, {Weight: 1, Gen: uniform}})
}

func check(t *testing.T, rounds int, laws map[string]gopter.Prop) {
	t.Helper()
	p := gopter.DefaultTestParameters()
	p.MinSuccessfulTests = rounds
	p.MaxShrinkCount = 0
	properties := gopter.NewProperties(p)
	for title, law := range laws {
		properties.Property(title, law)
	}
	properties.TestingRun(t)
}

func pair(b *Backend, p backends.G1, q backends.G2) backends.GT {
	return b.Pair([]backends.G1{p}, []backends.G2{q})
}

func TestPairingLaws(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		P, Q := b.G1(), b.G2()
		e := pair(b, P, Q)
		if e.IsOne() {
			t.Fatal("e(P, Q) = 1")
		}
		k := genScalar(b)
		check(t, 2, map[string]gopter.Prop{
			"e(aP, bQ) = e(P, Q)^(ab)": prop.ForAll(func(x, y scalar) bool {
				return pair(b, P.Mul(x), Q.Mul(y)).Equal(e.Exp(x.Mul(y)))
			}, k, k),
			"e(aP, Q)·e(bP, Q) = e((a + b)P, Q)": prop.ForAll(func(x, y scalar) bool {
				product := b.Pair([]backends.G1{P.Mul(x), P.Mul(y)}, []backends.G2{Q, Q})
				return product.Equal(pair(b, P.Mul(x.Add(y)), Q))
			}, k, k),
			"e(aP, Q)·e(−P, aQ) = 1, and not for a + 1": prop.ForAll(func(x scalar) bool {
				one := backends.SmallScalar(b, 1)
				return b.PairingCheck([]backends.G1{P.Mul(x), P.Neg()}, []backends.G2{Q, Q.Mul(x)}) &&
					!b.PairingCheck([]backends.G1{P.Mul(x), P.Neg()}, []backends.G2{Q, Q.Mul(x.Add(one))})
			}, k),
		})
		check(t, 4, map[string]gopter.Prop{
			"g^a·g^b = g^(a + b), (g^a)⁻¹ = g^(−a)": prop.ForAll(func(x, y scalar) bool {
				return e.Exp(x).Mul(e.Exp(y)).Equal(e.Exp(x.Add(y))) && e.Exp(x).Inverse().Equal(e.Exp(x.Neg()))
			}, k, k),
			"aP + bP = (a + b)P, aP − bP = (a − b)P": prop.ForAll(func(x, y scalar) bool {
				return P.Mul(x).Add(P.Mul(y)).Equal(P.Mul(x.Add(y))) && P.Mul(x).Sub(P.Mul(y)).Equal(P.Mul(x.Sub(y)))
			}, k, k),
			"aQ + bQ = (a + b)Q, aQ − bQ = (a − b)Q": prop.ForAll(func(x, y scalar) bool {
				return Q.Mul(x).Add(Q.Mul(y)).Equal(Q.Mul(x.Add(y))) && Q.Mul(x).Sub(Q.Mul(y)).Equal(Q.Mul(x.Sub(y)))
			}, k, k),
			"a·(1/a) = 1, and 1/0 = 0": prop.ForAll(func(x scalar) bool {
				if x.IsZero() {
					return x.Inverse().IsZero()
				}
				return x.Mul(x.Inverse()).Equal(backends.SmallScalar(b, 1))
			}, k),
		})
	})
}

func TestIdentities(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		P, Q := b.G1(), b.G2()
		O, O2 := P.Sub(P), Q.Sub(Q)
		if !O.IsIdentity() || !O2.IsIdentity() {
			t.Fatal("x − x is not the identity")
		}
		if !b.PairingCheck(nil, nil) {
			t.Error("the empty product is not 1")
		}
		if !pair(b, O, Q).IsOne() || !pair(b, P, O2).IsOne() || !pair(b, O, O2).IsOne() {
			t.Error("an identity does not pair to 1")
		}
		with := b.Pair([]backends.G1{O, P, P}, []backends.G2{Q, Q, O2})
		if !with.Equal(pair(b, P, Q)) {
			t.Error("pairs with an identity change the product")
		}
	})
}

func TestMisuse(t *testing.T) {
	panics := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s does not panic", what)
			}
		}()
		f()
	}
	entries := New()
	a, b := entries[0].Backend.(*Backend), entries[1].Backend.(*Backend)
	one := backends.SmallScalar(b, 1)
	panics("adding points of two curves", func() { a.G1().Add(b.G1()) })
	panics("comparing points of two curves", func() { a.G2().Equal(b.G2()) })
	panics("multiplying by another curve's scalar", func() { a.G1().Mul(one) })
	panics("adding scalars of two curves", func() { backends.SmallScalar(a, 1).Add(one) })
	panics("adding nothing", func() { a.G1().Add(nil) })
	panics("pairing another curve's points", func() { pair(a, b.G1(), b.G2()) })
	panics("pairing slices of different lengths", func() { a.PairingCheck([]backends.G1{a.G1()}, nil) })
	panics("finishing another curve's Miller loop", func() { a.FinalExp(b.MillerLoop(nil, nil)) })
	panics("multiplying in GT of two curves", func() {
		pair(a, a.G1(), a.G2()).Mul(pair(b, b.G1(), b.G2()))
	})
	again, err := NewCurve(a.info.Curve)
	if err != nil {
		t.Fatal(err)
	}
	panics("adding points of two instances", func() { a.G1().Add(again.G1()) })
	if _, err := NewCurve(backends.BW6633); err == nil {
		t.Error("there is a pairing on bw6-633")
	}
}

func TestConcurrentUse(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		P, Q := b.G1(), b.G2()
		want := pair(b, P, Q).Bytes()
		var wait sync.WaitGroup
		for range 2 {
			wait.Go(func() {
				if string(pair(b, P, Q).Bytes()) != string(want) || !P.Add(P).Sub(P).Equal(P) {
					t.Error("another value beside another goroutine")
				}
			})
		}
		wait.Wait()
	})
}
