package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

const (
	confidence = 0.95

	// Below a difference of 2 % nothing is called drift, and nothing within
	// 5 % of the quartiles an outlier: a quiet machine does that, too.
	driftAlpha    = 0.01
	driftShare    = 0.02
	outlierShare  = 0.05
	modeShare     = 0.03
	minForDrift   = 10 // two halves of five can reach driftAlpha
	minForOutlier = 8
)

// The prefixes of the warnings that Summarise gives, and so may take back.
const (
	warnFew     = "samples: "
	warnDrift   = "drift: "
	warnOutlier = "outliers: "
	warnModes   = "modes: "
)

// Summarise fills in Median, Lo, Hi, Bytes and Allocs of every row from its
// samples, and adds warnings about rows
//   - of fewer than six samples, which have no 95 % interval,
//   - whose second half of samples differs from the first (Mann-Whitney,
//     p < 0.01, medians more than 2 % apart),
//   - with more than one outlier in ten samples (beyond the quartiles by three
//     times their distance, and by more than 5 % of the median),
//   - whose samples fall into two groups (three or more in each, further apart
//     than either is wide, and than 3 % of the median).
//
// It makes no assumption about distributions. Summarising again replaces its
// own earlier warnings and leaves others alone.
func Summarise(r *Results) {
	for i := range r.Rows {
		summarise(&r.Rows[i])
	}
}

func summarise(row *Row) {
	row.Median, row.Lo, row.Hi = interval(row.Samples)
	row.Bytes, _, _ = interval(row.BytesSamples)
	row.Allocs, _, _ = interval(row.AllocsSamples)
	if len(row.BytesSamples) == 0 {
		row.Bytes, row.Allocs = 0, 0
	}
	row.Warnings = slices.DeleteFunc(row.Warnings, func(w string) bool {
		return strings.HasPrefix(w, warnFew) || strings.HasPrefix(w, warnDrift) ||
			strings.HasPrefix(w, warnOutlier) || strings.HasPrefix(w, warnModes)
	})
	for _, look := range []func(*Row) string{few, drift, modes, outliers} {
		if w := look(row); w != "" {
			row.Warnings = append(row.Warnings, w)
		}
	}
	if len(row.Warnings) == 0 {
		row.Warnings = nil
	}
}

// interval returns the median of the values and its 95 % confidence interval,
// which is infinite for fewer than six values; all are NaN for none.
func interval(values []float64) (median, lo, hi float64) {
	if len(values) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	s := benchmath.AssumeNothing.Summary(sample(values), confidence)
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) {
		// Of five values benchmath bounds one side; that is no interval.
		return s.Center, math.Inf(-1), math.Inf(1)
	}
	return s.Center, s.Lo, s.Hi
}

// sample copies the values, which benchmath sorts in place.
func sample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}

// Ratio returns how many times as much a costs as b, and the 95 % confidence
// interval: the median of the ratios of samples taken in the same round. What
// slowed the machine down in one round did so for both, and cancels. The rows
// must come from one Run; where their numbers of samples differ, so that they
// cannot, the results are NaN.
func Ratio(a, b *Row) (ratio, lo, hi float64) { return interval(ratios(a, b)) }

// ratios divides the samples of two rows round by round; nil where the rows are
// not of the same rounds.
func ratios(a, b *Row) []float64 {
	if len(a.Samples) != len(b.Samples) {
		return nil
	}
	list := make([]float64, len(a.Samples))
	for i := range list {
		list[i] = a.Samples[i] / b.Samples[i]
	}
	return list
}

func few(row *Row) string {
	if n := len(row.Samples); math.IsInf(row.Hi, 0) || n == 0 {
		return fmt.Sprintf(warnFew+"%d, too few for a 95 %% interval", n)
	}
	return ""
}

func drift(row *Row) string {
	n := len(row.Samples)
	if n < minForDrift {
		return ""
	}
	first, second := sample(row.Samples[:n/2]), sample(row.Samples[n/2:])
	from, _, _ := interval(first.Values)
	to, _, _ := interval(second.Values)
	if change := to/from - 1; math.Abs(change) > driftShare {
		if c := benchmath.AssumeNothing.Compare(first, second); c.P < driftAlpha {
			return fmt.Sprintf(warnDrift+"the later half is %+.1f %% from the earlier (p = %.2g)", 100*change, c.P)
		}
	}
	return ""
}

// modes looks for the widest gap that leaves at least three samples on each
// side.
func modes(row *Row) string {
	v := sample(row.Samples).Values
	at, gap := 0, 0.0
	for i := 3; i+3 <= len(v); i++ {
		if d := v[i] - v[i-1]; d > gap {
			at, gap = i, d
		}
	}
	if at == 0 || gap <= modeShare*row.Median {
		return ""
	}
	low, high := v[:at], v[at:]
	if gap <= low[len(low)-1]-low[0] || gap <= high[len(high)-1]-high[0] {
		return ""
	}
	from, _, _ := interval(low)
	to, _, _ := interval(high)
	return fmt.Sprintf(warnModes+"%d samples about %.4g ns, %d about %.4g ns", len(low), from, len(high), to)
}

func outliers(row *Row) string {
	n := len(row.Samples)
	if n < minForOutlier {
		return ""
	}
	v := sample(row.Samples).Values
	q1, q3 := v[n/4], v[n-1-n/4]
	reach := max(3*(q3-q1), outlierShare*row.Median)
	count, worst := 0, 0.0
	for _, x := range v {
		if x < q1-reach || x > q3+reach {
			count++
			if d := x - row.Median; math.Abs(d) > math.Abs(worst) {
				worst = d
			}
		}
	}
	if count <= n/10 {
		return ""
	}
	return fmt.Sprintf(warnOutlier+"%d of %d, the furthest %+.0f %% from the median", count, n, 100*worst/row.Median)
}
