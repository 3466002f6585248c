//go:build cgo && (amd64 || arm64)

package blst

import (
	blst "github.com/supranational/blst/bindings/go"

	"mpinlab/backends"
)

// GT is an element of the target group. The field is
// F_p² = F_p[u]/(u²+1), F_p⁶ = F_p²[v]/(v³−(1+u)), F_p¹² = F_p⁶[w]/(w²−v).
//
// Exp and Inverse are built from about 330 multiplications: the binding has
// neither squaring nor conjugation in GT.
type GT struct{ f blst.Fp12 }

var _ backends.GT = (*GT)(nil)

func asGT(v backends.GT) *GT {
	g, ok := v.(*GT)
	if !ok {
		backends.Mixed(id, v)
	}
	return g
}

func (a *GT) Mul(v backends.GT) backends.GT {
	r := &GT{a.f}
	r.f.MulAssign(&asGT(v).f)
	return r
}

// Inverse returns a^(r−1).
func (a *GT) Inverse() backends.GT {
	minusOne := backends.BLS12381.Params().R.Bytes()
	minusOne[len(minusOne)-1]-- // r is odd
	return a.power(minusOne)
}

// Exp returns a^k, variable-time in k.
func (a *GT) Exp(k backends.Scalar) backends.GT { return a.power(asScalar(k).Bytes()) }

// power raises a to the big-endian exponent e with windows of four bits.
func (a *GT) power(e []byte) *GT {
	var table [16]blst.Fp12 // table[i] = a^i
	table[0] = blst.Fp12One()
	for i := 1; i < len(table); i++ {
		table[i] = table[i-1]
		table[i].MulAssign(&a.f)
	}
	r := &GT{table[0]}
	started := false
	for i := range 2 * len(e) {
		window := e[i/2] >> 4
		if i%2 == 1 {
			window = e[i/2] & 15
		}
		if started {
			for range 4 {
				r.f.MulAssign(&r.f)
			}
		}
		if window != 0 {
			r.f.MulAssign(&table[window])
			started = true
		}
	}
	return r
}

func (a *GT) Equal(v backends.GT) bool { return a.f == asGT(v).f }

func (a *GT) IsOne() bool { return a.f == blst.Fp12One() }

// Bytes returns 576 bytes: the twelve coefficients, 48 bytes each, from the
// highest to the lowest in each extension, so w·v²·u first and 1 last. That is
// gnark-crypto's order; blst's own runs through w fastest, from the lowest.
func (a *GT) Bytes() []byte {
	const n = blst.BLST_FP_BYTES
	own := a.f.ToBendian()
	b := make([]byte, 0, len(own))
	for w := 1; w >= 0; w-- {
		for v := 2; v >= 0; v-- {
			for u := 1; u >= 0; u-- {
				at := n * (4*v + 2*w + u)
				b = append(b, own[at:at+n]...)
			}
		}
	}
	return b
}
