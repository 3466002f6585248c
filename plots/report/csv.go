package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mpinlab/bench"
)

// csvRows writes one line a row of measurements, times in nanoseconds. A cell
// without a value is empty.
func csvRows(r *bench.Results) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"op", "parameter", "suite", "curve", "backend", "via", "procs",
		"samples", "median_ns", "lo_ns", "hi_ns", "bytes", "allocs", "warnings"})
	for i := range r.Rows {
		row := &r.Rows[i]
		k := row.Key
		parameter := ""
		if k.NName != "" {
			parameter = k.NName + "=" + strconv.Itoa(k.N)
		}
		w.Write([]string{k.Op, parameter, k.Suite, k.Curve, k.Backend, k.Via, strconv.Itoa(k.Procs),
			strconv.Itoa(len(row.Samples)), cell(row.Median), cell(row.Lo), cell(row.Hi),
			cell(row.Bytes), cell(row.Allocs), strings.Join(row.Warnings, "; ")})
	}
	w.Flush() // into memory: it cannot fail
	return b.Bytes()
}

func cell(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

var conformanceHead = []string{"set", "suite", "backend", "passed", "failed", "skipped", "reason"}

// write writes conformance.csv into dir, or takes that of an older report away
// where nothing was checked.
func (c *Conformance) write(dir string) error {
	path := filepath.Join(dir, ConformanceFile)
	if c == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("report: cannot remove %s, which is of an older report: %w; remove it yourself", path, pathless(err))
		}
		return nil
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(conformanceHead)
	for _, r := range c.Rows {
		w.Write([]string{r.Set, r.Suite, r.Backend, strconv.Itoa(r.Passed), strconv.Itoa(r.Failed), strconv.Itoa(r.Skipped), r.Reason})
	}
	w.Flush() // into memory: it cannot fail
	return writeFile(path, b.Bytes())
}

// ConformanceFile is the name of the file that [ReadConformance] reads.
const ConformanceFile = "conformance.csv"

// ErrConformance is wrapped by the errors about a file that is not as [Write]
// writes it.
var ErrConformance = errors.New("not a file of conformance")

// ReadConformance reads the conformance of a report, nil where it has none.
func ReadConformance(dir string) (*Conformance, error) {
	path := filepath.Join(dir, ConformanceFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(io.LimitReader(f, maxConformance))
	r.FieldsPerRecord = len(conformanceHead)
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("report: %s: %w: %w", path, ErrConformance, err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], conformanceHead) {
		return nil, fmt.Errorf("report: %s: %w: its first line is not %s", path, ErrConformance, strings.Join(conformanceHead, ","))
	}
	c := &Conformance{}
	for i, line := range lines[1:] {
		row := ConformanceRow{Set: line[0], Suite: line[1], Backend: line[2], Reason: line[6]}
		for j, n := range []*int{&row.Passed, &row.Failed, &row.Skipped} {
			v, err := strconv.ParseUint(line[3+j], 10, 31)
			if err != nil {
				return nil, fmt.Errorf("report: %s: %w: line %d counts %q", path, ErrConformance, i+2, line[3+j])
			}
			*n = int(v)
		}
		c.Rows = append(c.Rows, row)
	}
	return c, nil
}

// maxConformance bounds the file in bytes.
const maxConformance = 4 << 20

// Excluded gives the backends that failed a known answer, with the first set
// that they failed.
func (c *Conformance) Excluded() map[string]string {
	excluded := map[string]string{}
	if c == nil {
		return excluded
	}
	for _, r := range c.Rows {
		if r.Failed > 0 && excluded[r.Backend] == "" {
			excluded[r.Backend] = fmt.Sprintf("fails %d of %d known answers of %s (%s)", r.Failed, r.cases(), r.Set, r.Suite)
		}
	}
	return excluded
}
