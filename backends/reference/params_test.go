package reference

import (
	"math/big"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/arith/field"
)

// each runs f as a subtest for each curve of the table.
func each(t *testing.T, f func(*testing.T, *Backend)) {
	for _, e := range New() {
		t.Run(e.Info.Curve.String(), func(t *testing.T) { f(t, e.Backend.(*Backend)) })
	}
}

// polynomial evaluates Σ k[i]·u^i.
func polynomial(u *big.Int, k ...int64) *big.Int {
	v := new(big.Int)
	for i := len(k) - 1; i >= 0; i-- {
		v.Mul(v, u)
		v.Add(v, big.NewInt(k[i]))
	}
	return v
}

func TestConstants(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		e, common := b.pairing, b.info.Curve.Params()
		p, r := common.P, common.R
		if !p.ProbablyPrime(20) || !r.ProbablyPrime(20) {
			t.Error("p or r is not prime")
		}

		var pu, ru *big.Int
		switch e.family {
		case bn:
			pu, ru = polynomial(e.u, 1, 6, 24, 36, 36), polynomial(e.u, 1, 6, 18, 36, 36)
		case bls12:
			ru = polynomial(e.u, 1, 0, -1, 0, 1)
			pu = new(big.Int).Mul(polynomial(e.u, 1, -2, 1), ru)
			pu.Add(pu.Div(pu, big.NewInt(3)), e.u)
		}
		if p.Cmp(pu) != 0 || r.Cmp(ru) != 0 {
			t.Errorf("the parameter gives p = %x, r = %x", pu, ru)
		}

		// #E(F_p) = p + 1 − t with the trace t = 6u² + 1 (BN) or u + 1 (BLS12).
		trace := polynomial(e.u, 1, 1)
		if e.family == bn {
			trace = polynomial(e.u, 1, 0, 6)
		}
		points := new(big.Int).Sub(new(big.Int).Add(p, big.NewInt(1)), trace)
		if points.Cmp(new(big.Int).Mul(common.Cofactor, r)) != 0 {
			t.Errorf("the cofactor is not (p + 1 − t)/r")
		}

		if e.p.Identity || !e.g1.Contains(e.p) || !e.g1.Mul(e.p, r).Identity {
			t.Error("the generator of G1 has not order r")
		}
		if e.q.Identity || !e.g2.Contains(e.q) || !e.g2.Mul(e.q, r).Identity {
			t.Error("the generator of G2 has not order r")
		}
		// π acts on G2 as multiplication by p (Vercauteren, ePrint 2008/096).
		if !e.g2.Equal(e.frobenius(e.q), e.g2.Mul(e.q, p)) {
			t.Error("the Frobenius map of the generator of G2 is not its multiple by p")
		}
	})
}

// multiple is the m of the exponent m·(p¹² − 1)/r: package documentation.
func multiple(b *Backend) *big.Int {
	u := b.pairing.u
	switch b.info.Curve {
	case backends.BLS12381, backends.BLS12377:
		return big.NewInt(3)
	case backends.BN254:
		return new(big.Int).Mul(polynomial(u, 0, 2), polynomial(u, 1, 3, 6))
	}
	return big.NewInt(1)
}

func TestFinalExponent(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		e, F := b.pairing, b.pairing.tower.Fp12
		p := b.info.Curve.Params().P
		exponent := new(big.Int).Exp(p, big.NewInt(12), nil)
		exponent.Sub(exponent, big.NewInt(1))
		rest := new(big.Int)
		exponent.DivMod(exponent, b.order, rest)
		if rest.Sign() != 0 {
			t.Fatal("r does not divide p¹² − 1")
		}
		m := multiple(b)
		if new(big.Int).GCD(nil, nil, m, b.order).Cmp(big.NewInt(1)) != 0 {
			t.Error("the multiple is not prime to r")
		}
		f := e.miller([]pointG1{e.p}, []pointG2{e.q})
		want := field.Exp(F, field.Exp(F, f, exponent), m)
		if !F.Equal(e.finalExp(f), want) {
			t.Error("the final exponentiation has another exponent")
		}
	})
}
