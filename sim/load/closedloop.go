package load

import (
	"slices"
	"sort"
	"time"

	"mpinlab/sim/load/result"
)

// trace keeps when operations were to start and how long the server took then,
// as many as tell what the server was like at every moment: when it is full, it
// keeps every second of them, and so on.
type trace struct {
	points []point
	every  uint64
	seen   uint64
}

type point struct {
	at, took time.Duration
}

const maxTrace = 1 << 17

func (t *trace) add(at, took time.Duration) {
	if t.every == 0 {
		t.every = 1
	}
	if t.seen++; t.seen%t.every != 0 {
		return
	}
	t.points = append(t.points, point{at, took})
	if len(t.points) >= maxTrace {
		kept := t.points[:0]
		for i := 1; i < len(t.points); i += 2 {
			kept = append(kept, t.points[i])
		}
		t.points, t.every = kept, 2*t.every
	}
}

// closed is ClosedLoop over what the trace holds.
func (t *trace) closed(from, to time.Duration) *result.Latency {
	starts, took := make([]time.Duration, len(t.points)), make([]time.Duration, len(t.points))
	slices.SortFunc(t.points, func(a, b point) int { return int(a.at - b.at) })
	for i, p := range t.points {
		starts[i], took[i] = p.at, p.took
	}
	return ClosedLoop(starts, took, from, to)
}

// ClosedLoop computes what a closed-loop generator would have reported of a run:
// one that sends a request, waits for the answer, and sends the next. starts,
// ascending, are when requests were sent in the run and took how long they took;
// the closed loop's request at a moment takes as long as the run's next one did.
// While the server stands still a closed loop waits with the one request that it
// has sent, and so meets a pause once where everybody else meets it again and
// again: a pause of P every T is in a share P/T of arrivals, and in one request a
// pause of a closed loop. nil where nothing was sent.
func ClosedLoop(starts, took []time.Duration, from, to time.Duration) *result.Latency {
	h := result.NewHistogram()
	for at := from; at < to; {
		i := sort.Search(len(starts), func(i int) bool { return starts[i] >= at })
		if i == len(starts) {
			break
		}
		d := max(took[i], 10*time.Microsecond) // nothing is faster, and so it ends
		_ = h.RecordValue(result.Clamp(d.Microseconds()))
		at += d
	}
	return result.Summary(h)
}
