package gnark

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"

	"mpinlab/backends"
)

// Sums of fewFrom points and more, and of fewer than bucketsFrom, are computed
// by interleaving, longer ones by gnark-crypto's bucket method. Measured on
// bls12-381 and bn254, sums whose scalars are of half the length of r, or half
// of them: of 4 points 0.57 and 0.76 of the time of separate multiplications, of
// 8 points 0.44 and 0.52, of 16 0.58 and 0.6 of the bucket method's, of 32 0.7,
// of 48 0.85, of 64 as much. Two full-length multiplications are better by
// themselves, with the endomorphism.
const fewFrom, bucketsFrom = 3, 49

// MultiScalarG1 implements backends.MultiScalar. It stays on one CPU, as a
// server has other requests for the others. Variable-time.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) MultiScalarG1(p []backends.G1, k []backends.Scalar) backends.G1 {
	if len(p) != len(k) {
		panic(fmt.Sprintf("backends: %s: a sum of %d points with %d scalars", b.info.ID, len(p), len(k)))
	}
	sum := &g1[A, S, PA, PS]{group: b.inG1}
	switch {
	case len(p) < fewFrom:
		for i := range p {
			var t A
			PA(&t).ScalarMultiplication(b.unwrap1(p[i]), b.unwrapScalar(k[i]).integer())
			PA(&sum.v).Add(&sum.v, &t)
		}
	case len(p) < bucketsFrom || b.multi == nil:
		points, scalars := make([]A, len(p)), make([]*big.Int, len(p))
		for i := range p {
			points[i], scalars[i] = *b.unwrap1(p[i]), b.unwrapScalar(k[i]).integer()
		}
		sum.v = b.few(points, scalars)
	default:
		points, scalars := make([]A, len(p)), make([]S, len(p))
		for i := range p {
			points[i], scalars[i] = *b.unwrap1(p[i]), b.unwrapScalar(k[i]).v
		}
		must(b.multi(&sum.v, points, scalars, ecc.MultiExpConfig{NbTasks: 1}))
	}
	return sum
}

// MulShort implements backends.ShortScalar. gnark-crypto's multiplication
// looks at the length of the scalar itself, so that this is Mul: the saving
// is there with and without bits. Variable-time.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) MulShort(p backends.G1, k backends.Scalar, bits int) backends.G1 {
	r := &g1[A, S, PA, PS]{group: b.inG1}
	PA(&r.v).ScalarMultiplication(b.unwrap1(p), b.unwrapScalar(k).integer())
	return r
}
