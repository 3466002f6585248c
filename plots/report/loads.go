package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mpinlab/plots"
	"mpinlab/plots/internal/number"
	"mpinlab/sim/load/result"
)

var (
	//go:embed loads.html.tmpl
	loadsSource   string
	loadsTemplate = template.Must(template.New("loads").Parse(loadsSource + figureSource))
)

// LoadFolder is the folder beside the page that holds the load runs, each in a
// folder as `mpin sim run` makes it.
const LoadFolder = "load"

// Load is what a report shows of load.
type Load struct {
	Runs []*result.Run
	// Notes say what could not be run, and why.
	Notes []string
}

// loads is the section about load.
type loads struct {
	Notes    []string
	Lines    []loadLine
	Knees    []kneeLine
	Counted  []string
	Outcomes []outcomeLine
	Promises []promiseLine
	Runs     []loadRun
}

type loadLine struct {
	Name, Page, Intended, Offered, Achieved, Dropped, Late, P50, P99, Checked, Wrong string
	AnyWrong                                                                         bool
	Class, Promises                                                                  string
}

type kneeLine struct {
	Name, Label, Cores, Limit, Knee, Times, P99, Servers, Batch, Probes string
}

type outcomeLine struct {
	Class  string
	Good   bool
	Counts []string
}

type promiseLine struct{ Name, Promise, Value, Class, Verdict string }

type loadRun struct {
	Name, Title, Answer, Bias, Description, Deployment, Date, Page, Partial string
	Warnings                                                                []string
	Figures                                                                 []figure
}

// loadNames gives each run the name of its scenario, in letters that are good
// for anchors and folders, with a number after the first of the same.
func (l *Load) names() []string {
	if l == nil {
		return nil
	}
	var names []string
	seen := map[string]int{}
	for _, r := range l.Runs {
		name := strings.Trim(noName.ReplaceAllString(strings.ToLower(r.Scenario), "-"), "-")
		if name == "" {
			name = "run"
		}
		name = name[:min(len(name), 40)]
		if seen[name]++; seen[name] > 1 {
			name += "-" + strconv.Itoa(seen[name])
		}
		names = append(names, name)
	}
	return names
}

// longRun is the time from which a run's servers are shown, which are to take no
// more at its end than at its beginning.
const longRun = 10 * time.Minute

// newLoads is nil where there is nothing of load.
func newLoads(in *Load, d *drawer) (*loads, error) {
	if in == nil || len(in.Runs)+len(in.Notes) == 0 {
		return nil, nil
	}
	l := &loads{Notes: in.Notes}
	names := in.names()
	for i, r := range in.Runs {
		folder := path.Join(LoadFolder, names[i]) + "/"
		l.Lines = append(l.Lines, newLoadLine(names[i], folder, r))
		l.Knees = append(l.Knees, kneeLines(names[i], r)...)
		for _, o := range r.SLOs {
			line := promiseLine{names[i], o.Name, sloValue(o), "pass", "kept"}
			if !o.Met {
				line.Class, line.Verdict = "fail", "missed"
			}
			l.Promises = append(l.Promises, line)
		}
		run := loadRun{Name: names[i], Title: r.Title, Answer: upperFirst(loadAnswer(r)), Bias: bias(r), Description: r.Description, Deployment: "Deployment: " + deploymentWords(r),
			Date: loadMachine(r) + ", " + loadDate(r), Page: folder + "index.html", Warnings: r.Warnings}
		if r.Partial {
			run.Partial = fmt.Sprintf("it was %s after %s", r.Why, number.Duration(time.Duration(r.Elapsed*float64(time.Second))))
		}
		figures, _ := plots.Load(r)
		for _, f := range figures {
			data := folder + loadData[f.Name]
			if f.Name == "load-servers" && r.Elapsed < longRun.Seconds() {
				continue
			}
			shown, err := d.draw(f, loadProvenance(r), data, folder)
			if err != nil {
				return nil, err
			}
			// The figure keeps the name of its file, but on this page there may be
			// several of it.
			last := &d.all[len(d.all)-1]
			last.Name = strings.Replace(f.Name, "load-", "load-"+names[i]+"-", 1)
			last.Title = names[i] + ": " + lowerFirst(f.Title)
			last.Caption = "Scenario " + names[i] + ". " + shown.Caption
			run.Figures = append(run.Figures, *last)
		}
		l.Runs = append(l.Runs, run)
	}
	l.outcomes(in, names)
	return l, nil
}

func newLoadLine(name, folder string, r *result.Run) loadLine {
	wrong := r.Verdicts.WrongAcceptances + r.Verdicts.WrongRefusals
	line := loadLine{
		Name: name, Page: folder + "index.html", Intended: number.None, Offered: number.None, Achieved: number.None,
		Dropped: number.None, Late: number.None, P50: number.None, P99: number.None,
		Checked: number.Int(int(r.Verdicts.Checked)), Wrong: number.Int(int(wrong)), AnyWrong: wrong > 0, Class: "pass", Promises: "kept",
	}
	if c := r.Counts; c.Intended > 0 {
		line.Intended, line.Offered, line.Achieved = number.Int(int(c.Intended)), number.Plain(c.OfferedRate), number.Plain(c.AchievedRate)
		line.Dropped, line.Late = number.Int(int(c.Dropped)), number.Int(int(c.Late))
	}
	if w := wholeOf(r); w != nil {
		line.P50, line.P99 = number.Plain(w.P50), number.Plain(w.P99)
	}
	missed := 0
	for _, o := range r.SLOs {
		if !o.Met {
			missed++
		}
	}
	if missed > 0 {
		line.Class, line.Promises = "fail", fmt.Sprintf("%d of %d missed", missed, len(r.SLOs))
	}
	return line
}

