// Package blst carries bls12-381 on supranational/blst, a C library with
// assembly for the field arithmetic, through its own Go binding.
//
// It needs cgo and an amd64 or arm64 processor; [New] reports it as
// unavailable, with the reason, where it has neither. On amd64 the binding is
// built for processors with ADX and ends the process at start-up on older
// ones, before any Go code runs; CGO_CFLAGS="-O2 -D__BLST_PORTABLE__" at build
// time adds the code for those.
//
// Every operation runs on the caller's thread: importing this package sets
// blst's process-wide thread limit to one. With more, the binding would give
// up the squarings that the pairs of a product share (for two pairs on two
// threads that is slower than one thread alone) and would start goroutines
// under a benchmark.
//
// The binding exports less than the C library. In particular it has neither
// the line tables of a fixed G2 argument nor any operation on GT but
// multiplication, so FixedG2 is missing and [GT.Exp] and [GT.Inverse] are slow.
package blst

import "mpinlab/backends"

const id = "blst/bls12-381"

func info() backends.Info {
	return backends.Info{
		ID:             id,
		Library:        "blst",
		Curve:          backends.BLS12381,
		Version:        backends.ModuleVersion("github.com/supranational/blst"),
		Implementation: "C+asm",
		ConstantTime:   backends.ConstantTimeClaimed,
		ConstantTimeSource: "blst, src/ec_mult.h (scalar multiplication is called constant-time for a public bit length) " +
			"and src/bulk_addition.c (sums of many points are called not constant-time); its README claims nothing",
	}
}
