package miracl

import (
	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
)

// GT is an element of the target group. The field is F_p² = F_p[i]/(i²+1),
// F_p⁴ = F_p²[j]/(j²−(1+i)), F_p¹² = F_p⁴[k]/(k³−j).
type GT struct{ f *FP256BN.FP12 }

var _ backends.GT = (*GT)(nil)

func asGT(v backends.GT) *GT {
	g, ok := v.(*GT)
	if !ok {
		backends.Mixed(id, v)
	}
	return g
}

func (a *GT) Mul(v backends.GT) backends.GT {
	r := FP256BN.NewFP12copy(a.f)
	r.Mul(asGT(v).f)
	return &GT{r}
}

// Inverse inverts in the whole field: the library keeps its conjugation to
// itself.
func (a *GT) Inverse() backends.GT {
	r := FP256BN.NewFP12copy(a.f)
	r.Inverse()
	return &GT{r}
}

// Exp returns a^k by the Frobenius map. See Info on timing.
func (a *GT) Exp(k backends.Scalar) backends.GT {
	return &GT{FP256BN.GTpow(a.f, asScalar(k).v)}
}

func (a *GT) Equal(v backends.GT) bool { return a.f.Equals(asGT(v).f) }

func (a *GT) IsOne() bool { return a.f.Isunity() }

// Bytes returns 384 bytes: the twelve coefficients, 32 bytes each, from the
// highest to the lowest in each extension, so k²·j·i first and 1 last. That is
// the order of the library's FP12.ToBytes.
func (a *GT) Bytes() []byte {
	b := make([]byte, 12*fieldBytes)
	// The first power is the one exported way to reduce the coefficients,
	// without which a zero may be written as p.
	a.f.Pow(unit).ToBytes(b)
	return b
}
