package report

import (
	"fmt"

	"mpinlab/plots/internal/number"
)

// Conformance is what came of running sets of known answers.
type Conformance struct{ Rows []ConformanceRow }

// ConformanceRow is one set run in one suite on one backend, which is "" where
// no backend could run it. Reason says why cases were skipped, in the form
// "one reason (3); another (4)" where there are several, or tells of the first
// that failed.
type ConformanceRow struct {
	Set, Suite, Backend     string
	Passed, Failed, Skipped int
	Reason                  string
}

// cases is how many known answers the set has.
func (r ConformanceRow) cases() int { return r.Passed + r.Failed + r.Skipped }

// headline says in a sentence how it went.
func (c *Conformance) headline() string {
	var passed, failed, skipped int
	var ran []ConformanceRow
	for _, r := range c.Rows {
		passed, failed, skipped = passed+r.Passed, failed+r.Failed, skipped+r.Skipped
		if r.Passed+r.Failed > 0 {
			ran = append(ran, r)
		}
	}
	backends := len(distinct(ran, func(r ConformanceRow) string { return r.Backend }))
	suites := len(distinct(ran, func(r ConformanceRow) string { return r.Suite }))
	switch {
	case passed+failed == 0:
		return "No known answer was run."
	case failed > 0:
		return fmt.Sprintf("%s of %s known answers failed: do not trust the backends concerned, which are named under the table.",
			number.Int(failed), number.Int(passed+failed))
	}
	words := fmt.Sprintf("All %s known answers were met, by %s in %s", number.Int(passed), counted(backends, "backend"), counted(suites, "suite"))
	if skipped > 0 {
		words += fmt.Sprintf("; %s were skipped, for the reasons under the table", number.Int(skipped))
	}
	return words + "."
}

// failure is a set that a backend failed.
type failure struct{ Where, Words, Reason string }

// failures lists what failed, in the order of the rows.
func (c *Conformance) failures() []failure {
	var list []failure
	for _, r := range c.Rows {
		if r.Failed > 0 {
			list = append(list, failure{
				Where:  fmt.Sprintf("%s in %s, set %s", r.Backend, r.Suite, r.Set),
				Words:  fmt.Sprintf("%s of %s failed", number.Int(r.Failed), counted(r.cases(), "case")),
				Reason: r.Reason,
			})
		}
	}
	return list
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
