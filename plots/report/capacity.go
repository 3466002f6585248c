package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mpinlab/bench/rawjson"
	"mpinlab/plots"
	"mpinlab/plots/internal/number"
	"mpinlab/sim/capacity"
)

var (
	//go:embed capacity.html.tmpl
	capacitySource   string
	capacityTemplate = template.Must(template.New("capacity").Parse(capacitySource + figureSource))
)

// The raw files of the capacity model beside the page.
const (
	capacityFile = "capacity.json"
	// PlanFile holds the example plan.
	PlanFile = "capacity-plan.json"
)

// Capacity is what a report shows of the capacity model.
type Capacity struct {
	// Validation is nil where none is recorded, and Plan where none was made.
	Validation *capacity.Validation
	Plan       *Plan
	// Notes say what failed.
	Notes []string
}

// Plan is an example of a plan with its variations.
type Plan struct {
	// Command is what makes it.
	Command      string               `json:"command"`
	Users        float64              `json:"users"`
	LoginsPerDay float64              `json:"logins_per_day"`
	PeakFactor   float64              `json:"peak_factor"`
	P99          float64              `json:"p99_promised_ms"`
	Headroom     float64              `json:"headroom"`
	Logins       int                  `json:"simulated_logins"` // for each number of instances tried
	Calibrated   time.Time            `json:"calibrated"`
	CPU          string               `json:"cpu"`
	Answer       *capacity.Answer     `json:"answer"`
	Sensitivity  []capacity.Variation `json:"sensitivity"`
	Limits       []string             `json:"limits"`
}

