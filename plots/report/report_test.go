package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/plots"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
	"mpinlab/plots/internal/plotstest"
)

// fullInput is a report with everything in it.
func fullInput() Input {
	info := func(id, library string, c backends.Curve, ct backends.ConstantTime) backends.Entry {
		return backends.Entry{Info: backends.Info{ID: id, Library: library, Version: "v1.2.3", Curve: c,
			Implementation: "Go", ConstantTime: ct, ConstantTimeSource: "its README"}}
	}
	in := Input{
		Results: plotstest.Full(12),
		Backends: []backends.Entry{
			info("gnark/bls12-381", "gnark-crypto", backends.BLS12381, backends.ConstantTimeNo),
			info("blst/bls12-381", "blst", backends.BLS12381, backends.ConstantTimeClaimed),
			info("circl/bls12-381", "circl", backends.BLS12381, backends.ConstantTimeClaimed),
			info("other/bn254", "other", backends.BN254, backends.ConstantTimeNo),
		},
		Suites: []SuiteRow{{ID: "rfc9380/bls12-381", Backends: []string{"gnark/bls12-381", "blst/bls12-381"}, PermitsSupported: true}},
		Sizes: []plots.SizeRow{{Suite: "rfc9380", Curve: "bls12-381",
			Full:       plots.ByteSizes{Token: 96, ClientSecret: 96, ServerSecret: 192, U: 96, V: 96},
			Compressed: plots.ByteSizes{Token: 48, ClientSecret: 48, ServerSecret: 96, U: 48, V: 48}}},
		Quick: true, LeftOut: []string{"the simulation", "<operations> & more"},
		Command: "mpin report --quick", Elapsed: 171 * time.Second,
		Conformance: &Conformance{Rows: []ConformanceRow{
			{"own", "rfc9380/bls12-381", "gnark/bls12-381", 300, 0, 4, "no permits"},
			{"own", "rfc9380/bls12-381", "blst/bls12-381", 299, 1, 0, "case 7: <v> differs"},
			{"foreign", "rfc9380/bls12-381", "gnark/bls12-381", 0, 0, 12, "another dialect"},
		}},
		Excluded: map[string]string{"reference/bls12-381": "slow by design", "reference/bn254cx": "slow by design", "reference/bn254n": "slow by design"},
	}
	in.Backends[3].Reason = "built without cgo"
	in.Results.Warnings = []string{"busy: the load average was 3.00 on 2 cores before the run"}
	return in
}

