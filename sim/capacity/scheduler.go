package capacity

import "time"

// task is what waits for a core: a login's request, a worker (job noJob), or a client that
// has an answer, or a login to begin.
type task struct {
	ref
	batch uint32 // a worker's batch + 1, 0 if it has yet to take one
	stage Stage  // of the request, which stays when its client has gone
}

// knock is a task at the door, since a time.
type knock struct {
	task
	at int64
}

// scheduler is Go's, of one process of so many cores: runtime/proc.go. A core runs what
// the task before it has woken last, then what is ready in a queue of its own, then what
// is in the queue for all, of which it takes many at once, and looks at the network, the
// door, when there is neither. What it finds there it takes in the opposite order, the
// last to come first. Every so many turns the queue for all comes first; and when no core
// has waited at the door for long, Go's monitor looks, and puts what it finds into the
// queue for all.
type scheduler struct {
	cores  int
	inTurn bool // first come, first served, instead

	woken    task // by the present task, if wakened
	wakened  bool
	local    ring[task]
	global   ring[task]
	door     ring[knock]
	polled   int64 // when a core last waited at the door, or the monitor looked
	turns    int
	fresh    int     // cores that have done nothing yet
	idle     []int64 // since when the others without work have been so
	monitor  monitor
	lookTime int64 // what each of its looks takes
}

// Of Go's scheduler.
const (
	// fairness is after how many turns the queue for all comes first.
	fairness = 61
	// atOnce is how many events a look at the door takes in, and how many tasks a
	// core takes from the queue for all.
	atOnce = 128
	// slice is how long a task keeps a core while others wait, at least, and for how long
	// no core waits at the door before the monitor looks: a core's looks while it has work
	// do not count.
	slice = int64(10 * time.Millisecond)
	// The monitor's looks are so far apart at first, and after so many of them twice as
	// far each time up to longestLook. Linux lets a timer of an ordinary thread be late,
	// and the look itself takes its time: lookLate.
	shortestLook = int64(20 * time.Microsecond)
	shortLooks   = 51
	longestLook  = int64(10 * time.Millisecond)
	lookLate     = int64(60 * time.Microsecond)
)

// monitor is Go's monitor thread, which sleeps while a process has nothing to do.
type monitor struct {
	at    int64 // of the next look, if it does not sleep before
	delay int64
	looks int
}

func (m *monitor) wake(now int64) {
	*m = monitor{at: now + shortestLook + lookLate, delay: shortestLook, looks: 1}
}

// look is a look, which takes some time; the next one follows.
func (m *monitor) look(takes int64) {
	if m.looks++; m.looks > shortLooks {
		m.delay = min(2*m.delay, longestLook)
	}
	m.at += takes + m.delay + lookLate
}

// during tells how often it looks while a task has a core that without it would have it
// from now to end.
func (m monitor) during(now, end, takes int64) (n int64) {
	for ; m.at < end; m.look(takes) {
		if m.at >= now {
			n++
			end += takes
		}
	}
	return n
}

// longestIdle is the longest that a core counts as idle.
const longestIdle = int64(time.Hour)

// take takes a core that has nothing to do, the last one that had, and tells how long it
// has not: as Go's scheduler does. ok is false where all have. Slept is the time of the
// look after which the monitor has slept meanwhile, if it has.
func (s *scheduler) take(now int64) (idle, slept int64, ok bool) {
	n := len(s.idle)
	if m := &s.monitor; n+s.fresh == s.cores && m.at <= now {
		if n > 0 {
			slept = s.lookTime
		}
		m.wake(now)
	}
	switch {
	case n > 0:
		idle = now - s.idle[n-1]
		s.idle = s.idle[:n-1]
	case s.fresh > 0:
		s.fresh--
		idle = longestIdle
	default:
		return 0, 0, false
	}
	return idle, slept, true
}

// watch has the monitor look as often as it does up to now, while the process has work.
func (s *scheduler) watch(now int64) {
	for m := &s.monitor; m.at <= now; m.look(s.lookTime) {
		if m.at-s.polled >= slice {
			s.polled = m.at
			s.look(m.at, &s.global)
		}
	}
}

// preempted is when a task that runs from now on has to give way.
func (s *scheduler) preempted(now int64) int64 {
	m := s.monitor
	first := max(now, m.at)
	for m.at < first+slice {
		m.look(s.lookTime)
	}
	return m.at
}

// look takes in what has waited at the door at a time.
func (s *scheduler) look(at int64, to *ring[task]) {
	n := 0
	for n < s.door.n && (n < atOnce || s.inTurn) && s.door.at(n).at <= at {
		n++
	}
	for i := range n {
		k := n - 1 - i
		if s.inTurn {
			k = i
		}
		to.push(s.door.at(k).task)
	}
	s.door.drop(n)
}

// knock has a task wait at the door.
func (s *scheduler) knock(now int64, t task) { s.door.push(knock{t, now}) }

// wake makes a task ready that the present one has woken: it runs next, and the one woken
// before it when the others have.
func (s *scheduler) wake(t task) {
	if s.inTurn {
		s.local.push(t)
		return
	}
	if s.wakened {
		s.local.push(s.woken)
	}
	s.woken, s.wakened = t, true
}

// yield puts a task into the queue for all.
func (s *scheduler) yield(t task) { s.global.push(t) }

// until tells how many turns from the present one on the queue for all comes first.
func (s *scheduler) until() int { return 1 + (fairness-s.turns%fairness)%fairness }

// turn takes the task that a core does next.
func (s *scheduler) turn(now int64) (t task, ok bool) {
	switch {
	case s.turns%fairness == 0 && s.global.n > 0 && !s.inTurn:
		t = s.global.pop()
	case s.wakened:
		s.wakened = false
		return s.woken, true // in the time of the one that woke it
	case s.local.n > 0:
		t = s.local.pop()
	case s.global.n > 0:
		n := min(s.global.n/s.cores+1, s.global.n, atOnce)
		t = s.global.pop()
		for range n - 1 {
			s.local.push(s.global.pop())
		}
	case s.door.n > 0:
		s.look(now, &s.local)
		t = s.local.pop()
	default:
		return t, false
	}
	s.turns++
	return t, true
}
