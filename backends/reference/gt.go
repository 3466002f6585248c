package reference

import (
	"fmt"

	"mpinlab/backends"
)

// gt is an element of GT.
type gt struct {
	b *Backend
	f fp12
}

// unreduced is a value of the Miller loop.
type unreduced struct {
	b *Backend
	f fp12
}

var _ backends.GT = gt{}

func (x gt) of() *Backend        { return x.b }
func (x unreduced) of() *Backend { return x.b }

func (x gt) Mul(y backends.GT) backends.GT {
	return gt{x.b, x.b.pairing.tower.Fp12.Mul(x.f, own[gt](x.b, y).f)}
}

// Inverse is the conjugate, as throughout the cyclotomic subgroup.
func (x gt) Inverse() backends.GT { return gt{x.b, x.b.pairing.tower.Fp12.Conj(x.f)} }

// Exp is variable-time.
func (x gt) Exp(k backends.Scalar) backends.GT {
	return gt{x.b, x.b.pairing.tower.CyclotomicExp(x.f, own[scalar](x.b, k).k)}
}

func (x gt) Equal(y backends.GT) bool {
	return x.b.pairing.tower.Fp12.Equal(x.f, own[gt](x.b, y).f)
}

func (x gt) IsOne() bool {
	F := x.b.pairing.tower.Fp12
	return F.Equal(x.f, F.One())
}

// Bytes returns the twelve coefficients in the order of the curve's libraries;
// see the documentation of the package.
func (x gt) Bytes() []byte {
	size := x.b.info.Curve.Params().FieldBytes
	out := make([]byte, 0, 12*size)
	coefficient := make([]byte, size)
	g := x.b.pairing.tower.Coefficients(x.f)
	for _, j := range x.b.pairing.gtOrder {
		out = append(out, g[j].B.FillBytes(coefficient)...)
		out = append(out, g[j].A.FillBytes(coefficient)...)
	}
	return out
}

// PairingCheck reports whether Π e(p[i], q[i]) = 1.
func (b *Backend) PairingCheck(p []backends.G1, q []backends.G2) bool { return b.Pair(p, q).IsOne() }

// Pair returns Π e(p[i], q[i]), with the conventions of PairingCheck.
func (b *Backend) Pair(p []backends.G1, q []backends.G2) backends.GT {
	return b.FinalExp(b.MillerLoop(p, q))
}

// MillerLoop returns the product of the Miller loops of the pairs, which share
// their squarings. Pairs with an identity are left out.
func (b *Backend) MillerLoop(p []backends.G1, q []backends.G2) backends.Unreduced {
	if len(p) != len(q) {
		panic(fmt.Sprintf("%s: a pairing of %d points with %d", b.info.ID, len(p), len(q)))
	}
	var ps []pointG1
	var qs []pointG2
	for i := range p {
		pi, qi := own[g1](b, p[i]).p, own[g2](b, q[i]).p
		if !pi.Identity && !qi.Identity {
			ps, qs = append(ps, pi), append(qs, qi)
		}
	}
	return unreduced{b, b.pairing.miller(ps, qs)}
}

// FinalExp finishes a pairing.
func (b *Backend) FinalExp(u backends.Unreduced) backends.GT {
	return gt{b, b.pairing.finalExp(own[unreduced](b, u).f)}
}
