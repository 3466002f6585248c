package capacity

import "time"

// task is what waits for a core: a login's request, a worker (job noJob), or a
// chore (job noLogin), whose number is in batch.
type task struct {
	ref
	batch uint32 // a worker's batch + 1, 0 if it has yet to take one
	stage Stage  // of the request, which stays when its client has gone
}

// instance is one RPS. What a verdict has woken comes before what waits at the
// door: Go's scheduler looks at the network only when nothing is ready.
type instance struct {
	ready    ring[task]
	waiting  ring[task]
	polled   int64   // when one of waiting got a core
	fresh    int     // cores that have done nothing yet
	idle     []int64 // since when the others without work have been so
	verifier verifier
}

// rested is the longest that a core counts as idle.
const rested = int64(time.Hour)

// take takes a core that has nothing to do, the last one that had, and tells how
// long it has not: as Go's scheduler does. ok is false where all have.
func (in *instance) take(now int64) (idle int64, ok bool) {
	if n := len(in.idle); n > 0 {
		since := in.idle[n-1]
		in.idle = in.idle[:n-1]
		return now - since, true
	}
	if in.fresh > 0 {
		in.fresh--
		return rested, true
	}
	return 0, false
}

// want gives a task a core, or has it wait for one.
func (e *engine) want(i uint32, t task) {
	in := &e.inst[i]
	if idle, ok := in.take(e.now); ok {
		in.polled = e.now
		e.work(i, t, idle)
		return
	}
	in.waiting.push(t)
}

// wake gives what has been waiting for a verdict a core, before what comes from
// outside.
func (e *engine) wake(i uint32, t task) {
	in := &e.inst[i]
	if _, ok := in.take(e.now); ok {
		e.work(i, t, 0)
		return
	}
	in.ready.push(t)
}

// release ends what a core did; the next task gets it.
func (e *engine) release(i uint32) {
	in := &e.inst[i]
	if in.ready.n > 0 {
		e.work(i, in.ready.pop(), 0)
		return
	}
	if in.waiting.n > 0 {
		in.polled = e.now
		e.work(i, in.waiting.pop(), 0)
		return
	}
	in.idle = append(in.idle, e.now)
}

// quit ends a request's work on a core, which lingers where nothing else waits and
// the request is done.
func (e *engine) quit(r ref, i uint32) {
	in := &e.inst[i]
	if in.ready.n+in.waiting.n == 0 && e.alive(r) {
		j := &e.jobs[r.job]
		verified := j.stage != Redeem || e.table == nil || j.back
		if d := e.m.Costs[j.stage].Linger; d > 0 && verified {
			e.hold(i, int64(d), event{kind: evLingered})
			return
		}
	}
	e.release(i)
}

// work has a core work on a task, idle ns after it did something else.
func (e *engine) work(i uint32, t task, idle int64) {
	switch t.job {
	case noJob:
		e.verify(i, t)
		return
	case noLogin:
		e.hold(i, e.m.Chores[t.batch].Service.draw(e.random), event{kind: evChoreDone})
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

// slowed is a time at the machine's present pace.
func (e *engine) slowed(d int64) int64 {
	p := e.m.Pace
	for e.paces < len(p) && e.now >= int64(e.m.From+p[e.paces].At) {
		e.paces++
	}
	if e.paces == 0 {
		return d
	}
	return int64(float64(d) * p[e.paces-1].Slower)
}

// hold keeps a core for a time.
func (e *engine) hold(i uint32, d int64, v event) {
	d = e.slowed(d)
	e.busyFor(0, d)
	v.at, v.core = e.now+d, i
	e.events.push(v)
}

// busyFor counts a core's time from now on, as far as it lies in what is counted.
func (e *engine) busyFor(which int, d int64) {
	if from, to := max(e.now, e.start), min(e.now+d, e.end); to > from {
		e.busyTime[which] += to - from
	}
}
