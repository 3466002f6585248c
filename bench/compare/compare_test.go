package compare

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// compared compares two texts.
func compared(t *testing.T, before, after string) *Comparison {
	t.Helper()
	c, err := compareTexts(before, after)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func compareTexts(before, after string) (*Comparison, error) {
	a, err := read(strings.NewReader(before), "old")
	if err != nil {
		return nil, err
	}
	b, err := read(strings.NewReader(after), "new")
	if err != nil {
		return nil, err
	}
	return compare(a, b)
}

// lines makes n results of a benchmark around a cost.
func lines(name string, n int, cost float64, unit string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Benchmark%s 100 %v %s\n", name, cost*(1+0.001*math.Sin(float64(7*i))), unit)
	}
	return b.String()
}

// TestBenchstatAgrees compares the files in testdata as benchstat does. They
// are two runs of mpin bench, with assembly and with the build tag purego, and
//
//	benchstat -format csv -table goarch -row .fullname -col .file old.txt new.txt
//
// of the version of golang.org/x/perf in go.mod gave benchstat.csv.
func TestBenchstatAgrees(t *testing.T) {
	c, err := Files("testdata/old.txt", "testdata/new.txt")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/benchstat.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	pOf := regexp.MustCompile(`^p=([0-9.]+) n=`)
	verdicts := map[string]int{}
	var table *Table
	checked := 0
	for _, record := range records {
		switch {
		case len(record) == 7 && record[0] == "" && record[2] == "CI":
			i := slices.IndexFunc(c.Tables, func(t Table) bool { return t.Unit == record[1] })
			if i < 0 {
				t.Fatalf("no table for %s", record[1])
			}
			table = &c.Tables[i]
		case len(record) == 7 && record[0] == "geomean":
			if want := record[5]; want != "" && want != change(table.Ratio-1) && record[6] == "" {
				t.Errorf("%s: geometric mean %s, benchstat has %s", table.Unit, change(table.Ratio-1), want)
			}
		case len(record) == 7 && record[6] != "" && record[0] != "":
			i := slices.IndexFunc(table.Rows, func(r Row) bool { return r.Name == record[0] })
			if i < 0 {
				t.Errorf("%s %s is missing", table.Unit, record[0])
				continue
			}
			row := table.Rows[i]
			checked++
			verdict := "~"
			if row.Differs {
				verdict = change(row.Change)
			}
			verdicts[verdict[:1]]++
			if verdict != record[5] {
				t.Errorf("%s %s: %s, benchstat has %s", table.Unit, row.Name, verdict, record[5])
			}
			if m := pOf.FindStringSubmatch(record[6]); m == nil || fmt.Sprintf("%.3f", row.P) != m[1] {
				t.Errorf("%s %s: p = %.3f, benchstat has %s", table.Unit, row.Name, row.P, record[6])
			}
			for _, side := range []struct {
				field string
				have  float64
			}{{record[1], row.Old.Median}, {record[3], row.New.Median}} {
				want, err := strconv.ParseFloat(side.field, 64)
				if err != nil || math.Abs(side.have-want) > 1e-4*want {
					t.Errorf("%s %s: median %v, benchstat has %s", table.Unit, row.Name, side.have, side.field)
				}
			}
		}
	}
	if rows := len(c.Tables[0].Rows) + len(c.Tables[1].Rows) + len(c.Tables[2].Rows); checked != rows || verdicts["+"] < 3 || verdicts["~"] < 3 {
		t.Errorf("%d of %d rows were checked; verdicts %v: the files should have some of each", checked, rows, verdicts)
	}
}

// change writes a change as benchstat does.
func change(share float64) string { return fmt.Sprintf("%+.2f%%", 100*share) }

func TestCompare(t *testing.T) {
	before := "goos: linux\ncpu: A\n# date: 1\n# warning: busy: yes\n" + lines("Same", 10, 100, "ns/op") + lines("Slow", 10, 100, "ns/op") + lines("Gone", 10, 1e9, "ns/op") + lines("Rate", 10, 100, "MB/s")
	after := "goos: linux\ncpu: B\n# date: 2\nhost: h\n" + lines("Slow", 10, 110, "ns/op") + lines("Same", 10, 100, "ns/op") + lines("Came", 10, 1, "ns/op") + lines("Rate", 10, 80, "MB/s")
	c := compared(t, before, after)
	if want := []Difference{{"cpu", "A", "B"}, {"date", "1", "2"}, {"host", "", "h"}}; !slices.Equal(c.Environment, want) {
		t.Errorf("%+v", c.Environment)
	}
	if !slices.Equal(c.OnlyOld, []string{"Gone"}) || !slices.Equal(c.OnlyNew, []string{"Came"}) || len(c.Tables) != 2 || len(c.Warnings) != 0 {
		t.Fatalf("%+v", c)
	}
	times, rates := &c.Tables[0], &c.Tables[1]
	same, slow, rate := &times.Rows[0], &times.Rows[1], &rates.Rows[0]
	if same.Differs || same.Stands || same.Change != 0 || !slow.Differs || !slow.Stands || math.Abs(slow.Change-0.1) > 0.001 {
		t.Errorf("%+v", times.Rows)
	}
	if slow.Adjusted < slow.P || slow.Old.Lo > slow.Old.Median || slow.Old.N != 10 {
		t.Errorf("%+v", slow)
	}
	if math.Abs(times.Ratio-math.Sqrt(1.1)) > 1e-3 {
		t.Errorf("geometric mean %v", times.Ratio)
	}
	if s := rates.Slowdown(rate); math.Abs(s-0.25) > 0.001 {
		t.Errorf("throughput down by a fifth is a slowdown of a quarter, not %v", s)
	}
	if have := c.Slower(0.05); len(have) != 2 || !strings.HasPrefix(have[0], "Slow +10.0") {
		t.Errorf("%q", have)
	}
	if have := c.Slower(0.15); len(have) != 1 || !strings.HasPrefix(have[0], "Rate +25.0") {
		t.Errorf("%q", have)
	}
	if have := compared(t, after, before).Slower(0); len(have) != 0 {
		t.Errorf("faster, but %q", have)
	}
}

