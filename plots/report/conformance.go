package report

import (
	"fmt"
	"sort"

	"mpinlab/plots/internal/number"
)

// Conformance is what came of running sets of known answers.
type Conformance struct{ Rows []ConformanceRow }

// ConformanceRow is one set run in one suite on one backend. Reason says why
// cases were skipped, or tells of the first that failed.
type ConformanceRow struct {
	Set, Suite, Backend     string
	Passed, Failed, Skipped int
	Reason                  string
}

// matrix is one suite's part of the page: sets down, backends across.
type matrix struct {
	Suite    string
	Backends []string
	Sets     []matrixSet
}

type matrixSet struct {
	Name  string
	Cells []matrixCell
}

// matrixCell is a verdict in words, and a class for its look.
type matrixCell struct{ Class, Words, Reason string }

// matrices arranges the rows by suite, in the order in which suites, sets and
// backends first come.
func (c *Conformance) matrices() []matrix {
	var list []matrix
	for _, suite := range distinct(c.Rows, func(r ConformanceRow) string { return r.Suite }) {
		var rows []ConformanceRow
		for _, r := range c.Rows {
			if r.Suite == suite {
				rows = append(rows, r)
			}
		}
		m := matrix{Suite: suite, Backends: distinct(rows, func(r ConformanceRow) string { return r.Backend })}
		for _, set := range distinct(rows, func(r ConformanceRow) string { return r.Set }) {
			line := matrixSet{Name: set}
			for _, backend := range m.Backends {
				line.Cells = append(line.Cells, verdict(rows, set, backend))
			}
			m.Sets = append(m.Sets, line)
		}
		list = append(list, m)
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Suite < list[j].Suite })
	return list
}

// verdict sums up what a backend did with a set.
func verdict(rows []ConformanceRow, set, backend string) matrixCell {
	var sum ConformanceRow
	for _, r := range rows {
		if r.Set != set || r.Backend != backend {
			continue
		}
		sum.Passed, sum.Failed, sum.Skipped = sum.Passed+r.Passed, sum.Failed+r.Failed, sum.Skipped+r.Skipped
		if sum.Reason == "" {
			sum.Reason = r.Reason
		}
	}
	cell := matrixCell{Reason: sum.Reason}
	switch {
	case sum.Failed > 0:
		cell.Class, cell.Words = "fail", fmt.Sprintf("✗ %s of %s failed", number.Int(sum.Failed), number.Int(sum.Failed+sum.Passed))
	case sum.Passed > 0:
		cell.Class, cell.Words = "pass", "✓ "+number.Int(sum.Passed)+" passed"
	case sum.Skipped > 0:
		cell.Class, cell.Words = "skip", number.Int(sum.Skipped)+" skipped"
		return cell
	default:
		return matrixCell{"skip", "not run", ""}
	}
	if sum.Skipped > 0 {
		cell.Words += ", " + number.Int(sum.Skipped) + " skipped"
	}
	return cell
}

// headline says in a sentence how it went.
func (c *Conformance) headline() string {
	var passed, failed, skipped int
	for _, r := range c.Rows {
		passed, failed, skipped = passed+r.Passed, failed+r.Failed, skipped+r.Skipped
	}
	backends := len(distinct(c.Rows, func(r ConformanceRow) string { return r.Backend }))
	suites := len(distinct(c.Rows, func(r ConformanceRow) string { return r.Suite }))
	switch {
	case passed+failed == 0:
		return "No known answer was run."
	case failed > 0:
		return fmt.Sprintf("%s of %s known answers failed: do not trust the backends concerned.", number.Int(failed), number.Int(passed+failed))
	}
	words := fmt.Sprintf("All %s known answers were met, by %s in %s", number.Int(passed), counted(backends, "backend"), counted(suites, "suite"))
	if skipped > 0 {
		words += fmt.Sprintf("; %s were skipped", number.Int(skipped))
	}
	return words + "."
}

// distinct returns the different values in the order in which they come.
func distinct[T any](rows []T, value func(T) string) []string {
	var list []string
	seen := map[string]bool{}
	for _, r := range rows {
		if v := value(r); !seen[v] {
			seen[v] = true
			list = append(list, v)
		}
	}
	return list
}

// counted writes a number of things: "1 suite", "3 suites".
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return number.Int(n) + " " + thing
}
