package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"

	"mpinlab/bench"
	"mpinlab/bench/rawjson"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

var (
	//go:embed pinpad.html.tmpl
	pinPadSource   string
	pinPadTemplate = template.Must(template.New("pinpad").Parse(pinPadSource + figureSource))
)

// The files of the PIN pad beside the page, and what its figures are called
// where they come from.
const (
	pinPadFile    = "pinpad.txt"
	pinPadFolder  = "pinpad"
	pinPadFigures = "figures.txt"
)

// pinPad is the section about the PIN pad in a browser.
type pinPad struct {
	Browser, Summary, Source string
	Screens                  *figure
	Lines                    []pinPadLine
	pictures                 []string
}

type pinPadLine struct {
	Of, What, Raw, Samples, Median, Interval, Range, Unit, Wanted string
	Class, Verdict                                                string
}

// screenWords describe the pictures by their names without the number before
// them. Another picture is described by its name.
var screenWords = map[string]string{
	"pin-pad-phone-light":    "the PIN pad on a phone",
	"pin-entered-phone-dark": "a PIN entered, in dark colours",
	"explainer-desktop-dark": "logged in, with the messages of the protocol as they passed",
	"code-desktop-light":     "access number and QR code, for a phone to log this screen in",
}

var screenNumber = regexp.MustCompile(`^\d+-`)

var (
	// Benchmarks and their measures in words; what is not here is called by its
	// name.
	pinPadNames = map[string]string{
		"visit=first": "first visit", "visit=later": "later visit", "key": "key", "login=first-of-the-day": "first login of the day",
		"login=later": "login, permit at hand", "login=new-page": "login, page just loaded",
		"crypto=from-the-last-digit/login=first-of-the-day": "cryptography, first login of the day",
		"crypto=from-the-last-digit/login=later":            "cryptography, permit at hand",
		"crypto=from-the-last-digit/login=new-page":         "cryptography, page just loaded",
		"crypto=with-what-was-ahead/login=first-of-the-day": "the same and all ahead, first login of the day",
		"crypto=with-what-was-ahead/login=later":            "the same and all ahead, permit at hand",
		"crypto=with-what-was-ahead/login=new-page":         "the same and all ahead, page just loaded",
	}
	pinPadMeasures = map[string]string{
		"visit ns/op": "until it can be used", "key ns/op": "until it shows", "login ns/op": "worker’s time without waiting",
		"transferred-B/op": "transferred", "requests/op": "requests", "longtasks/op": "long tasks", "longest-task-ns/op": "longest task",
		"crypto ns/op": "from the last digit to the proof", "ahead-ns/op": "of that ahead, while the PIN is typed",
		"worker-cpu-ns/op": "CPU time of the worker’s thread", "whole-ns/op": "whole, requests and page included",
	}
	// pinPadTargets are what is wanted at most, in the unit of the file.
	pinPadTargets = map[string]float64{
		"visit=first ns/op": 1.5e9, "visit=first transferred-B/op": 1.2e6, "visit=later transferred-B/op": 20e3, "key ns/op": 100e6,
		"crypto=from-the-last-digit/login=later ns/op": 8e6, "crypto=from-the-last-digit/login=new-page ns/op": 8e6,
	}
)

// pinPadRow is a measure of a benchmark, with its samples and the line of the
// first.
type pinPadRow struct {
	name, unit string
	samples    []float64
	line       int
}

// readPinPad reads figures.txt: its rows in their order, and its settings. Lines
// that are no benchmark are passed over.
func readPinPad(content []byte) (rows []*pinPadRow, settings rawjson.Settings) {
	r := benchfmt.NewReader(bytes.NewReader(content), pinPadFigures)
	find := map[[2]string]*pinPadRow{}
	for r.Scan() {
		result, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		if settings == nil {
			for _, c := range result.Config {
				if c.File {
					settings = append(settings, rawjson.Setting{Key: c.Key, Value: string(c.Value)})
				}
			}
		}
		name := strings.TrimPrefix(string(result.Name), "PinPad/")
		_, line := result.Pos()
		for _, v := range result.Values {
			value, unit := v.Value, v.Unit
			if v.OrigUnit != "" {
				value, unit = v.OrigValue, v.OrigUnit
			}
			if math.IsNaN(value) || math.IsInf(value, 0) {
				continue
			}
			k := [2]string{name, unit}
			if find[k] == nil {
				find[k] = &pinPadRow{name: name, unit: unit, line: line}
				rows = append(rows, find[k])
			}
			find[k].samples = append(find[k].samples, value)
		}
	}
	return rows, settings
}

