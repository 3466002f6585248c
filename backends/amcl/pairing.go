package amcl

import (
	"fmt"

	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
)

// PairingCheck reports whether Π e(p[i], q[i]) = 1, with one final
// exponentiation.
func (b *Backend) PairingCheck(p []backends.G1, q []backends.G2) bool {
	return FP256BN.Fexp(miller(p, q)).Isunity()
}

// Pair returns Π e(p[i], q[i]), where e is the optimal ate pairing raised to
// (p¹²−1)/r exactly.
func (b *Backend) Pair(p []backends.G1, q []backends.G2) backends.GT {
	return &GT{FP256BN.Fexp(miller(p, q))}
}

// MillerLoop returns the product of the Miller functions of the pairs.
func (b *Backend) MillerLoop(p []backends.G1, q []backends.G2) backends.Unreduced {
	return unreduced{miller(p, q)}
}

// FinalExp raises the value of a Miller loop to (p¹²−1)/r.
func (b *Backend) FinalExp(u backends.Unreduced) backends.GT {
	f, ok := u.(unreduced)
	if !ok {
		backends.Mixed(id, u)
	}
	return &GT{FP256BN.Fexp(f.f)}
}

type unreduced struct{ f *FP256BN.FP12 }

// miller leaves out pairs with an identity: the library's loop knows the
// identity of G1 alone. It takes the others two at a time, as many as the
// exported loops share squarings for.
func miller(p []backends.G1, q []backends.G2) *FP256BN.FP12 {
	if len(p) != len(q) {
		panic(fmt.Sprintf("backends: %s was handed %d points of G1 to pair with %d of G2", id, len(p), len(q)))
	}
	ps := make([]*FP256BN.ECP, 0, len(p))
	qs := make([]*FP256BN.ECP2, 0, len(q))
	for i := range p {
		a, b := asG1(p[i]).copy(), asG2(q[i]).copy() // both are written to
		if !a.Is_infinity() && !b.Is_infinity() {
			ps, qs = append(ps, a), append(qs, b)
		}
	}
	var f *FP256BN.FP12
	for len(ps) > 0 {
		n := min(2, len(ps))
		part := loop(ps[:n], qs[:n])
		if f == nil {
			f = part
		} else {
			f.Mul(part)
		}
		ps, qs = ps[n:], qs[n:]
	}
	if f == nil {
		return FP256BN.NewFP12int(1)
	}
	return f
}

// loop takes one or two pairs.
func loop(p []*FP256BN.ECP, q []*FP256BN.ECP2) *FP256BN.FP12 {
	if len(p) == 1 {
		return FP256BN.Ate(q[0], p[0])
	}
	return FP256BN.Ate2(q[0], p[0], q[1], p[1])
}
