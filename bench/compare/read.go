package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/perf/benchfmt"
)

// Limits on what is read.
const (
	maxFile     = 64 << 20 // bytes
	maxNames    = 20_000
	maxSettings = 1000 // keys, and values of a key
)

// key is a row: a benchmark in one of its units.
type key struct{ name, unit string }

// line is one result.
type line struct {
	pkg, name string
	values    []benchfmt.Value
}

// file is the content of a result file.
type file struct {
	path     string
	lines    []line
	packages []string
	keys     []string // of settings, in their order
	settings map[string][]string
	metadata benchfmt.UnitMetadataMap

	// By name, once it is settled whether names have packages.
	names, units []string
	values       map[key][]float64
}

func readFile(path string) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	return read(f, path)
}

// read reads results in the Go benchmark format. Lines that are neither results
// nor configuration are skipped, as by all tools of the format, but for
// comments that give a setting: "# date: …".
func read(r io.Reader, path string) (*file, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", path, maxFile>>20)
	}
	f := &file{path: path, settings: map[string][]string{}}
	reader := benchfmt.NewReader(bytes.NewReader(data), path)
	var names int
	seen := map[string]bool{}
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, record
		case *benchfmt.Result:
			l := line{pkg: record.GetConfig("pkg"), name: string(record.Name.Full())}
			for _, v := range record.Values {
				if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
					_, number := record.Pos()
					return nil, fmt.Errorf("%s:%d: a value that is not finite", path, number)
				}
				l.values = append(l.values, v)
			}
			f.lines = append(f.lines, l)
			for _, c := range record.Config {
				if err := f.set(c.Key, string(c.Value)); err != nil {
					return nil, err
				}
			}
			if !slices.Contains(f.packages, l.pkg) {
				f.packages = append(f.packages, l.pkg)
			}
			if id := l.pkg + " " + l.name; !seen[id] {
				seen[id] = true
				if names++; names > maxNames {
					return nil, fmt.Errorf("%s: more than %d benchmarks", path, maxNames)
				}
			}
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(f.lines) == 0 {
		return nil, fmt.Errorf("%s: no benchmark results", path)
	}
	f.metadata = reader.Units()
	return f, f.comments(data)
}

// comments reads settings that are given in comments.
func (f *file) comments(data []byte) error {
	for text := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(text, []byte("# "))
		if !ok {
			continue
		}
		key, value, ok := strings.Cut(strings.TrimSpace(string(rest)), ": ")
		if !ok || key == "warning" || strings.IndexFunc(key, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsUpper(c) }) >= 0 {
			continue
		}
		if err := f.set(key, value); err != nil {
			return err
		}
	}
	return nil
}

// set notes a value of a setting.
func (f *file) set(key, value string) error {
	have := f.settings[key]
	if len(have) == 0 {
		f.keys = append(f.keys, key)
	}
	if !slices.Contains(have, value) {
		f.settings[key] = append(have, value)
	}
	if len(f.keys) > maxSettings || len(have) > maxSettings {
		return fmt.Errorf("%s: more than %d settings", f.path, maxSettings)
	}
	return nil
}

// name sorts the lines by their names, with or without packages.
func (f *file) name(packages bool) {
	f.values = map[key][]float64{}
	names, units := map[string]bool{}, map[string]bool{}
	for _, l := range f.lines {
		name := l.name
		if packages && l.pkg != "" {
			name = l.pkg + " " + name
		}
		if !names[name] {
			names[name] = true
			f.names = append(f.names, name)
		}
		for _, v := range l.values {
			if !units[v.Unit] {
				units[v.Unit] = true
				f.units = append(f.units, v.Unit)
			}
			k := key{name, v.Unit}
			f.values[k] = append(f.values[k], v.Value)
		}
	}
}
