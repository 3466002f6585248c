// Package miracl carries fp256bn on MIRACL Core: the Go code that its
// generator produces, as Hyperledger published it
// (github.com/hyperledger/fabric-amcl/core/FP256BN).
//
// Points are encoded as MIRACL Core itself writes them: G1 as 04 ‖ x ‖ y
// (65 bytes) or 02/03 ‖ x (33), G2 as 04 ‖ x.b ‖ x.a ‖ y.b ‖ y.a (129) or
// 02/03 ‖ x.b ‖ x.a (65), where an element a + b·i of F_p² is written
// imaginary part first. 03 stands for a y of sign 1. The sign of an element of
// F_p is its parity; the sign of a + b·i is the parity of a, or that of b where
// a is zero (FP2.sign, and sgn0 of RFC 9380, section 4.1). The identity is as
// package encoding has it.
//
// The library's methods often write to their receiver. Elements here are never
// a receiver again once they are made, except of methods that only read.
package miracl

import (
	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

const (
	id         = "miracl/fp256bn"
	fieldBytes = int(FP256BN.MODBYTES)
)

var (
	g1Codec = encoding.G1(backends.FP256BN)
	g2Codec = encoding.G2(backends.FP256BN)

	// Read-only: the library copies a modulus before it works on it.
	modulus = FP256BN.NewBIGints(FP256BN.Modulus)
	order   = FP256BN.NewBIGints(FP256BN.CURVE_Order)
	unit    = FP256BN.NewBIGint(1)
)

// Backend is MIRACL Core on fp256bn. It has no state.
type Backend struct{}

var (
	_ backends.Backend       = (*Backend)(nil)
	_ backends.Hasher        = (*Backend)(nil)
	_ backends.Encoder       = (*Backend)(nil)
	_ backends.FixedG2       = (*Backend)(nil)
	_ backends.MultiScalar   = (*Backend)(nil)
	_ backends.ShortScalar   = (*Backend)(nil)
	_ backends.BatchSubgroup = (*Backend)(nil)
	_ backends.Pairer        = (*Backend)(nil)
	_ backends.Splitter      = (*Backend)(nil)
)

// New returns the entry of the backend, which runs everywhere.
func New() backends.Entry { return backends.Available(new(Backend)) }

// Info describes the backend.
func (*Backend) Info() backends.Info {
	return backends.Info{
		ID:             id,
		Library:        "MIRACL Core",
		Curve:          backends.FP256BN,
		Version:        backends.ModuleVersion("github.com/hyperledger/fabric-amcl"),
		Implementation: "Go",
		ConstantTime:   backends.ConstantTimeClaimed,
		ConstantTimeSource: "readme.md of github.com/miracl/core: designed from the ground up with side-channel attack resistance in mind; " +
			"yet the Go code branches on the sign and length of the half-length scalars of G1mul (PAIR.go) and on the value that BIG.Invmodp inverts. " +
			"Measured, the claim does not hold for scalars: bench/record/leak.md",
	}
}
