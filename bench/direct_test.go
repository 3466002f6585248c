package bench_test

import (
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench"
)

// TestCatalogue runs the cases and their checks: the direct ones on all inputs
// where the library is fast, the others on two, of which the second does not
// hold.
func TestCatalogue(t *testing.T) {
	cases, err := bench.Catalogue(all.Backends(), bench.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]int{}
	for _, c := range cases {
		id := c.Key.BackendID()
		indices := []int{0, 7}
		switch {
		case testing.Short() && c.Key.N > 64, c.Key.NName == "bad" && c.Key.N > 1: // other shares are the same code
			continue
		case c.Key.Via == "direct":
			direct[id]++
			n := bench.Inputs
			if testing.Short() || c.Key.Curve == "fp256bn" {
				n = 8 // slow, and enough for one that does not hold
			}
			indices = indices[:0]
			for i := range n {
				indices = append(indices, i)
			}
		case c.Key.Backend == "reference":
			// Slow, and the same code on every curve.
			if testing.Short() || c.Key.Curve != "bls12-381" {
				continue
			}
			indices = indices[1:]
		}
		t.Run(strings.TrimPrefix(c.Key.String(), "Benchmark"), func(t *testing.T) {
			body, err := c.Setup()
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range indices {
				if body.Prepare != nil {
					body.Prepare(i, 1)
				}
				body.Run(i)
			}
			if err := body.Check(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, b := range all.Backends() {
		id := b.Info().ID
		want, ok := map[string]int{
			"gnark/bls12-381": 18, "gnark/bn254": 18, "circl/bls12-381": 11, "kilic/bls12-381": 14,
			"blst/bls12-381": 16, "miracl/fp256bn": 17, "amcl/fp256bn": 13,
		}[id]
		if ok && direct[id] != want {
			t.Errorf("%s has %d direct cases, not %d", id, direct[id], want)
		}
	}
}

// TestWrongResultIsFound measures a backend that takes every product of
// pairings for one.
func TestWrongResultIsFound(t *testing.T) {
	b, err := all.Get("gnark/bn254")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := bench.Catalogue([]backends.Backend{credulous{b}}, bench.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, c := range cases {
		if c.Key.Op != "PairCheck2" && c.Key.Op != "ServerVerify" || c.Key.Via == "direct" {
			continue
		}
		body, err := c.Setup()
		if err != nil {
			t.Fatal(err)
		}
		body.Run(0) // holds
		if err := body.Check(); err != nil {
			t.Errorf("%v: %v", c.Key, err)
		}
		body.Run(7) // does not
		if body.Check() == nil {
			t.Errorf("%v: a wrong result goes unnoticed", c.Key)
		}
		if err := body.Check(); err != nil {
			t.Errorf("%v: nothing ran, and still: %v", c.Key, err)
		}
		found++
	}
	if found != 2 {
		t.Errorf("%d cases were tried", found)
	}
}

// credulous has none of the optional interfaces.
type credulous struct{ backends.Backend }

func (credulous) PairingCheck([]backends.G1, []backends.G2) bool { return true }
