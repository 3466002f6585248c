package capacity

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram is a distribution of response times, to three digits, up to
// twenty minutes.
type Histogram struct {
	h     *hdr.Histogram
	sum   float64
	count int64
}

const longest = int64(20 * time.Minute)

// unit is the resolution in ns.
const unit = 100

func newHistogram() *Histogram { return &Histogram{h: hdr.New(1, longest/unit, 3)} }

func (h *Histogram) add(ns int64) {
	_ = h.h.RecordValue(min(max(ns, 0), longest) / unit) // within bounds
	h.sum += float64(ns)
	h.count++
}

// Count is the number of values.
func (h *Histogram) Count() int64 { return h.count }

// Mean is their mean.
func (h *Histogram) Mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.count))
}

// Quantile is the time that a share q, 0 to 1, did not exceed.
func (h *Histogram) Quantile(q float64) time.Duration {
	return time.Duration(h.h.ValueAtQuantile(100*q) * unit)
}
