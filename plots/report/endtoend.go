package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"mpinlab/bench"
	"mpinlab/plots/internal/number"
	"mpinlab/sim/endtoend/result"
)

var (
	//go:embed endtoend.html.tmpl
	endToEndSource   string
	endToEndTemplate = template.Must(template.New("endtoend").Parse(endToEndSource))
)

// The raw files of the measurement of a whole deployment, beside the page.
// EndToEndFile has all of it.
const (
	EndToEndFile = "endtoend.json"
	endToEndText = "endtoend.txt"
	endToEndCSV  = "endtoend.csv"
)

// What a deployment is held to.
const (
	mostVerifications = 1.6
	leastGain         = 2.2
	mostStart         = 2.0 // seconds
)

// endToEnd is the section about logins on a whole deployment.
type endToEnd struct {
	Summary   []string
	Latencies []phaseLine
	Costs     []loginLine
	Targets   []targetLine
	Notes     []string
	CPUs      int
}

type phaseLine struct{ Deployment, Transport, Phase, Count, Median, P95, P99 string }

type loginLine struct {
	Deployment, Way, Clients, Server, Verify, Verifications, Client, PerCore, Rate, Batch, Memory string
	Parts                                                                                         []string
}

type targetLine struct{ Deployment, What, Wanted, Measured, Class, Verdict string }

// newEndToEnd is nil where nothing was to be measured.
func newEndToEnd(r *result.Run) *endToEnd {
	if r == nil {
		return nil
	}
	e := &endToEnd{Notes: r.Notes, CPUs: r.CPUs}
	ms := func(v float64) string { return plainOrNone(v / 1e3) }
	for _, d := range r.Deployments {
		name := d.Suite + " on " + d.Backend
		for _, transport := range []string{result.HTTP, result.WebSocket} {
			for _, phase := range result.Phases() {
				if l := d.Latency(transport, phase); l != nil {
					e.Latencies = append(e.Latencies, phaseLine{name, transport, phase, number.Int(l.Count), ms(l.Median), ms(l.P95), ms(l.P99)})
				}
			}
		}
		for _, c := range d.Costs {
			if len(c.Samples) == 0 {
				continue
			}
			line := loginLine{
				Deployment: name, Way: "one by one", Clients: number.Int(c.Clients), Server: plainOrNone(c.Server()), Verify: plainOrNone(c.Verify()),
				Verifications: fmt.Sprintf("%.2f", c.Verifications()), Client: plainOrNone(c.Client()), PerCore: plainOrNone(c.PerCore()), Rate: plainOrNone(c.Rate()),
				Batch: number.None, Memory: plainOrNone(float64(c.Memory) / 1e6),
			}
			if c.Verifier == result.Batching {
				line.Way, line.Batch = "in batches", plainOrNone(c.Batch())
			}
			for _, part := range result.Parts() {
				cell := number.None
				if c.Parts != nil {
					cell = number.Percent(c.Parts[part])
				}
				line.Parts = append(line.Parts, cell)
			}
			e.Costs = append(e.Costs, line)
		}
		e.Summary = append(e.Summary, endToEndWords(name, d))
		e.Targets = append(e.Targets, targets(name, d)...)
	}
	return e
}

