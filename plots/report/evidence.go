package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"path/filepath"
	"strings"
	"time"

	"mpinlab/backends"
	"mpinlab/bench/aa"
	"mpinlab/bench/attack"
	"mpinlab/bench/leak"
	"mpinlab/bench/rawjson"
	"mpinlab/bench/upstream"
	"mpinlab/plots/internal/number"
	"mpinlab/protocol"
)

var (
	//go:embed evidence.html.tmpl
	evidenceSource   string
	evidenceTemplate = template.Must(template.New("evidence").Parse(evidenceSource))
)

// The raw files of the recorded evidence, beside the page.
const (
	leakFile   = "leak.json"
	aaFile     = "aa.json"
	attackFile = "attack.json"
)

// evidence is what the sections about the harness on itself, timing leakage,
// costs of attacks and findings upstream show. What was not recorded is left out.
type evidence struct {
	AA       []aaSeries
	Leak     *leakSection
	Attack   *attackSection
	Findings []finding
}

func newEvidence(in *Input) *evidence {
	e := &evidence{Findings: findings()}
	if in.AA != nil {
		e.AA = newAASeries(in.AA)
	}
	if in.Leak != nil {
		e.Leak = newLeakSection(in.Leak, in.Backends)
	}
	if in.Attack != nil {
		e.Attack = newAttackSection(in.Attack)
	}
	return e
}

// sections gives anchors and names for the page's contents.
func (e *evidence) sections() (list [][2]string) {
	if e.AA != nil {
		list = append(list, [2]string{"aa", "The harness on itself"})
	}
	if e.Leak != nil {
		list = append(list, [2]string{"leakage", "Timing leakage"})
	}
	if e.Attack != nil {
		list = append(list, [2]string{"attacks", "Attack costs"})
	}
	return append(list, [2]string{"upstream", "Upstream findings"})
}

func (e *evidence) render() (template.HTML, error) {
	var out bytes.Buffer
	if err := evidenceTemplate.Execute(&out, e); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return template.HTML(out.String()), nil
}

// files lists the raw files.
func (e *evidence) files() (list []file) {
	if e.AA != nil {
		list = append(list, file{[]string{aaFile}, "A/A series: one entry a comparison, with ratio, interval and whether a difference was claimed"})
	}
	if e.Leak != nil {
		list = append(list, file{[]string{leakFile}, "the timing test: one entry a row, with t, crop, difference and what was visible"})
	}
	if e.Attack != nil {
		list = append(list, file{[]string{attackFile}, "what attacks cost"})
	}
	return list
}

// writeEvidence writes the raw files of what is recorded.
func writeEvidence(dir string, in *Input) error {
	var b bytes.Buffer
	if in.AA != nil {
		if err := aa.Write(&b, in.AA); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := writeFile(filepath.Join(dir, aaFile), b.Bytes()); err != nil {
			return err
		}
	}
	if in.Leak != nil {
		b.Reset()
		if err := leak.Write(&b, in.Leak); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := writeFile(filepath.Join(dir, leakFile), b.Bytes()); err != nil {
			return err
		}
	}
	if in.Attack != nil {
		b.Reset()
		if err := attack.Write(&b, in.Attack); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		return writeFile(filepath.Join(dir, attackFile), b.Bytes())
	}
	return nil
}

// aaSeries is a series of A/A runs, with a row for each operation.
type aaSeries struct {
	Source, Percent, Correction, Margin string
	Runs, Wanted                        int
	Passes                              bool
	Tallies                             []aaTally
}

type aaTally struct {
	Op                                                        string
	Runs, Tests, Differ, Found, Allowed, Intervals, Excluding int
	Spread                                                    string
}

// newAASeries takes the newest series first.
func newAASeries(f *aa.File) (list []aaSeries) {
	for i := len(f.Series) - 1; i >= 0; i-- {
		s := &f.Series[i]
		shown := aaSeries{Source: recorded(s.Environment), Percent: fmt.Sprintf("%.3g", s.Percent), Correction: s.Correction,
			Margin: fmt.Sprintf("%.2g", 100*s.Margin), Runs: s.Runs(), Wanted: s.Wanted, Passes: s.Passes()}
		for _, t := range s.Tallies() {
			row := aaTally{t.Op, t.Runs, t.Tests, t.Differ, t.Found, aa.Allowed(t.Runs), t.Intervals, t.Excluding, "–"}
			if !math.IsNaN(t.Least) {
				row.Spread = fmt.Sprintf("%+.2f to %+.2f", 100*t.Least, 100*t.Greatest)
			}
			shown.Tallies = append(shown.Tallies, row)
		}
		list = append(list, shown)
	}
	return list
}

type leakSection struct {
	Advice, Source string
	Operations     []leak.Operation
	Lines          []leakLine
	Rows           []leakRow
	Limits         []string
	Warnings       []string
}

// leakLine is a backend of the matrix, leakRow a row of the test.
type leakLine struct {
	Backend, Claims string
	Cells           []leakCell
}

type leakCell struct{ Class, Words string }

type leakRow struct {
	Backend, Op, Fixed, Samples, T, Crop, Difference, Visible, Median string
	Class, Verdict                                                    string
}

// leakClasses are the looks of verdicts.
var leakClasses = map[leak.Verdict]string{leak.NotSeen: "pass", leak.Suspected: "skip", leak.Leaks: "fail"}