// estimate is the median of the samples with its interval.
func (r *pinPadRow) estimate() measured.Estimate {
	all := &bench.Results{Rows: []bench.Row{{Samples: r.samples}}}
	bench.Summarise(all)
	return measured.Of(&all.Rows[0])
}

// scale writes a value in the unit of the page.
func (r *pinPadRow) scale() (factor float64, unit string) {
	switch {
	case strings.HasSuffix(r.unit, "ns/op"):
		return 1e-6, "ms"
	case strings.HasSuffix(r.unit, "B/op"):
		return 1e-3, "KB"
	}
	return 1, ""
}

func (r *pinPadRow) write(v float64) string {
	factor, unit := r.scale()
	if unit == "" && v == math.Trunc(v) && math.Abs(v) < 1e9 {
		return number.Int(int(v))
	}
	return number.Plain(v * factor)
}

func (r *pinPadRow) show() pinPadLine {
	e := r.estimate()
	_, unit := r.scale()
	kind, _, _ := strings.Cut(r.name, "=")
	line := pinPadLine{
		Of: pinPadNames[r.name], What: pinPadMeasures[r.unit], Raw: pinPadFile + ".html#L" + strconv.Itoa(r.line), Samples: number.Int(len(r.samples)),
		Median: r.write(e.Mid), Interval: number.None, Range: r.write(slices.Min(r.samples)) + "–" + r.write(slices.Max(r.samples)),
		Unit: unit, Wanted: number.None,
	}
	if w := pinPadMeasures[kind+" "+r.unit]; w != "" {
		line.What = w
	}
	if line.Of == "" {
		line.Of = r.name
	}
	if line.What == "" {
		line.What = strings.TrimSuffix(r.unit, "/op")
	}
	if e.HasInterval() {
		line.Interval = r.write(e.Lo) + "–" + r.write(e.Hi)
	}
	if most, ok := pinPadTargets[r.name+" "+r.unit]; ok {
		line.Wanted, line.Class, line.Verdict = "at most "+r.write(most), "pass", "met"
		if e.Mid > most {
			line.Class, line.Verdict = "fail", "missed"
		}
	}
	return line
}

// newPINPad is nil where there is nothing of the PIN pad. Pictures that are none
// are an error.
func newPINPad(in *Input, d *drawer) (*pinPad, error) {
	if in.PINPad == nil {
		return nil, nil
	}
	content, err := fs.ReadFile(in.PINPad, pinPadFigures)
	if err != nil {
		return nil, fmt.Errorf("report: the PIN pad's figures: %w", err)
	}
	rows, settings := readPinPad(content)
	p := &pinPad{Browser: strings.ReplaceAll(settings.Get("browser"), "/", " ")}
	find := map[string]string{}
	missed := 0
	for _, r := range rows {
		line := r.show()
		p.Lines = append(p.Lines, line)
		find[r.name+" "+r.unit] = line.Median + number.Thin + line.Unit
		if line.Class == "fail" {
			missed++
		}
	}
	if a, b := find["visit=first ns/op"], find["visit=first transferred-B/op"]; a != "" && b != "" {
		p.Summary = fmt.Sprintf("A first visit takes %s to a PIN pad that can be used, and transfers %s (medians).", a, b)
		if work := find["crypto=from-the-last-digit/login=later ns/op"]; work != "" {
			p.Summary += fmt.Sprintf(" The cryptography of a login takes the worker %s from the last digit on.", work)
		}
		switch missed {
		case 0:
			p.Summary += " All targets are met."
		case 1:
			p.Summary += " One target is missed."
		default:
			p.Summary += fmt.Sprintf(" %d targets are missed.", missed)
		}
	}
	machine := joinNonEmpty([]string{settings.Get("cpu"), joinNonEmpty([]string{settings.Get("goos"), settings.Get("goarch")}, "/"), settings.Get("browser"), inWords(settings.Get("date")), commit(settings)}, "; ")
	p.Source = "Measured on " + machine + "."
	if settings.Get("cpu") == "" {
		p.Source += " Which machine, and when, the file does not say."
	}
	if p.Screens, err = p.screens(in.PINPad, d, machine); err != nil {
		return nil, err
	}
	return p, nil
}

func commit(s rawjson.Settings) string {
	if v := s.Get("commit"); v != "" {
		return fmt.Sprintf("commit %.12s", v)
	}
	return ""
}

