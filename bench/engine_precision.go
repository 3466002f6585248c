package bench

import (
	"fmt"
	"math"
)

const (
	// maxRounds ends sampling for a precision that this machine does not give.
	maxRounds = 1000
	// lookEvery is the number of rounds between two looks at the precision: the
	// fewer looks, the less an interval that is narrow by accident stops early.
	lookEvery = 5
)

// wanted reports whether another round is to be taken.
func (e *engine) wanted() bool {
	if e.opt.Precision == 0 {
		return e.rounds < e.opt.Samples
	}
	return len(e.live()) > 0 && e.rounds < max(maxRounds, e.opt.Samples)
}

// settle takes those blocks out of the rounds that are known as precisely as
// was wanted.
func (e *engine) settle() {
	past := e.rounds - e.opt.Samples
	if e.opt.Precision == 0 || past < 0 || past%lookEvery != 0 {
		return
	}
	for _, b := range e.blocks {
		precise := true
		for _, p := range e.pairsOf(b) {
			precise = precise && p.halfWidth() <= e.opt.Precision
		}
		if precise {
			for _, s := range b {
				s.done = true
			}
		}
	}
}

// pairsOf returns the comparisons in a block of what did not fail. A row with
// nothing to be compared with is compared with its own median.
func (e *engine) pairsOf(b []*subject) []pair {
	var rows []*Row
	for _, s := range b {
		if s.err != nil || len(s.row.Samples) == 0 {
			continue
		}
		s.row.Median, _, _ = interval(s.row.Samples)
		rows = append(rows, &s.row)
	}
	if len(rows) == 1 {
		return []pair{{row: rows[0]}}
	}
	return pairs(rows)
}

// halfWidth returns how far the 95 % interval of the ratio reaches, relative to
// it; of a row by itself that of its median.
func (p pair) halfWidth() float64 {
	mid, lo, hi := interval(p.row.Samples)
	if p.base != nil {
		mid, lo, hi = Ratio(p.row, p.base)
	}
	if math.IsInf(hi, 0) || math.IsNaN(hi) {
		return math.Inf(1)
	}
	return max(hi-mid, mid-lo) / mid
}

// warnOfPrecision tells of the rows that did not become as precise as was
// wanted.
func (e *engine) warnOfPrecision() {
	if e.opt.Precision == 0 {
		return
	}
	for _, b := range e.blocks {
		for _, p := range e.pairsOf(b) {
			if w := p.halfWidth(); w > e.opt.Precision && !b[0].done {
				p.row.Warnings = append(p.row.Warnings, fmt.Sprintf(
					"precision: known to ±%s, not to ±%s as was wanted", percent(w), percent(e.opt.Precision)))
			}
		}
	}
}

// percent writes a share as "1.5 %".
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// warnOfControls tells of rows that differ from themselves.
func (e *engine) warnOfControls() {
	for _, c := range Claims(&e.results) {
		if c.Row.Key.Via == ViaControl && c.Claimed {
			e.warn("control: %v differs from itself, %s: take no difference of that size in its block for real", c.Base.Key, c.span())
		}
	}
}
