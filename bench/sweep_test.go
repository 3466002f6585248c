package bench_test

import (
	"regexp"
	"strings"
	"testing"

	"mpinlab/backends/all"
	"mpinlab/bench"
)

// TestSweeps runs the smaller sizes of every sweep and their checks.
func TestSweeps(t *testing.T) {
	cases, err := bench.Catalogue(all.Backends(), bench.Selection{Sweeps: true, Backend: regexp.MustCompile("^gnark/bn254$")})
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]map[int]bool{}
	for _, c := range cases {
		if sizes[c.Key.Op] == nil {
			sizes[c.Key.Op] = map[int]bool{}
		}
		sizes[c.Key.Op][c.Key.N] = true
		if c.Key.N > 4096 && c.Key.NName == "users" || c.Key.N > 128 && c.Key.NName == "n" {
			continue // the same code, and slow to set up
		}
		t.Run(strings.TrimPrefix(c.Key.String(), "Benchmark"), func(t *testing.T) {
			body, err := c.Setup()
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range []int{0, 7, 0} {
				if body.Prepare != nil {
					body.Prepare(i, 1)
				}
				body.Run(i)
				if err := body.Check(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, s := range bench.Sweeps() {
		if have := len(sizes[s.Name]); s.Cores && have != 1 || !s.Cores && have < 4 {
			t.Errorf("%s has %d sizes", s.Name, have)
		}
		if s.Parameter == "" || s.Doc == "" {
			t.Errorf("%s is not explained", s.Name)
		}
	}
	if len(sizes) != len(bench.Sweeps()) {
		t.Errorf("%d of %d sweeps", len(sizes), len(bench.Sweeps()))
	}
}
