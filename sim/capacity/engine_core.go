package capacity

import "time"

// task is what waits for a core: a login's request, or a worker (job noJob).
type task struct {
	ref
	batch uint32 // a worker's batch + 1, 0 if it has yet to take one
	stage Stage  // of the request, which stays when its client has gone
}

// instance is one RPS, whose cores take what is ready, then what has given way to it, and
// look at the door when there is neither: Go's scheduler. It hands on what it finds there
// in the opposite order, the last to come first, and lets all of it have its turn before
// it looks again.
type instance struct {
	ready    ring[task]
	yielded  ring[task]
	waiting  ring[task] // at the door
	polled   int64      // when the door was looked at
	fresh    int        // cores that have done nothing yet
	idle     []int64    // since when the others without work have been so
	began    int64      // when Go's monitor began to look: see Monitor
	verifier verifier
}

// look takes in what waits at the door of an instance.
func (e *engine) look(in *instance) {
	in.polled = e.now
	for i, n := 0, in.waiting.n; i < n; i++ {
		k := n - 1 - i
		if e.m.InTurn {
			k = i
		}
		in.ready.push(*in.waiting.at(k))
	}
	in.waiting.n = 0
}

// rested is the longest that a core counts as idle.
const rested = int64(time.Hour)

// take takes a core that has nothing to do, the last one that had, and tells how
// long it has not: as Go's scheduler does. ok is false where all have.
func (e *engine) take(in *instance) (idle int64, ok bool) {
	switch n := len(in.idle); {
	case n > 0:
		idle = e.now - in.idle[n-1]
		in.idle = in.idle[:n-1]
	case in.fresh > 0:
		in.fresh--
		idle = rested
	default:
		return 0, false
	}
	if e.m.Monitor.Extra > 0 && e.m.Cores == 1 && e.slept(e.now-idle-in.began, idle) {
		in.began = e.now
	}
	return idle, true
}

// slept tells whether Go's monitor, so long after it began, has found that there was
// nothing to do for a time, and sleeps.
func (e *engine) slept(since, idle int64) bool {
	every := int64(looking)
	if rest := since - int64(e.m.Monitor.For); rest > 0 {
		every = min(every+rest, longestLook) // it doubles
	}
	return int64(e.random.Float64()*float64(every)) < idle
}

// want gives a task a core, or has it wait for one.
func (e *engine) want(i uint32, t task) {
	in := &e.inst[i]
	if idle, ok := e.take(in); ok {
		in.polled = e.now
		e.work(i, t, idle)
		return
	}
	in.waiting.push(t)
}

// wake gives what has been waiting for a verdict a core, before what comes from
// outside.
func (e *engine) wake(i uint32, t task) { e.inside(i, t, &e.inst[i].ready) }

// yield does the same with a worker, after what is ready.
func (e *engine) yield(i uint32, t task) { e.inside(i, t, &e.inst[i].yielded) }

func (e *engine) inside(i uint32, t task, queue *ring[task]) {
	if _, ok := e.take(&e.inst[i]); ok {
		e.work(i, t, 0)
		return
	}
	queue.push(t)
}

// release ends what a core did; the next task gets it.
func (e *engine) release(i uint32) {
	in := &e.inst[i]
	if in.ready.n+in.yielded.n == 0 && in.waiting.n > 0 {
		e.look(in)
	}
	switch {
	case in.ready.n > 0:
		e.work(i, in.ready.pop(), 0)
	case in.yielded.n > 0:
		e.work(i, in.yielded.pop(), 0)
	default:
		in.idle = append(in.idle, e.now)
	}
}

// work has a core work on a task, idle ns after it did something else.
func (e *engine) work(i uint32, t task, idle int64) {
	if t.job == noJob {
		e.verify(i, t)
		return
	}
	j := &e.jobs[t.job]
	if j.gen != t.gen {
		// The client is gone. The server does not know: it does the work.
		d := e.m.Costs[t.stage].Service.draw(e.random)
		if t.stage == Redeem && e.table == nil {
			d += e.m.Verify.draw(e.random)
		}
		e.hold(i, d, event{job: t.job, gen: t.gen, kind: evServed})
		return
	}
	c := &e.m.Costs[j.stage]
	d := c.Service.draw(e.random)
	if idle > 0 {
		d += c.Wake.after(idle)
	}
	if j.stage == Redeem {
		switch {
		case e.table == nil:
			d += e.m.Verify.draw(e.random)
			if j.bad {
				d += e.m.FindPIN.draw(e.random)
			}
		case j.back:
			d = int64(float64(d) * e.m.Batching.Back)
			if j.bad {
				d += e.m.FindPIN.draw(e.random)
			}
		default:
			d = int64(float64(d) * (1 - e.m.Batching.Back))
		}
	}
	e.hold(i, d, event{job: t.job, gen: t.gen, kind: evServed})
}

// monitored is what work takes with what Go's monitor takes besides.
func (e *engine) monitored(i uint32, d int64) int64 {
	m := &e.m.Monitor
	if m.Extra == 0 || e.m.Cores > 1 {
		return d
	}
	left := float64(e.inst[i].began + int64(m.For) - e.now)
	if left <= 0 {
		return d
	}
	return d + int64(m.Extra*min(float64(d), left/(1+m.Extra)))
}

// hold keeps a core for what takes d at speed 1.
func (e *engine) hold(i uint32, d int64, v event) {
	end, used := e.serverPace.after(e.now, e.monitored(i, d))
	e.busyFor(0, used)
	v.core = i
	e.push(end, v)
}

// busyFor counts a core's time from now on, as far as it lies in what is counted.
func (e *engine) busyFor(which int, d int64) {
	if from, to := max(e.now, e.start), min(e.now+d, e.end); to > from {
		e.busyTime[which] += to - from
	}
}
