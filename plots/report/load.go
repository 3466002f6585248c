package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"time"

	"mpinlab/plots"
	"mpinlab/plots/internal/number"
	"mpinlab/sim/load/result"
)

var (
	//go:embed load.html.tmpl
	loadSource string

	loadTemplate = template.Must(template.New("load").Funcs(template.FuncMap{
		"ms": func(v float64) string { return number.Plain(v) }, "plain": number.Plain,
		"mb":      func(v int64) string { return number.Plain(float64(v) / 1e6) },
		"percent": number.Percent,
		"int":     func(v int64) string { return number.Int(int(v)) },
	}).Parse(loadSource + figureSource))
)

// loadPage is what the template shows.
type loadPage struct {
	*result.Run
	Style   template.CSS
	Answer  string
	Machine string
	Date    string
	Command string
	Figures []figure
	Omitted []plots.Omitted
	Classes []classRow
	Files   []file
	Source  string
	// Bias is what a closed loop would have said, in words.
	Bias string
	// Back leads to the report that the run is part of, if it is.
	Back string
}

type classRow struct {
	Class string
	Good  bool
	Total int64
	ByOp  []int64
}

// WriteLoad writes the page of a load run into the folder of its results, with
// the figures beside it, and overwrites those of an earlier run.
func WriteLoad(folder string, r *result.Run, command string) error {
	return writeLoad(folder, r, command, "")
}

// writeLoad is WriteLoad with a link back to a report, "" where there is none.
func writeLoad(folder string, r *result.Run, command, back string) error {
	drawn := filepath.Join(folder, "figures")
	if err := os.MkdirAll(drawn, 0o755); err != nil {
		return fmt.Errorf("report: cannot make the folder %s: %w; choose another one", drawn, pathless(err))
	}
	figures, omitted := plots.Load(r)
	if err := writeFigures(drawn, figures, omitted); err != nil {
		return err
	}
	page, err := renderLoad(r, figures, omitted, command, back)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, "index.html"), page)
}

// loadData are the files that the figures are drawn from.
var loadData = map[string]string{
	"load-knee": result.RunFile, "load-bad": result.RunFile, "load-scaling": result.RunFile, "load-percentiles": result.HistogramsFile,
	"load-timeline": result.TimelineFile, "load-outcomes": result.TimelineFile, "load-servers": result.ServersFile,
}