// deploymentWords says what was loaded, by whom, in few words.
func deploymentWords(r *result.Run) string {
	d, c := &r.Deployment, &r.Client
	if d.External != "" {
		return d.External + ", " + d.Suite
	}
	way := "one by one"
	switch {
	case len(r.Searches) > 0:
		way = ""
	case d.Batching:
		way = "in batches"
	}
	words := []string{d.Backend, way}
	if d.RPS > 1 {
		words = append(words, fmt.Sprintf("%d RPS", d.RPS))
	}
	if d.Store != "" {
		words = append(words, "store "+d.Store)
	}
	if d.Cores > 0 {
		words = append(words, counted(d.Cores, "core")+" for the servers")
	}
	if c.Cost != "" {
		words = append(words, "clients "+c.Cost)
	}
	return joinNonEmpty(words, ", ")
}

// kneeLines are the searches of a run.
func kneeLines(name string, r *result.Run) (list []kneeLine) {
	for _, s := range r.Searches {
		line := kneeLine{Name: name, Label: s.Label, Cores: number.Int(s.Cores), Limit: number.Plain(s.Limit),
			Knee: "none", Times: number.None, P99: number.None, Servers: number.None, Batch: number.None, Probes: number.Int(len(s.Probes))}
		var at *result.Probe
		for i := range s.Probes {
			if p := &s.Probes[i]; p.Passed && (at == nil || p.Rate > at.Rate) {
				at = p
			}
		}
		if s.Knee > 0 && at != nil {
			line.Knee, line.P99, line.Servers = number.Plain(s.Knee), number.Plain(at.Latency.P99), number.Plain(at.ServerCPU)
			if s.Unreached {
				line.Knee = "≥ " + line.Knee
			}
			if at.Batch > 0 {
				line.Batch = number.Plain(at.Batch)
			}
			if first := r.Searches[0].Knee; first > 0 {
				line.Times = fmt.Sprintf("%.2f", s.Knee/first)
			}
		}
		list = append(list, line)
	}
	return list
}

// outcomes are those of the runs that are no searches, whose tries end in
// failures by design.
func (l *loads) outcomes(in *Load, names []string) {
	var counted []*result.Run
	for i, r := range in.Runs {
		if r.Counts.Intended > 0 {
			counted, l.Counted = append(counted, r), append(l.Counted, names[i])
		}
	}
	for _, class := range result.Classes() {
		line := outcomeLine{Class: class, Good: result.Good(class)}
		var sum int64
		for _, r := range counted {
			sum += r.Counts.Outcomes[class]
			line.Counts = append(line.Counts, number.Int(int(r.Counts.Outcomes[class])))
		}
		if sum > 0 {
			l.Outcomes = append(l.Outcomes, line)
		}
	}
}

func sloValue(o result.SLO) string {
	if o.Unit == "%" {
		return number.Percent(o.Value) + number.Thin + "%"
	}
	return joinNonEmpty([]string{number.Plain(o.Value), o.Unit}, number.Thin)
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// sections gives the anchor and name for the page's contents.
func (l *loads) sections() [][2]string {
	if l == nil {
		return nil
	}
	return [][2]string{{"load", "Load"}}
}

func (l *loads) render() (template.HTML, error) {
	if l == nil {
		return "", nil
	}
	var out bytes.Buffer
	if err := loadsTemplate.Execute(&out, l); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return template.HTML(out.String()), nil
}

// files lists the runs' pages, which list their own.
func (l *loads) files() (list []file) {
	if l == nil {
		return nil
	}
	for _, r := range l.Runs {
		list = append(list, file{[]string{r.Page}, "the load run " + r.Name + " with its raw files"})
	}
	return list
}

// backToReport is how a run's page leads back, by which it is known to be a
// report's.
const backToReport = "../../index.html"

// writeLoads writes a folder for each run, and takes away those that an older
// report wrote. A run that somebody else put there stays.
func writeLoads(dir string, in *Input) error {
	keep := map[string]bool{}
	for i, name := range in.Load.names() {
		folder := filepath.Join(dir, LoadFolder, name)
		keep[folder] = true
		r := in.Load.Runs[i]
		if err := r.Write(folder); err != nil {
			return fmt.Errorf("report: cannot write the load run %s: %w; make room there or choose another folder", folder, pathless(err))
		}
		command := fmt.Sprintf("mpin sim run %s --seed %d", result.ScenarioFile, r.Seed)
		if err := writeLoad(folder, r, command, backToReport); err != nil {
			return err
		}
	}
	pages, err := filepath.Glob(filepath.Join(dir, LoadFolder, "*", "index.html"))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, page := range pages {
		folder := filepath.Dir(page)
		content, err := os.ReadFile(page)
		if keep[folder] || err != nil || !bytes.Contains(content, []byte(`href="`+backToReport+`"`)) {
			continue
		}
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("report: cannot remove %s, which is of an older report: %w; remove it yourself", folder, pathless(err))
		}
	}
	return nil
}
