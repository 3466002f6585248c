package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// stagesOf are one of every kind with about n arrivals.
func stagesOf(n float64) []Stage {
	d := Duration(100 * time.Second)
	return []Stage{
		{Kind: Constant, Rate: n / 100, Duration: d},
		{Kind: Poisson, Rate: n / 100, Duration: d},
		{Kind: Ramp, Rate: 0, To: n / 50, Duration: d},
		{Kind: Ramp, Rate: n / 50, To: 0, Duration: d, Spacing: "even"},
		{Kind: Diurnal, Rate: n / 100, Duration: d},
		{Kind: Diurnal, Rate: n / 100, Duration: d, Curve: []float64{0, 0, 1, 0, 0, 3}},
		{Kind: Spike, Rate: n / 200, Peak: n / 10, At: Duration(50 * time.Second), Width: Duration(10 * time.Second), Duration: d},
	}
}

func TestArrivalsFollowFromTheSeed(t *testing.T) {
	for _, s := range stagesOf(500) {
		a, b, c := slices.Collect(s.Arrivals(7)), slices.Collect(s.Arrivals(7)), slices.Collect(s.Arrivals(8))
		if !slices.Equal(a, b) {
			t.Errorf("%s: one seed, two sequences", s.Kind)
		}
		if !s.even() && slices.Equal(a, c) {
			t.Errorf("%s: two seeds, one sequence", s.Kind)
		}
		if !slices.IsSorted(a) {
			t.Errorf("%s: out of order", s.Kind)
		}
		if len(a) == 0 || a[0] < 0 || a[len(a)-1] > s.Duration.D() {
			t.Errorf("%s: %d arrivals beyond the stage", s.Kind, len(a))
		}
	}
}

// The number of arrivals up to any time is the integral of the rate: within a
// step where they are even, within five standard deviations where random.
func TestArrivalsFollowTheRate(t *testing.T) {
	for _, s := range stagesOf(20_000) {
		list := slices.Collect(s.Arrivals(3))
		want, at, k := 0.0, time.Duration(0), 0
		const step = 10 * time.Millisecond
		for at < s.Duration.D() {
			want += (s.RateAt(at) + s.RateAt(at+step)) / 2 * step.Seconds()
			at += step
			for k < len(list) && list[k] <= at {
				k++
			}
			bound := 2.0
			if !s.even() {
				bound = 5*math.Sqrt(want) + 2
			}
			if math.Abs(float64(k)-want) > bound {
				t.Errorf("%s: %d arrivals up to %v, not %.0f", s.Kind, k, at, want)
				break
			}
		}
		if e := s.Expected(); math.Abs(e-want) > 0.02*want {
			t.Errorf("%s: %v arrivals expected, the integral is %v", s.Kind, e, want)
		}
	}
}

// Distances of a Poisson process are exponential: their mean and their standard
// deviation are both 1/λ.
func TestPoissonDistances(t *testing.T) {
	s := Stage{Kind: Poisson, Rate: 100, Duration: Duration(500 * time.Second)}
	var sum, squares, n float64
	last := time.Duration(0)
	for at := range s.Arrivals(11) {
		d := (at - last).Seconds()
		last = at
		sum, squares, n = sum+d, squares+d*d, n+1
	}
	mean := sum / n
	deviation := math.Sqrt(squares/n - mean*mean)
	if math.Abs(mean-0.01) > 0.0005 || math.Abs(deviation-0.01) > 0.0005 {
		t.Errorf("mean %v, deviation %v, not 0.01 both", mean, deviation)
	}
}

func TestCurve(t *testing.T) {
	p := gopter.NewProperties(nil)
	p.Property("∫₀^when(n) rate = n, and when grows with n", prop.ForAll(func(a, b, c float64, part float64) bool {
		s := Stage{Kind: Diurnal, Rate: 50, Duration: Duration(10 * time.Second), Curve: []float64{a, b, c, 1}}
		curve := s.curve()
		n := part * curve.total()
		at, _ := curve.when(n, 1)
		sum := 0.0
		const steps = 20000
		for i := range steps {
			sum += curve.rateAt(at*(float64(i)+0.5)/steps) * at / steps
		}
		later, _ := curve.when(math.Min(n+1, curve.total()), 1)
		return math.Abs(sum-n) < 0.01*curve.total() && later >= at
	}, gen.Float64Range(0, 10), gen.Float64Range(0, 10), gen.Float64Range(0, 10), gen.Float64Range(0, 1)))
	p.TestingRun(t)
}

func TestStagesFollowEachOther(t *testing.T) {
	stages := []Stage{
		{Kind: Constant, Rate: 10, Duration: Duration(time.Second)},
		{Kind: Constant, Rate: 20, Duration: Duration(time.Second)},
	}
	var n uint64
	counts := map[int]int{}
	for a := range arrivals(stages, 1) {
		if a.n != n {
			t.Fatalf("number %d after %d", a.n, n)
		}
		n++
		counts[a.stage]++
		if a.stage == 1 && a.at <= time.Second || a.stage == 0 && a.at > time.Second {
			t.Errorf("stage %d at %v", a.stage, a.at)
		}
	}
	if counts[0] != 10 || counts[1] != 20 {
		t.Errorf("%v", counts)
	}
}
