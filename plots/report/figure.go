package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"mpinlab/plots"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// figureSource is the template "figure", which every page with figures has.
//
//go:embed figure.html.tmpl
var figureSource string

// figure is a figure on a page, in two drawings of which one shows.
type figure struct {
	Number       int
	Name         string
	Title        string
	Wide, Narrow template.HTML
	Caption      string
	Provenance   string
	// Data is the file of the numbers drawn, "" where there is none.
	Data string
	// Pictures are the figure as PNG, from the page.
	Pictures []string
}

// drawer makes the figures of a page and numbers them in their order.
type drawer struct {
	in  *Input
	all []figure
}

// add numbers a figure.
func (d *drawer) add(f figure) *figure {
	f.Number = len(d.all) + 1
	d.all = append(d.all, f)
	return &f
}

// figure draws a figure for the page in both widths.
func (d *drawer) figure(f *plots.Figure) (*figure, error) {
	data := ""
	if table, ok := figureTables[f.Name]; ok {
		data = (&pageTable{ID: table}).file()
	} else if len(f.Rows) > 0 {
		data = "figures/" + f.Name + ".csv"
	}
	return d.draw(f, provenance(d.in, f), data, "")
}

// draw draws a figure whose files are in a folder beside the page, "" or with a
// slash at its end.
func (d *drawer) draw(f *plots.Figure, provenance, data, folder string) (*figure, error) {
	wide, err := f.SVG(plots.Page)
	if err != nil {
		return nil, err
	}
	narrow, err := f.SVG(plots.Column)
	if err != nil {
		return nil, err
	}
	return d.add(figure{
		Name: f.Name, Title: f.Title, Wide: inline(wide, "wide"), Narrow: inline(narrow, "narrow"),
		Caption: f.Caption, Provenance: provenance, Data: data, Pictures: []string{folder + "figures/" + f.Name + ".png"},
	}), nil
}

// figureTables are the tables that hold what the figures without rows, or with
// rows of several runs, show.
var figureTables = map[string]string{
	"login-phases": "login-phases", "login-cost": "login-cost", "sizes": "sizes", "history": "recorded-runs", "leak": "leakage-matrix", "attack": "attack-search-table",
	"capacity-validation": "capacity-validation", "capacity-sensitivity": "capacity-sensitivity",
}

// figureFiles are the files of a figure of the page.
func figureFiles(f *plots.Figure) file {
	forms := []string{"figures/" + f.Name + ".svg", "figures/" + f.Name + ".png"}
	if _, ok := figureTables[f.Name]; !ok && len(f.Rows) > 0 {
		forms = append(forms, "figures/"+f.Name+".csv")
	}
	return file{forms, f.Title}
}

// listsOf writes the lists of figures and tables.
func listsOf(figures []figure, tables []pageTable) string {
	var b strings.Builder
	line := func(anchor, kind string, n int, words string) {
		fmt.Fprintf(&b, `<li><a href="#%s">%s %d</a>. %s</li>`, anchor, kind, n, template.HTMLEscapeString(words))
	}
	for _, f := range figures {
		line("figure-"+f.Name, "Figure", f.Number, f.Title)
	}
	for i, t := range tables {
		line(t.ID, "Table", i+1, t.Caption)
	}
	return b.String()
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
