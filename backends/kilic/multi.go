package kilic

import (
	"fmt"

	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/backends"
)

// multiFrom is the number of points from which the library's bucket method
// beats separate multiplications: measured, 5 with scalars of half the length of
// r and 9 with full ones.
const multiFrom = 7

// MultiScalarG1 implements backends.MultiScalar. Variable-time.
func (b *Backend) MultiScalarG1(p []backends.G1, k []backends.Scalar) backends.G1 {
	if len(p) != len(k) {
		panic(fmt.Sprintf("backends: %s: a sum of %d points with %d scalars", id, len(p), len(k)))
	}
	g := groups1.get()
	defer groups1.put(g)
	sum := &g1{*g.Zero()}
	if len(p) < multiFrom {
		var t bls12381.PointG1
		for i := range p {
			g.MulScalar(&t, unwrap1(p[i]), unwrapScalar(k[i]))
			g.Add(&sum.v, &sum.v, &t)
		}
		return sum
	}
	copies := make([]bls12381.PointG1, len(p)) // normalised in place
	points, scalars := make([]*bls12381.PointG1, len(p)), make([]*bls12381.Fr, len(p))
	for i := range p {
		copies[i] = *unwrap1(p[i])
		points[i], scalars[i] = &copies[i], unwrapScalar(k[i])
	}
	if _, err := g.MultiExp(&sum.v, points, scalars); err != nil {
		panic("backends/kilic: " + err.Error()) // only for unequal lengths
	}
	return sum
}