func write(t *testing.T, in Input) (page string, dir string, summary *Summary) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "report")
	if in.Results != nil {
		var raw bytes.Buffer
		if err := bench.Write(&raw, withCounts(in.Results)); err == nil { // results made up for a test can be none
			os.MkdirAll(dir, 0o755)
			if err := os.WriteFile(filepath.Join(dir, benchFile), raw.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	summary, err := Write(dir, in)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(summary.Page)
	if err != nil {
		t.Fatal(err)
	}
	return string(content), dir, summary
}

// withCounts adds to samples without the number of runs behind them one run each,
// as a file must have.
func withCounts(r *bench.Results) *bench.Results {
	whole := *r
	whole.Rows = slices.Clone(r.Rows)
	for i := range whole.Rows {
		row := &whole.Rows[i]
		if len(row.Counts) == 0 {
			row.Counts = slices.Repeat([]int{1}, len(row.Samples))
		}
	}
	return &whole
}

func TestPageTellsEverything(t *testing.T) {
	page, dir, summary := write(t, fullInput())
	checkPage(t, page)
	for _, want := range []string{
		"quick form of the report", "&lt;operations&gt; &amp; more", "median and", "busy: the load average",
		">✗ 1 of 300<", "1 of 300 cases failed; the first: case 7: &lt;v&gt; differs", ">✓ 300 of 304<", "not run", ">0 of 12<",
		"unavailable: built without cgo", "claimed", "2 min 51 s", "gnark-crypto v1.2.3", "23 November 2026, 09:30 UTC",
		"medians of 12 samples", "Figure 10.", "bench.txt", "bench.csv", "mpin report --quick", "Not ranked: reference/",
	} {
		if !strings.Contains(strings.ReplaceAll(page, number.Thin, " "), strings.ReplaceAll(want, number.Thin, " ")) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(summary.Omitted) != 0 {
		t.Errorf("omitted: %v", summary.Omitted)
	}
	var files []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	for _, name := range []string{"index.html", "report.md", "bench.csv", "bench.txt.html", "conformance.csv", "figures/throughput.svg",
		"figures/throughput.png", "figures/throughput.csv", "tables/protocol-rows.csv", "tables/sizes.csv"} {
		if !slices.Contains(files, name) {
			t.Errorf("there is no %s among %v", name, files)
		}
	}
	linked := map[string]bool{}
	for _, link := range regexp.MustCompile(`href="([^#":]+)(#L[0-9]+)?"`).FindAllStringSubmatch(page, -1) {
		linked[link[1]] = true
		target, err := os.ReadFile(filepath.Join(dir, link[1]))
		if err != nil {
			t.Errorf("dead link: %v", err)
		} else if id := strings.TrimPrefix(link[2], "#"); id != "" && !strings.Contains(string(target), ` id="`+id+`"`) {
			t.Errorf("%s has no line %s", link[1], id)
		}
	}
	for _, name := range files {
		if name != "index.html" && name != "report.md" && name != "conformance.csv" && !linked[name] {
			t.Errorf("nothing leads to %s", name)
		}
	}
	checkTrace(t, page, dir)
}

// checkTrace follows each number of the answer to its row and on to its samples.
func checkTrace(t *testing.T, page, dir string) {
	t.Helper()
	answer := regexp.MustCompile(`<p class="answer">.*?</p>`).FindString(page)
	links := regexp.MustCompile(`<a href="#([^"]+)">`).FindAllStringSubmatch(answer, -1)
	if len(links) < 5 {
		t.Errorf("%d links in the answer", len(links))
	}
	raw, err := os.ReadFile(filepath.Join(dir, "bench.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(raw), "\n")
	for _, l := range links {
		row := regexp.MustCompile(`<tr id="` + regexp.QuoteMeta(l[1]) + `">.*?bench\.txt\.html#L([0-9]+)`).FindStringSubmatch(page)
		if row == nil {
			t.Errorf("no row %s with a link to its samples", l[1])
			continue
		}
		n, _ := strconv.Atoi(row[1])
		name, _, _ := strings.Cut(lines[n-1], " ")
		if k, err := bench.ParseKey(name); err != nil || anchor(k) != l[1] {
			t.Errorf("line %d of bench.txt is of %s, not of %s", n, name, l[1])
		}
	}
}

// escaped escapes text as html/template does.
func escaped(s string) string { return strings.ReplaceAll(s, "'", "&#39;") }

func TestPageOfAnyResults(t *testing.T) {
	for name, results := range plotstest.Cases() {
		t.Run(name, func(t *testing.T) {
			page, _, summary := write(t, Input{Results: results})
			checkPage(t, page)
			if summary.Answer == "" || !strings.HasSuffix(summary.Answer, ".") {
				t.Errorf("answer %q", summary.Answer)
			}
			for _, o := range summary.Omitted {
				if !strings.Contains(page, escaped(o.Reason)) {
					t.Errorf("the page does not say why %s is not there", o.Name)
				}
			}
		})
	}
	t.Run("nil", func(t *testing.T) {
		page, _, _ := write(t, Input{})
		checkPage(t, page)
	})
}

var (
	outside = regexp.MustCompile(`(?i)https?://|(src|href|action)="(//|[a-ce-z][a-z]*:|data:[^,i])|@import|url\(`)
	tag     = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^>"]|"[^"]*")*?)(/?)>`)
	heading = regexp.MustCompile(`<h([1-6])`)
	noWords = regexp.MustCompile(`NaN|[^a-z]Inf[^a-z]|%!|<no value>|ZgotmplZ|<nil>`)
	scripts = regexp.MustCompile(`(?s)<(script|style)>.*?</(script|style)>`)
)

// checkPage is what any page must be: well-formed, self-contained, in order.
func checkPage(t *testing.T, page string) {
	t.Helper()
	if found := outside.FindString(page); found != "" {
		t.Errorf("the page reaches outside: %q", found)
	}
	if found := noWords.FindString(scripts.ReplaceAllString(page, "")); found != "" {
		t.Errorf("the page says %q", found)
	}
	var open []string
	void := map[string]bool{"meta": true, "link": true, "br": true, "wbr": true, "img": true}
	for _, m := range tag.FindAllStringSubmatch(scripts.ReplaceAllString(page, ""), -1) {
		switch {
		case m[1] == "/" && (len(open) == 0 || open[len(open)-1] != m[2]):
			t.Fatalf("</%s> closes %v", m[2], open)
		case m[1] == "/":
			open = open[:len(open)-1]
		case m[4] == "" && !void[m[2]]:
			open = append(open, m[2])
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %v", open)
	}
	last := 0
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		level, _ := strconv.Atoi(m[1])
		if level > last+1 || level == 1 && last > 0 {
			t.Errorf("a heading of level %d follows one of level %d", level, last)
		}
		last = level
	}
	if svgs, named := strings.Count(page, "<svg "), strings.Count(page, `role="img" aria-label="`); svgs != named {
		t.Errorf("%d drawings, %d with words for those who do not see them", svgs, named)
	}
	if tables, captions, files := strings.Count(page, "<table"), strings.Count(page, "<caption>"), strings.Count(page, `href="tables/`); tables != captions || files < tables {
		t.Errorf("%d tables, %d captions, %d links to files", tables, captions, files)
	}
	for i := range strings.Count(page, "<table") {
		if !strings.Contains(page, fmt.Sprintf("<strong>Table %d.</strong>", i+1)) {
			t.Errorf("there is no Table %d", i+1)
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("two elements have the id %q", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !ids[m[1]] {
			t.Errorf("no element has the id %q", m[1])
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	first, a, _ := write(t, fullInput())
	second, b, _ := write(t, fullInput())
	if first != second {
		t.Error("two pages of one input differ")
	}
	for _, name := range []string{"bench.csv", "figures/throughput.svg", "figures/throughput.png"} {
		x, _ := os.ReadFile(filepath.Join(a, name))
		y, _ := os.ReadFile(filepath.Join(b, name))
		if len(x) == 0 || !bytes.Equal(x, y) {
			t.Errorf("two %s of one input differ", name)
		}
	}
}

func TestCSV(t *testing.T) {
	r := plotstest.Full(3)
	lines, err := csv.NewReader(bytes.NewReader(csvRows(r))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(r.Rows)+1 || len(lines[0]) != 14 {
		t.Errorf("%d lines of %d columns", len(lines), len(lines[0]))
	}
	if lo := lines[1][9]; lo != "" {
		t.Errorf("the end of an interval that does not exist is %q", lo)
	}
	if median, err := strconv.ParseFloat(lines[1][8], 64); err != nil || median != r.Rows[0].Median {
		t.Errorf("median %q", lines[1][8])
	}
}

func TestHalfWidthsOnThePage(t *testing.T) {
	r := &bench.Results{Rows: []bench.Row{
		{Median: 100, Lo: 99, Hi: 101}, {Median: 100, Lo: 98, Hi: 101}, {Median: 100, Lo: 90, Hi: 103},
		{Median: 100, Lo: 1, Hi: 0},
	}}
	want := "The 95 % intervals of 3 rows have a relative half-width of 2.0 % in the median and 10 % at most. " +
		"1 row has too few samples for an interval."
	if got := strings.ReplaceAll(precision(r), number.Thin, " "); got != want {
		t.Errorf("%q", got)
	}
	if widths, without := measured.HalfWidths(nil); len(widths) != 0 || without != 0 {
		t.Errorf("of no rows: %v, %d", widths, without)
	}
}
