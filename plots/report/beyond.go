package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"mpinlab/bench"
	"mpinlab/bench/cost"
	"mpinlab/bench/opcount"
	"mpinlab/bench/record"
	"mpinlab/plots"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

var (
	//go:embed beyond.html.tmpl
	beyondSource   string
	beyondTemplate = template.Must(template.New("beyond").Parse(beyondSource))
)

// beyond is what the sections about comparison, growth, costs other than time
// and history show. What is empty is left out.
type beyond struct {
	Comparison *comparison
	Growth     []growthLine
	Costs      []costLine
	Notes      []string
	Counts     []countLine
	History    *history
}

// newBeyond collects them.
func newBeyond(in *Input) *beyond {
	b := &beyond{Comparison: newComparison(in.Results), Growth: growthLines(in.Sweeps, in.raw[sweepsFile]), History: newHistory(in)}
	if in.Costs != nil {
		b.Costs, b.Notes = costLines(in.Costs, in.raw[costsFile]), in.Costs.Notes
		b.Counts = countLines(in.Results)
	}
	return b
}

// Anchor and name of each section there is, for the page's contents.
func (b *beyond) sections() (list [][2]string) {
	for _, s := range []struct {
		there        bool
		anchor, name string
	}{
		{b.Comparison != nil, "comparison", "Comparison"},
		{len(b.Growth) > 0, "growth", "Growth"},
		{len(b.Costs)+len(b.Counts) > 0, "costs", "Cost beyond time"},
		{b.History != nil, "history", "History"},
	} {
		if s.there {
			list = append(list, [2]string{s.anchor, s.name})
		}
	}
	return list
}

func (b *beyond) render() (template.HTML, error) {
	var out bytes.Buffer
	if err := beyondTemplate.Execute(&out, b); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return template.HTML(out.String()), nil
}

// files are none: sweeps.txt and costs.txt are the caller's.
func (b *beyond) files() []file { return nil }

type comparison struct {
	Summary, Margin string
	Lines           []comparisonLine
}

type comparisonLine struct{ Row, Backend, Via, Base, Ratio, Interval, Verdict, P, Control, Sees string }

