package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// ReadFile reads a result file and summarises it.
func ReadFile(path string) (*Results, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading results from %s: %w", path, reason(err))
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads a result file and summarises it. The name is used in errors, which
// tell the line.
//
// The samples of a row keep their order; lines of different rows may be mixed.
// Read is strict where another tool's file could be taken for one of ours:
// names must be Keys, units must be ns/op alone or with B/op and allocs/op,
// costs finite and not negative, and configuration must not change between
// lines, as it does in files joined together. Comments and lines that the
// format does not know are skipped. A file is at most 32 MiB.
func Read(r io.Reader, name string) (*Results, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading results from %s: %w", name, reason(err))
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxFile>>20)
	}
	p := &parser{file: name, rows: make(map[Key]int)}
	lines, err := p.comments(data)
	if err != nil {
		return nil, err
	}
	if err := p.measurements(lines); err != nil {
		return nil, err
	}
	for _, w := range p.warnings {
		i, ok := p.rows[w.key]
		if !ok {
			return nil, p.errorf(w.line, "a warning about a row that is not there")
		}
		p.results.Rows[i].Warnings = append(p.results.Rows[i].Warnings, w.text)
	}
	Summarise(&p.results)
	return &p.results, nil
}

// parser is the state of one Read.
type parser struct {
	file     string
	results  Results
	rows     map[Key]int // index in results.Rows
	warnings []rowWarning
}

type rowWarning struct {
	line int
	key  Key
	text string
}

func (p *parser) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.file, line, fmt.Sprintf(format, args...))
}

// comments collects the warnings, and returns the lines with the settings that
// Write puts into comments as configuration lines in their places.
func (p *parser) comments(data []byte) ([]byte, error) {
	out := make([]byte, 0, len(data)+1)
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if len(line) > maxLine {
			return nil, p.errorf(number, "longer than %d bytes", maxLine)
		}
		comment, ok := bytes.CutPrefix(line, []byte("# "))
		if ok {
			text := oneLine(string(comment))
			if key, _, _ := strings.Cut(text, ": "); perRunKey(key) {
				line = comment
			} else if err := p.warning(number, text); err != nil {
				return nil, err
			}
		}
		out = append(out, line...)
	}
	return out, nil
}

// warning reads "warning: <text>" and "warning <name>: <text>".
func (p *parser) warning(line int, comment string) error {
	if text, ok := strings.CutPrefix(comment, "warning: "); ok {
		p.results.Warnings = append(p.results.Warnings, text)
		return nil
	}
	about, ok := strings.CutPrefix(comment, "warning Benchmark")
	if !ok {
		return nil
	}
	name, text, ok := strings.Cut("Benchmark"+about, ": ")
	if !ok {
		return nil
	}
	key, err := ParseKey(name)
	if err != nil {
		return p.errorf(line, "%v", err)
	}
	p.warnings = append(p.warnings, rowWarning{line, key, text})
	return nil
}

// measurements reads everything else.
func (p *parser) measurements(lines []byte) error {
	r := benchfmt.NewReader(bytes.NewReader(lines), p.file)
	for first := true; r.Scan(); {
		switch record := r.Result().(type) {
		case *benchfmt.SyntaxError:
			return record
		case *benchfmt.Result:
			_, line := record.Pos()
			var err error
			if first {
				err = p.settings(line, record.Config)
				first = false
			} else {
				err = p.sameSettings(line, record.Config)
			}
			if err == nil {
				err = p.sample(line, record)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if len(p.results.Rows) == 0 {
		return fmt.Errorf("%s: no benchmark results", p.file)
	}
	return nil
}

func (p *parser) settings(line int, config []benchfmt.Config) error {
	if len(config) > maxConfig {
		return p.errorf(line, "more than %d settings", maxConfig)
	}
	for _, c := range config {
		s := Setting{c.Key, strings.TrimSpace(string(c.Value))}
		if err := s.valid(); err != nil {
			return p.errorf(line, "%v", err)
		}
		p.results.Environment = append(p.results.Environment, s)
	}
	return nil
}

func (p *parser) sameSettings(line int, config []benchfmt.Config) error {
	for i, c := range config {
		if i >= len(p.results.Environment) || c.Key != p.results.Environment[i].Key ||
			!bytes.Equal(bytes.TrimSpace(c.Value), []byte(p.results.Environment[i].Value)) {
			return p.errorf(line, "the setting %s changes after the first result: a file holds one run", quoted(c.Key))
		}
	}
	if len(config) < len(p.results.Environment) {
		return p.errorf(line, "a setting is taken back after the first result: a file holds one run")
	}
	return nil
}

// sample adds one line to its row.
func (p *parser) sample(line int, r *benchfmt.Result) error {
	key, err := ParseKey("Benchmark" + r.Name.String())
	if err != nil {
		return p.errorf(line, "%v", err)
	}
	values, err := costs(r.Values)
	if err != nil {
		return p.errorf(line, "%v", err)
	}
	if r.Iters < 1 || float64(r.Iters) > maxCount {
		return p.errorf(line, "iteration count %d is out of range", r.Iters)
	}
	i, ok := p.rows[key]
	if !ok {
		if len(p.rows) == maxRows {
			return p.errorf(line, "more than %d rows", maxRows)
		}
		i = len(p.results.Rows)
		p.rows[key] = i
		p.results.Rows = append(p.results.Rows, Row{Key: key})
	}
	row := &p.results.Rows[i]
	if n := len(row.Samples); n > 0 && (len(values) == len(units)) != (len(row.BytesSamples) == n) {
		return p.errorf(line, "other units than in the row's lines before")
	}
	row.Samples = append(row.Samples, values[0])
	row.Counts = append(row.Counts, r.Iters)
	if len(values) == len(units) {
		row.BytesSamples = append(row.BytesSamples, values[1])
		row.AllocsSamples = append(row.AllocsSamples, values[2])
	}
	return nil
}

// costs returns the values of a line in the order of units, as they were
// written: benchfmt has made seconds of the nanoseconds.
func costs(values []benchfmt.Value) ([]float64, error) {
	if len(values) != 1 && len(values) != len(units) {
		return nil, errors.New("units: expected ns/op alone, or with B/op and allocs/op")
	}
	out := make([]float64, len(values))
	for i, v := range values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" {
			value, unit = v.OrigValue, v.OrigUnit
		}
		if unit != units[i] {
			return nil, fmt.Errorf("unit %s: expected %s", quoted(unit), units[i])
		}
		if !plausible(value) {
			return nil, fmt.Errorf("%v %s is out of range", value, unit)
		}
		out[i] = value
	}
	return out, nil
}