// renderLoad makes the page.
func renderLoad(r *result.Run, figures []*plots.Figure, omitted []plots.Omitted, command, back string) ([]byte, error) {
	p := loadPage{
		Run: r, Style: template.CSS(pageStyle), Answer: upperFirst(loadAnswer(r)), Machine: loadMachine(r), Command: command, Back: back,
		Date: loadDate(r), Omitted: omitted, Classes: classRows(r), Source: string(r.Source),
		Bias: bias(r),
		Files: []file{
			{[]string{result.RunFile}, "everything on this page"},
			{[]string{result.ScenarioFile}, "the scenario as it was run"},
			{[]string{result.TimelineFile, result.ServersFile}, "by second: operations, servers"},
			{[]string{result.HistogramsFile}, "HdrHistogram log of all latencies, in µs"},
			{[]string{result.BenchFile}, "Go benchmark format, for benchstat"},
		},
	}
	d := new(drawer)
	for _, f := range figures {
		if _, err := d.draw(f, loadProvenance(r), loadData[f.Name], ""); err != nil {
			return nil, err
		}
		p.Files = append(p.Files, figureFiles(f))
	}
	p.Figures = d.all
	var b bytes.Buffer
	if err := loadTemplate.Execute(&b, &p); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

func loadDate(r *result.Run) string { return r.Started.UTC().Format("2 January 2006, 15:04 UTC") }

// loadProvenance tells where the figures of a run are from.
func loadProvenance(r *result.Run) string {
	return joinNonEmpty([]string{loadMachine(r), loadDate(r), loadSamples(r)}, "; ") + "."
}

// loadAnswer is the first paragraph.
func loadAnswer(r *result.Run) string {
	var s string
	if len(r.Searches) > 0 {
		for i, x := range r.Searches {
			if i > 0 {
				s += ", "
			}
			if x.Knee == 0 {
				s += fmt.Sprintf("%s kept the limit at no rate that was tried", x.Label)
				continue
			}
			more := ""
			if x.Unreached {
				more = " or more"
			}
			s += fmt.Sprintf("%s: %s logins a second%s", x.Label, number.Plain(x.Knee), more)
		}
		s += fmt.Sprintf(", with 99%s%% within %s%sms.", number.Thin, number.Plain(r.Searches[0].Limit), number.Thin)
		if n := len(r.Searches); n > 1 && r.Searches[0].Knee > 0 && r.Searches[n-1].Knee > 0 {
			s += fmt.Sprintf(" That is %s times as many from the first to the last.", number.Times(r.Searches[n-1].Knee/r.Searches[0].Knee))
		}
	} else if l := wholeOf(r); l != nil {
		s = fmt.Sprintf("Of %s operations at %s a second, the median login took %s%sms and 99%s%% of them at most %s%sms.",
			number.Int(int(r.Counts.Intended)), number.Plain(r.Counts.OfferedRate), number.Plain(l.P50), number.Thin, number.Thin, number.Plain(l.P99), number.Thin)
		if held := plots.HeldBack(r); held > 0 {
			s += fmt.Sprintf(" %s%s%% of the logins had a wrong PIN, whose refusal is held back to a multiple of 250%sms: from percentile %s on that is what the response times show.",
				number.Percent(held), number.Thin, number.Thin, number.Percent(1-held))
		}
	} else {
		s = "No login came to its end."
	}
	wrong := r.Verdicts.WrongAcceptances + r.Verdicts.WrongRefusals
	if wrong == 0 {
		s += fmt.Sprintf(" All %s verdicts that were checked were right.", number.Int(int(r.Verdicts.Checked)))
	} else {
		s += fmt.Sprintf(" %s of %s verdicts were wrong.", number.Int(int(wrong)), number.Int(int(r.Verdicts.Checked)))
	}
	return s
}

func wholeOf(r *result.Run) *result.Latency {
	for _, p := range r.Phases {
		if p.Name == result.Whole {
			return p.Response
		}
	}
	return nil
}

// bias says what a closed loop would have made of the run.
func bias(r *result.Run) string {
	l := wholeOf(r)
	if r.ClosedLoop == nil || l == nil || l.Count < 100 {
		return ""
	}
	return fmt.Sprintf("A closed loop, one client that waits for each answer before it asks again, would have reported a 99th percentile of %s%sms for this run; "+
		"from the intended starts it is %s%sms.", number.Plain(r.ClosedLoop.P99), number.Thin, number.Plain(l.P99), number.Thin)
}

func loadMachine(r *result.Run) string {
	v := map[string]string{}
	for _, s := range r.Environment {
		v[s.Key] = s.Value
	}
	cpu := v["cpu"]
	if v["cores"] != "" {
		cpu += ", " + v["cores"] + " cores"
	}
	return joinNonEmpty([]string{cpu, joinNonEmpty([]string{v["goos"], v["goarch"]}, "/"), v["go"]}, ", ")
}

func loadSamples(r *result.Run) string {
	if len(r.Searches) > 0 {
		n := 0
		for _, s := range r.Searches {
			n += len(s.Probes)
		}
		return counted(n, "run") + " in " + number.Duration(time.Duration(r.Elapsed*float64(time.Second)))
	}
	return fmt.Sprintf("%s operations in %s, seed %d", number.Int(int(r.Counts.Intended)), number.Duration(time.Duration(r.Elapsed*float64(time.Second))), r.Seed)
}

func classRows(r *result.Run) []classRow {
	var rows []classRow
	for _, class := range result.Classes() {
		row := classRow{Class: class, Good: result.Good(class), Total: r.Counts.Outcomes[class]}
		for _, op := range r.Operations {
			row.ByOp = append(row.ByOp, op.Outcomes[class])
		}
		if row.Total > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}
