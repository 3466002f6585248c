package capacity

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Scale is what slowness is told by. A core that others share has two speeds: that of a
// CPU that has it for itself, which is its clock's and tells itself by pulses that are the
// same again and again, and that while somebody works on its other half. How much longer
// work takes then hardly depends on how much longer the pulse does, which is another from
// one neighbour to the next, nor on what work it is: it is a factor. Costs are those of the
// mean speed while calibrating.
type Scale struct {
	// Usual is what a pulse takes in µs on a core that is not shared, at the lowest of its
	// clocks; one that takes longer than From is of a core that is shared.
	Usual float64 `json:"usual_us"`
	From  float64 `json:"shared_from_us"`
	// Shared is how many times as long as then work takes on one that is, and Mean how many
	// times as long it took on average while calibrating.
	Shared float64 `json:"shared"`
	Mean   float64 `json:"mean"`
}

// Of scales.
const (
	// Clocks differ by up to mostClock; a pulse is one's if within sharp of it there is a
	// share of oftenEnough of all. Another may come that was not there while calibrating:
	// the lowest is taken to be likelyClock times as slow as the highest, at least. What
	// takes longer times as long is of a shared core.
	mostClock   = 1.25
	likelyClock = 1.105
	sharp       = 1.01
	oftenEnough = 0.05
	longerThan  = 1.05
	// How many times as long work takes on a shared core, as seen of servers on the machines
	// that this was made on, and how far that is off (verifying alone takes 1.4 times as
	// long, or 1.5 in batches; what the kernel does more); and how many times at most.
	mostlyShared  = 1.48
	sharedSpread  = 0.04
	longestShared = 4
	// leastOff is how far the mean times of windows are off at least.
	leastOff = 0.03
)

func (s Scale) check() error {
	if !(s.Usual > 0 && s.Usual <= s.From && s.From < 1e6) || !(s.Shared >= 1 && s.Shared <= longestShared) || !(s.Mean >= 1.0/maxSpeed && s.Mean <= maxSpeed) {
		return fmt.Errorf("a scale of %+v", s)
	}
	return nil
}

// speed is how fast work goes when a pulse takes so many ns.
func (s Scale) speed(took float64) float64 {
	longer := took / 1000 / s.Usual
	if took > 1000*s.From {
		longer = s.Shared
	}
	return min(max(s.Mean/longer, 1.0/maxSpeed), maxSpeed)
}

// late is how late in ns a pulse is before it tells that others had the CPU: a timer
// is not more exact.
const late = 300_000

// speeds are those that beats tell, by the time since begin.
func (s Scale) speeds(beats []beat, begin time.Time) []Speed {
	start := machineClock(begin)
	var list []Speed
	for i, b := range beats {
		if b.Sure == 1 && b.Late > late {
			// It began at some time since the beat before; as long before this one
			// as it went on after it, by the mean of all.
			from := b.At - int64(b.Late)
			if i > 0 {
				from = max(from, beats[i-1].At+int64(beats[i-1].Late+beats[i-1].Took))
			}
			list = append(list, Speed{time.Duration(from - start), 0})
		}
		list = append(list, Speed{time.Duration(b.At + int64(b.Late) - start), s.speed(float64(b.Took))})
	}
	return list
}

// meanOf is how many times as long work takes on average while a CPU beats so.
func (s Scale) meanOf(beats []beat) float64 {
	s.Mean = 1
	speed := 0.0
	for _, b := range beats {
		speed += s.speed(float64(b.Took)) / float64(len(beats))
	}
	if speed == 0 {
		return 1
	}
	return 1 / speed
}

// unshared tells in µs what a pulse takes at the lowest clock of a core that is not shared,
// and from what on it is.
func unshared(beats []beat) (usual, from float64) {
	list := took(beats)
	if len(list) == 0 {
		return 0, 0
	}
	highest := list[len(list)/100]
	usual = highest
	end := 0
	for i, x := range list {
		if x > mostClock*highest {
			break
		}
		for end < len(list) && list[end] <= sharp*x {
			end++
		}
		if float64(end-i) >= oftenEnough*float64(len(list)) {
			usual = x
		}
	}
	return usual / 1000, longerThan * max(usual, likelyClock*highest) / 1000
}

// newScale tells the clock of a CPU from its pulse since a time, and how much longer the same
// work takes while its core is shared from windows in which it was done over and over,
// span.took being what it took once: by the line through what share of each the core was
// shared for. What the windows leave open, since it hardly changed, is as it mostly is.
func (m *machine) newScale(cpu int, since time.Time, windows []span) (Scale, error) {
	if len(windows) < 3 {
		return Scale{}, fmt.Errorf("%w: %d times of work are no line", errPulse, len(windows))
	}
	all, err := m.of(cpu, since, time.Now())
	if err != nil {
		return Scale{}, err
	}
	s := Scale{Mean: 1}
	s.Usual, s.From = unshared(all)
	var share, time []float64
	for _, w := range windows {
		beats, err := m.of(cpu, w.from, w.to)
		if err != nil {
			return Scale{}, err
		}
		// What it would take at the usual clock.
		shared, speed := 0.0, 0.0
		for _, b := range beats {
			if took := float64(b.Took) / 1000; took > s.From {
				shared++
				speed++
			} else {
				speed += s.Usual / took
			}
		}
		n := float64(len(beats))
		share, time = append(share, shared/n), append(time, w.took.Seconds()*speed/n)
	}
	s.Shared = longer(share, time)
	return s, s.check()
}

// longer is how many times as long something takes when a share is 1 than when it is 0,
// from times at several shares.
func longer(share, time []float64) float64 {
	n := float64(len(share))
	mx, my := sum(share)/n, sum(time)/n
	sxx, sxy, syy := 0.0, 0.0, 0.0
	for i, x := range share {
		dx, dy := x-mx, time[i]-my
		sxx, sxy, syy = sxx+dx*dx, sxy+dx*dy, syy+dy*dy
	}
	found, weight := 0.0, 0.0
	if slope := sxy / sxx; sxx > 0 && my-slope*mx > 0 {
		least := my - slope*mx // at share 0
		off := max(math.Sqrt(max(0, syy-slope*sxy)/(n-2))/least, leastOff)
		spread := off / math.Sqrt(sxx)
		found, weight = 1+slope/least, 1/(spread*spread)
	}
	const before = 1 / (sharedSpread * sharedSpread)
	return min(max((found*weight+mostlyShared*before)/(weight+before), 1), longestShared)
}

// took are the times of beats in ns, in the order of their size.
func took(beats []beat) []float64 {
	var list []float64
	for _, b := range beats {
		list = append(list, float64(b.Took))
	}
	slices.Sort(list)
	return list
}
