package result

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms are latencies in µs by tag: see Tag.
type Histograms map[string]*hdr.Histogram

// Tag names a histogram.
func Tag(phase, measure string) string { return phase + "." + measure }

// The range and precision of every histogram: 1 µs to 10 minutes, three digits.
// Equal shapes make merging exact: counts are added bucket by bucket.
const (
	lowest, highest = 1, 600_000_000
	digits          = 3
)

// NewHistogram makes an empty histogram of latencies in µs.
func NewHistogram() *hdr.Histogram { return hdr.New(lowest, highest, digits) }

// Clamp brings a latency in µs into a histogram's range.
func Clamp(us int64) int64 { return max(lowest, min(highest, us)) }

// ErrMerge: two histograms of different shapes.
var ErrMerge = errors.New("histograms that do not merge exactly")

// Merge adds the counts of from to h. Error: ErrMerge if any count would be
// lost.
func (h Histograms) Merge(from Histograms) error {
	for _, tag := range slices.Sorted(maps.Keys(from)) {
		if h[tag] == nil {
			h[tag] = NewHistogram()
		}
		if lost := h[tag].Merge(from[tag]); lost > 0 {
			return fmt.Errorf("%w: %s: %d values", ErrMerge, tag, lost)
		}
	}
	return nil
}

// Summary is the distribution in ms, nil for none or an empty one.
func Summary(h *hdr.Histogram) *Latency {
	if h == nil || h.TotalCount() == 0 {
		return nil
	}
	at := func(p float64) float64 { return float64(h.ValueAtPercentile(p)) / 1000 }
	return &Latency{
		Count: h.TotalCount(), Mean: h.Mean() / 1000, P50: at(50), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9),
		Max: float64(h.Max()) / 1000,
	}
}

// WriteHistograms writes a log of HdrHistogram's format 1.3. startMS and endMS
// are ms since the epoch.
func WriteHistograms(w io.Writer, h Histograms, startMS, endMS int64) error {
	out := bufio.NewWriter(w)
	lw := hdr.NewHistogramLogWriter(out)
	if err := errors.Join(lw.OutputComment("mpinlab load; values in µs"), lw.OutputLogFormatVersion(),
		lw.OutputStartTime(startMS), lw.OutputBaseTime(0), lw.OutputLegend()); err != nil {
		return err
	}
	for _, tag := range slices.Sorted(maps.Keys(h)) {
		c := h[tag].Clone()
		c.SetTag(tag)
		c.SetStartTimeMs(startMS)
		c.SetEndTimeMs(endMS)
		if err := lw.OutputIntervalHistogram(c); err != nil {
			return fmt.Errorf("histogram %s: %w", tag, err)
		}
	}
	return out.Flush()
}

// maxLog bounds a log that is read, in bytes, and maxTags its histograms.
const (
	maxLog  = 64 << 20
	maxTags = 1000
)

// ReadHistograms reads what WriteHistograms wrote; histograms of one tag are
// merged.
func ReadHistograms(r io.Reader) (Histograms, error) {
	lr := hdr.NewHistogramLogReader(io.LimitReader(r, maxLog))
	out := Histograms{}
	for range maxTags {
		h, err := lr.NextIntervalHistogram()
		if errors.Is(err, io.EOF) || err == nil && h == nil {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("histograms: %w", err)
		}
		tag := strings.Clone(h.Tag())
		h.SetTag("")
		if err := out.Merge(Histograms{tag: h}); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("histograms: more than %d", maxTags)
}