// ReadPlan reads a plan as [Write] writes it. Errors: rawjson.ErrFile, and those
// of the system.
func ReadPlan(path string) (*Plan, error) {
	b, err := rawjson.Load(path)
	if err != nil {
		return nil, err
	}
	var p Plan
	if err := rawjson.Read(b, &p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if p.Answer == nil {
		return nil, fmt.Errorf("%s: %w: it has no answer", path, rawjson.ErrFile)
	}
	return &p, nil
}

// capacitySection is the section about the capacity model.
type capacitySection struct {
	Figure  *figure
	Summary string
	// Slower are the least and the greatest factor that the costs were scaled by.
	Slower string
	// Absent says why there is no figure.
	Absent string
	Lines  []validationLine
	Plan   *planSection
	Notes  []string

	list []file
}

type validationLine struct{ Way, Load, What, Real, Range, Model, Deviation, Wanted, Class, Verdict string }

type planSection struct {
	Answer     string
	Rows       []planRow
	Figure     *figure
	Variations []variationLine
	Command    string
	Logins     string
	Limits     []string
}

type planRow struct{ What, Much, Of string }

type variationLine struct{ What, Value, Cores, Issuers, P50, P99, Use, Note string }

// capacityFigures draws what there is, and lists what there is not.
func capacityFigures(c *Capacity) (figures []*plots.Figure, omitted []plots.Omitted) {
	keep := func(name, title string, f *plots.Figure, err error) {
		if err != nil {
			omitted = append(omitted, plots.Omitted{Name: name, Title: title, Reason: err.Error()})
			return
		}
		figures = append(figures, f)
	}
	var v capacity.Validation
	var p Plan
	if c != nil && c.Validation != nil {
		v = *c.Validation
	}
	if c != nil && c.Plan != nil {
		p = *c.Plan
	}
	f, err := plots.CapacityValidation(&v)
	keep("capacity-validation", "The capacity model against real runs", f, err)
	f, err = plots.CapacitySensitivity(p.words()+".", p.Sensitivity)
	keep("capacity-sensitivity", "What a service takes", f, err)
	return figures, omitted
}

// words are what was asked.
func (p *Plan) words() string {
	return fmt.Sprintf("%s users with %s logins a day, the busiest moment with %s times the mean rate, 99%s%% of the logins within %s%sms",
		number.Plain(p.Users), plainCount(p.LoginsPerDay), plainCount(p.PeakFactor), number.Thin, plainCount(p.P99), number.Thin)
}

// plainCount writes a value that somebody gave, without digits he did not.
func plainCount(v float64) string { return strings.ReplaceAll(fmt.Sprintf("%g", v), "e+", "·10^") }

// newCapacity is nil where there is nothing of it.
func newCapacity(in *Capacity, d *drawer) (*capacitySection, error) {
	if in == nil {
		return nil, nil
	}
	s := &capacitySection{Notes: in.Notes, Absent: "No comparison with real runs is recorded."}
	figures, _ := capacityFigures(in)
	for _, f := range figures {
		var source string
		if f.Name == "capacity-validation" {
			source = validationSource(in.Validation)
		} else {
			source = "Costs measured on " + in.Plan.CPU + ", " + in.Plan.Calibrated.UTC().Format("2 January 2006, 15:04 UTC") + "; simulated."
		}
		shown, err := d.draw(f, source, (&pageTable{ID: figureTables[f.Name]}).file(), "")
		if err != nil {
			return nil, err
		}
		s.list = append(s.list, figureFiles(f))
		if f.Name == "capacity-validation" {
			s.Figure = shown
		} else if s.Plan == nil {
			s.Plan = &planSection{Figure: shown}
		}
	}
	if in.Validation != nil {
		s.validation(in.Validation)
		s.list = append(s.list, file{[]string{capacityFile}, "the capacity model against real runs"})
	}
	if in.Plan != nil && in.Plan.Answer == nil {
		s.Plan = nil // what varies it means nothing without it
	} else if in.Plan != nil {
		if s.Plan == nil {
			s.Plan = new(planSection)
		}
		s.Plan.fill(in.Plan)
		s.list = append(s.list, file{[]string{PlanFile}, "the plan with its variations"})
	}
	return s, nil
}

func validationSource(v *capacity.Validation) string {
	settings := map[string]string{}
	for _, s := range v.Environment {
		settings[s.Key] = s.Value
	}
	cpu := settings["cpu"]
	if settings["cores"] != "" {
		cpu += ", " + settings["cores"] + " cores"
	}
	return joinNonEmpty([]string{cpu, v.Created.UTC().Format("2 January 2006, 15:04 UTC"), strings.TrimSpace("Go " + strings.TrimPrefix(settings["go"], "go"))}, "; ") + "."
}

// validation makes the lines of the table and sums them up.
func (s *capacitySection) validation(v *capacity.Validation) {
	bounds := v.Bounds
	if bounds == (capacity.Bounds{}) {
		bounds = capacity.Targets
	}
	missed, worst := 0, 0.0
	line := func(way, load, what string, c capacity.Compared, bound float64) {
		l := validationLine{Way: way, Load: load, What: what, Real: number.Plain(c.Real), Range: number.None, Model: number.Plain(c.Model),
			Deviation: number.Signed(c.Deviation()), Wanted: number.None, Verdict: number.None}
		if c.High > 0 {
			l.Range = number.Interval(c.Low, c.High)
		}
		if bound > 0 {
			l.Wanted, l.Class, l.Verdict = "±"+number.Percent(bound), "pass", "met"
			worst = math.Max(worst, math.Abs(c.Deviation()))
			if !c.Within(bound) {
				l.Class, l.Verdict = "fail", "missed"
				missed++
			}
		}
		s.Lines = append(s.Lines, l)
	}
	var slower []float64
	for _, m := range v.Modes {
		slower = append(slower, m.Slower...)
		for _, p := range m.Points {
			slower = append(slower, p.Slower...)
		}
	}
	if len(slower) > 0 {
		s.Slower = number.Plain(slices.Min(slower)) + " to " + number.Plain(slices.Max(slower))
	}
	for _, m := range v.Modes {
		way := "one by one"
		if m.Batching {
			way = "in batches"
		}
		line(way, "saturation", "logins a second", m.Saturation, bounds.Saturation)
		line(way, "saturation", "RPS’s CPU a login, µs", m.CPU, 0)
		if m.MeanBatch.Real > 0 {
			line(way, "saturation", "logins a batch", m.MeanBatch, 0)
		}
		for _, p := range m.Points {
			at := fmt.Sprintf("%.0f%s%% (%s/s)", 100*p.Load, number.Thin, number.Plain(p.Rate))
			line(way, at, "50th percentile, ms", p.P50, bounds.Latency)
			line(way, at, "99th percentile, ms", p.P99, bounds.Latency)
		}
	}
	s.Summary = fmt.Sprintf("The model is off by %s%s%% at most in the throughput at saturation and the percentiles; wanted are %s%s%% for throughput and %s%s%% for percentiles. ",
		number.Percent(worst), number.Thin, number.Percent(bounds.Saturation), number.Thin, number.Percent(bounds.Latency), number.Thin)
	switch missed {
	case 0:
		s.Summary += "All are met."
	case 1:
		s.Summary += "One is missed."
	default:
		s.Summary += fmt.Sprintf("%d are missed.", missed)
	}
	if d := v.OffAtSameRate(); d != 0 {
		s.Summary += fmt.Sprintf(" Loads are shares of what the server bears for the server, and of what the model bears for the model. At the same rate instead the model’s percentiles are off by %s%s%% at most: near saturation a percent of throughput is many of response time.",
			number.Signed(d), number.Thin)
	}
	if v.Paced {
		s.Summary += " The arrivals of a load follow the speed of the server’s core, so that it stays the share that it is while others take more or less of the machine; saturation was measured before each."
	}
	if v.Disturbed > disturbing {
		s.Summary += fmt.Sprintf(" Others had up to %s%s%% of the machine’s CPUs during a run: these real figures are not the server’s alone.",
			number.Percent(v.Disturbed), number.Thin)
	}
	if s.Figure == nil {
		s.Absent = "The recorded comparison has no loads."
	}
}

// disturbing is the share of the machine that others may have during a run.
const disturbing = 0.03

// fill makes the plan's words and tables.
func (s *planSection) fill(p *Plan) {
	a := p.Answer
	s.Limits = p.Limits
	s.Answer = fmt.Sprintf("%s: that takes %s for the RPS and %s for the two D-TAs.", p.words(), counted(a.Cores, "core"), counted(2*a.IssuerCores, "core"))
	for _, v := range p.Sensitivity {
		if b := v.Answer; v.What == "verification" && !v.Asked && b != nil {
			s.Answer += fmt.Sprintf(" With logins verified %s instead it would be %s and %s.", v.Value, number.Int(b.Cores), number.Int(2*b.IssuerCores))
		}
	}
	way := "logins verified one by one"
	if a.Batching {
		way = "logins verified in batches, " + number.Plain(a.MeanBatch) + " on average"
	}
	at := fmt.Sprintf("%02d:%02d UTC", int(a.PeakAt.Hours()), int(a.PeakAt.Minutes())%60)
	s.Rows = []planRow{
		{"logins a second, mean", number.Plain(a.MeanRate), "over the day"},
		{"logins a second, peak", number.Plain(a.PeakRate), "at " + at},
		{"RPS instances", number.Int(a.Instances), fmt.Sprintf("of %s each, %d of them spare; %s, store %s, %s", counted(a.CoresPerInstance, "core"), a.Spare, a.Backend, a.Store, way)},
		{"RPS cores", number.Int(a.Cores), "with those of the spare instances"},
		{"median login, ms", number.Plain(a.P50), "at the peak, without the spare instances"},
		{"99th percentile, ms", number.Plain(a.P99), fmt.Sprintf("at the peak; promised are %s%sms, also with %s%s%% more logins", plainCount(p.P99), number.Thin, number.Percent(p.Headroom), number.Thin)},
		{"use of the cores, %", number.Percent(a.Utilization), "at the peak"},
		{"permits a day", number.Plain(a.PermitsPerDay), fmt.Sprintf("%s a second at the most", number.Plain(a.PeakPermits))},
		{"D-TA cores", number.Int(2 * a.IssuerCores), fmt.Sprintf("%s for each of two", counted(a.IssuerCores, "core"))},
		{"network, Mbit/s", number.Plain(a.PeakIn) + " + " + number.Plain(a.PeakOut), "in and out at the peak, TCP’s payload"},
		{"store calls a second", number.Plain(a.StoreCalls), "at the peak"},
	}
	for _, v := range p.Sensitivity {
		line := variationLine{What: v.What, Value: v.Value, Cores: number.None, Issuers: number.None, P50: number.None, P99: number.None, Use: number.None, Note: v.Error}
		if v.Asked {
			line.Note = "as asked"
		}
		if b := v.Answer; b != nil {
			line.Cores, line.Issuers, line.P50, line.P99, line.Use = number.Int(b.Cores), number.Int(2*b.IssuerCores), number.Plain(b.P50), number.Plain(b.P99), number.Percent(b.Utilization)
		}
		s.Variations = append(s.Variations, line)
	}
	s.Command, s.Logins = p.Command, number.Int(p.Logins)
}

// sections gives the anchor and name for the page's contents.
func (s *capacitySection) sections() [][2]string {
	if s == nil {
		return nil
	}
	return [][2]string{{"capacity", "Capacity"}}
}

func (s *capacitySection) render() (template.HTML, error) {
	if s == nil {
		return "", nil
	}
	var out bytes.Buffer
	if err := capacityTemplate.Execute(&out, s); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return template.HTML(out.String()), nil
}

// files lists the raw files and figures.
func (s *capacitySection) files() []file {
	if s == nil {
		return nil
	}
	return s.list
}

// writeCapacity writes the figures and raw files, or takes away those of an older
// report.
func writeCapacity(dir string, in *Input) error {
	figures, omitted := capacityFigures(in.Capacity)
	if err := writeFigures(filepath.Join(dir, "figures"), figures, omitted); err != nil {
		return err
	}
	c := in.Capacity
	if c == nil {
		c = new(Capacity)
	}
	keep := map[string]bool{}
	for _, f := range []struct {
		name  string
		there bool
		value any
	}{{capacityFile, c.Validation != nil, c.Validation}, {PlanFile, c.Plan != nil, c.Plan}} {
		if !f.there {
			continue
		}
		var b bytes.Buffer
		if err := rawjson.Write(&b, f.value); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		path := filepath.Join(dir, f.name)
		keep[path] = true
		if err := writeFile(path, b.Bytes()); err != nil {
			return err
		}
	}
	return removeOld([]string{filepath.Join(dir, capacityFile), filepath.Join(dir, PlanFile)}, keep)
}
