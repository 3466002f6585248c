package gnark

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"

	"mpinlab/backends"
)

// multiFrom is the number of points from which gnark-crypto's bucket method
// beats separate multiplications: measured, about 6 with scalars of half the
// length of r and 8 with full ones.
const multiFrom = 7

// MultiScalarG1 implements backends.MultiScalar. It stays on one CPU, as a
// server has other requests for the others. Variable-time.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) MultiScalarG1(p []backends.G1, k []backends.Scalar) backends.G1 {
	if len(p) != len(k) {
		panic(fmt.Sprintf("backends: %s: a sum of %d points with %d scalars", b.info.ID, len(p), len(k)))
	}
	sum := &g1[A, S, PA, PS]{group: b.inG1}
	if len(p) < multiFrom {
		for i := range p {
			var t A
			PA(&t).ScalarMultiplication(b.unwrap1(p[i]), b.unwrapScalar(k[i]).integer())
			PA(&sum.v).Add(&sum.v, &t)
		}
		return sum
	}
	points, scalars := make([]A, len(p)), make([]S, len(p))
	for i := range p {
		points[i], scalars[i] = *b.unwrap1(p[i]), b.unwrapScalar(k[i]).v
	}
	must(b.multi(&sum.v, points, scalars, ecc.MultiExpConfig{NbTasks: 1}))
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
