package capacity

import (
	"context"
	"math"
	"slices"
	"time"
)

// How many times as long logins take on a core that is shared depends on who shares it
// and on what is done: what multiplies a lot is slowed most by neighbours who do too. It
// is told by a server that has more than it bears, from how many logins end in times in
// which its core is shared more and less.

// bout is such a time: the logins that ended, and the work at the usual speed that was done
// in it, but for what was done while the core was shared, which is told as if it were not.
type bout struct{ logins, alone, shared float64 }

// Of bouts.
const (
	// boutTime is long beside a batch.
	boutTime = 250 * time.Millisecond
	// leastBouts and leastSpread are how many bouts tell something, and how much the share
	// of shared time has to differ between them (standard deviation).
	leastBouts  = 16
	leastSpread = 0.05
	// leastShared and mostShared bound what they may tell: a neighbour takes half of a core
	// at most, and some of the caches.
	leastShared, mostShared = 1.2, 2.2
)

// sharing measures how many times as long logins take on a shared core; 0 where this
// machine does not tell.
func (c *crowd) sharing(ctx context.Context, rounds int) (float64, error) {
	l, err := c.mixed(ctx, rounds, flood)
	if err != nil {
		return 0, err
	}
	ends := slices.SortedFunc(slices.Values(l.ended), time.Time.Compare)
	if len(ends) <= flood {
		return 0, nil
	}
	ends = ends[:len(ends)-flood] // so long there were as many under way
	begin := ends[0]
	beats, err := c.machine.of(c.machine.server, begin, ends[len(ends)-1])
	if err != nil {
		return 0, err
	}
	alone, same := c.scale, c.scale
	alone.Mean, alone.Shared = 1, math.Inf(1)
	same.Mean, same.Shared = 1, 1
	without, with := alone.speeds(beats, begin), same.speeds(beats, begin)
	var list []bout
	next := 0
	for from := time.Duration(0); ; from += boutTime {
		to := from + boutTime
		n := next
		for n < len(ends) && ends[n].Sub(begin) < to {
			n++
		}
		if n == len(ends) {
			return sharedTime(list), nil
		}
		a, _ := workDone(without, from, to)
		s, _ := workDone(with, from, to)
		list = append(list, bout{float64(n - next), a, s - a})
		next = n
	}
}

// sharedTime is how many times as long a login takes in shared time: logins are so many for
// each ns alone, and fewer for each that is shared, by the method of least squares.
func sharedTime(list []bout) float64 {
	if len(list) < leastBouts {
		return 0
	}
	var aa, as, ss, na, ns, mean, square float64
	for _, b := range list {
		aa, as, ss = aa+b.alone*b.alone, as+b.alone*b.shared, ss+b.shared*b.shared
		na, ns = na+b.logins*b.alone, ns+b.logins*b.shared
		share := b.shared / max(1, b.alone+b.shared)
		mean, square = mean+share/float64(len(list)), square+share*share/float64(len(list))
	}
	if square-mean*mean < leastSpread*leastSpread {
		return 0
	}
	of := aa*ss - as*as
	alone, shared := (na*ss-ns*as)/of, (ns*aa-na*as)/of
	if !(alone > 0 && shared > 0) {
		return 0
	}
	return min(max(alone/shared, leastShared), mostShared)
}
