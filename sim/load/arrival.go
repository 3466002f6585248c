package load

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// Stage is a time of arrivals.
type Stage struct {
	Name     string   `yaml:"name,omitempty"`
	Kind     string   `yaml:"kind"`
	Duration Duration `yaml:"duration"`
	// Rate is arrivals a second: all the time (constant, poisson), at first
	// (ramp), beside the spike, or on the average (diurnal).
	Rate float64 `yaml:"rate"`
	// To is the rate at the end of a ramp.
	To float64 `yaml:"to,omitempty"`
	// Peak is the rate at the top of a spike, whose middle is at At and which
	// is Width wide at its foot.
	Peak  float64  `yaml:"peak,omitempty"`
	At    Duration `yaml:"at,omitempty"`
	Width Duration `yaml:"width,omitempty"`
	// Curve are the relative rates at equal distances over a diurnal stage, from
	// its beginning to its end; empty is [Day].
	Curve []float64 `yaml:"curve,omitempty"`
	// Spacing is even or poisson; constant is even and all else poisson where
	// it is left out.
	Spacing string `yaml:"spacing,omitempty"`
	// WrongPINs is the share of them in this stage, in place of the scenario's.
	WrongPINs *Share `yaml:"wrong-pins,omitempty"`
}

// The kinds of stage.
const (
	Constant = "constant"
	Poisson  = "poisson"
	Ramp     = "ramp"
	Diurnal  = "diurnal"
	Spike    = "spike"
)

// Day is a day of logins at an office by the hour, from midnight to midnight,
// relative to each other: a peak at nine, a smaller one after lunch.
func Day() []float64 {
	return []float64{2, 1, 1, 1, 2, 5, 15, 45, 90, 100, 70, 55, 45, 60, 58, 50, 45, 40, 28, 20, 16, 12, 8, 4, 2}
}

// curve is the stage's rates as points at equal distances with straight lines
// between them: every kind but a spike in the middle of a stage is one.
type curve struct {
	at   []float64 // seconds
	rate []float64
	sum  []float64 // arrivals expected up to at
}

func (s *Stage) curve() curve {
	d := s.Duration.Seconds()
	c := curve{at: []float64{0, d}, rate: []float64{s.Rate, s.Rate}}
	switch s.Kind {
	case Ramp:
		c.rate[1] = s.To
	case Spike:
		mid, half := s.At.Seconds(), s.Width.Seconds()/2
		c.at = []float64{0, math.Max(0, mid-half), mid, math.Min(d, mid+half), d}
		c.rate = []float64{s.Rate, s.Rate, s.Peak, s.Rate, s.Rate}
	case Diurnal:
		day := s.Curve
		if len(day) == 0 {
			day = Day()
		}
		c.at, c.rate = nil, nil
		for i, v := range day {
			c.at = append(c.at, d*float64(i)/float64(len(day)-1))
			c.rate = append(c.rate, v)
		}
	}
	c.integrate()
	if s.Kind == Diurnal {
		factor := s.Rate * d / c.total()
		for i := range c.rate {
			c.rate[i] *= factor
		}
		c.integrate()
	}
	return c
}

func (c *curve) integrate() {
	c.sum = make([]float64, len(c.at))
	for i := 1; i < len(c.at); i++ {
		c.sum[i] = c.sum[i-1] + (c.at[i]-c.at[i-1])*(c.rate[i]+c.rate[i-1])/2
	}
}

func (c *curve) total() float64 { return c.sum[len(c.sum)-1] }

// rateAt is the rate at a time within the stage.
func (c *curve) rateAt(t float64) float64 {
	for i := 1; i < len(c.at); i++ {
		if t <= c.at[i] && c.at[i] > c.at[i-1] {
			return c.rate[i-1] + (c.rate[i]-c.rate[i-1])*(t-c.at[i-1])/(c.at[i]-c.at[i-1])
		}
	}
	return 0
}

// when is the time by which n arrivals are expected: the inverse of the
// integral of the rate.
func (c *curve) when(n float64, from int) (t float64, segment int) {
	i := max(from, 1)
	for i < len(c.sum)-1 && (c.sum[i] < n || c.at[i] == c.at[i-1]) {
		i++
	}
	// n − sum = r·t + k·t²/2 within the segment.
	left, width := n-c.sum[i-1], c.at[i]-c.at[i-1]
	r, k := c.rate[i-1], 0.0
	if width > 0 {
		k = (c.rate[i] - c.rate[i-1]) / width
	}
	root := math.Sqrt(math.Max(0, r*r+2*k*left))
	// The form of the root that does not cancel.
	if r+root == 0 {
		return c.at[i-1], i
	}
	return c.at[i-1] + 2*left/(r+root), i
}

// Expected is the number of arrivals to be expected.
func (s *Stage) Expected() float64 {
	c := s.curve()
	return c.total()
}

// RateAt is the rate at a time after the stage's beginning.
func (s *Stage) RateAt(t time.Duration) float64 {
	c := s.curve()
	return c.rateAt(t.Seconds())
}

// even reports whether arrivals come at equal distances of the expectation
// instead of at random.
func (s *Stage) even() bool { return s.Spacing == "even" || s.Spacing == "" && s.Kind == Constant }

// Arrivals are the times of arrival after the stage's beginning: a function of
// the stage and the seed alone. Random ones are a Poisson process with the
// stage's rate: unit exponential steps of the expectation.
func (s *Stage) Arrivals(seed uint64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		c := s.curve()
		random := rand.New(rand.NewPCG(seed, 0x61727269766c73))
		total, n, segment := c.total(), 0.0, 1
		for {
			if s.even() {
				n++
			} else {
				n += random.ExpFloat64()
			}
			if n > total {
				return
			}
			var t float64
			t, segment = c.when(n, segment)
			if !yield(time.Duration(t * float64(time.Second))) {
				return
			}
		}
	}
}
