// Package amcl carries fp256bn on AMCL 3, MIRACL Core's predecessor, as
// Hyperledger published its Go version
// (github.com/hyperledger/fabric-amcl/amcl/FP256BN).
//
// Points, scalars and elements of GT have the canonical bytes of the curve,
// which are MIRACL Core's (see package encoding, and package miracl for the
// sign of a y in F_p²). AMCL itself writes G2 as x.a ‖ x.b ‖ y.a ‖ y.b without
// a prefix and GT from the lowest coefficient up; this package reorders them.
//
// Many of the library's methods write to their receiver, and some that look
// like questions do: Is_infinity reduces coordinates in place, and Mul and Ate
// call it. Elements here are copied before such a call.
//
// AMCL knows none of RFC 9380's hashes to a curve.
package amcl

import (
	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

const (
	id         = "amcl/fp256bn"
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

// Backend is AMCL 3 on fp256bn. It has no state.
type Backend struct{}

var (
	_ backends.Backend       = (*Backend)(nil)
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
		Library:        "AMCL",
		Curve:          backends.FP256BN,
		Version:        backends.ModuleVersion("github.com/hyperledger/fabric-amcl"),
		Implementation: "Go",
		ConstantTime:   backends.ConstantTimeClaimed,
		ConstantTimeSource: "readme.md of github.com/miracl/amcl: critical calculations are performed in constant time; " +
			"yet in the Go code BIG.Mod, DBIG.mod and BIG.Invmodp loop and branch on values, so all scalar arithmetic does, and G1mul branches on its half-length scalars (PAIR.go). " +
			"Measured, the claim does not hold for scalars and PINs: bench/record/leak.md",
	}
}
