package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mpinlab/bench"
	"mpinlab/plots/internal/number"
)

func TestCitations(t *testing.T) {
	k := bench.Key{Op: "MSM", NName: "n", N: 64, Curve: "bls12-381", Backend: `a"<b`, Via: "direct", Procs: 2}
	s := "<" + cite(&bench.Row{Key: k}, "1 & 2") + ">"
	if got := plain(s); got != "<1 & 2>" {
		t.Errorf("plain: %q", got)
	}
	if got, want := string(linked(s)), `&lt;<a href="#MSM.n64.bls12-381.a__b.direct.2cores">1 &amp; 2</a>&gt;`; got != want {
		t.Errorf("linked: %s", got)
	}
	if got := markdown(s, func(anchor string) string { return "x#" + anchor }); got != "<[1 & 2](x#MSM.n64.bls12-381.a__b.direct.2cores)>" {
		t.Errorf("markdown: %s", got)
	}
	if got := markdown(s, func(string) string { return "" }); got != "<1 & 2>" {
		t.Errorf("markdown without target: %s", got)
	}
}

func TestTablesOfAPage(t *testing.T) {
	page := `<p>before</p><table class="x" id="first">
<caption><span>A &lt;caption&gt;</span></caption>
<thead><tr><th scope="col">Name</th><th scope="col" class="num">Count</th></tr></thead>
<tbody><tr><th scope="row">a_<wbr>b<sup><a href="#n">1</a></sup></th><td>1` + number.Thin + `234` + number.Thin + `567</td></tr>
<tr><td>c, d</td><td>` + number.None + `</td></tr></tbody></table>
<table>
<caption><span>No anchor of its own</span></caption>
<thead><tr><th>X</th></tr></thead></table>`
	numbered, tables, err := numberTables(page)
	if err != nil || len(tables) != 2 {
		t.Fatalf("%d tables: %v", len(tables), err)
	}
	for _, want := range []string{`<strong>Table 1.</strong> A &lt;caption&gt; <a class="data" href="tables/first.csv">CSV</a>`,
		`<table id="table-no-anchor-of-its-own">`, `<strong>Table 2.</strong>`, "<p>before</p>"} {
		if !strings.Contains(numbered, want) {
			t.Errorf("no %s in\n%s", want, numbered)
		}
	}
	lines, err := csv.NewReader(bytes.NewReader(tables[0].csv())).ReadAll()
	if want := [][]string{{"Name", "Count"}, {"a_b", "1234567"}, {"c, d", ""}}; err != nil || !reflect.DeepEqual(lines, want) {
		t.Errorf("%q, %v", lines, err)
	}
	if tables[0].Caption != "A <caption>" {
		t.Errorf("caption %q", tables[0].Caption)
	}
	var md bytes.Buffer
	tables[0].markdown(&md)
	if want := "| Name | Count |\n|---|---|\n| a\\_b | 1\u00a0234\u00a0567 |\n| c, d | – |\n"; md.String() != want {
		t.Errorf("%q", md.String())
	}
}

// TestOldTablesGo writes a report over another one with more tables.
func TestOldTablesGo(t *testing.T) {
	dir := t.TempDir()
	if err := writeTables(dir, []pageTable{{ID: "a"}, {ID: "b"}}); err != nil {
		t.Fatal(err)
	}
	if err := writeTables(dir, []pageTable{{ID: "b"}}); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "tables", "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "b.csv" {
		t.Errorf("left %v", left)
	}
}

func TestRawPage(t *testing.T) {
	page := string(rawPage("bench.txt", []byte("goos: <linux>\n\xff\n")))
	for _, want := range []string{`<span id="L1"><a href="#L1">1</a>goos: &lt;linux&gt;</span>`, `<span id="L2"><a href="#L2">2</a>` + "\ufffd</span>"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if strings.Contains(page, `id="L3"`) {
		t.Error("a line too many")
	}
}

func TestConformanceFile(t *testing.T) {
	dir := t.TempDir()
	if c, err := ReadConformance(dir); c != nil || err != nil {
		t.Errorf("of no file: %v, %v", c, err)
	}
	c := fullInput().Conformance
	if err := c.write(dir); err != nil {
		t.Fatal(err)
	}
	back, err := ReadConformance(dir)
	if err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("%+v, %v", back, err)
	}
	if e := back.Excluded(); len(e) != 1 || !strings.Contains(e["blst/bls12-381"], "1 of 300") {
		t.Errorf("excluded %v", e)
	}
	if err := (*Conformance)(nil).write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ConformanceFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old file is still there: %v", err)
	}
	for _, bad := range []string{"", "a,b\n", strings.Join(conformanceHead, ",") + "\nown,s,b,1,-1,0,\n", strings.Join(conformanceHead, ",") + "\nown,s,b,1\n"} {
		os.WriteFile(filepath.Join(dir, ConformanceFile), []byte(bad), 0o644)
		if _, err := ReadConformance(dir); !errors.Is(err, ErrConformance) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestReadmeRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, benchFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	in := Recorded{Dir: dir, Link: "record", Input: Input{Results: &bench.Results{}}}
	for _, bad := range []string{"no block", "<!-- begin answer x -->\n", "<!-- begin answer x -->\n<!-- end figure -->", "<!-- begin nosuch x -->\n<!-- end nosuch -->"} {
		if _, err := Readme([]byte(bad), in); !errors.Is(err, ErrReadme) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// A record without a row leaves every block but the answer and the run empty.
	got, err := Readme([]byte("<!-- begin ranking x -->\nold\n<!-- end ranking -->\n<!-- begin batch x -->\nold\n<!-- end batch -->"), in)
	if want := "<!-- begin ranking x -->\n<!-- end ranking -->\n<!-- begin batch x -->\n<!-- end batch -->"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestPDF(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a browser")
	}
	if _, err := Browser(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	_, dir, _ := write(t, Input{Results: fullInput().Results, Backends: fullInput().Backends})
	path, err := PDF(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatalf("%.20q, %v", pdf, err)
	}
	if bytes.Contains(pdf, []byte("file://")) {
		t.Error("the PDF links to files of this machine")
	}
}

func TestPDFNeedsABrowser(t *testing.T) {
	t.Setenv("MPIN_BROWSER", "no-such-browser")
	if _, err := PDF(t.Context(), t.TempDir()); !errors.Is(err, ErrNoBrowser) || !strings.Contains(err.Error(), "apt-get install chromium") {
		t.Error(err)
	}
	// One that makes nothing is told with what it said.
	dir := t.TempDir()
	browser := filepath.Join(dir, "browser")
	if err := os.WriteFile(browser, []byte("#!/bin/sh\necho no display >&2\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("<p>x</p>"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MPIN_BROWSER", browser)
	if _, err := PDF(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "no display") {
		t.Error(err)
	}
}
