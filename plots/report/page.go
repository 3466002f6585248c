package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"regexp"
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
	Title       string
	Style       template.CSS
	Script      template.JS
	Answer      template.HTML
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

// figure is a figure on the page, in two drawings of which one shows.
type figure struct {
	Number       int
	Name         string
	Title        string
	Wide, Narrow template.HTML
	Caption      string
	Provenance   string
	// Data is the file of the numbers drawn, "" where there is none.
	Data string
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
		Answer: linked(citedAnswer(in)), Rule: rule(in),
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
		forms := []string{"figures/" + f.Name + ".svg", "figures/" + f.Name + ".png"}
		if _, ok := figureTables[f.Name]; !ok && len(f.Rows) > 0 {
			forms = append(forms, "figures/"+f.Name+".csv")
		}
		p.Files = append(p.Files, file{forms, f.Title})
	}
	more := newBeyond(in)
	p.Contents = more.sections()
	var err error
	if p.Beyond, err = more.render(); err != nil {
		return nil, err
	}
	logins := newEndToEnd(in.EndToEnd)
	p.Contents = append(p.Contents, logins.sections()...)
	shownLogins, err := logins.render()
	if err != nil {
		return nil, err
	}
	p.Beyond += shownLogins
	p.Files = append(p.Files, logins.files()...)
	proof := newEvidence(in)
	p.Contents = append(p.Contents, proof.sections()...)
	shownProof, err := proof.render()
	if err != nil {
		return nil, err
	}
	p.Beyond += shownProof
	p.Files = append(p.Files, proof.files()...)
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
	whole = strings.Replace(whole, lists, listsOf(figures, tables), 1)
	return &rendered{[]byte(whole), summaryPage(&p, citedAnswer(in), tables), tables}, nil
}

// listsOf writes the lists of figures and tables.
func listsOf(figures []*plots.Figure, tables []pageTable) string {
	var b strings.Builder
	line := func(anchor, kind string, n int, words string) {
		fmt.Fprintf(&b, `<li><a href="#%s">%s %d</a>. %s</li>`, anchor, kind, n, template.HTMLEscapeString(words))
	}
	for i, f := range figures {
		line("figure-"+f.Name, "Figure", i+1, f.Title)
	}
	for i, t := range tables {
		line(t.ID, "Table", i+1, t.Caption)
	}
	return b.String()
}

// figureTables are the tables that hold what the figures without rows, or with
// rows of several runs, show.
var figureTables = map[string]string{"login-phases": "login-phases", "login-cost": "login-cost", "sizes": "sizes", "history": "recorded-runs", "leak": "leakage-matrix", "attack": "attack-search-table"}

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
	data := ""
	if table, ok := figureTables[f.Name]; ok {
		data = (&pageTable{ID: table}).file()
	} else if len(f.Rows) > 0 {
		data = "figures/" + f.Name + ".csv"
	}
	return &figure{
		Number: n, Name: f.Name, Title: f.Title,
		Wide: inline(wide, "wide"), Narrow: inline(narrow, "narrow"),
		Caption: f.Caption, Provenance: provenance(in, f), Data: data,
	}, nil
}

// inline fits a drawing into the page: HTML needs no namespace, and the page's
// style decides which of two drawings shows by their class.
func inline(svg []byte, class string) template.HTML {
	s := strings.Replace(string(svg), ` xmlns="http://www.w3.org/2000/svg"`, ` class="`+class+`"`, 1)
	return template.HTML(s)
}

// leastForInterval is the number of samples from which a median has a 95 %
// interval.
const leastForInterval = 6

// pseudoVersion is that of a module without releases. Captions give its date
// only; the table of backends has it whole.
var pseudoVersion = regexp.MustCompile(`^v0\.0\.0-(\d{4})(\d\d)(\d\d)\d{6}-[0-9a-f]{12}$`)

// provenance tells where a figure's numbers are from: machine, date, versions,
// samples.
func provenance(in *Input, f *plots.Figure) string {
	if f.Source != "" {
		return f.Source
	}
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
		v := e.Info.Library + " " + pseudoVersion.ReplaceAllString(e.Info.Version, "of $1-$2-$3")
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
	words := "medians of " + count + " samples a row"
	if fewest >= leastForInterval {
		words += ", 95" + number.Thin + "% intervals of the median"
	}
	parts = append(parts, words)
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
