// Package compare compares two files of benchmark results, row by row.
//
// Any file in the Go benchmark format will do: those of package bench, of
// "go test -bench", of other tools. Rows are matched by their names and units.
// Medians, intervals and tests are those of golang.org/x/perf/benchmath, as
// benchstat has them, and the verdict on a row by itself is benchstat's; beside
// it stands the verdict after a correction for the number of rows that were
// looked at.
package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"

	"mpinlab/bench"
)

// Alpha is the level of significance, before and after the correction.
const Alpha = 0.05

const confidence = 0.95

// Comparison is what two files show about each other.
type Comparison struct {
	// Environment lists the settings that differ, or are in one file only.
	Environment []Difference
	// Tables has the matched rows, one table a unit, in the order of the old
	// file.
	Tables []Table
	// OnlyOld and OnlyNew are the names that have no counterpart; they are in no
	// table and no mean.
	OnlyOld, OnlyNew []string
	// Warnings are what a reader must know about the comparison.
	Warnings []string
}

// Difference is a setting that differs; a side that does not have it is "".
type Difference struct{ Key, Old, New string }

// Table is the comparison in one unit.
type Table struct {
	// Unit is in base units: sec/op for ns/op.
	Unit string
	// Better is −1 if less of it is better, 1 if more is, 0 if nobody says.
	Better int
	Rows   []Row
	// Ratio is the geometric mean of the ratios new/old of the rows, NaN where
	// one of them is not positive.
	Ratio float64
}

// Row is a benchmark in both files.
type Row struct {
	// Name is without the prefix "Benchmark"; in files of several packages it
	// begins with the package and a blank.
	Name     string
	Old, New Summary
	// Change is new/old − 1 of the medians: 0 where they are equal, and infinite
	// where only the old one is 0.
	Change float64
	// P is the probability of samples as far apart as these if nothing had
	// changed (Mann-Whitney, unless the file declares another assumption for
	// the unit). Differs is P < Alpha.
	P       float64
	Differs bool
	// Adjusted is P after Holm's correction for all rows of the table: among the
	// rows with Adjusted < Alpha, for which Stands is set, one is in error with a
	// probability of no more than Alpha.
	Adjusted float64
	Stands   bool
}

// Summary is a row in one file: the median of N samples with its 95 %
// confidence interval, which is infinite for fewer than six.
type Summary struct {
	Median, Lo, Hi float64
	N              int
}

// Files compares two result files. Errors are about files that cannot be read,
// are not in the format or too large, and about files that have no row in
// common (ErrNothingInCommon).
func Files(oldPath, newPath string) (*Comparison, error) {
	before, err := readFile(oldPath)
	if err != nil {
		return nil, err
	}
	after, err := readFile(newPath)
	if err != nil {
		return nil, err
	}
	return compare(before, after)
}

// ErrNothingInCommon is wrapped where no row is in both files.
var ErrNothingInCommon = errors.New("no benchmark with the same name and unit is in both files")

func compare(before, after *file) (*Comparison, error) {
	named := len(before.packages) > 1 || len(after.packages) > 1
	before.name(named)
	after.name(named)
	c := &Comparison{Environment: differences(before, after)}
	inTable := map[string]bool{}
	for _, unit := range before.units {
		t := Table{Unit: unit, Better: better(before, after, unit)}
		assumption := after.metadata.GetAssumption(unit)
		var raw []float64
		for _, name := range before.names {
			a, b := before.values[key{name, unit}], after.values[key{name, unit}]
			if len(a) == 0 || len(b) == 0 {
				continue
			}
			inTable[name] = true
			row := newRow(name, a, b, assumption)
			raw = append(raw, row.P)
			t.Rows = append(t.Rows, row)
		}
		if len(t.Rows) == 0 {
			continue
		}
		for i, p := range bench.Holm(raw) {
			t.Rows[i].Adjusted, t.Rows[i].Stands = p, p < Alpha
		}
		t.Ratio = geomean(t.Rows)
		if w := tooFew(&t, assumption); w != "" {
			c.Warnings = append(c.Warnings, w)
		}
		c.Tables = append(c.Tables, t)
	}
	if len(c.Tables) == 0 {
		return nil, ErrNothingInCommon
	}
	without := func(names []string) (list []string) {
		for _, name := range names {
			if !inTable[name] {
				list = append(list, name)
			}
		}
		return list
	}
	c.OnlyOld, c.OnlyNew = without(before.names), without(after.names)
	return c, nil
}

