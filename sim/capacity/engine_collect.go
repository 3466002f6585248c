package capacity

// collector is Go's garbage collector in one process. While it collects it may have a
// quarter of the cores, by short turns that come before all else, and what is idle.
type collector struct {
	logins float64 // since the last collection began
	began  int64
	left   int64 // of the work
	worked int64
	active bool // it has a core
}

const (
	// collectorShare is the share of the cores that starts a turn, and collectorMost
	// that at which it ends.
	collectorShare, collectorMost = 0.25, 0.3
	// shortestTurn is between two looks at whether its turn is over, or at what has come
	// for a core that was idle.
	shortestTurn = int64(100_000)
)

// redeemed counts a login that an instance has served.
func (e *engine) redeemed(in *instance) {
	c := &in.collector
	if c.logins++; e.m.Logins > 0 && c.logins >= e.m.Logins && c.left == 0 {
		*c = collector{logins: c.logins - e.m.Logins, began: e.now, left: int64(e.m.Collect), active: c.active}
	}
}

// collect has a core collect garbage if it may, idle if there is nothing else to do.
func (e *engine) collect(i uint32, idle bool) bool {
	in := &e.inst[i]
	c := &in.collector
	if c.left == 0 || c.active {
		return false
	}
	d := shortestTurn
	if !idle {
		since, cores := float64(e.now-c.began), float64(e.m.Cores)
		if since > 0 && float64(c.worked) > collectorShare*cores*since {
			return false
		}
		if rest := 1 - collectorMost*cores; rest > 0 {
			d = max(d, int64((collectorMost*cores*since-float64(c.worked))/rest))
		} else {
			d = c.left
		}
	}
	d = min(d, c.left)
	c.active = true
	c.worked, c.left = c.worked+d, c.left-d
	e.hold(i, d, event{kind: evCollected})
	return true
}
