package amcl

import (
	"math/big"

	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
)

// decompress reads 02/03 ‖ x.b ‖ x.a and returns the identity where no point
// of the curve has that x.
//
// The library's square root in F_p² misses some roots where x³ + 3(1+i) has no
// imaginary part; those are taken in F_p.
func decompress(b []byte) *FP256BN.ECP2 {
	own := swap(b[1:])
	x := FP256BN.NewFP2bigs(FP256BN.FromBytes(own[:fieldBytes]), FP256BN.FromBytes(own[fieldBytes:]))
	p := FP256BN.NewECP2fp2(x)
	if p.Is_infinity() {
		square := FP256BN.RHS2(x)
		if *square.GetB() != (FP256BN.BIG{}) {
			return p
		}
		p = FP256BN.NewECP2fp2s(x, rootOfReal(square.GetA()))
	}
	if sign(affine(p)[2*fieldBytes:])+2 != b[0] {
		return opposite(p)
	}
	return p
}

// sign returns the sign of a + b·i, given as a ‖ b: the parity of a, or that
// of b where a is zero.
func sign(y []byte) byte {
	a, b := y[:fieldBytes], y[fieldBytes:]
	for _, v := range a {
		if v != 0 {
			return a[fieldBytes-1] & 1
		}
	}
	return b[fieldBytes-1] & 1
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