func newRow(name string, a, b []float64, assumption benchmath.Assumption) Row {
	first, second := benchmath.NewSample(a, &benchmath.DefaultThresholds), benchmath.NewSample(b, &benchmath.DefaultThresholds)
	row := Row{Name: name, Old: summary(assumption, first), New: summary(assumption, second)}
	test := assumption.Compare(first, second)
	row.P, row.Differs = test.P, test.P < test.Alpha
	if assumption == benchmath.AssumeExact { // no test: a value is what it is
		row.P, row.Differs = 1, row.Old.Median != row.New.Median
		if row.Differs {
			row.P = 0
		}
	}
	switch old, new := row.Old.Median, row.New.Median; {
	case old == new:
		row.Change = 0
	default:
		row.Change = new/old - 1
	}
	return row
}

func summary(assumption benchmath.Assumption, s *benchmath.Sample) Summary {
	sum := assumption.Summary(s, confidence)
	return Summary{sum.Center, sum.Lo, sum.Hi, len(s.Values)}
}

// geomean returns the geometric mean of new/old.
func geomean(rows []Row) float64 {
	sum := 0.0
	for _, r := range rows {
		sum += math.Log(1 + r.Change)
	}
	if math.IsInf(sum, 0) {
		return math.NaN()
	}
	return math.Exp(sum / float64(len(rows)))
}

// tooFew warns of a table in which no difference could stand, whatever its
// size: the least p of two samples of m and n is 2 m! n!/(m + n)!.
func tooFew(t *Table, assumption benchmath.Assumption) string {
	if assumption != benchmath.AssumeNothing {
		return ""
	}
	short := 0
	for _, r := range t.Rows {
		least := 2.0
		for i := 1; i <= r.New.N; i++ {
			least *= float64(i) / float64(r.Old.N+i)
		}
		if least*float64(len(t.Rows)) >= Alpha {
			short++
		}
	}
	if short == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %d of %d rows have too few samples for a difference to stand among so many rows", t.Unit, short, len(t.Rows))
}

// better asks both files, and then the convention, which way is better.
func better(before, after *file, unit string) int {
	return cmp.Or(after.metadata.GetBetter(unit), before.metadata.GetBetter(unit))
}

// Speed reports whether the table is about time or throughput, which is what a
// slowdown is about.
func (t *Table) Speed() bool {
	return strings.HasPrefix(t.Unit, "sec/") || strings.HasSuffix(t.Unit, "/s")
}

// Slowdown returns by what share a row of the table got worse: 0.1 is 10 % more
// time, or so much less throughput that the same work takes 10 % more. It is
// negative where the row got better, and 0 for units without a better side.
func (t *Table) Slowdown(r *Row) float64 {
	switch t.Better {
	case -1:
		return r.Change
	case 1:
		return 1/(1+r.Change) - 1
	}
	return 0
}

// Slower lists the rows of speed whose slowdown exceeds the share, and stands.
func (c *Comparison) Slower(share float64) (names []string) {
	for i := range c.Tables {
		t := &c.Tables[i]
		for j := range t.Rows {
			if r := &t.Rows[j]; t.Speed() && r.Stands && t.Slowdown(r) > share {
				names = append(names, fmt.Sprintf("%s %+.1f %%", r.Name, 100*t.Slowdown(r)))
			}
		}
	}
	return names
}

// differences lists the settings that differ.
func differences(before, after *file) (list []Difference) {
	keys := slices.Clone(before.keys)
	for _, k := range after.keys {
		if _, ok := before.settings[k]; !ok {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		a, b := strings.Join(before.settings[k], " | "), strings.Join(after.settings[k], " | ")
		if a != b {
			list = append(list, Difference{k, a, b})
		}
	}
	return list
}
