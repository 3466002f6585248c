// Package growth names how a cost grows with a size: it fits a few laws to
// measured medians and tells which of them describes the costs best, and how
// well.
package growth

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"mpinlab/bench"
)

// Law is a way of growing: fixed + slope·f(n).
type Law struct {
	Name string
	// Term is f as it is written, and empty for the constant law.
	Term string
	f    func(n float64) float64
}

// At returns f(n).
func (l Law) At(n float64) float64 { return l.f(n) }

// Laws are those that are tried, from slow growth to fast.
func Laws() []Law {
	return []Law{
		{"constant", "", func(float64) float64 { return 0 }},
		{"logarithmic", "log n", func(n float64) float64 { return math.Log2(n) }},
		{"n/log n", "n/log n", func(n float64) float64 { return n / math.Log2(n+1) }},
		{"linear", "n", func(n float64) float64 { return n }},
		{"n log n", "n log n", func(n float64) float64 { return n * math.Log2(n+1) }},
		{"quadratic", "n²", func(n float64) float64 { return n * n }},
	}
}

// Point is a size and what it costs.
type Point struct{ N, Cost float64 }

// Fit is a law fitted to points.
type Fit struct {
	Law
	// Fixed and Slope are not negative, in the unit of the costs.
	Fixed, Slope float64
	// Error is the root mean square of the residuals of the logarithms: 0.02
	// means that the fit is off by 2 %.
	Error float64
}

// Cost returns what the fit says of size n.
func (f *Fit) Cost(n float64) float64 { return f.Fixed + f.Slope*f.f(n) }

// Describes reports whether the law deserves its name: it is off by less than a
// sixth. Costs that jump, at the size of a cache, follow none.
func (f *Fit) Describes() bool { return f.Error < 1.0/6 }

func (f *Fit) String() string { return fmt.Sprintf("%s, ±%.2g %%", f.Name, 100*f.Error) }

// MinPoints is the least number of different sizes: with fewer, two parameters
// would fit anything.
const MinPoints = 4

// ErrTooFew is returned for fewer than MinPoints different sizes.
var ErrTooFew = errors.New("growth: too few sizes to tell")

// Best fits all laws by least squares of the logarithms' residuals and returns
// the one that is named: the law of the least error, if an F test at 5 % prefers
// it to a constant, which it contains; else the constant. With it come those
// growing laws that describe the points nearly as well: Akaike's criterion is
// within 2 of the best one's (Burnham and Anderson, "Model Selection and
// Multimodel Inference", section 2.6). Costs must be positive, sizes at least 1.
func Best(points []Point) (best *Fit, level []*Fit, err error) {
	sizes := map[float64]bool{}
	for _, p := range points {
		if !(p.Cost > 0) || math.IsInf(p.Cost, 0) || !(p.N >= 1) || math.IsInf(p.N, 0) {
			return nil, nil, fmt.Errorf("growth: a cost of %v at size %v", p.Cost, p.N)
		}
		sizes[p.N] = true
	}
	if len(sizes) < MinPoints {
		return nil, nil, ErrTooFew
	}
	var fits []*Fit
	for _, l := range Laws() {
		fits = append(fits, fit(l, points))
	}
	constant, growing := fits[0], fits[1:]
	slices.SortStableFunc(growing, func(a, b *Fit) int { return cmp.Compare(a.Error, b.Error) })
	best = growing[0]
	n := len(points)
	f := (variance(constant)/variance(best) - 1) * float64(n-2)
	if t := student(n - 2); f < t*t {
		return constant, nil, nil
	}
	for _, other := range growing[1:] {
		if float64(n)*math.Log(variance(other)/variance(best)) < 2 {
			level = append(level, other)
		}
	}
	return best, level, nil
}

// floor keeps exact fits from being infinitely good: no cost is known to better
// than a tenth of a per cent.
const floor = 1e-3

func variance(f *Fit) float64 { return f.Error*f.Error + floor*floor }

// student returns the 97.5 % point of Student's distribution.
func student(freedom int) float64 {
	table := []float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228}
	return table[min(max(freedom, 1), len(table))-1]
}

// fit minimises Σ (ln cost − ln(fixed·(1 + q·f(n))))² over fixed and q ≥ 0. For
// each q the best fixed part is a mean of logarithms; q is found on a grid of
// its logarithm, then by narrowing. The law through the origin is the limit of
// great q.
func fit(l Law, points []Point) *Fit {
	at := func(q float64) (fixed, err float64) {
		var sum, squares float64
		for _, p := range points {
			d := math.Log(p.Cost) - math.Log1p(q*l.f(p.N))
			sum += d
			squares += d * d
		}
		n := float64(len(points))
		mean := sum / n
		return math.Exp(mean), math.Sqrt(max(0, squares/n-mean*mean))
	}
	fixed, least := at(0)
	best := &Fit{Law: l, Fixed: fixed, Error: least}
	if l.Term == "" {
		return best
	}
	from, step := math.Log(1e-12), 1.0
	to := math.Log(1e12)
	for step > 1e-9 {
		where := math.NaN()
		for x := from; x <= to; x += step {
			if fixed, err := at(math.Exp(x)); err < best.Error {
				where = x
				best.Fixed, best.Slope, best.Error = fixed, fixed*math.Exp(x), err
			}
		}
		if math.IsNaN(where) {
			if best.Slope == 0 {
				return best // nothing grows
			}
			where = math.Log(best.Slope / best.Fixed)
		}
		from, to, step = where-step, where+step, step/5
	}
	return best
}

// Points returns the sizes and costs of a sweep's rows of one backend, in
// nanoseconds: of the whole where the rows' cost is of a unit. For a sweep over
// cores the cost of an operation falls as its rate grows; the points are then
// rates a second.
func Points(s bench.Sweep, rows []*bench.Row) []Point {
	var points []Point
	for _, r := range rows {
		p := Point{float64(r.Key.N), r.Median}
		switch {
		case s.Cores:
			p = Point{float64(r.Key.Procs), 1e9 / r.Median}
		case s.PerUnit:
			p.Cost *= p.N
		}
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b Point) int { return cmp.Compare(a.N, b.N) })
	return points
}
