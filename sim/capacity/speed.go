package capacity

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Speed is how fast a CPU works from some time on: 1 is as fast as costs have it, 0
// is not at all, since somebody else has it.
type Speed struct {
	At    time.Duration
	Speed float64
}

// maxSpeed bounds speeds from both sides, except for 0.
const maxSpeed = 100

func checkSpeeds(list []Speed) bool {
	for _, s := range list {
		if s.Speed != 0 && !(s.Speed >= 1.0/maxSpeed && s.Speed <= maxSpeed) {
			return false
		}
	}
	// A CPU that never works again would never end what it does.
	return slices.IsSortedFunc(list, func(a, b Speed) int { return cmp.Compare(a.At, b.At) }) &&
		(len(list) == 0 || list[len(list)-1].Speed > 0)
}

// pace follows a CPU's speed through a simulation, whose time does not go back.
type pace struct {
	list []Speed
	from int64 // what At counts from
	next int   // the first that is to come
}

// after is when work of so much time at speed 1 ends that begins now, and how much
// time of the CPU it takes.
func (p *pace) after(now, work int64) (end, used int64) {
	for p.next < len(p.list) && p.from+int64(p.list[p.next].At) <= now {
		p.next++
	}
	if work <= 0 {
		return now, 0
	}
	if p.next == 0 && (len(p.list) == 0 || now+work <= p.from+int64(p.list[0].At)) {
		return now + work, work
	}
	speed := 1.0
	if p.next > 0 {
		speed = p.list[p.next-1].Speed
	}
	left := float64(work)
	for k := p.next; ; k++ {
		until := never
		if k < len(p.list) {
			until = p.from + int64(p.list[k].At)
		}
		if done := speed * float64(until-now); done >= left && speed > 0 || until == never {
			took := int64(math.Ceil(left / speed))
			return now + took, used + took
		} else if speed > 0 {
			left -= done
			used += until - now
		}
		now, speed = until, p.list[k].Speed
	}
}

// meanSpeed is that between two times, as far as the CPU worked; 1 where it did not.
func meanSpeed(list []Speed, from, to time.Duration) float64 {
	done, time := workDone(list, from, to)
	if time == 0 {
		return 1
	}
	return done / time
}

// workDone is the work in ns at speed 1 that is done between two times, and the time in ns for
// which the CPU worked. What lies before the first speed has that.
func workDone(list []Speed, from, to time.Duration) (work, time float64) {
	for i, s := range list {
		begin, end := max(s.At, from), to
		if i == 0 {
			begin = from
		}
		if i+1 < len(list) {
			end = min(list[i+1].At, to)
		}
		if d := float64(end - begin); d > 0 && s.Speed > 0 {
			work, time = work+s.Speed*d, time+d
		}
	}
	return work, time
}
