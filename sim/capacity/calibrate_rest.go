package capacity

import "mpinlab/sim/deploy"

// looks are the turns of a server's threads on its CPU while logins come one after the
// other, among them Go's monitor, of which there are many short ones.
type looks struct {
	time  map[int]float64 // ns at speed 1
	turns map[int]float64
}

// add adds what threads have done since, at a speed.
func (l *looks) add(had, has map[int]deploy.Thread, speed float64) {
	if l.time == nil {
		l.time, l.turns = map[int]float64{}, map[int]float64{}
	}
	for id, t := range has {
		l.time[id] += speed * float64(t.CPU-had[id].CPU)
		l.turns[id] += float64(t.Turns - had[id].Turns)
	}
}

// look is the monitor's time in µs for a look: that of the thread with the most turns for
// their time. It is 0 where nothing is known.
func (l *looks) look() (us float64) {
	most := 0.0
	for id, n := range l.turns {
		if t := l.time[id]; t > 0 && n*n/t > most {
			most, us = n*n/t, t/n/1000
		}
	}
	return us
}

// mostLook bounds the time of a look, and mostRest that of coming to rest, in µs.
const mostLook, mostRest = 1000, 10_000

// rest tells what a login costs more where one comes after another, so that the server
// has nothing to do after each request: looks of Go's monitor, during each request, and one
// after it, which finds nothing to do, and coming to rest after each. Where the looks, of so
// many µs, explain more than there is, or nothing is known of them, they are all of it.
func (e *Entry) rest(to *Requests, batching bool, alone level, look float64) {
	warm := to.Warm.at(1)
	works := []float64{warm * to.Pass1.CPU, warm * to.Pass2.CPU, warm*to.Redeem.CPU + e.verifying(to, batching)}
	more := max(0, alone.cpu-sum(works))
	count := func() float64 {
		n := float64(len(works))
		for _, w := range works {
			n += float64(looksDuring(w, to.Monitor))
		}
		return n
	}
	to.Monitor, to.Rest = look, 0
	if left := more - look*count(); look > 0 && left > 0 {
		to.Rest = min(left/float64(len(works)), mostRest)
		return
	}
	to.Monitor = 0
	for range 10 {
		to.Monitor = min(more/count(), mostLook)
	}
}

// verifying is the time in µs of verifying one login.
func (e *Entry) verifying(r *Requests, batching bool) float64 {
	if batching {
		return e.Batch[0].Time
	}
	return e.Verify.mean / 1000 * r.Verify
}

// looksDuring is how often Go's monitor looks while a server that was idle works for so
// many µs, if each look takes so many.
func looksDuring(work, look float64) int64 {
	var m monitor
	m.wake(0)
	return m.during(0, int64(1000*work), int64(1000*look))
}

// alone is the time in µs of so much work of a server that was idle.
func (r *Requests) alone(work float64) float64 {
	return work + r.Monitor*float64(looksDuring(work, r.Monitor))
}
