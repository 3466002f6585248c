package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/plots"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

var (
	//go:embed page.html.tmpl
	pageSource string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string

	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
		"inc": func(i int) int { return i + 1 },
	}).Parse(pageSource))
)

// page is what the template shows.
type page struct {
	Style       template.CSS
	Script      template.JS
	Answer      string
	Rule        string
	Machine     string
	Date        string
	Command     string
	Elapsed     string
	Quick       bool
	LeftOut     []string
	Precision   string
	Warnings    []string
	Headline    *figure
	Figures     []figure
	Omitted     []plots.Omitted
	Conformance *conformance
	Tables      []rowTable
	Backends    []backendRow
	Standings   []standing
	Suites      []SuiteRow
	Sizes       []sizeRow
	Operations  []bench.Operation
	Method      []methodPart
	Environment []bench.Setting
	Files       []file
	// Beyond is the sections of beyond.go, and Contents their anchors and names.
	Beyond   template.HTML
	Contents [][2]string
}

type conformance struct {
	Headline string
	Matrix   *matrix
	Failures []failure
}

// figure is a figure on the page, in two drawings of which one shows.
type figure struct {
	Number       int
	Name         string
	Title        string
	Wide, Narrow template.HTML
	Caption      string
	Provenance   string
}

// file is one or more forms of a file beside the page.
type file struct {
	Paths []string
	Words string
}

// render makes the page.
func render(in *Input, figures []*plots.Figure, omitted []plots.Omitted) ([]byte, error) {
	p := page{
		Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Answer: answer(in), Rule: rule(in),
		Machine: machine(in.Results), Date: date(in.Results),
		Command: in.Command,
		Quick:   in.Quick, LeftOut: in.LeftOut, Precision: precision(in.Results),
		Warnings: in.Results.Warnings,
		Omitted:  omitted,
		Tables:   rowTables(in.Results), Backends: backendRows(in), Standings: standings(in.Backends), Suites: in.Suites, Sizes: sizeRows(in.Sizes),
		Operations: operations(in.Results),
		Method:     method(in.Results), Environment: in.Results.Environment,
		Files: []file{
			{[]string{"bench.txt"}, "all samples, in the Go benchmark format (read it with benchstat)"},
			{[]string{"bench.csv"}, "one line a row: median, interval, allocations, warnings"},
		},
	}
	if in.Elapsed > 0 {
		p.Elapsed = number.Duration(in.Elapsed)
	}
	if in.Conformance != nil {
		libraries := distinct(in.Backends, func(e backends.Entry) string { return ConformanceRow{Backend: e.Info.ID}.library() })
		p.Conformance = &conformance{in.Conformance.headline(), in.Conformance.matrix(libraries), in.Conformance.failures()}
	}
	for i, f := range figures {
		shown, err := show(in, f, i+1)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			p.Headline = shown
		} else {
			p.Figures = append(p.Figures, *shown)
		}
		p.Files = append(p.Files, file{[]string{"figures/" + f.Name + ".svg", "figures/" + f.Name + ".png"}, f.Title})
	}
	more := newBeyond(in)
	p.Contents = more.sections()
	var err error
	if p.Beyond, err = more.render(); err != nil {
		return nil, err
	}
	if in.Sweeps != nil {
		p.Files = append(p.Files, file{[]string{"sweeps.txt"}, "the measurements over ranges of sizes, in the same format"})
	}
	if in.Costs != nil {
		p.Files = append(p.Files, file{[]string{"costs.txt"}, "memory, collector, counters and code, in the same format with units of their own"})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, &p); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

// show draws a figure for the page in both widths.
func show(in *Input, f *plots.Figure, n int) (*figure, error) {
	wide, err := f.SVG(plots.Page)
	if err != nil {
		return nil, err
	}
	narrow, err := f.SVG(plots.Column)
	if err != nil {
		return nil, err
	}
	return &figure{
		Number: n, Name: f.Name, Title: f.Title,
		Wide: inline(wide, "wide"), Narrow: inline(narrow, "narrow"),
		Caption: f.Caption, Provenance: provenance(in, f),
	}, nil
}

// inline fits a drawing into the page: HTML needs no namespace, and the page's
// style decides which of two drawings shows by their class.
func inline(svg []byte, class string) template.HTML {
	s := strings.Replace(string(svg), ` xmlns="http://www.w3.org/2000/svg"`, ` class="`+class+`"`, 1)
	return template.HTML(s)
}

// provenance tells where a figure's numbers are from: machine, date, versions,
// samples.
func provenance(in *Input, f *plots.Figure) string {
	if len(f.Rows) == 0 {
		return "Sizes follow from the encodings; nothing was measured."
	}
	parts := []string{machine(in.Results), date(in.Results), strings.TrimSpace("Go " + strings.TrimPrefix(in.Results.Get("go"), "go"))}
	shown := map[string]bool{}
	for _, row := range f.Rows {
		shown[row.Key.BackendID()] = true
	}
	var versions []string
	seen := map[string]bool{}
	for _, e := range in.Backends {
		v := e.Info.Library + " " + e.Info.Version
		if shown[e.Info.ID] && !seen[v] {
			seen[v] = true
			versions = append(versions, v)
		}
	}
	parts = append(parts, number.List(versions))
	fewest, most := measured.Samples(f.Rows)
	count := number.Int(fewest)
	if most != fewest {
		count += " to " + number.Int(most)
	}
	parts = append(parts, "medians of "+count+" samples a row, 95"+number.Thin+"% intervals of the median")
	return joinNonEmpty(parts, "; ") + "."
}

// machine names what was measured on.
func machine(r *bench.Results) string {
	cpu := r.Get("cpu")
	if cores := r.Get("cores"); cores != "" && cpu != "" {
		cpu += ", " + cores + " cores"
	}
	system := joinNonEmpty([]string{r.Get("goos"), r.Get("goarch")}, "/")
	return joinNonEmpty([]string{cpu, system}, ", ")
}

// date writes the date of the measurements, in words where it is in the form
// that package bench gives it.
func date(r *bench.Results) string {
	t, err := time.Parse(time.RFC3339, r.Get("date"))
	if err != nil {
		return r.Get("date")
	}
	return t.UTC().Format("2 January 2006, 15:04 UTC")
}

// precision says how wide the intervals are.
func precision(r *bench.Results) string {
	widths, without := measured.HalfWidths(r.Rows)
	var words string
	if n := len(widths); n > 0 {
		words = fmt.Sprintf("The 95%s%% intervals of %s have a relative half-width of %s%s%% in the median and %s%s%% at most.",
			number.Thin, counted(n, "row"), number.Percent((widths[(n-1)/2]+widths[n/2])/2), number.Thin, number.Percent(widths[n-1]), number.Thin)
	}
	if without > 0 {
		verb := "have"
		if without == 1 {
			verb = "has"
		}
		words = strings.TrimSpace(fmt.Sprintf("%s %s %s too few samples for an interval.", words, counted(without, "row"), verb))
	}
	return words
}

func joinNonEmpty(parts []string, separator string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, separator)
}
