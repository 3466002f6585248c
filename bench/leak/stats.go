package leak

import (
	"math"
	"slices"
)

// crops are the percentiles of all times together below which Welch's t is
// computed. What a machine adds to a time falls on both classes and is large
// where it happens at all: without the slowest times, the difference of the
// secrets stands out.
var crops = []float64{100, 99, 95, 90, 75, 50, 25}

const (
	// fewest is how many times of a class a crop must leave.
	fewest = 50
	// clockStep is the step of the clock in nanoseconds. Times that are all
	// equal have the variance of their rounding, not none.
	clockStep = 1.0
)

// comparison is Welch's test of the two classes on one crop.
type comparison struct {
	crop float64
	// t is positive where the fixed secret takes longer, se the standard error
	// of the difference of the means in nanoseconds.
	t, difference, se float64
	// visible is the least difference of the means that would have been at the
	// threshold Noise in one of the crops.
	visible float64
}

// compare returns the crop with the greatest |t|. It needs fewest times of
// each class.
func compare(all *times) comparison {
	pooled := slices.Concat(all.fixed, all.random)
	slices.Sort(pooled)
	var worst comparison
	visible := math.Inf(1)
	for _, crop := range crops {
		limit := pooled[int(math.Ceil(crop/100*float64(len(pooled))))-1]
		fixed, random := upTo(all.fixed, limit), upTo(all.random, limit)
		if min(len(fixed), len(random)) < fewest {
			continue
		}
		c := welch(fixed, random)
		c.crop = crop
		visible = math.Min(visible, Noise*c.se)
		if worst.crop == 0 || math.Abs(c.t) > math.Abs(worst.t) {
			worst = c
		}
	}
	worst.visible = visible
	return worst
}

func upTo(times []float64, limit float64) (kept []float64) {
	for _, v := range times {
		if v <= limit {
			kept = append(kept, v)
		}
	}
	return kept
}

// welch is the t statistic of two samples of unequal variance (Welch 1947).
func welch(a, b []float64) comparison {
	meanA, varA := moments(a)
	meanB, varB := moments(b)
	c := comparison{difference: meanA - meanB, se: math.Sqrt(varA/float64(len(a)) + varB/float64(len(b)))}
	c.t = c.difference / c.se
	return c
}

// moments returns the mean and the variance, which is at least that of the
// clock's rounding.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, math.Max(variance/float64(len(x)-1), clockStep*clockStep/12)
}

// median returns the middle of the times of both classes.
func (t *times) median() float64 {
	all := slices.Concat(t.fixed, t.random)
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}
