package capacity

import (
	"fmt"
	"slices"
	"time"
)

// Scale is what slowness is told by. A core that others share has two speeds: that of a
// CPU that has it for itself, which is its clock's and tells itself by pulses that are the
// same again and again, and that while somebody works on its other half. How much longer
// work takes then hardly depends on how much longer the pulse does, which is another from
// one neighbour to the next: it is a factor, [shared]. A neighbour can take half of a core;
// a pulse that takes longer than [halved] is of a CPU that is slow besides, and so slow is
// work: there are some that fall to a twentieth of their speed, a few times in ten seconds or
// in one, all cores at a time, and need 15 to 90 ms to be as before. Costs are those of the
// mean speed while calibrating.
type Scale struct {
	// Usual is what a pulse takes in µs on a core that is not shared, at the lowest of its
	// clocks; one that takes longer than From is of a core that is shared.
	Usual float64 `json:"usual_us"`
	From  float64 `json:"shared_from_us"`
	// Mean is how many times as long as at the usual speed work took on average while
	// calibrating.
	Mean float64 `json:"mean"`
	// Shared is how many times as long work takes on a core that is shared, where that was
	// measured of this work; 0 for [shared].
	Shared float64 `json:"-"`
}

// Of scales.
const (
	// shared is how many times as long work takes on a core that is shared. It was told from
	// what a second at saturation bears, by the share of the second for which the core was
	// shared, in 192 seconds on an AMD EPYC with 500 pulses in each: for most of
	// the time it is 1.5 one by one and 1.6 in batches, for less than a third of it, in short
	// turns after which the caches are others', 1.65 and 1.85. In 272 seconds on an Intel Xeon
	// inside another virtual machine, with another neighbour all the time, it was 1.6 and 1.5,
	// and 1.85 and 1.5 a few hours later. It is measured by [Calibrate] where cores are shared
	// at times; this is what it is taken for elsewhere.
	// Verifying alone, without the kernel's work, takes 1.4 to 1.5 times as long, so that it
	// is not measured by that.
	shared = 1.6
	// halved is how many times as long a pulse takes at most on a core that is only shared:
	// a neighbour that multiplies too has every other turn of the multiplier.
	halved = 2
	// Clocks differ by up to mostClock; a pulse is one's if within sharp of it there is a
	// share of oftenEnough of all. Another may come that was not there while calibrating:
	// the lowest is taken to be likelyClock times as slow as the highest, at least. What
	// takes longerThan times as long is of a shared core.
	mostClock   = 1.25
	likelyClock = 1.105
	sharp       = 1.01
	oftenEnough = 0.05
	longerThan  = 1.05
)

func (s Scale) check() error {
	if !(s.Usual > 0 && s.Usual <= s.From && s.From < 1e6) || !(s.Mean >= 1.0/maxSpeed && s.Mean <= maxSpeed) {
		return fmt.Errorf("a scale of %+v", s)
	}
	return nil
}

// speed is how fast work goes when a pulse takes so many ns.
func (s Scale) speed(took float64) float64 {
	longer := took / 1000 / s.Usual
	if longer <= halved && took > 1000*s.From {
		if longer = s.Shared; longer == 0 {
			longer = shared
		}
	}
	return min(max(s.Mean/longer, 1.0/maxSpeed), maxSpeed)
}

// late is how late in ns a pulse is before it tells that others had the CPU: a timer
// is not more exact.
const late = 300_000

// speeds are those that beats tell, by the time since begin.
func (s Scale) speeds(beats []beat, begin time.Time) []Speed {
	return s.speedsSince(beats, machineClock(begin))
}

// speedsSince is speeds by the time since a time of the beats' clock.
func (s Scale) speedsSince(beats []beat, start int64) []Speed {
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

// newScale tells the clock of a CPU from its pulse since a time.
func (m *machine) newScale(cpu int, since time.Time) (Scale, error) {
	beats, err := m.of(cpu, since, time.Now())
	if err != nil {
		return Scale{}, err
	}
	s := Scale{Mean: 1}
	s.Usual, s.From = unshared(beats)
	return s, s.check()
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
