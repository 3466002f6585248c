//go:build js && !allcurves

package gnark

import (
	"github.com/consensys/gnark-crypto/ecc"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	bls12381fr "github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"mpinlab/backends"
)

// bucketsBLS12381 is left out too: a page adds few points, and the bucket method
// has code of its own for each of many sizes.
var bucketsBLS12381 func(*bls12381.G1Affine, []bls12381.G1Affine, []bls12381fr.Element, ecc.MultiExpConfig) (*bls12381.G1Affine, error)

// more lists the curves that a page does not carry unless it is built with the
// tag allcurves: with them a small WebAssembly program is 9.0 MB, without 4.2 MB.
var more = []known{
	{id: backends.BN254},
	{id: backends.BLS12377},
	{id: backends.BLS24315},
	{id: backends.BLS24317},
	{id: backends.BW6633},
	{id: backends.BW6761},
}
