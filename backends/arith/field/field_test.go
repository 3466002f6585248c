package field

import (
	"math/big"
	"math/rand"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"mpinlab/backends"
)

// towers are the three shapes there are: β = −1 with a small and a larger ξ,
// and β other than −1 with ξ = i.
func towers() map[string]*Tower {
	return map[string]*Tower{
		"fp256bn":   NewTower(backends.FP256BN.Params().P, -1, 1, 1),
		"bn254":     NewTower(backends.BN254.Params().P, -1, 9, 1),
		"bls12-377": NewTower(backends.BLS12377.Params().P, -5, 0, 1),
	}
}

// genFp draws elements of F_p, every third one of the kind that carries and
// borrows get wrong.
func genFp(f *Prime) gopter.Gen {
	edges := []any{f.Zero(), f.One(), f.Int(2), f.Int(-1), f.Int(-2), f.Inv(f.Int(2)),
		f.Reduce(new(big.Int).Lsh(f.One(), 64)), f.Reduce(new(big.Int).Lsh(f.One(), uint(f.P.BitLen()-1)))}
	uniform := gen.Int64().Map(func(seed int64) *big.Int {
		return new(big.Int).Rand(rand.New(rand.NewSource(seed)), f.P)
	})
	return gen.Weighted([]gen.WeightedGen{{Weight: 1, Gen: gen.OneConstOf(edges...)}, {Weight: 2, Gen: uniform}})
}

