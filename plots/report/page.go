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
	}).Parse(pageSource + figureSource))
)

// page is what the template shows.
type page struct {
	Title       string
	Style       template.CSS
	Script      template.JS
	Answer      template.HTML
	Rule        template.HTML
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
	// Beyond is the sections of files of their own, and Contents their anchors and
	// names.
	Beyond   template.HTML
	Contents [][2]string
	// Lists is where the lists of figures and tables go, which are not known
	// before the page is made.
	Lists string
	// Traced says that the rows lead on to the lines of the raw file.
	Traced bool
}

// title is the page's own, and lists a mark of Unicode's private use.
const (
	title = "M-Pin on pairing libraries: a measurement"
	lists = "\ue010"
)

type conformance struct {
	Headline string
	Matrix   *matrix
	Failures []failure
}

// file is one or more forms of a file beside the page.
type file struct {
	Paths []string
	Words string
}

// rendered is a report in its forms.
type rendered struct {
	page, summary []byte
	tables        []pageTable
}

// render makes the page, its tables and its summary.
func render(in *Input, figures []*plots.Figure, omitted []plots.Omitted) (*rendered, error) {
	p := page{
		Title: title, Lists: lists, Traced: in.raw[benchFile].page != "",
		Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Answer: linked(citedAnswer(in)), Rule: linked(rule(in)),
		Machine: machine(in.Results), Date: date(in.Results),
		Command: in.Command,
		Quick:   in.Quick, LeftOut: in.LeftOut, Precision: precision(in.Results),
		Warnings: in.Results.Warnings,
		Omitted:  omitted,
		Tables:   rowTables(in), Backends: backendRows(in), Standings: standings(in.Backends), Suites: in.Suites, Sizes: sizeRows(in.Sizes),
		Operations: operations(in.Results),
		Method:     method(in), Environment: in.Results.Environment,
		Files: []file{
			{in.raw.forms(benchFile), "all samples, in the Go benchmark format (read it with benchstat)"},
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
	shown := &drawer{in: in}
	for i, f := range figures {
		drawn, err := shown.figure(f)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			p.Headline = drawn
		} else {
			p.Figures = append(p.Figures, *drawn)
		}
		p.Files = append(p.Files, figureFiles(f))
	}
	pad, err := newPINPad(in, shown)
	if err != nil {
		return nil, err
	}
	loads, err := newLoads(in.Load, shown)
	if err != nil {
		return nil, err
	}
	capacity, err := newCapacity(in.Capacity, shown)
	if err != nil {
		return nil, err
	}
	for _, s := range []section{newBeyond(in), newEndToEnd(in.EndToEnd), pad, loads, capacity, newEvidence(in)} {
		p.Contents = append(p.Contents, s.sections()...)
		words, err := s.render()
		if err != nil {
			return nil, err
		}
		p.Beyond += words
		p.Files = append(p.Files, s.files()...)
	}
	if in.Sweeps != nil {
		p.Files = append(p.Files, file{in.raw.forms(sweepsFile), "the measurements over ranges of sizes, in the same format"})
	}
	if in.Costs != nil {
		p.Files = append(p.Files, file{in.raw.forms(costsFile), "memory, collector, counters and code, in the same format with units of their own"})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, &p); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	whole, tables, err := numberTables(b.String())
	if err != nil {
		return nil, err
	}
	whole = strings.Replace(whole, lists, listsOf(shown.all, tables), 1)
	return &rendered{[]byte(whole), summaryPage(&p, citedAnswer(in), rule(in), shown.all, tables), tables}, nil
}

// section is a part of the page with files, anchors and names of its own.
type section interface {
	sections() [][2]string
	render() (template.HTML, error)
	files() []file
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
	return inWords(r.Get("date"))
}

// inWords writes a date of RFC 3339, and leaves others as they are.
func inWords(date string) string {
	t, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return date
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
