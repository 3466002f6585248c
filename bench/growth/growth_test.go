package growth

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"mpinlab/bench"
)

// TestBestNamesTheLaw makes costs by each law, with a noise of 2 %, and wants
// its name back, or among those that are level.
func TestBestNamesTheLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, l := range Laws() {
		exact, wrong := 0, 0
		const tries = 50
		for range tries {
			var points []Point
			for n := 2.0; n <= 1024; n *= 2 {
				points = append(points, Point{n, (300 + 50*l.At(n)) * (1 + 0.02*rng.NormFloat64())})
			}
			best, level, err := Best(points)
			if err != nil {
				t.Fatal(err)
			}
			named := best.Name == l.Name
			if named {
				exact++
				if best.Error > 0.05 || math.Abs(best.Fixed/300-1) > 0.3 {
					t.Errorf("%s: %+v", l.Name, best)
				}
			}
			for _, f := range level {
				named = named || f.Name == l.Name
			}
			if !named {
				wrong++
			}
		}
		if exact < tries*8/10 || wrong > tries/10 {
			t.Errorf("%s: named in %d of %d, missed in %d", l.Name, exact, tries, wrong)
		}
	}
}

func TestExactFit(t *testing.T) {
	best, level, err := Best([]Point{{1, 110}, {2, 120}, {4, 140}, {8, 180}, {16, 260}})
	if err != nil || best.Name != "linear" || math.Abs(best.Fixed-100) > 1e-3 || math.Abs(best.Slope-10) > 1e-4 || best.Error > 1e-6 || len(level) != 0 {
		t.Errorf("%+v, %+v, %v", best, level, err)
	}
	if c := best.Cost(32); math.Abs(c-420) > 1e-2 {
		t.Errorf("at 32 it says %v", c)
	}
}

// TestJump: a cost that jumps follows no law, whichever is nearest.
func TestJump(t *testing.T) {
	best, _, err := Best([]Point{{512, 0.3}, {1024, 0.32}, {2048, 60}, {4096, 80}, {16384, 95}})
	if err != nil || best.Describes() {
		t.Errorf("%v, %v", best, err)
	}
	if best, _, err := Best([]Point{{1, 1000}, {4, 4100}, {16, 15900}, {64, 66000}}); err != nil || best.Name != "linear" || !best.Describes() {
		t.Errorf("%v, %v", best, err)
	}
}

func TestRefused(t *testing.T) {
	if _, _, err := Best([]Point{{1, 1}, {2, 2}, {2, 2}, {3, 3}}); !errors.Is(err, ErrTooFew) {
		t.Errorf("three sizes: %v", err)
	}
	for _, bad := range []Point{{1, 0}, {1, math.NaN()}, {1, math.Inf(1)}, {0, 1}, {1, -1}} {
		if _, _, err := Best([]Point{bad, {2, 1}, {3, 1}, {4, 1}}); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestPoints(t *testing.T) {
	row := func(n, procs int, median float64) *bench.Row {
		return &bench.Row{Key: bench.Key{N: n, Procs: procs}, Median: median}
	}
	rows := []*bench.Row{row(8, 2, 5), row(2, 1, 10)}
	for _, c := range []struct {
		sweep bench.Sweep
		want  [2]Point
	}{
		{bench.Sweep{}, [2]Point{{2, 10}, {8, 5}}},
		{bench.Sweep{PerUnit: true}, [2]Point{{2, 20}, {8, 40}}},
		{bench.Sweep{Cores: true}, [2]Point{{1, 1e8}, {2, 2e8}}},
	} {
		if have := Points(c.sweep, rows); [2]Point(have) != c.want {
			t.Errorf("%+v: %v", c.sweep, have)
		}
	}
}