// genFp12 draws elements of F_p¹².
func genFp12(t *Tower) gopter.Gen {
	return gen.SliceOfN(12, genFp(t.Fp)).Map(func(k []*big.Int) Fp12 {
		var g [6]Fp2
		for j := range g {
			g[j] = Fp2{k[2*j], k[2*j+1]}
		}
		return t.FromCoefficients(g)
	})
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

// laws are what any field and its implementation here must satisfy.
func laws[E any](f Field[E], elements gopter.Gen) map[string]gopter.Prop {
	return map[string]gopter.Prop{
		"(x + y)·z = x·z + y·z": prop.ForAll(func(x, y, z E) bool {
			return f.Equal(f.Mul(f.Add(x, y), z), f.Add(f.Mul(x, z), f.Mul(y, z)))
		}, elements, elements, elements),
		"(x·y)·z = x·(y·z)": prop.ForAll(func(x, y, z E) bool {
			return f.Equal(f.Mul(f.Mul(x, y), z), f.Mul(x, f.Mul(y, z)))
		}, elements, elements, elements),
		"x − y = x + (−y), x·1 = x, x·0 = 0": prop.ForAll(func(x, y E) bool {
			return f.Equal(f.Sub(x, y), f.Add(x, f.Neg(y))) && f.Equal(f.Mul(x, f.One()), x) &&
				f.IsZero(f.Mul(x, f.Zero())) && f.IsZero(f.Sub(x, x))
		}, elements, elements),
		"x² = x·x": prop.ForAll(func(x E) bool { return f.Equal(f.Sqr(x), f.Mul(x, x)) }, elements),
		"x·(1/x) = 1, and 1/0 = 0": prop.ForAll(func(x E) bool {
			if f.IsZero(x) {
				return f.IsZero(f.Inv(x))
			}
			return f.Equal(f.Mul(x, f.Inv(x)), f.One())
		}, elements),
	}
}

func TestFieldLaws(t *testing.T) {
	for name, tower := range towers() {
		t.Run(name, func(t *testing.T) {
			fp12 := genFp12(tower)
			check(t, 60, laws(tower.Fp, genFp(tower.Fp)))
			check(t, 20, laws(tower.Fp2, fp12.Map(func(x Fp12) Fp2 { return x.A.A })))
			check(t, 10, laws(tower.Fp4, fp12.Map(func(x Fp12) Fp4 { return Fp4{x.A.A, x.B.A} })))
			check(t, 10, laws(tower.Fp6, fp12.Map(func(x Fp12) Fp6 { return x.A })))
			check(t, 10, laws(tower.Fp12, fp12))
		})
	}
}

// The polynomials of the tower are irreducible.
func TestTowerIsOneOfFields(t *testing.T) {
	for name, tower := range towers() {
		p := tower.Fp.P
		beta := tower.Fp2.Times(tower.Fp.One())
		if tower.Fp.IsSquare(beta) {
			t.Errorf("%s: β is a square", name)
		}
		order := new(big.Int).Mul(p, p)
		order.Sub(order, big.NewInt(1))
		for _, n := range []int64{2, 3} {
			e := new(big.Int).Div(order, big.NewInt(n))
			if tower.Fp2.Equal(Exp(tower.Fp2, tower.Xi, e), tower.Fp2.One()) {
				t.Errorf("%s: ξ is a power of degree %d", name, n)
			}
		}
	}
}

func TestTowerMaps(t *testing.T) {
	for name, tower := range towers() {
		t.Run(name, func(t *testing.T) {
			F, p := tower.Fp12, tower.Fp.P
			w := tower.Shift(F.One(), 1)
			elements := genFp12(tower)
			check(t, 2, map[string]gopter.Prop{
				"frobenius(x) = x^p": prop.ForAll(func(x Fp12) bool {
					return F.Equal(tower.Frobenius(x), Exp(F, x, p))
				}, elements),
			})
			check(t, 10, map[string]gopter.Prop{
				"the sixth Frobenius is conjugation": prop.ForAll(func(x Fp12) bool {
					y := x
					for range 6 {
						y = tower.Frobenius(y)
					}
					return F.Equal(y, F.Conj(x))
				}, elements),
				"shift(x, n) = x·wⁿ": prop.ForAll(func(x Fp12, n int) bool {
					return F.Equal(tower.Shift(x, n), F.Mul(x, Exp(F, w, big.NewInt(int64(n)))))
				}, elements, gen.IntRange(0, 5)),
				"scale(x, k) = x·k": prop.ForAll(func(x, y Fp12) bool {
					k := y.A.A
					return F.Equal(tower.Scale(x, k), F.Mul(x, tower.FromCoefficients([6]Fp2{
						k, tower.Fp2.Zero(), tower.Fp2.Zero(), tower.Fp2.Zero(), tower.Fp2.Zero(), tower.Fp2.Zero()})))
				}, elements, elements),
				"x^(p⁶ − 1)(p² + 1) squares cyclotomically, and its powers add up": prop.ForAll(func(x Fp12, a, b int64) bool {
					if F.IsZero(x) {
						return true
					}
					y := F.Mul(F.Conj(x), F.Inv(x))
					y = F.Mul(tower.Frobenius(tower.Frobenius(y)), y)
					A, B := big.NewInt(a), big.NewInt(b)
					return F.Equal(tower.CyclotomicSqr(y), F.Sqr(y)) &&
						F.Equal(F.Mul(tower.CyclotomicExp(y, A), tower.CyclotomicExp(y, B)),
							tower.CyclotomicExp(y, new(big.Int).Add(A, B)))
				}, elements, gen.Int64(), gen.Int64()),
			})
		})
	}
}

func TestSquareRoots(t *testing.T) {
	for name, tower := range towers() {
		t.Run(name, func(t *testing.T) {
			F := tower.Fp2
			small := genFp(tower.Fp)
			check(t, 40, map[string]gopter.Prop{
				"√(x²) = ±x": prop.ForAll(func(a, b Fp) bool {
					x := Fp2{a, b}
					r, ok := tower.SqrtFp2(F.Sqr(x))
					return ok && (F.Equal(r, x) || F.Equal(r, F.Neg(x)))
				}, small, small),
				"ξ·x² has no root unless x = 0": prop.ForAll(func(a, b Fp) bool {
					x := Fp2{a, b}
					_, ok := tower.SqrtFp2(F.Mul(tower.Xi, F.Sqr(x)))
					return ok == F.IsZero(x)
				}, small, small),
				"all of F_p has roots": prop.ForAll(func(a Fp) bool {
					r, ok := tower.SqrtFp2(Fp2{a, tower.Fp.Zero()})
					return ok && F.Equal(F.Sqr(r), Fp2{a, tower.Fp.Zero()})
				}, small),
			})
		})
	}
}

func TestNAF(t *testing.T) {
	for k := int64(0); k < 600; k++ {
		sum, last := int64(0), 0
		for i, digit := range NAF(big.NewInt(k)) {
			if digit < -1 || digit > 1 || digit*last != 0 || i == 0 && digit != 1 {
				t.Fatalf("the form of %d is %v", k, NAF(big.NewInt(k)))
			}
			sum, last = 2*sum+int64(digit), digit
		}
		if sum != k {
			t.Fatalf("the form of %d adds up to %d", k, sum)
		}
	}
}