// newComparison is nil where nothing can be compared.
func newComparison(r *bench.Results) *comparison {
	claims := bench.Claims(r)
	if len(claims) == 0 {
		return nil
	}
	c := &comparison{Summary: upperFirst(sensitivity(claims)), Margin: number.Percent(bench.Margin)}
	for _, claim := range claims {
		k := claim.Row.Key
		if k.Op != "ServerVerify" || k.Via == bench.ViaControl || math.IsNaN(claim.Ratio) {
			continue
		}
		line := comparisonLine{Row: anchor(k), Backend: k.BackendID(), Via: k.Via, Base: claim.Base.Key.BackendID(),
			Ratio: fmt.Sprintf("%.3f", claim.Ratio), Interval: interval(claim.Lo, claim.Hi), Verdict: "not claimed",
			P: fmt.Sprintf("%.2g", claim.P), Control: number.None, Sees: number.None}
		if k.Suite != "" && k.Suite != measured.DefaultDialect {
			line.Backend += " (" + k.Suite + ")"
		}
		if claim.Claimed {
			line.Verdict = "claimed"
		}
		if claim.Control != nil {
			line.Control = fmt.Sprintf("%.3f", claim.Control.Ratio) + " (" + interval(claim.Control.Lo, claim.Control.Hi) + ")"
		}
		if !math.IsInf(claim.Sees, 0) {
			line.Sees = number.Percent(claim.Sees)
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

// sensitivity sums the claims up. Of rows with few samples no smallest difference
// can be stated; where they are the most, that is said of them and not of all.
func sensitivity(claims []bench.Claim) string {
	s := bench.Sense(claims)
	words := s.String()
	if s.Claimed > 0 && math.IsInf(s.Median, 0) {
		words, _, _ = strings.Cut(words, "; too few samples")
		words += "; more than half of the rows have too few samples to state the smallest difference that they could show"
	}
	return words
}

// interval writes one of a ratio.
func interval(lo, hi float64) string {
	if math.IsInf(lo, 0) || math.IsInf(hi, 0) || math.IsNaN(lo+hi) {
		return "not known"
	}
	return fmt.Sprintf("%.3f–%.3f", lo, hi)
}

type growthLine struct{ Raw, Sweep, Over, Backend, Words, Law, Sizes string }

// leastFixed is the part of the first size's cost below which the fixed part of a
// law is none.
const leastFixed = 1e-6

func growthLines(r *bench.Results, raw rawFile) (list []growthLine) {
	for _, g := range plots.Growth(r) {
		line := growthLine{Raw: raw.link(g.Rows[0].Key), Sweep: g.Sweep.Name, Over: g.Sweep.Parameter, Backend: g.Backend, Words: g.Words(), Law: number.None}
		if g.Fit != nil && g.Fit.Describes() {
			scale := 1e-3
			if g.Sweep.Cores {
				scale = 1
			}
			line.Law = number.Plain(scale * g.Fit.Fixed)
			if g.Fit.Term != "" {
				grown := fmt.Sprintf("%.3g", scale*g.Fit.Slope) + " · " + g.Fit.Term
				line.Law += " + " + grown
				if g.Fit.Fixed < leastFixed*g.Rows[0].Median {
					line.Law = grown
				}
			}
		}
		var sizes []string
		for _, row := range g.Rows {
			n := row.Key.N
			if g.Sweep.Cores {
				n = row.Key.Procs
			}
			sizes = append(sizes, number.Int(n))
		}
		line.Sizes = strings.Join(sizes, ", ")
		list = append(list, line)
	}
	return list
}

type costLine struct {
	Raw, Backend string
	Cells        []string
}

func costLines(r *cost.Results, raw rawFile) (list []costLine) {
	for _, row := range r.Rows {
		if row.Key.Op != "ServerVerify" {
			continue
		}
		line := costLine{Raw: raw.link(row.Key), Backend: row.Key.BackendID()}
		for _, column := range []struct {
			op, unit string
			scale    float64
		}{
			{row.Key.Op, cost.Allocated, 1}, {row.Key.Op, cost.Allocations, 1}, {row.Key.Op, cost.Peak, 1}, {row.Key.Op, cost.Collector, 1e-3},
			{row.Key.Op, cost.Instructions, 1}, {row.Key.Op, cost.Cycles, 1}, {cost.Identities, cost.Resident, 1}, {cost.Code, cost.Text, 1.0 / 1024},
		} {
			cell := number.None
			if v, ok := r.Find(column.op, row.Key.Backend, row.Key.Curve, column.unit); ok {
				cell = number.Plain(v * column.scale)
			}
			line.Cells = append(line.Cells, cell)
		}
		list = append(list, line)
	}
	return list
}

type countLine struct {
	Curve, Op           string
	Cells               []string
	Time, Backend, Each string
}

// countLines sets the counts beside the least time of the operation on the
// curve, through this project's packages.
func countLines(r *bench.Results) (list []countLine) {
	for _, c := range opcount.All() {
		line := countLine{Curve: c.Curve, Op: c.Op, Time: number.None, Backend: number.None, Each: number.None}
		for _, n := range []int{c.Mul, c.Sqr, c.Inv, c.Sqrt, c.Legendre, c.Add} {
			line.Cells = append(line.Cells, number.Int(n))
		}
		var least *bench.Row
		for i := range r.Rows {
			row := &r.Rows[i]
			k := row.Key
			if k.Op == c.Op && k.Curve == c.Curve && k.Via != measured.Direct && k.Via != bench.ViaControl &&
				row.Median > 0 && (least == nil || row.Median < least.Median) {
				least = row
			}
		}
		if least != nil {
			line.Time, line.Backend = number.Plain(least.Median/1e3), least.Key.BackendID()
			line.Each = number.Plain(least.Median / float64(c.Mul+c.Sqr))
		}
		list = append(list, line)
	}
	return list
}

type history struct {
	Backends []string
	Runs     []historyRun
}

type historyRun struct {
	Name, Machine, Go, Commit string
	Medians                   []string
}

// newHistory sets the recorded runs and the present one side by side; nil
// without records.
func newHistory(in *Input) *history {
	if len(in.History) == 0 {
		return nil
	}
	runs := slices.Clone(in.History)
	if len(in.Results.Rows) > 0 {
		runs = append(runs, record.Run{Name: "this run", Results: in.Results})
	}
	h := &history{}
	for _, run := range runs {
		for _, v := range measured.New(run.Results).Verifiers() {
			if id := v.Backend.ID(); !slices.Contains(h.Backends, id) {
				h.Backends = append(h.Backends, id)
			}
		}
	}
	for _, run := range runs {
		line := historyRun{Name: run.Name, Machine: machine(run.Results), Go: run.Results.Get("go"), Commit: fmt.Sprintf("%.12s", run.Results.Get("commit")),
			Medians: make([]string, len(h.Backends))}
		for i := range line.Medians {
			line.Medians[i] = number.None
		}
		for _, v := range measured.New(run.Results).Verifiers() {
			line.Medians[slices.Index(h.Backends, v.Backend.ID())] = number.Plain(v.Row.Median / 1e3)
		}
		h.Runs = append(h.Runs, line)
	}
	return h
}

// historyResults are the results of the recorded runs.
func historyResults(runs []record.Run) (list []*bench.Results) {
	for _, r := range runs {
		list = append(list, r.Results)
	}
	return list
}
