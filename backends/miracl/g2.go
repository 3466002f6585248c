package miracl

import (
	"math/big"

	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// G2 is an element of G2 on the twist y² = x³ + 3(1+i) in homogeneous
// coordinates. The twist has odd order, so that the library's formulas for
// addition hold for all its points.
type G2 struct{ p *FP256BN.ECP2 }

var _ backends.G2 = (*G2)(nil)

// G2 returns the library's generator.
func (*Backend) G2() backends.G2 { return &G2{FP256BN.ECP2_generator()} }

// DecodeG2 reads 129 or 65 bytes and checks the subgroup with the library's
// test (Dai, Lin, Zhao and Zhou, ePrint 2022/348).
func (*Backend) DecodeG2(b []byte) (backends.G2, error) {
	form, err := g2Codec.Check(b)
	if err != nil {
		return nil, err
	}
	var p *FP256BN.ECP2
	switch form {
	case encoding.Identity:
		return &G2{FP256BN.NewECP2()}, nil
	case encoding.Compressed:
		p = decompress(b)
	default:
		p = FP256BN.ECP2_fromBytes(b) // the identity for a point off the curve
	}
	switch {
	case p.Is_infinity():
		return nil, g2Codec.Error(backends.ErrNotOnCurve)
	case !FP256BN.G2member(p): // false for the identity too, which is gone
		return nil, g2Codec.Error(backends.ErrNotInSubgroup)
	}
	return &G2{p}, nil
}

// decompress reads 02/03 ‖ x.b ‖ x.a and returns the identity where no point
// of the curve has that x.
//
// The library's square root in F_p² can be wrong where x³ + 3(1+i) has no
// imaginary part: for half of those x it returns y = 0, off the curve, which
// then passes its subgroup test. Its answer is therefore checked, and the root
// of such a real number taken in F_p.
func decompress(b []byte) *FP256BN.ECP2 {
	p := FP256BN.ECP2_fromBytes(b)
	if p.Is_infinity() {
		return p
	}
	x := p.GetX()
	if checked := FP256BN.NewECP2fp2s(x, p.GetY()); !checked.Is_infinity() {
		return checked
	}
	p = FP256BN.NewECP2fp2s(x, rootOfReal(FP256BN.RHS2(x).GetA()))
	if again := (&G2{p}).BytesCompressed(); again[0] != b[0] {
		p = negate(p)
	}
	return p
}

// quarter is (p+1)/4.
var quarter = func() *FP256BN.BIG {
	p := backends.FP256BN.Params().P
	e := new(big.Int).Rsh(new(big.Int).Add(p, big.NewInt(1)), 2)
	return FP256BN.FromBytes(e.FillBytes(make([]byte, fieldBytes)))
}()

// rootOfReal returns a square root of c, an element of F_p, in F_p²: with
// p = 3 mod 4, the square of s = c^((p+1)/4) is c or −c, so s or s·i is one.
func rootOfReal(c *FP256BN.BIG) *FP256BN.FP2 {
	s := c.Powmod(quarter, modulus)
	zero := FP256BN.NewBIG()
	if FP256BN.Comp(FP256BN.Modsqr(s, modulus), c) == 0 {
		return FP256BN.NewFP2bigs(s, zero)
	}
	return FP256BN.NewFP2bigs(zero, s)
}

func asG2(v backends.G2) *G2 {
	p, ok := v.(*G2)
	if !ok {
		backends.Mixed(id, v)
	}
	return p
}

func (a *G2) copy() *FP256BN.ECP2 {
	r := FP256BN.NewECP2()
	r.Copy(a.p)
	return r
}

func (a *G2) Add(v backends.G2) backends.G2 {
	r := a.copy()
	r.Add(asG2(v).p)
	return &G2{r}
}

func (a *G2) Sub(v backends.G2) backends.G2 {
	r := a.copy()
	r.Sub(asG2(v).p)
	return &G2{r}
}

func (a *G2) Neg() backends.G2 { return &G2{negate(a.p)} }

// negate subtracts from the identity: the library keeps its negation in G2 to
// itself.
func negate(p *FP256BN.ECP2) *FP256BN.ECP2 {
	r := FP256BN.NewECP2()
	r.Sub(p)
	return r
}

// Mul returns k·a by the endomorphism. See Info on timing.
func (a *G2) Mul(k backends.Scalar) backends.G2 {
	return &G2{FP256BN.G2mul(a.p, asScalar(k).v)}
}

func (a *G2) Equal(v backends.G2) bool { return a.p.Equals(asG2(v).p) }

func (a *G2) IsIdentity() bool { return a.p.Is_infinity() }

// Bytes returns 129 bytes.
func (a *G2) Bytes() []byte {
	if a.IsIdentity() {
		return g2Codec.IdentityBytes()
	}
	b := make([]byte, 1+4*fieldBytes)
	a.p.ToBytes(b, false)
	return b
}

// BytesCompressed returns 65 bytes.
func (a *G2) BytesCompressed() []byte {
	if a.IsIdentity() {
		return g2Codec.IdentityCompressed()
	}
	b := make([]byte, 1+2*fieldBytes)
	a.p.ToBytes(b, true)
	return b
}
