package report

import (
	"bytes"
	"encoding/csv"
	"math"
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
