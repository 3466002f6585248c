package gnark

import (
	"bytes"
	"slices"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	bls12381fr "github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"mpinlab/backends"
)

// known is a curve that gnark-crypto has.
type known struct {
	id backends.Curve
	// make is nil where the curve was left out of this build.
	make func() contract
}

// curves lists what gnark-crypto has, in the order of backends.Curves.
var curves = slices.Concat([]known{{backends.BLS12381, newBLS12381}}, more)

func newBLS12381() contract {
	_, _, g, q := bls12381.Generators()
	return adapt(table[bls12381.G1Affine, bls12381.G2Affine, bls12381fr.Element, bls12381.GT]{
		curve:      backends.BLS12381,
		arm64:      true,
		generator1: g, generator2: q,
		hash: bls12381.HashToG1, encode: bls12381.EncodeToG1,
		pair: bls12381.Pair, miller: bls12381.MillerLoop, finalExp: bls12381.FinalExponentiation,
		check:       bls12381.PairingCheck,
		fix:         fixed(bls12381.PrecomputeLines, bls12381.PairingCheckFixedQ),
		multi:       bucketsBLS12381,
		few:         interleaved(bls12381.BatchJacobianToAffineG1),
		subgroup:    bls12381.IsInSubGroupBatchG1,
		coordinates: func(p *bls12381.G1Affine) (x, y coordinate) { return &p.X, &p.Y },
		decompress: func(b []byte, p *bls12381.G1Affine) error {
			return bls12381.NewDecoder(bytes.NewReader(b), bls12381.NoSubgroupChecks()).Decode(p)
		},
		scalarBytes: (*bls12381fr.Element).Marshal,
		g1Bytes:     func(p *bls12381.G1Affine) []byte { b := p.Bytes(); return b[:] },
		g2Bytes:     func(q *bls12381.G2Affine) []byte { b := q.Bytes(); return b[:] },
		gtBytes:     func(z *bls12381.GT) []byte { b := z.Bytes(); return b[:] },
	})
}
