package miracl

import (
	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// G1 is an element of G1 in homogeneous coordinates, with Z = 1 once decoded.
// The formulas for addition are complete.
type G1 struct{ p *FP256BN.ECP }

var _ backends.G1 = (*G1)(nil)

// G1 returns the library's generator, (1, 2).
func (*Backend) G1() backends.G1 { return &G1{FP256BN.ECP_generator()} }

// DecodeG1 reads 65 or 33 bytes. Every point of the curve is in the subgroup.
func (*Backend) DecodeG1(b []byte) (backends.G1, error) {
	form, err := g1Codec.Check(b)
	if err != nil {
		return nil, err
	}
	if form == encoding.Identity {
		return &G1{FP256BN.NewECP()}, nil
	}
	p := FP256BN.ECP_fromBytes(b) // the identity where there is no such point
	if p.Is_infinity() {
		return nil, g1Codec.Error(backends.ErrNotOnCurve)
	}
	return &G1{p}, nil
}

// DecodeG1Unchecked is DecodeG1: the cofactor is one.
func (b *Backend) DecodeG1Unchecked(in []byte) (backends.G1, error) { return b.DecodeG1(in) }

// InSubgroupG1 is true: the cofactor is one.
func (*Backend) InSubgroupG1(p ...backends.G1) bool {
	for _, v := range p {
		asG1(v)
	}
	return true
}

func asG1(v backends.G1) *G1 {
	p, ok := v.(*G1)
	if !ok {
		backends.Mixed(id, v)
	}
	return p
}

func (a *G1) copy() *FP256BN.ECP {
	r := FP256BN.NewECP()
	r.Copy(a.p)
	return r
}

func (a *G1) Add(v backends.G1) backends.G1 {
	r := a.copy()
	r.Add(asG1(v).p)
	return &G1{r}
}

func (a *G1) Sub(v backends.G1) backends.G1 {
	r := a.copy()
	r.Sub(asG1(v).p)
	return &G1{r}
}

func (a *G1) Neg() backends.G1 {
	r := a.copy()
	r.Neg()
	return &G1{r}
}

// Mul returns k·a by the endomorphism. See Info on timing.
func (a *G1) Mul(k backends.Scalar) backends.G1 {
	return &G1{FP256BN.G1mul(a.p, asScalar(k).v)}
}

func (a *G1) Equal(v backends.G1) bool { return a.p.Equals(asG1(v).p) }

func (a *G1) IsIdentity() bool { return a.p.Is_infinity() }

// Bytes returns 65 bytes.
func (a *G1) Bytes() []byte {
	if a.IsIdentity() { // the library would write its coordinates unreduced
		return g1Codec.IdentityBytes()
	}
	b := make([]byte, 1+2*fieldBytes)
	a.p.ToBytes(b, false)
	return b
}

// BytesCompressed returns 33 bytes.
func (a *G1) BytesCompressed() []byte {
	if a.IsIdentity() {
		return g1Codec.IdentityCompressed()
	}
	b := make([]byte, 1+fieldBytes)
	a.p.ToBytes(b, true)
	return b
}
