package capacity

import (
	"fmt"
	"math"
)

// Warmth is how much less requests take while fewer logins are under way, whose
// connections, goroutines and stacks are still in the CPU's caches. UnderWay ascends.
// Between its points the share is a line over the logarithm; beyond them it stays.
type Warmth []WarmShare

// WarmShare is the share of its costs that a request takes while so many logins are under
// way.
type WarmShare struct {
	UnderWay int     `json:"under_way"`
	Share    float64 `json:"share"`
}

// at is the share while n are under way; 1 where nothing is known.
func (w Warmth) at(n int) float64 {
	if len(w) == 0 {
		return 1
	}
	from := w[0]
	for _, to := range w {
		if n < to.UnderWay {
			if to == from {
				break
			}
			at := math.Log(float64(n)/float64(from.UnderWay)) / math.Log(float64(to.UnderWay)/float64(from.UnderWay))
			return from.Share + (to.Share-from.Share)*at
		}
		from = to
	}
	return from.Share
}

// table is at of all up to the last point.
func (w Warmth) table() (list []float64) {
	if len(w) == 0 {
		return nil
	}
	for n := range w[len(w)-1].UnderWay + 1 {
		list = append(list, w.at(n))
	}
	return list
}

// The points' bounds: of the logins under way, and of the share from both sides.
const (
	mostUnderWay = 1 << 16
	mostShare    = 10
)

func (w Warmth) check() error {
	last := 0
	for _, s := range w {
		if s.UnderWay <= last || s.UnderWay > mostUnderWay || !(s.Share >= 1.0/mostShare && s.Share <= mostShare) {
			return fmt.Errorf("%w: %v of their costs while %d logins are under way", ErrModel, s.Share, s.UnderWay)
		}
		last = s.UnderWay
	}
	return nil
}
