package backends

import (
	"math/big"
	"strings"
	"testing"
)

func TestCurveConstants(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Curves() {
		p := c.Params()
		if seen[p.ID] {
			t.Errorf("%s is there twice", p.ID)
		}
		seen[p.ID] = true
		if got, err := ParseCurve(p.ID); err != nil || got != c {
			t.Errorf("%s parses to %v, %v", p.ID, got, err)
		}
		if !p.P.ProbablyPrime(20) || !p.R.ProbablyPrime(20) {
			t.Errorf("%s: p or r is not prime", c)
		}
		// Hasse: the number of points, cofactor·r, lies within 2√p of p + 1.
		points := new(big.Int).Mul(p.Cofactor, p.R)
		off := points.Sub(points, p.P)
		off.Abs(off.Sub(off, big.NewInt(1)))
		if bound := new(big.Int).Lsh(new(big.Int).Sqrt(p.P), 1); off.Cmp(bound) > 0 {
			t.Errorf("%s: cofactor·r is %d bits away from p + 1", c, off.BitLen())
		}
		// The embedding degree: r divides p^k − 1, and no smaller power.
		power := big.NewInt(1)
		for k := 1; k <= p.Embedding; k++ {
			power.Mod(power.Mul(power, p.P), p.R)
			if one := power.Cmp(big.NewInt(1)) == 0; one != (k == p.Embedding) {
				t.Errorf("%s: p^%d = 1 mod r: %v, with embedding degree %d", c, k, one, p.Embedding)
			}
		}
		if p.SecurityBits < 80 || p.SecuritySource == "" || p.HashName == "" || p.Map == "" {
			t.Errorf("%s: incomplete: %+v", c, p)
		}
	}
	for curve, name := range map[Curve]string{
		BLS12381: "BLS12381G1_XMD:SHA-256_SSWU_RO_", BN254: "BN254G1_XMD:SHA-256_SVDW_RO_",
		FP256BN: "FP256BNG1_XMD:SHA-256_SVDW_RO_", BLS24315: "BLS24315G1_XMD:SHA-256_SSWU_RO_",
	} {
		if got := curve.Params().HashName; got != name {
			t.Errorf("%s hashes under %s, not %s", curve, got, name)
		}
	}
	if _, err := ParseCurve("bls12381"); err == nil || !strings.Contains(err.Error(), "bls12-381") {
		t.Errorf("an unknown curve: %v", err)
	}
}

func TestNoCurvePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the zero Curve has parameters")
		}
	}()
	_ = Curve(0).String()
}

func TestMixedSaysWhat(t *testing.T) {
	defer func() {
		if s, ok := recover().(string); !ok || !strings.Contains(s, "gnark/bn254") || !strings.Contains(s, "another backend") {
			t.Errorf("panicked with %q", s)
		}
	}()
	Mixed("gnark/bn254", 5)
}
