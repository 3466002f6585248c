package capacity

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Dist is a distribution of durations, immutable. The zero value is always 0.
type Dist struct {
	kind kind
	mean float64 // ns
	// table are the values, in ns, that shares i/(len-1) of the distribution do
	// not exceed, i from 0.
	table []float64
}

type kind uint8

const (
	constant kind = iota
	exponential
	measured
)

// Constant is always d.
func Constant(d time.Duration) Dist { return Dist{kind: constant, mean: float64(d)} }

// Exponential has the given mean and no memory.
func Exponential(mean time.Duration) Dist { return Dist{kind: exponential, mean: float64(mean)} }

// quantiles is the number of steps of a measured distribution's table.
const quantiles = 200

// ErrDist: values that are no distribution of durations.
var ErrDist = errors.New("not a distribution of durations")

// Measured is the distribution of a sample. What lies between two of 200
// quantiles is taken as uniform, except in the last step, which keeps the
// largest value as its end: a tail beyond one in 200 has its mean and its end,
// not its form. Error: ErrDist for an empty sample or a negative value.
func Measured(sample []time.Duration) (Dist, error) {
	if len(sample) == 0 {
		return Dist{}, fmt.Errorf("%w: no values", ErrDist)
	}
	sorted := slices.Clone(sample)
	slices.Sort(sorted)
	if sorted[0] < 0 {
		return Dist{}, fmt.Errorf("%w: %v", ErrDist, sorted[0])
	}
	table := make([]float64, quantiles+1)
	for i := range table {
		at := float64(i) / quantiles * float64(len(sorted)-1)
		k := min(int(at), len(sorted)-1)
		table[i] = float64(sorted[k])
		if k+1 < len(sorted) {
			table[i] += (at - float64(k)) * float64(sorted[k+1]-sorted[k])
		}
	}
	return tabled(table), nil
}

// tabled is the distribution with these quantiles.
func tabled(table []float64) Dist {
	sum := 0.0
	for i := 1; i < len(table); i++ {
		sum += (table[i-1] + table[i]) / 2
	}
	return Dist{kind: measured, mean: sum / float64(len(table)-1), table: table}
}

// Mean is the mean.
func (d Dist) Mean() time.Duration { return time.Duration(math.Round(d.mean)) }

// Quantile is the duration that a share q, 0 to 1, does not exceed.
func (d Dist) Quantile(q float64) time.Duration {
	switch d.kind {
	case exponential:
		return time.Duration(-d.mean * math.Log(1-q))
	case measured:
		return time.Duration(d.interpolate(min(max(q, 0), 1)))
	}
	return time.Duration(d.mean)
}

// Scale is the distribution of d times a factor of at least 0.
func (d Dist) Scale(factor float64) Dist {
	d.mean *= factor
	if d.kind == measured {
		d.table = slices.Clone(d.table)
		for i := range d.table {
			d.table[i] *= factor
		}
	}
	return d
}

// Plus is the distribution of d and a constant together, cut at 0 from below.
func (d Dist) Plus(c time.Duration) Dist {
	switch d.kind {
	case measured:
		table := slices.Clone(d.table)
		for i := range table {
			table[i] = max(0, table[i]+float64(c))
		}
		return tabled(table)
	case constant:
		d.mean = max(0, d.mean+float64(c))
		return d
	}
	table := make([]float64, quantiles+1)
	for i := range table {
		table[i] = max(0, float64(d.Quantile(min(float64(i)/quantiles, 1-0.25/quantiles)))+float64(c))
	}
	return tabled(table)
}

func (d *Dist) interpolate(u float64) float64 {
	at := u * float64(len(d.table)-1)
	i := int(at)
	if i >= len(d.table)-1 {
		return d.table[len(d.table)-1]
	}
	return d.table[i] + (at-float64(i))*(d.table[i+1]-d.table[i])
}

// draw takes a value, in ns.
func (d *Dist) draw(r *rand.Rand) int64 {
	switch d.kind {
	case exponential:
		return int64(d.mean*r.ExpFloat64() + 0.5)
	case measured:
		return int64(d.interpolate(r.Float64()) + 0.5)
	}
	return int64(d.mean)
}

// MarshalJSON writes a measured distribution as its quantiles in µs, and a
// constant one as its single value.
func (d Dist) MarshalJSON() ([]byte, error) {
	list := d.table
	switch d.kind {
	case exponential:
		return nil, fmt.Errorf("%w: an exponential one is for tests, not for files", ErrDist)
	case constant:
		list = []float64{d.mean}
	}
	us := make([]float64, len(list))
	for i, v := range list {
		us[i] = math.Round(v) / 1000
	}
	return json.Marshal(us)
}

// UnmarshalJSON reads what MarshalJSON wrote. Error: ErrDist.
func (d *Dist) UnmarshalJSON(b []byte) error {
	var us []float64
	if err := json.Unmarshal(b, &us); err != nil {
		return fmt.Errorf("%w: %w", ErrDist, err)
	}
	if len(us) == 0 || len(us) > 10_000 || us[0] < 0 || us[len(us)-1] > 1e9 || !slices.IsSorted(us) {
		return fmt.Errorf("%w: 1 to 10000 ascending values of 0 to 10⁹ µs are wanted", ErrDist)
	}
	for i := range us {
		us[i] *= 1000
	}
	if len(us) == 1 {
		*d = Dist{kind: constant, mean: us[0]}
		return nil
	}
	*d = tabled(us)
	return nil
}