func newLeakSection(r *leak.Results, entries []backends.Entry) *leakSection {
	var infos []backends.Info
	for _, e := range entries {
		infos = append(infos, e.Info)
	}
	standings := leak.Standings(r, infos)
	s := &leakSection{Advice: leak.Advice(r, standings), Source: recorded(r.Environment),
		Operations: leak.Operations(), Limits: leak.Limits(), Warnings: r.Warnings}
	for _, st := range standings {
		line := leakLine{Backend: st.Backend, Claims: string(st.Claim)}
		for _, o := range leak.Operations() {
			row := r.Find(o.Name, st.Backend)
			cell := leakCell{"skip", number.None}
			if row != nil {
				cell = leakCell{leakClasses[row.Verdict], leak.Cell(row)}
			}
			line.Cells = append(line.Cells, cell)
		}
		s.Lines = append(s.Lines, line)
	}
	for _, row := range r.Rows {
		s.Rows = append(s.Rows, leakRow{Backend: row.Backend, Op: row.Op, Fixed: row.Fixed,
			Samples: number.Int(row.FixedSamples) + " / " + number.Int(row.RandomSamples),
			T:       signedT(row.T), Crop: fmt.Sprintf("%g", row.Crop), Difference: number.Plain(row.Difference),
			Visible: number.Plain(row.Visible), Median: number.Plain(row.Median),
			Class: leakClasses[row.Verdict], Verdict: string(row.Verdict)})
	}
	return s
}

// signedT writes t with its sign.
func signedT(t float64) string {
	if t < 0 {
		return "−" + leak.Amount(t)
	}
	return leak.Amount(t)
}

// recorded tells where and when evidence was taken, in words.
func recorded(env rawjson.Settings) string {
	parts := []string{env.Get("cpu")}
	if t, err := time.Parse(time.RFC3339, env.Get("date")); err == nil {
		parts = append(parts, t.UTC().Format("2 January 2006, 15:04 UTC"))
	}
	if v := env.Get("go"); v != "" {
		parts = append(parts, "Go "+strings.TrimPrefix(v, "go"))
	}
	if v := env.Get("commit"); v != "" {
		parts = append(parts, fmt.Sprintf("commit %.12s", v))
	}
	if words := joinNonEmpty(parts, "; "); words != "" {
		return words
	}
	return "on an unknown machine"
}

type attackSection struct {
	Source    string
	Lengths   []int
	Search    []searchLine
	Alone     *attack.Alone
	Threshold []attack.ThresholdRow
	PINError  []pinErrorLine
	Warnings  []string
}

// searchLine is a backend and a way of searching, with a time for each length.
type searchLine struct {
	Backend, Method string
	Times           []value
}

type pinErrorLine struct{ Logins, Left, PINs, Bits string }

var methodNames = map[string]string{
	attack.ByPairing: "a pairing product a guess", attack.ByPowers: "a multiplication in GT a guess", attack.BySquareRoot: "baby steps and giant steps",
}

func newAttackSection(r *attack.Results) *attackSection {
	s := &attackSection{Source: recorded(r.Environment), Alone: r.Alone, Threshold: r.Threshold, Warnings: r.Warnings}
	times := map[[2]string]map[int]value{}
	var order [][2]string
	lengths := map[int]bool{}
	for _, row := range r.Search {
		k := [2]string{row.Backend, row.Method}
		if times[k] == nil {
			times[k] = map[int]value{}
			order = append(order, k)
		}
		words := duration(row.Seconds)
		if !row.Measured {
			words = "≈ " + words
		}
		times[k][row.Digits] = newValue(row.Seconds, words)
		if !lengths[row.Digits] {
			lengths[row.Digits] = true
			s.Lengths = append(s.Lengths, row.Digits)
		}
	}
	for _, k := range order {
		line := searchLine{Backend: k[0], Method: methodNames[k[1]]}
		for _, digits := range s.Lengths {
			v, ok := times[k][digits]
			if !ok {
				v = value{number.None, ""}
			}
			line.Times = append(line.Times, v)
		}
		s.Search = append(s.Search, line)
	}
	for _, row := range r.PINError {
		s.PINError = append(s.PINError, pinErrorLine{number.Int(row.Logins), number.Plain(row.Left), number.Int(row.PINs), fmt.Sprintf("%.2f", row.Bits)})
	}
	return s
}

// duration writes a time from microseconds to years with three digits.
func duration(seconds float64) string {
	for _, u := range []struct {
		name string
		size float64
	}{{"years", 365.25 * 86400}, {"days", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}, {"ms", 1e-3}} {
		if seconds >= u.size {
			return number.Plain(seconds/u.size) + number.Thin + u.name
		}
	}
	return number.Plain(seconds*1e6) + number.Thin + "µs"
}

// finding is an entry of the upstream page with its anchor.
type finding struct {
	upstream.Finding
	Anchor, In string
}

func findings() (list []finding) {
	for _, f := range upstream.Findings() {
		var in []string
		for _, l := range f.Libraries {
			in = append(in, l.String())
		}
		list = append(list, finding{f, "upstream-" + f.ID, strings.Join(in, ", ")})
	}
	return list
}

// MaxRange is the greatest range of a PIN's error, for the page's words.
func (*attackSection) MaxRange() string { return number.Int(protocol.MaxPINRange) }
