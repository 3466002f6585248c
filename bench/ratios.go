package bench

import (
	"math"
	"regexp"
	"slices"
)

// Headline are the operations whose ratios between backends are what a run is
// quoted for.
var Headline = regexp.MustCompile(`^(ServerVerify|ServerVerifyCached|ServerVerifyBatch|ClientPass1|ClientPass2|IssueClientShare)$`)

// Repeated is a ratio between two backends in two runs.
type Repeated struct {
	Row, Base Key
	// Old and New are how many times as much Row costs as Base in either run,
	// with their 95 % intervals; see Ratio.
	Old, New Interval
	// Difference is that of New from Old, as a share of Old.
	Difference float64
}

// Interval is a value with its 95 % interval.
type Interval struct{ Mid, Lo, Hi float64 }

// Repeats gives the ratios of the old run's claims about operations that match
// once more for both runs, in the old run's order. Controls are left out, and
// what is not in both runs, or not of the same rounds.
func Repeats(old, new *Results, op *regexp.Regexp) (list []Repeated) {
	rows := make(map[Key]*Row)
	for i := range new.Rows {
		rows[new.Rows[i].Key] = &new.Rows[i]
	}
	for _, c := range Claims(old) {
		if repeats(c.Row.Key) || !op.MatchString(c.Row.Key.Op) {
			continue
		}
		row, base := rows[c.Row.Key], rows[c.Base.Key]
		if row == nil || base == nil {
			continue
		}
		again := Repeated{Row: c.Row.Key, Base: c.Base.Key, Old: Interval{c.Ratio, c.Lo, c.Hi}}
		again.New.Mid, again.New.Lo, again.New.Hi = Ratio(row, base)
		again.Difference = again.New.Mid/again.Old.Mid - 1
		if !math.IsNaN(again.Difference) && !math.IsInf(again.Difference, 0) {
			list = append(list, again)
		}
	}
	return list
}

// Differences returns the median and the greatest amount of the differences;
// NaN of none.
func Differences(list []Repeated) (median, greatest float64) {
	if len(list) == 0 {
		return math.NaN(), math.NaN()
	}
	var amounts []float64
	for _, r := range list {
		amounts = append(amounts, math.Abs(r.Difference))
	}
	slices.Sort(amounts)
	n := len(amounts)
	return (amounts[(n-1)/2] + amounts[n/2]) / 2, amounts[n-1]
}
