package ec

import (
	"math/big"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/arith/field"
)

// points lists all points of a curve over a field small enough for that. Such
// curves have points of every small order, so that each exceptional case of
// the formulas comes up.
func points(c *Curve[*big.Int], p int64) []Point[*big.Int] {
	all := []Point[*big.Int]{c.Identity()}
	for x := range p {
		for y := range p {
			if q := c.Affine(big.NewInt(x), big.NewInt(y)); c.Contains(q) {
				all = append(all, q)
			}
		}
	}
	return all
}

func TestSmallCurves(t *testing.T) {
	orders := map[int]bool{}
	for _, p := range []int64{7, 13, 19} {
		for b := int64(1); b < p; b++ {
			c := &Curve[*big.Int]{F: field.NewPrime(big.NewInt(p)), B: big.NewInt(b)}
			all := points(c, p)
			for _, P := range all {
				if !c.Add(P, c.Neg(P)).Identity || !c.Equal(c.Add(P, c.Identity()), P) {
					t.Fatalf("p = %d, b = %d: %v has no inverse or identity", p, b, P)
				}
				for _, Q := range all {
					sum := c.Add(P, Q)
					if !c.Contains(sum) || !c.Equal(sum, c.Add(Q, P)) {
						t.Fatalf("p = %d, b = %d: %v + %v = %v", p, b, P, Q, sum)
					}
				}
				sum, order := c.Identity(), 0
				for k := range int64(2 * len(all)) {
					if got := c.Mul(P, big.NewInt(k)); !c.Equal(got, sum) {
						t.Fatalf("p = %d, b = %d: %d·%v = %v, not %v", p, b, k, P, got, sum)
					}
					if got := c.Mul(P, big.NewInt(-k)); !c.Equal(got, c.Neg(sum)) {
						t.Fatalf("p = %d, b = %d: −%d·%v = %v", p, b, k, P, got)
					}
					if k > 0 && sum.Identity && order == 0 {
						order = int(k)
					}
					sum = c.Add(sum, P)
				}
				if order == 0 || len(all)%order != 0 {
					t.Fatalf("p = %d, b = %d: %v has order %d among %d points", p, b, P, order, len(all))
				}
				orders[order] = true
			}
		}
	}
	for _, n := range []int{1, 2, 3, 4, 6} {
		if !orders[n] {
			t.Errorf("no point of order %d was met", n)
		}
	}
}

func TestAdditionIsAssociative(t *testing.T) {
	c := &Curve[*big.Int]{F: field.NewPrime(big.NewInt(19)), B: big.NewInt(2)}
	all := points(c, 19)
	for _, P := range all {
		for _, Q := range all {
			for _, R := range all {
				if !c.Equal(c.Add(c.Add(P, Q), R), c.Add(P, c.Add(Q, R))) {
					t.Fatalf("(%v + %v) + %v", P, Q, R)
				}
			}
		}
	}
}

// (0, 2) on bls12-381 has order three.
func TestSmallOrderOnLargeCurve(t *testing.T) {
	p := backends.BLS12381.Params()
	c := &Curve[*big.Int]{F: field.NewPrime(p.P), B: p.B}
	P := c.Affine(big.NewInt(0), big.NewInt(2))
	if !c.Contains(P) || c.Mul(P, big.NewInt(2)).Identity || !c.Mul(P, big.NewInt(3)).Identity {
		t.Error("(0, 2) has not order 3")
	}
	if !c.Mul(P, p.Cofactor).Identity || !c.Equal(c.Mul(P, p.R), P) {
		t.Error("(0, 2) and the cofactor or r")
	}
}