var screensTemplate = template.Must(template.New("screens").Parse(`<div class="screens">
{{- range $class, $list := .}}{{with $list}}
<div class="{{$class}}">
{{- range .}}
<div class="screen"><a href="{{.File}}"><img src="{{.Source}}" width="{{.Width}}" height="{{.Height}}" alt="{{.Alt}}"/></a><p>{{.Label}}</p></div>
{{- end}}
</div>
{{- end}}{{end}}
</div>`))

// screens makes one figure of the pictures, nil where there are none.
func (p *pinPad) screens(from fs.FS, d *drawer, machine string) (*figure, error) {
	names, err := fs.Glob(from, "*.png")
	if err != nil || len(names) == 0 {
		return nil, err
	}
	type screen struct {
		File, Alt, Label string
		Source           template.URL
		Width, Height    int
	}
	screens := map[string][]screen{} // by their form, "tall" or "broad"
	var words []string
	for i, name := range names {
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		size, err := png.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			return nil, fmt.Errorf("report: the picture %s: %w", name, err)
		}
		key := screenNumber.ReplaceAllString(strings.TrimSuffix(name, ".png"), "")
		word := screenWords[key]
		if word == "" {
			word = strings.ReplaceAll(key, "-", " ")
		}
		letter := "(" + string(rune('a'+i%26)) + ")"
		words = append(words, letter+" "+word)
		form := "broad"
		if size.Height > size.Width {
			form = "tall"
		}
		screens[form] = append(screens[form], screen{
			File: path.Join(pinPadFolder, name), Alt: "Screen: " + word, Label: letter, Width: size.Width, Height: size.Height,
			Source: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(content)),
		})
		p.pictures = append(p.pictures, path.Join(pinPadFolder, name))
	}
	var b bytes.Buffer
	if err := screensTemplate.Execute(&b, screens); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return d.add(figure{
		Name: "pinpad", Title: "Screens of the PIN pad", Wide: template.HTML(b.String()), Pictures: p.pictures,
		Caption:    "Screens of the PIN pad as the browser tests meet them: " + strings.Join(words, "; ") + ". The page computes U and V itself; PIN and token are in no request.",
		Provenance: machine + ".",
	}), nil
}

// sections gives the anchor and name for the page's contents.
func (p *pinPad) sections() [][2]string {
	if p == nil {
		return nil
	}
	return [][2]string{{"pinpad", "PIN pad"}}
}

func (p *pinPad) render() (template.HTML, error) {
	if p == nil {
		return "", nil
	}
	var out bytes.Buffer
	if err := pinPadTemplate.Execute(&out, p); err != nil {
		return "", fmt.Errorf("report: %w", err)
	}
	return template.HTML(out.String()), nil
}

// files lists the raw files.
func (p *pinPad) files() []file {
	if p == nil {
		return nil
	}
	list := []file{{[]string{pinPadFile, pinPadFile + ".html"}, "visits and logins in a browser, in the Go benchmark format"}}
	if len(p.pictures) > 0 {
		list = append(list, file{p.pictures, "screens of the PIN pad"})
	}
	return list
}

// writePINPad writes the raw files, or takes away those of an older report.
func writePINPad(dir string, in *Input) error {
	keep := map[string]bool{}
	write := func(name string, content []byte) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		keep[to] = true
		return writeFile(to, content)
	}
	if in.PINPad != nil {
		content, err := fs.ReadFile(in.PINPad, pinPadFigures)
		if err != nil {
			return fmt.Errorf("report: the PIN pad's figures: %w", err)
		}
		if err := errors.Join(write(pinPadFile, content), write(pinPadFile+".html", rawPage(pinPadFile, content))); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dir, pinPadFolder), 0o755); err != nil {
			return fmt.Errorf("report: cannot make the folder %s: %w; choose another one", filepath.Join(dir, pinPadFolder), pathless(err))
		}
		names, err := fs.Glob(in.PINPad, "*.png")
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		for _, name := range names {
			content, err := fs.ReadFile(in.PINPad, name)
			if err != nil {
				return fmt.Errorf("report: %w", err)
			}
			if err := write(path.Join(pinPadFolder, name), content); err != nil {
				return err
			}
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, pinPadFolder, "*.png"))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return removeOld(append(old, filepath.Join(dir, pinPadFile), filepath.Join(dir, pinPadFile+".html")), keep)
}
