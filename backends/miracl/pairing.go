package miracl

import (
	"fmt"
	"sync"

	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
)

// PairingCheck reports whether Π e(p[i], q[i]) = 1, with one final
// exponentiation and the squarings of the Miller loop shared.
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
// identity of G1 alone.
func miller(p []backends.G1, q []backends.G2) *FP256BN.FP12 {
	sameLength(len(p), len(q))
	ps := make([]*FP256BN.ECP, 0, len(p))
	qs := make([]*FP256BN.ECP2, 0, len(q))
	for i := range p {
		a, b := asG1(p[i]), asG2(q[i])
		if !a.IsIdentity() && !b.IsIdentity() {
			ps, qs = append(ps, a.p), append(qs, b.p)
		}
	}
	switch len(ps) {
	case 0:
		return FP256BN.NewFP12int(1)
	case 1:
		return FP256BN.Ate(qs[0], ps[0])
	case 2:
		return FP256BN.Ate2(qs[0], ps[0], qs[1], ps[1])
	}
	lines := FP256BN.Initmp()
	for i := range ps {
		FP256BN.Another(lines, qs[i], ps[i])
	}
	return FP256BN.Miller(lines)
}

func sameLength(p, q int) {
	if p != q {
		panic(fmt.Sprintf("backends: %s was handed %d points of G1 to pair with %d of G2", id, p, q))
	}
}

// generatorLines returns the line table of G2's generator, the only point for
// which the library makes one: FP256BN.Init leaves it in a variable of the
// package.
var generatorLines = sync.OnceValue(func() []*FP256BN.FP4 {
	FP256BN.Init()
	return FP256BN.G2_TAB
})

// FixG2 prepares a product with all G2 arguments fixed. Only the generator, as
// M-Pin's Q, gains by it: about a seventh of a Miller loop over two pairs.
func (b *Backend) FixG2(q ...backends.G2) backends.FixedCheck {
	f := fixed{make([]fixedPoint, len(q))}
	generator := b.G2()
	for i, v := range q {
		f.q[i].p = asG2(v)
		if v.Equal(generator) {
			f.q[i].lines = generatorLines()
		}
	}
	return f
}

type fixed struct{ q []fixedPoint }

type fixedPoint struct {
	p     *G2
	lines []*FP256BN.FP4 // nil for all but the generator
}

// PairingCheck reports whether Π e(p[i], q[i]) = 1.
func (f fixed) PairingCheck(p ...backends.G1) bool {
	sameLength(len(p), len(f.q))
	lines := FP256BN.Initmp()
	for i, q := range f.q {
		a := asG1(p[i])
		switch {
		case a.IsIdentity() || q.p.IsIdentity():
		case q.lines != nil:
			FP256BN.Another_pc(lines, q.lines, a.p)
		default:
			FP256BN.Another(lines, q.p.p, a.p)
		}
	}
	return FP256BN.Fexp(FP256BN.Miller(lines)).Isunity()
}
