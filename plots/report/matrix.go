package report

import (
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mpinlab/plots/internal/number"
)

// matrix is all of a [Conformance] in one table: suites and their sets down,
// libraries across. A suite has one curve, so that a library stands there for
// one backend.
type matrix struct {
	Libraries []string
	Lines     []matrixLine
	Notes     []matrixNote
}

// matrixLine is a suite or a set of the suite above it. The set that this
// project made for a suite shares the suite's line.
type matrixLine struct {
	Suite string
	Own   bool
	// Set is the name of another set, which may be broken after an underscore.
	Set   template.HTML
	Refs  []int
	Cells []matrixCell // none on the line of a suite without a set of its own
}

// matrixCell is a verdict in words, with a class for its look and the numbers
// of the notes that explain it.
type matrixCell struct {
	Class, Words string
	Refs         []int
}

// matrixNote is why cases were skipped, and how many.
type matrixNote struct {
	Reason string
	Cases  int
}

// Count writes the number of cases.
func (n matrixNote) Count() string { return counted(n.Cases, "case") }

// matrix arranges the rows: suites by name, and the sets of a suite in the
// order in which they come, the project's own first. Libraries stand in the
// order of first, those that are not there behind.
func (c *Conformance) matrix(first []string) *matrix {
	m := &matrix{}
	there := distinct(c.Rows, ConformanceRow.library)
	for _, library := range append(slices.Clone(first), there...) {
		if library != "" && slices.Contains(there, library) && !slices.Contains(m.Libraries, library) {
			m.Libraries = append(m.Libraries, library)
		}
	}
	suites := distinct(c.Rows, func(r ConformanceRow) string { return r.Suite })
	slices.Sort(suites)
	for _, suite := range suites {
		var rows []ConformanceRow
		for _, r := range c.Rows {
			if r.Suite == suite {
				rows = append(rows, r)
			}
		}
		m.add(suite, rows)
	}
	return m
}

// library is the backend's name before the curve.
func (r ConformanceRow) library() string {
	library, _, _ := strings.Cut(r.Backend, "/")
	return library
}

// own reports whether a set is the project's own of the suite: a file's name
// cannot have the suite's slash.
func (r ConformanceRow) own() bool {
	return r.Set == "own" || r.Set == strings.ReplaceAll(r.Suite, "/", "-")
}

// add appends the lines of a suite.
func (m *matrix) add(suite string, rows []ConformanceRow) {
	serving := distinct(rows, ConformanceRow.library)
	head := matrixLine{Suite: suite}
	var others []matrixLine
	for _, set := range distinct(rows, func(r ConformanceRow) string { return r.Set }) {
		var line matrixLine
		for _, library := range m.Libraries {
			cell := matrixCell{Class: "skip", Words: number.None}
			if slices.Contains(serving, library) {
				cell = m.verdict(rows, set, library)
			}
			line.Cells = append(line.Cells, cell)
		}
		for _, r := range rows {
			if r.Set == set && r.Backend == "" {
				line.Refs = m.refs(line.Refs, r)
			}
		}
		if (ConformanceRow{Suite: suite, Set: set}).own() && head.Cells == nil {
			head.Own, head.Cells, head.Refs = true, line.Cells, line.Refs
			continue
		}
		line.Set = breakable(set)
		others = append(others, line)
	}
	m.Lines = append(append(m.Lines, head), others...)
}

// verdict sums up what a library did with a set.
func (m *matrix) verdict(rows []ConformanceRow, set, library string) matrixCell {
	var sum ConformanceRow
	var cell matrixCell
	for _, r := range rows {
		if r.Set != set || r.library() != library {
			continue
		}
		sum.Passed, sum.Failed, sum.Skipped = sum.Passed+r.Passed, sum.Failed+r.Failed, sum.Skipped+r.Skipped
		cell.Refs = m.refs(cell.Refs, r)
	}
	of := " of " + number.Int(sum.cases())
	switch {
	case sum.Failed > 0:
		cell.Class, cell.Words = "fail", "✗ "+number.Int(sum.Failed)+of
	case sum.Passed > 0 && sum.Skipped == 0:
		cell.Class, cell.Words = "pass", "✓ "+number.Int(sum.Passed)
	case sum.Passed > 0:
		cell.Class, cell.Words = "pass", "✓ "+number.Int(sum.Passed)+of
	case sum.Skipped > 0:
		cell.Class, cell.Words = "skip", "0"+of
	default:
		cell.Class, cell.Words = "skip", "not run"
	}
	return cell
}

// reason is one of several in a text, with its count.
var reason = regexp.MustCompile(`(.+?) \(([0-9]{1,9})\)(?:; |$)`)

// refs adds to list the numbers of the notes that say why cases of r were
// skipped. The reason of a row with failures tells of these instead.
func (m *matrix) refs(list []int, r ConformanceRow) []int {
	if r.Skipped == 0 || r.Failed > 0 || r.Reason == "" {
		return list
	}
	notes := []matrixNote{{r.Reason, r.Skipped}}
	if found := reason.FindAllStringSubmatch(r.Reason, -1); strings.Join(reason.FindAllString(r.Reason, -1), "") == r.Reason {
		notes = nil
		for _, f := range found {
			n, _ := strconv.Atoi(f[2]) // of at most nine digits
			notes = append(notes, matrixNote{f[1], n})
		}
	}
	for _, n := range notes {
		if ref := m.note(n); !slices.Contains(list, ref) {
			list = append(list, ref)
		}
	}
	slices.Sort(list)
	return list
}

// note counts a note's cases and returns its number.
func (m *matrix) note(n matrixNote) int {
	for i := range m.Notes {
		if m.Notes[i].Reason == n.Reason {
			m.Notes[i].Cases += n.Cases
			return i + 1
		}
	}
	m.Notes = append(m.Notes, n)
	return len(m.Notes)
}

// breakable lets a browser break a file's name between its words.
func breakable(name string) template.HTML {
	escaped := template.HTMLEscapeString(name)
	return template.HTML(strings.ReplaceAll(escaped, "_", "_<wbr>"))
}
