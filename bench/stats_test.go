package bench

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

func summarised(samples ...float64) *Row {
	r := &Results{Rows: []Row{{Samples: samples}}}
	Summarise(r)
	return &r.Rows[0]
}

// around gives n samples within half a per cent of each centre, in turn.
func around(n int, centres ...float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		c := centres[i%len(centres)]
		out[i] = c * (1 + 0.005*math.Sin(float64(3*i)))
	}
	return out
}

func TestSummary(t *testing.T) {
	row := &Row{Samples: []float64{5, 1, 4, 2, 3, 6}, BytesSamples: []float64{8, 0, 0, 8, 8, 9}, AllocsSamples: []float64{1, 1, 2, 2, 2, 2}}
	r := &Results{Rows: []Row{*row}}
	Summarise(r)
	*row = r.Rows[0]
	if row.Median != 3.5 || row.Lo != 1 || row.Hi != 6 || row.Bytes != 8 || row.Allocs != 2 {
		t.Errorf("%+v", row)
	}
	if !slices.Equal(row.Samples, []float64{5, 1, 4, 2, 3, 6}) {
		t.Error("the samples lost their order")
	}
	for n := 1; n <= 5; n++ {
		if row := summarised([]float64{2, 2, 1, 3, 2}[:n]...); row.Median != 2 || !math.IsInf(row.Lo, -1) || !math.IsInf(row.Hi, 1) {
			t.Errorf("%d samples: %+v", n, row)
		}
	}
	if row := summarised(); !math.IsNaN(row.Median) || row.Bytes != 0 {
		t.Errorf("no samples: %+v", row)
	}
}

func TestRowWarnings(t *testing.T) {
	steady := around(20, 1000)
	slower := slices.Concat(around(10, 1000), around(10, 1040))
	slightly := slices.Concat(around(10, 1000), around(10, 1010))
	lonely := slices.Clone(steady)
	lonely[3], lonely[11] = 1500, 1400
	many := slices.Clone(lonely)
	many[15] = 1300
	for name, c := range map[string]struct {
		samples []float64
		want    string
	}{
		"steady":             {steady, ""},
		"five":               {steady[:5], "samples: 5, too few for a 95 % interval"},
		"six":                {steady[:6], ""},
		"slower":             {slower, "drift: the later half is +4.0 % from the earlier"},
		"1 % slower":         {slightly, ""},
		"too few to tell":    {slices.Concat(around(4, 1000), around(4, 1020)), ""},
		"two modes":          {around(20, 1000, 1000, 1100), "modes: 14 samples about 1000 ns, 6 about 1101 ns"},
		"close modes":        {around(20, 1000, 1020), ""},
		"identical":          {around(20, 0), ""},
		"two outliers in 20": {lonely, ""},
		"three outliers":     {many, "outliers: 3 of 20, the furthest +50 % from the median"},
	} {
		w := summarised(c.samples...).Warnings
		has := slices.ContainsFunc(w, func(s string) bool { return strings.HasPrefix(s, c.want) })
		if c.want == "" && len(w) > 0 || c.want != "" && !has {
			t.Errorf("%s: warnings %q, expected %q", name, w, c.want)
		}
	}
}

func TestSummariseAgain(t *testing.T) {
	r := &Results{Rows: []Row{{Samples: []float64{1, 2, 3}, Warnings: []string{"memory: tight"}}}}
	Summarise(r)
	Summarise(r)
	if want := []string{"memory: tight", "samples: 3, too few for a 95 % interval"}; !slices.Equal(r.Rows[0].Warnings, want) {
		t.Errorf("warnings %q", r.Rows[0].Warnings)
	}
	r.Rows[0].Samples = around(8, 5)
	Summarise(r)
	if want := []string{"memory: tight"}; !slices.Equal(r.Rows[0].Warnings, want) {
		t.Errorf("warnings %q", r.Rows[0].Warnings)
	}
}

func TestRatio(t *testing.T) {
	// The machine halves its speed in the middle; a costs a tenth more.
	a, b := &Row{}, &Row{}
	for i := range 20 {
		speed := 1000.0
		if i >= 10 {
			speed = 2000
		}
		b.Samples = append(b.Samples, speed*(1+0.001*math.Sin(float64(7*i))))
		a.Samples = append(a.Samples, 1.1*speed*(1+0.001*math.Cos(float64(5*i))))
	}
	ratio, lo, hi := Ratio(a, b)
	if math.Abs(ratio-1.1) > 0.001 || lo < 1.098 || hi > 1.102 || lo > ratio || hi < ratio {
		t.Errorf("%v [%v, %v], expected 1.1", ratio, lo, hi)
	}
	a.Samples = a.Samples[1:]
	if ratio, lo, hi := Ratio(a, b); !math.IsNaN(ratio) || !math.IsNaN(lo) || !math.IsNaN(hi) {
		t.Errorf("rows of different runs: %v [%v, %v]", ratio, lo, hi)
	}
	if ratio, _, _ := Ratio(&Row{}, &Row{}); !math.IsNaN(ratio) {
		t.Errorf("empty rows: %v", ratio)
	}
}

func TestStatisticsLaws(t *testing.T) {
	laws := gopter.NewProperties(nil)
	values := gen.SliceOf(gen.Float64Range(1, 1e9))
	laws.Property("lo ≤ median ≤ hi, and the median is among the samples' range", prop.ForAll(
		func(v []float64) bool {
			row := summarised(v...)
			return len(v) == 0 || row.Lo <= row.Median && row.Median <= row.Hi &&
				slices.Min(v) <= row.Median && row.Median <= slices.Max(v)
		}, values))
	laws.Property("a ÷ a = 1 exactly", prop.ForAll(
		func(v []float64) bool {
			ratio, _, _ := Ratio(&Row{Samples: v}, &Row{Samples: v})
			return len(v) == 0 || ratio == 1
		}, values))
	laws.TestingRun(t)
}
