//go:build cgo && (amd64 || arm64)

package blst

import (
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/outside"
)

// TestBatchSubgroupOnAwkwardPoints: the sums of a batch check meet equal points,
// opposite ones and identities, which blst's batch addition has to tell apart.
func TestBatchSubgroupOnAwkwardPoints(t *testing.T) {
	b := new(Backend)
	g := b.G1()
	kinds := []backends.G1{g, g, g.Neg(), g.Sub(g), g.Add(g), g.Mul(backends.SmallScalar(b, 77))}
	points := make([]backends.G1, 3*batchFrom)
	for i := range points {
		points[i] = kinds[i%len(kinds)]
	}
	for range 10 {
		if !b.InSubgroupG1(points...) {
			t.Fatal("points of the subgroup are refused")
		}
	}
	off, err := b.DecodeG1Unchecked(outside.Point(backends.BLS12381, "G1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 1, len(points) - 1} {
		bad := append([]backends.G1(nil), points...)
		bad[at] = off
		if b.InSubgroupG1(bad...) {
			t.Errorf("a point of another order at %d is accepted", at)
		}
		bad[(at+5)%len(bad)] = off.Neg()
		if b.InSubgroupG1(bad...) {
			t.Errorf("two points of another order that cancel, at %d, are accepted", at)
		}
	}
	same := make([]backends.G1, 2*batchFrom)
	for i := range same {
		same[i] = g
	}
	if !b.InSubgroupG1(same...) {
		t.Error("one point many times is refused")
	}
	for i := range same {
		same[i] = g.Sub(g)
	}
	if !b.InSubgroupG1(same...) {
		t.Error("identities are refused")
	}
}
