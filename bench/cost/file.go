package cost

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"golang.org/x/perf/benchfmt"

	"mpinlab/bench"
)

// maxFile bounds the files that are read, in bytes, and maxRows their rows.
const (
	maxFile = 8 << 20
	maxRows = 10_000
)

// Write writes results in the Go benchmark format, notes as comments.
func Write(w io.Writer, r *Results, environment []bench.Setting) error {
	out := bufio.NewWriter(w)
	for _, s := range environment {
		fmt.Fprintf(out, "# %s: %s\n", s.Key, s.Value)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "# note: %s\n", strings.Join(strings.Fields(note), " "))
	}
	for _, u := range units {
		fmt.Fprintf(out, "Unit %s better=lower\n", u)
	}
	for _, row := range r.Rows {
		fmt.Fprintf(out, "%v 1", row.Key)
		for _, u := range units {
			if v, ok := row.Values[u]; ok {
				fmt.Fprintf(out, " %v %s", math.Round(v*100)/100, u)
			}
		}
		out.WriteString("\n")
	}
	return out.Flush()
}

// ReadFile reads what Write has written.
func ReadFile(path string) (*Results, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cost: %w", err)
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads what Write has written. It skips lines that the format does not
// know, and refuses names that are not bench.Keys, units that are not of this
// package, and values that are no cost.
func Read(r io.Reader, name string) (*Results, error) {
	limited := &io.LimitedReader{R: r, N: maxFile}
	var text strings.Builder
	if _, err := io.Copy(&text, limited); err != nil {
		return nil, fmt.Errorf("cost: %s: %w", name, err)
	}
	if limited.N == 0 {
		return nil, fmt.Errorf("cost: %s: larger than %d MiB", name, maxFile>>20)
	}
	out := &Results{}
	for line := range strings.Lines(text.String()) {
		if note, ok := strings.CutPrefix(line, "# note: "); ok {
			out.Notes = append(out.Notes, strings.TrimSpace(note))
		}
	}
	reader := benchfmt.NewReader(strings.NewReader(text.String()), name)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, fmt.Errorf("cost: %w", record)
		case *benchfmt.Result:
			_, line := record.Pos()
			key, err := bench.ParseKey("Benchmark" + record.Name.String())
			if err != nil {
				return nil, fmt.Errorf("cost: %s:%d: %w", name, line, err)
			}
			row := Row{Key: key, Values: map[string]float64{}}
			for _, v := range record.Values {
				value, unit := v.Value, v.Unit
				if v.OrigUnit != "" {
					value, unit = v.OrigValue, v.OrigUnit
				}
				if !known(unit) || !(value >= 0) || math.IsInf(value, 0) {
					return nil, fmt.Errorf("cost: %s:%d: %v %.40q is no cost", name, line, value, unit)
				}
				row.Values[unit] = value
			}
			if len(out.Rows) == maxRows {
				return nil, fmt.Errorf("cost: %s: more than %d rows", name, maxRows)
			}
			out.Rows = append(out.Rows, row)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("cost: %s: %w", name, err)
	}
	if len(out.Rows) == 0 {
		return nil, fmt.Errorf("cost: %s: no results", name)
	}
	return out, nil
}

func known(unit string) bool {
	for _, u := range units {
		if u == unit {
			return true
		}
	}
	return false
}

// Find returns a value, and whether it was measured.
func (r *Results) Find(op, backend, curve, unit string) (float64, bool) {
	for _, row := range r.Rows {
		if row.Key.Op == op && row.Key.Backend == backend && row.Key.Curve == curve {
			v, ok := row.Values[unit]
			return v, ok
		}
	}
	return 0, false
}
