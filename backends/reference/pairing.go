package reference

import (
	"math/big"

	"mpinlab/backends"
	"mpinlab/backends/arith/ec"
	"mpinlab/backends/arith/field"
)

// Short names for what the formulas are about.
type (
	fp   = field.Fp
	fp2  = field.Fp2
	fp12 = field.Fp12

	pointG1 = ec.Point[fp]
	pointG2 = ec.Point[fp2]
)

// pairing is the optimal ate pairing of a curve. G1 is the subgroup of order r
// of E: y² = x³ + b over F_p, G2 that of the twist E' over F_p², and GT that
// of the multiplicative group of F_p¹².
type pairing struct {
	parameters
	u     *big.Int
	tower *field.Tower
	g1    *ec.Curve[fp]
	g2    *ec.Curve[fp2]
	p     pointG1 // generators
	q     pointG2
	// loop is what the Miller loop counts through, u or 6u + 2: the
	// non-adjacent form of its absolute value, highest digit first.
	loop []int
	// frobX and frobY are the factors of the Frobenius map of E as seen on
	// E': see frobenius.
	frobX, frobY fp2
}

func newPairing(c backends.Curve, p parameters) *pairing {
	common := c.Params()
	t := field.NewTower(common.P, p.beta, p.xi[0], p.xi[1])
	e := &pairing{parameters: p, u: constant(p.u), tower: t}

	b := fp2{A: common.B, B: t.Fp.Zero()}
	bTwist := t.Fp2.Mul(b, t.Xi)
	e.frobX, e.frobY = t.Fp2.Inv(t.Gamma[2]), t.Fp2.Inv(t.Gamma[3])
	if p.twist == dType {
		bTwist = t.Fp2.Mul(b, t.Fp2.Inv(t.Xi))
		e.frobX, e.frobY = t.Gamma[2], t.Gamma[3]
	}
	e.g1 = &ec.Curve[fp]{F: t.Fp, B: common.B}
	e.g2 = &ec.Curve[fp2]{F: t.Fp2, B: bTwist}
	e.p = e.g1.Affine(t.Fp.Reduce(constant(p.g1[0])), constant(p.g1[1]))
	e.q = e.g2.Affine(
		fp2{A: constant(p.g2[0][0]), B: constant(p.g2[0][1])},
		fp2{A: constant(p.g2[1][0]), B: constant(p.g2[1][1])})

	count := e.u
	if p.family == bn {
		count = new(big.Int).Mul(e.u, big.NewInt(6))
		count.Add(count, big.NewInt(2))
	}
	e.loop = field.NAF(new(big.Int).Abs(count))
	return e
}