// endToEndWords sums a deployment up in a sentence or two.
func endToEndWords(name string, d *result.Deployment) string {
	words := "On " + name
	if l := d.Latency(result.HTTP, result.Whole); l != nil {
		words += fmt.Sprintf(" a login over HTTP takes %s%sms (median; 99%s%% take at most %s%sms)",
			plainOrNone(l.Median/1e3), number.Thin, number.Thin, plainOrNone(l.P99/1e3), number.Thin)
	}
	if c := d.Cost(result.Single); c != nil {
		words += fmt.Sprintf(" and costs the servers %s%sµs of CPU, %.2f times what the verification alone costs",
			plainOrNone(c.Server()), number.Thin, c.Verifications())
		if c.Parts != nil {
			words += fmt.Sprintf("; %s%s%% of it is cryptography", number.Percent(c.Parts[result.Cryptography]), number.Thin)
		}
	}
	words += "."
	if c := d.Cost(result.Batching); c != nil {
		words += fmt.Sprintf(" With batches and %s clients at a time it is %s%sµs", number.Int(c.Clients), plainOrNone(c.Server()), number.Thin)
		if g := d.Gain(); !math.IsNaN(g) {
			words += fmt.Sprintf(", %.2f times the logins on the same cores", g)
		}
		if c.Parts != nil {
			words += fmt.Sprintf("; %s%s%% of it is cryptography", number.Percent(c.Parts[result.Cryptography]), number.Thin)
		}
		words += "."
	}
	return words
}

// targets holds a deployment to what is asked of gnark on bls12-381, where one
// verification is cheapest against HTTP of the curves of its level.
func targets(name string, d *result.Deployment) (list []targetLine) {
	if d.Backend != "gnark/bls12-381" {
		return nil
	}
	add := func(what, wanted, measured string, met bool) {
		line := targetLine{name, what, wanted, measured, "pass", "met"}
		if !met {
			line.Class, line.Verdict = "fail", "missed"
		}
		list = append(list, line)
	}
	if c := d.Cost(result.Single); c != nil {
		v := c.Verifications()
		add("server CPU of a login, in verifications", fmt.Sprintf("at most %.1f", mostVerifications), fmt.Sprintf("%.2f", v), v <= mostVerifications)
	}
	if g := d.Gain(); !math.IsNaN(g) {
		add("logins on the same cores with batches, against one by one", fmt.Sprintf("at least %.1f", leastGain), fmt.Sprintf("%.2f", g), g >= leastGain)
	}
	if d.Ready > 0 {
		add("start to ready with a new data folder, s", fmt.Sprintf("under %.0f", mostStart), plainOrNone(d.Ready), d.Ready < mostStart)
	}
	return list
}

func plainOrNone(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return number.None
	}
	return number.Plain(v)
}

// sections gives the anchor and name for the page's contents.
func (e *endToEnd) sections() [][2]string {
	if e == nil {
		return nil
	}
	return [][2]string{{"deployment", "Whole deployment"}}
}

func (e *endToEnd) render() (template.HTML, error) {
	if e == nil {
		return "", nil
	}
	var out bytes.Buffer
	if err := endToEndTemplate.Execute(&out, e); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return template.HTML(out.String()), nil
}

// files lists the raw files.
func (e *endToEnd) files() []file {
	if e == nil || len(e.Costs) == 0 {
		return nil
	}
	return []file{
		{[]string{EndToEndFile}, "logins on a whole deployment: latencies, every round’s costs, shares of the profile"},
		{[]string{endToEndText, endToEndCSV}, "the same in the Go benchmark format and as a table"},
	}
}

// writeEndToEnd writes the raw files, or takes away those of an older report.
func writeEndToEnd(dir string, in *Input) error {
	var asJSON, text, table bytes.Buffer
	for _, f := range []struct {
		name    string
		content *bytes.Buffer
		write   func() error
	}{
		{EndToEndFile, &asJSON, func() error { return result.Write(&asJSON, in.EndToEnd) }},
		{endToEndText, &text, func() error { return result.WriteBench(&text, in.EndToEnd, environment(in.Results)) }},
		{endToEndCSV, &table, func() error { return result.WriteCSV(&table, in.EndToEnd) }},
	} {
		path := filepath.Join(dir, f.name)
		if in.EndToEnd == nil {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("report: cannot remove %s, which is of an older report: %w; remove it yourself", path, pathless(err))
			}
			continue
		}
		if err := f.write(); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := writeFile(path, f.content.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func environment(r *bench.Results) []bench.Setting {
	if r == nil {
		return nil
	}
	return r.Environment
}
