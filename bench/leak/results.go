package leak

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"mpinlab/bench/rawjson"
)

// Row is the outcome for one target.
type Row struct {
	Op      string `json:"op"`
	Backend string `json:"backend"`
	Suite   string `json:"suite,omitempty"`
	// Fixed is the kind of the fixed secret, Drawn or Extreme.
	Fixed string `json:"fixed"`
	// FixedSamples and RandomSamples are the times taken of each class.
	FixedSamples  int `json:"fixed_samples"`
	RandomSamples int `json:"random_samples"`
	// T is the t of greatest amount, positive where the fixed secret took
	// longer, and Crop the percentile of the times that it was computed on.
	T    float64 `json:"t"`
	Crop float64 `json:"crop"`
	// Difference is that of the classes' means in that crop, in nanoseconds,
	// and Visible the least one that would have been at the threshold Noise in
	// one of the crops.
	Difference float64 `json:"difference_ns"`
	Visible    float64 `json:"visible_ns"`
	// Median is that of all times, in nanoseconds.
	Median  float64 `json:"median_ns"`
	Verdict Verdict `json:"verdict"`
}

// Results is the content of a result file.
type Results struct {
	Environment rawjson.Settings `json:"environment"`
	// Samples is the number asked for of each row, and Seed what secrets and
	// order were made from.
	Samples  int      `json:"samples"`
	Seed     uint64   `json:"seed"`
	Rows     []Row    `json:"rows"`
	Warnings []string `json:"warnings"`
}

func (t Target) row(all *times) Row {
	c := compare(all)
	return Row{Op: t.Op, Backend: t.Backend, Suite: t.Suite, Fixed: t.Fixed,
		FixedSamples: len(all.fixed), RandomSamples: len(all.random),
		T: c.t, Crop: c.crop, Difference: c.difference, Visible: c.visible, Median: all.median(), Verdict: VerdictOf(math.Abs(c.t))}
}

// ErrPlanted: the run tells the planted comparisons wrong or did not test them,
// so that its other rows prove nothing.
var ErrPlanted = errors.New("the planted comparisons are not told apart")

// Valid reports whether the run found the planted early exit and nothing in the
// planted constant-time comparison; otherwise the error is ErrPlanted.
func (r *Results) Valid() error {
	early, constant := r.Find(EarlyExit, Planted), r.Find(ConstantTime, Planted)
	if early == nil || constant == nil {
		return fmt.Errorf("%w: they were not tested", ErrPlanted)
	}
	if math.Abs(early.T) <= Certain || math.Abs(constant.T) >= Noise {
		return fmt.Errorf("%w: |t| is %.1f for the early exit and %.1f for the constant-time comparison", ErrPlanted, math.Abs(early.T), math.Abs(constant.T))
	}
	return nil
}

// ByChance returns the number of comparisons in the run, rows times crops, and
// the probability that chance takes any of them to Noise where no time depends
// on a secret, at most: twice the normal tail, times their number (Bonferroni).
func (r *Results) ByChance() (comparisons int, probability float64) {
	comparisons = len(r.Rows) * len(crops)
	return comparisons, math.Min(1, float64(comparisons)*math.Erfc(Noise/math.Sqrt2))
}

// Find returns the row of an operation on a backend whose |t| is the greatest
// among the kinds of fixed secret, or nil.
func (r *Results) Find(op, backend string) (worst *Row) {
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Op == op && row.Backend == backend && (worst == nil || math.Abs(row.T) > math.Abs(worst.T)) {
			worst = row
		}
	}
	return worst
}

// Backends lists the backends with rows, the planted one aside, in their order.
func (r *Results) Backends() (ids []string) {
	for _, row := range r.Rows {
		if row.Backend != Planted && !slices.Contains(ids, row.Backend) {
			ids = append(ids, row.Backend)
		}
	}
	return ids
}

// Write writes the results as JSON.
func Write(w io.Writer, r *Results) error { return rawjson.Write(w, r) }

// ReadFile reads what Write wrote. Errors: rawjson.ErrFile, and those of the
// system.
func ReadFile(path string) (*Results, error) {
	b, err := rawjson.Load(path)
	if err != nil {
		return nil, err
	}
	r, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Read reads the content of a result file. Verdicts are computed anew from the
// rows. Error: rawjson.ErrFile.
func Read(b []byte) (*Results, error) {
	var r Results
	if err := rawjson.Read(b, &r); err != nil {
		return nil, err
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Op == "" || row.Backend == "" || row.FixedSamples < 0 || row.RandomSamples < 0 || row.Crop < 0 || row.Crop > 100 {
			return nil, fmt.Errorf("%w: row %d", rawjson.ErrFile, i+1)
		}
		row.Verdict = VerdictOf(math.Abs(row.T))
	}
	return &r, nil
}
