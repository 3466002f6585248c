package measured

import (
	"math"

	"mpinlab/bench"
)

// Estimate is a median with its 95 % confidence interval.
type Estimate struct{ Mid, Lo, Hi float64 }

// Of returns a row's cost in nanoseconds.
func Of(row *bench.Row) Estimate { return Estimate{row.Median, row.Lo, row.Hi} }

// HasInterval reports whether there were samples enough for an interval.
func (e Estimate) HasInterval() bool {
	return e.Lo <= e.Mid && e.Mid <= e.Hi && !math.IsInf(e.Lo, 0) && !math.IsInf(e.Hi, 0)
}

// HalfWidth returns the larger distance from the median to an end of the
// interval, relative to the median.
func (e Estimate) HalfWidth() float64 { return math.Max(e.Hi-e.Mid, e.Mid-e.Lo) / e.Mid }

// Scale multiplies by a positive factor.
func (e Estimate) Scale(f float64) Estimate { return Estimate{e.Mid * f, e.Lo * f, e.Hi * f} }

// PerSecond turns nanoseconds a unit into units a second.
func (e Estimate) PerSecond() Estimate {
	const second = 1e9
	rate := Estimate{Mid: second / e.Mid, Lo: math.Inf(-1), Hi: math.Inf(1)}
	if e.HasInterval() && e.Lo > 0 {
		rate.Lo, rate.Hi = second/e.Hi, second/e.Lo
	}
	return rate
}

// Extra estimates what the layered operation costs more than the direct one,
// as a fraction of the direct cost; see bench.Ratio. The middle is NaN if the
// two rows are not of one run.
func (p Priced) Extra() Estimate {
	ratio, lo, hi := bench.Ratio(p.Layered, p.Direct)
	return Estimate{ratio - 1, lo - 1, hi - 1}
}
