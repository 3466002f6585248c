package capacity

import (
	"iter"
	"math/rand/v2"
	"time"
)

// A load is a share of what a server bears, and on a machine that others share that
// changes by the second, by more than half: what was 80 % when the server's limit was
// measured is more than it bears a little later. Arrivals below saturation therefore come in
// the server's own time: they are a Poisson process whose rate follows how fast its CPU is
// by its pulse. Where nobody else has the machine that is a Poisson process of one rate.

// Of pacing.
const (
	// lately is the time over which the CPU's speed counts: long beside a login, whose
	// time is to be what a moment of a slow CPU makes of it, and short beside the turns in
	// which others have the machine.
	lately = 250 * time.Millisecond
	// mostPace bounds how much faster than when the run began the machine may become, and
	// with it how many proofs are prepared; leastPace how much slower.
	mostPace, leastPace = 1.5, 0.2
)

// pacing is the pace of arrivals at a server.
type pacing struct {
	cpus  *machine
	scale Scale
	usual float64 // the work rate at which the server bears what the load is a share of
	seen  int     // beats that there had been when speed was told
	speed float64 // the work rate lately
}

// workRate is how much work at speed 1 a CPU does in the time between two times: none
// while it stands still.
func workRate(list []Speed, from, to time.Duration) float64 {
	work, _ := workDone(list, from, to)
	return work / float64(to-from)
}

// now is how many times as much as usually the server bears lately.
func (p *pacing) now() float64 {
	beats, seen := p.cpus.latest(p.cpus.server, lately)
	if seen != p.seen {
		p.seen = seen
		first, last := beats[0], beats[len(beats)-1]
		// Times count from the first beat.
		list := p.scale.speedsSince(beats, first.At)
		if d := time.Duration(last.At - first.At); d > 0 {
			p.speed = workRate(list, 0, d)
		}
	}
	if p.speed == 0 {
		return 1
	}
	return p.speed / p.usual
}

// arrivals are those up to a length, so many a second while the server bears begun times
// as much as usually. Each is told when it is drawn, which is when the one before has come.
func (p *pacing) arrivals(rate, begun float64, length time.Duration, seed uint64, told *[]time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		random := rand.New(rand.NewPCG(seed, 0x706163696e67))
		for t := 0.0; ; {
			now := min(max(p.now()/begun, leastPace), mostPace)
			t += random.ExpFloat64() / (rate * now)
			at := time.Duration(t * float64(time.Second))
			if at >= length {
				return
			}
			*told = append(*told, at)
			if !yield(at) {
				return
			}
		}
	}
}
