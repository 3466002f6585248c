//go:build !js || allcurves

package gnark

import (
	"bytes"

	bls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377"
	bls12377fr "github.com/consensys/gnark-crypto/ecc/bls12-377/fr"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	bls24315 "github.com/consensys/gnark-crypto/ecc/bls24-315"
	bls24315fr "github.com/consensys/gnark-crypto/ecc/bls24-315/fr"
	bls24317 "github.com/consensys/gnark-crypto/ecc/bls24-317"
	bls24317fr "github.com/consensys/gnark-crypto/ecc/bls24-317/fr"
	bn254 "github.com/consensys/gnark-crypto/ecc/bn254"
	bn254fr "github.com/consensys/gnark-crypto/ecc/bn254/fr"
	bw6633 "github.com/consensys/gnark-crypto/ecc/bw6-633"
	bw6633fr "github.com/consensys/gnark-crypto/ecc/bw6-633/fr"
	bw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761"
	bw6761fr "github.com/consensys/gnark-crypto/ecc/bw6-761/fr"

	"mpinlab/backends"
)

// bucketsBLS12381 is the bucket method for long sums.
var bucketsBLS12381 = (*bls12381.G1Affine).MultiExp

// more lists the curves beside bls12-381.
var more = []known{
	{backends.BN254, newBN254},
	{backends.BLS12377, newBLS12377},
	{backends.BLS24315, newBLS24315},
	{backends.BLS24317, newBLS24317},
	{backends.BW6633, newBW6633},
	{backends.BW6761, newBW6761},
}

func newBN254() contract {
	_, _, g, q := bn254.Generators()
	return adapt(table[bn254.G1Affine, bn254.G2Affine, bn254fr.Element, bn254.GT]{
		curve:      backends.BN254,
		arm64:      true,
		generator1: g, generator2: q,
		hash: bn254.HashToG1, encode: bn254.EncodeToG1,
		pair: bn254.Pair, miller: bn254.MillerLoop, finalExp: bn254.FinalExponentiation,
		check:       bn254.PairingCheck,
		fix:         fixed(bn254.PrecomputeLines, bn254.PairingCheckFixedQ),
		multi:       (*bn254.G1Affine).MultiExp,
		few:         interleaved(bn254.BatchJacobianToAffineG1),
		subgroup:    bn254.IsInSubGroupBatchG1,
		coordinates: func(p *bn254.G1Affine) (x, y coordinate) { return &p.X, &p.Y },
		decompress: func(b []byte, p *bn254.G1Affine) error {
			return bn254.NewDecoder(bytes.NewReader(b), bn254.NoSubgroupChecks()).Decode(p)
		},
		scalarBytes: (*bn254fr.Element).Marshal,
		g1Bytes:     func(p *bn254.G1Affine) []byte { b := p.Bytes(); return b[:] },
		g2Bytes:     func(q *bn254.G2Affine) []byte { b := q.Bytes(); return b[:] },
		gtBytes:     func(z *bn254.GT) []byte { b := z.Bytes(); return b[:] },
	})
}

func newBLS12377() contract {
	_, _, g, q := bls12377.Generators()
	return adapt(table[bls12377.G1Affine, bls12377.G2Affine, bls12377fr.Element, bls12377.GT]{
		curve:      backends.BLS12377,
		arm64:      true,
		generator1: g, generator2: q,
		hash: bls12377.HashToG1, encode: bls12377.EncodeToG1,
		pair: bls12377.Pair, miller: bls12377.MillerLoop, finalExp: bls12377.FinalExponentiation,
		check:       bls12377.PairingCheck,
		fix:         fixed(bls12377.PrecomputeLines, bls12377.PairingCheckFixedQ),
		multi:       (*bls12377.G1Affine).MultiExp,
		few:         interleaved(bls12377.BatchJacobianToAffineG1),
		subgroup:    bls12377.IsInSubGroupBatchG1,
		coordinates: func(p *bls12377.G1Affine) (x, y coordinate) { return &p.X, &p.Y },
		decompress: func(b []byte, p *bls12377.G1Affine) error {
			return bls12377.NewDecoder(bytes.NewReader(b), bls12377.NoSubgroupChecks()).Decode(p)
		},
		scalarBytes: (*bls12377fr.Element).Marshal,
		g1Bytes:     func(p *bls12377.G1Affine) []byte { b := p.Bytes(); return b[:] },
		g2Bytes:     func(q *bls12377.G2Affine) []byte { b := q.Bytes(); return b[:] },
		gtBytes:     func(z *bls12377.GT) []byte { b := z.Bytes(); return b[:] },
	})
}

func newBLS24315() contract {
	_, _, g, q := bls24315.Generators()
	return adapt(table[bls24315.G1Affine, bls24315.G2Affine, bls24315fr.Element, bls24315.GT]{
		curve:      backends.BLS24315,
		arm64:      false,
		generator1: g, generator2: q,
		hash: bls24315.HashToG1, encode: bls24315.EncodeToG1,
		pair: bls24315.Pair, miller: bls24315.MillerLoop, finalExp: bls24315.FinalExponentiation,
		check:       bls24315.PairingCheck,
		fix:         fixed(bls24315.PrecomputeLines, bls24315.PairingCheckFixedQ),
		multi:       (*bls24315.G1Affine).MultiExp,
		few:         interleaved(bls24315.BatchJacobianToAffineG1),
		subgroup:    bls24315.IsInSubGroupBatchG1,
		coordinates: func(p *bls24315.G1Affine) (x, y coordinate) { return &p.X, &p.Y },
		decompress: func(b []byte, p *bls24315.G1Affine) error {
			return bls24315.NewDecoder(bytes.NewReader(b), bls24315.NoSubgroupChecks()).Decode(p)
		},
		scalarBytes: (*bls24315fr.Element).Marshal,
		g1Bytes:     func(p *bls24315.G1Affine) []byte { b := p.Bytes(); return b[:] },
		g2Bytes:     func(q *bls24315.G2Affine) []byte { b := q.Bytes(); return b[:] },
		gtBytes:     func(z *bls24315.GT) []byte { b := z.Bytes(); return b[:] },
	})
}

