package backendtest

import (
	"fmt"
	"testing"

	"mpinlab/backends"
)

// Allocations are the greatest numbers of heap allocations that operations of
// a backend may make. They keep an adapter from copying or boxing where its
// library does not.
type Allocations struct {
	G1Add, G1Mul, G1Decode, PairingCheck int
}

// Within checks the allocations of b. It must not run beside other tests.
func (a Allocations) Within(b backends.Backend) error {
	k := backends.SmallScalar(b, 1<<60).Neg()
	p, q := b.G1().Mul(k), b.G2().Mul(k)
	data := p.Bytes()
	ps, qs := []backends.G1{p, p.Neg()}, []backends.G2{q, q}
	for _, c := range []struct {
		what    string
		allowed int
		f       func()
	}{
		{"G1.Add", a.G1Add, func() { p.Add(ps[1].Neg()) }},
		{"G1.Mul", a.G1Mul, func() { p.Mul(k) }},
		{"DecodeG1", a.G1Decode, func() {
			if _, err := b.DecodeG1(data); err != nil {
				panic(err)
			}
		}},
		{"PairingCheck", a.PairingCheck, func() { b.PairingCheck(ps, qs) }},
	} {
		if got := testing.AllocsPerRun(5, c.f); got > float64(c.allowed) {
			return fmt.Errorf("%s allocates %.0f times, %d are allowed", c.what, got, c.allowed)
		}
	}
	return nil
}
