package plots

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/plotstest"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []vg.Length
		want []vg.Length
	}{
		{"apart", []vg.Length{20, 80, 50}, []vg.Length{20, 80, 50}},
		{"together", []vg.Length{50, 50}, []vg.Length{45, 55}},
		{"a chain", []vg.Length{58, 50, 49}, []vg.Length{62 + 1./3, 52 + 1./3, 42 + 1./3}},
		{"at the edges", []vg.Length{100, 99, 0, 1}, []vg.Length{95, 85, 5, 15}},
		{"none", nil, nil},
	} {
		var points []vg.Point
		for _, y := range c.at {
			points = append(points, vg.Point{Y: y})
		}
		got := spread(points, 0, 100)
		if !slices.EqualFunc(got, c.want, func(a, b vg.Length) bool { return math.Abs(float64(a-b)) < 1e-9 }) {
			t.Errorf("%s: %v, not %v", c.name, got, c.want)
		}
	}
}

func TestLinesLookDifferent(t *testing.T) {
	type look struct {
		shape, color, dashes any
	}
	seen := map[look]int{}
	for i := range 84 {
		g, dashes := lineLook(i)
		l := look{g.shape, g.color, len(dashes)}
		if len(dashes) > 0 {
			l.dashes = dashes[0]
		}
		if first, ok := seen[l]; ok {
			t.Fatalf("lines %d and %d look alike", first, i)
		}
		seen[l] = i
	}
}

func TestBatchTellsTheGain(t *testing.T) {
	f, err := Batch(&Data{Results: plotstest.Full(6)})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Lines for 15 backends", "Least in its largest batch: gnark/bn254 with ", " in batches of 1\u202f024.", "The largest gain over verifying one by one: "} {
		if !strings.Contains(f.Alt, want) {
			t.Errorf("%q does not say %q", f.Alt, want)
		}
	}
	count := map[int]int{} // by size
	for _, row := range f.Rows {
		count[row.Key.N]++
	}
	if count[0] != 15 || count[8] != 15 || count[64] != 11 || count[256] != 6 || count[1024] != 6 {
		t.Errorf("rows by size: %v", count)
	}
}