func newBLS24317() contract {
	_, _, g, q := bls24317.Generators()
	return adapt(table[bls24317.G1Affine, bls24317.G2Affine, bls24317fr.Element, bls24317.GT]{
		curve:      backends.BLS24317,
		arm64:      false,
		generator1: g, generator2: q,
		hash: bls24317.HashToG1, encode: bls24317.EncodeToG1,
		pair: bls24317.Pair, miller: bls24317.MillerLoop, finalExp: bls24317.FinalExponentiation,
		check:       bls24317.PairingCheck,
		fix:         fixed(bls24317.PrecomputeLines, bls24317.PairingCheckFixedQ),
		multi:       (*bls24317.G1Affine).MultiExp,
		few:         interleaved(bls24317.BatchJacobianToAffineG1),
		subgroup:    bls24317.IsInSubGroupBatchG1,
		coordinates: func(p *bls24317.G1Affine) (x, y coordinate) { return &p.X, &p.Y },
		decompress: func(b []byte, p *bls24317.G1Affine) error {
			return bls24317.NewDecoder(bytes.NewReader(b), bls24317.NoSubgroupChecks()).Decode(p)
		},
		scalarBytes: (*bls24317fr.Element).Marshal,
		g1Bytes:     func(p *bls24317.G1Affine) []byte { b := p.Bytes(); return b[:] },
		g2Bytes:     func(q *bls24317.G2Affine) []byte { b := q.Bytes(); return b[:] },
		gtBytes:     func(z *bls24317.GT) []byte { b := z.Bytes(); return b[:] },
	})
}

func newBW6633() contract {
	_, _, g, q := bw6633.Generators()
	return adapt(table[bw6633.G1Affine, bw6633.G2Affine, bw6633fr.Element, bw6633.GT]{
		curve:      backends.BW6633,
		arm64:      true,
		generator1: g, generator2: q,
		hash: bw6633.HashToG1, encode: bw6633.EncodeToG1,
		pair: bw6633.Pair, miller: bw6633.MillerLoop, finalExp: bw6633.FinalExponentiation,
		check:       bw6633.PairingCheck,
		exact1:      plainOrder[bw6633.G1Affine, bw6633.G1Jac](backends.BW6633),
		fix:         fixed(bw6633.PrecomputeLines, bw6633.PairingCheckFixedQ),
		multi:       (*bw6633.G1Affine).MultiExp,
		few:         interleaved(bw6633.BatchJacobianToAffineG1),
		subgroup:    bw6633.IsInSubGroupBatchG1,
		coordinates: func(p *bw6633.G1Affine) (x, y coordinate) { return &p.X, &p.Y },
		decompress: func(b []byte, p *bw6633.G1Affine) error {
			return bw6633.NewDecoder(bytes.NewReader(b), bw6633.NoSubgroupChecks()).Decode(p)
		},
		scalarBytes: (*bw6633fr.Element).Marshal,
		g1Bytes:     func(p *bw6633.G1Affine) []byte { b := p.Bytes(); return b[:] },
		g2Bytes:     func(q *bw6633.G2Affine) []byte { b := q.Bytes(); return b[:] },
		gtBytes:     func(z *bw6633.GT) []byte { b := z.Bytes(); return b[:] },
	})
}

func newBW6761() contract {
	_, _, g, q := bw6761.Generators()
	return adapt(table[bw6761.G1Affine, bw6761.G2Affine, bw6761fr.Element, bw6761.GT]{
		curve:      backends.BW6761,
		arm64:      true,
		generator1: g, generator2: q,
		hash: bw6761.HashToG1, encode: bw6761.EncodeToG1,
		pair: bw6761.Pair, miller: bw6761.MillerLoop, finalExp: bw6761.FinalExponentiation,
		check:       bw6761.PairingCheck,
		exact2:      plainOrder[bw6761.G2Affine, bw6761.G2Jac](backends.BW6761),
		fix:         fixed(bw6761.PrecomputeLines, bw6761.PairingCheckFixedQ),
		multi:       (*bw6761.G1Affine).MultiExp,
		few:         interleaved(bw6761.BatchJacobianToAffineG1),
		subgroup:    bw6761.IsInSubGroupBatchG1,
		coordinates: func(p *bw6761.G1Affine) (x, y coordinate) { return &p.X, &p.Y },
		decompress: func(b []byte, p *bw6761.G1Affine) error {
			return bw6761.NewDecoder(bytes.NewReader(b), bw6761.NoSubgroupChecks()).Decode(p)
		},
		scalarBytes: (*bw6761fr.Element).Marshal,
		g1Bytes:     func(p *bw6761.G1Affine) []byte { b := p.Bytes(); return b[:] },
		g2Bytes:     func(q *bw6761.G2Affine) []byte { b := q.Bytes(); return b[:] },
		gtBytes:     func(z *bw6761.GT) []byte { b := z.Bytes(); return b[:] },
	})
}