// TestCorrection: what is significant by itself need not stand among many.
func TestCorrection(t *testing.T) {
	var before, after strings.Builder
	for i := range 40 {
		before.WriteString(lines(fmt.Sprintf("B%d", i), 5, 100, "ns/op"))
		cost := 100.0
		if i == 7 {
			cost = 150
		}
		after.WriteString(lines(fmt.Sprintf("B%d", i), 5, cost, "ns/op"))
	}
	c := compared(t, before.String(), after.String())
	if row := c.Tables[0].Rows[7]; !row.Differs || row.Stands || len(c.Slower(0)) != 0 {
		t.Errorf("%+v", row)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "40 of 40 rows have too few samples") {
		t.Errorf("%q", c.Warnings)
	}
}

func TestPackages(t *testing.T) {
	two := "pkg: a\n" + lines("X", 6, 1, "ns/op") + "pkg: b\n" + lines("X", 6, 2, "ns/op")
	c := compared(t, two, two)
	if rows := c.Tables[0].Rows; len(rows) != 2 || rows[0].Name != "a X" || rows[1].Name != "b X" {
		t.Errorf("%+v", rows)
	}
	// One package on each side: renamed, it is still compared.
	if c := compared(t, "pkg: a\n"+lines("X", 6, 1, "ns/op"), "pkg: b\n"+lines("X", 6, 1, "ns/op")); len(c.Tables[0].Rows) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestZero(t *testing.T) {
	c := compared(t, lines("X", 6, 0, "B/op")+lines("Y", 6, 0, "B/op"), lines("X", 6, 0, "B/op")+lines("Y", 6, 5, "B/op"))
	if rows := c.Tables[0].Rows; rows[0].Change != 0 || !math.IsInf(rows[1].Change, 1) || !math.IsNaN(c.Tables[0].Ratio) {
		t.Errorf("%+v", c.Tables[0])
	}
}

func TestBadFiles(t *testing.T) {
	good := lines("X", 6, 1, "ns/op")
	for name, text := range map[string]string{
		"empty":      "",
		"prose":      "hello\n",
		"no number":  "BenchmarkX 1 fast ns/op\n",
		"not finite": "BenchmarkX 1 NaN ns/op\n",
	} {
		if _, err := compareTexts(good, text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := compareTexts(good, lines("Y", 6, 1, "ns/op")); !errors.Is(err, ErrNothingInCommon) {
		t.Errorf("%v", err)
	}
	if _, err := compareTexts(good, lines("X", 6, 1, "B/op")); !errors.Is(err, ErrNothingInCommon) {
		t.Errorf("%v", err)
	}
	if _, err := Files("testdata/nosuch", "testdata/nosuch"); err == nil || !strings.Contains(err.Error(), "nosuch: no such file") {
		t.Errorf("%v", err)
	}
}

// FuzzRead gives hostile files: an error or a comparison with itself in which
// nothing differs.
func FuzzRead(f *testing.F) {
	f.Add(lines("X/a=1-8", 6, 1, "ns/op"))
	f.Add("pkg: a\nBenchmarkX 1 1 ns/op 2 B/op\nUnit ns/op better=higher assume=exact\n# date: x\npkg: b\nBenchmarkX 1 1 ns/op\n")
	f.Add("BenchmarkX 1 Inf ns/op\nBenchmarkY 1 -1 ns/op\nBenchmarkZ 1 1e400 ns/op\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := compareTexts(text, text)
		if err != nil {
			return
		}
		for _, table := range c.Tables {
			for _, r := range table.Rows {
				if r.Change != 0 || r.Stands {
					t.Errorf("%s differs from itself: %+v", r.Name, r)
				}
			}
		}
		if len(c.Environment) != 0 || len(c.Slower(0)) != 0 {
			t.Errorf("differs from itself: %+v", c)
		}
	})
}
