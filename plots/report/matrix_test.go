package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// written writes a matrix in lines of text.
func written(m *matrix) string {
	var b strings.Builder
	for _, l := range m.Lines {
		name := l.Suite
		if l.Own {
			name += " own"
		}
		fmt.Fprintf(&b, "%s%s%v", name, l.Set, l.Refs)
		for _, c := range l.Cells {
			fmt.Fprintf(&b, " | %s%v", c.Words, c.Refs)
		}
		b.WriteByte('\n')
	}
	for i, n := range m.Notes {
		fmt.Fprintf(&b, "%d: %s, %s\n", i+1, n.Reason, n.Count())
	}
	return b.String()
}

func TestMatrix(t *testing.T) {
	c := &Conformance{Rows: []ConformanceRow{
		{"z-two", "z/two", "slow/two", 10, 0, 67, "sampled (67)"},
		{"z-two", "z/two", "quick/two", 77, 0, 0, ""},
		{"of_others", "a/one", "quick/one", 3, 0, 9, "of no use; here (5); no <hash> (4)"},
		{"of_others", "a/one", "slow/one", 0, 0, 12, "no <hash> (4); sampled (8)"},
		{"more", "a/one", "quick/one", 1, 2, 3, "case 7, v: want (1), got (2)"},
		{"missing", "b/three", "", 0, 0, 1, "no backend"},
	}}
	want := `a/one[]
of_<wbr>others[] | ✓ 3 of 12[1 2] | 0 of 12[2 3]
more[] | ✗ 2 of 6[] | not run[]
b/three[]
missing[4] | –[] | –[]
z/two own[] | ✓ 77[] | ✓ 10 of 77[3]
1: of no use; here, 5 cases
2: no <hash>, 8 cases
3: sampled, 75 cases
4: no backend, 1 case
`
	m := c.matrix([]string{"not there", "quick"})
	if got := written(m); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	if !slices.Equal(m.Libraries, []string{"quick", "slow"}) {
		t.Errorf("libraries %v", m.Libraries)
	}
	failed := c.failures()
	if len(failed) != 1 || failed[0] != (failure{"quick/one in a/one, set more", "2 of 6 cases failed", "case 7, v: want (1), got (2)"}) {
		t.Errorf("failures %+v", failed)
	}
}

func TestHeadline(t *testing.T) {
	for _, c := range []struct {
		rows []ConformanceRow
		want string
	}{
		{nil, "No known answer was run."},
		{[]ConformanceRow{{"s", "a/b", "", 0, 0, 5, "r"}}, "No known answer was run."},
		{[]ConformanceRow{{"s", "a/b", "x/b", 5, 0, 0, ""}, {"s", "a/c", "", 0, 0, 2, "r"}},
			"All 5 known answers were met, by 1 backend in 1 suite; 2 were skipped, for the reasons under the table."},
		{[]ConformanceRow{{"s", "a/b", "x/b", 5, 1, 0, "r"}},
			"1 of 6 known answers failed: do not trust the backends concerned, which are named under the table."},
	} {
		if got := (&Conformance{Rows: c.rows}).headline(); got != c.want {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}
