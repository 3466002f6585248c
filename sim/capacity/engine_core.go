package capacity

// instance is one RPS: its process, its verifier and its garbage.
type instance struct {
	scheduler
	verifier  verifier
	collector collector
}

// want gives a request that comes from outside a core, or has it wait at the door.
func (e *engine) want(i uint32, t task) {
	in := &e.inst[i]
	if idle, ok := e.take(in); ok {
		in.polled = e.now
		e.work(i, t, idle)
		return
	}
	in.knock(e.now, t)
}

// take takes a core of an instance that has nothing to do: see [scheduler.take].
func (e *engine) take(in *instance) (idle int64, ok bool) {
	idle, slept, ok := in.take(e.now)
	e.busyFor(0, slept)
	return idle, ok
}

// wake gives what has been waiting for a verdict a core.
func (e *engine) wake(i uint32, t task) {
	if _, ok := e.take(&e.inst[i]); ok {
		e.work(i, t, 0)
		return
	}
	e.inst[i].wake(t)
}

// yield has a worker wait for a core until others had theirs.
func (e *engine) yield(i uint32, t task) {
	if _, ok := e.take(&e.inst[i]); ok {
		e.work(i, t, 0)
		return
	}
	e.inst[i].yield(t)
}

// release ends what a core did; the next task gets it, or it comes to rest.
func (e *engine) release(i uint32) {
	switch in := &e.inst[i]; {
	case e.proceed(i):
	case e.m.Rest > 0:
		e.hold(i, int64(e.m.Rest), event{kind: evRested})
	default:
		in.idle = append(in.idle, e.now)
	}
}

// rested is a core that has come to rest, unless there is something to do by now.
func (e *engine) rested(i uint32) {
	in := &e.inst[i]
	in.watch(e.now)
	if !e.proceed(i) {
		in.idle = append(in.idle, e.now)
	}
}

// proceed has a core do what is to be done next, if there is anything.
func (e *engine) proceed(i uint32) bool {
	if e.collect(i, false) {
		return true
	}
	if t, ok := e.inst[i].turn(e.now); ok {
		e.work(i, t, 0)
		return true
	}
	return e.collect(i, true)
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
		d := e.service(t.stage)
		if t.stage == Redeem && e.table == nil {
			d += e.m.Verify.draw(e.random)
		}
		e.hold(i, d, event{job: t.job, gen: t.gen, kind: evServed})
		return
	}
	d := e.service(j.stage)
	if idle > 0 {
		d += e.m.Costs[j.stage].Wake.after(idle)
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

// service is the time of a request on a core.
func (e *engine) service(s Stage) int64 {
	d := e.m.Costs[s].Service.draw(e.random)
	if e.warm != nil {
		d = int64(float64(d) * e.warm[min(e.flying/len(e.inst), len(e.warm)-1)])
	}
	return d
}

// hold keeps a core for what takes d at speed 1, and what Go's monitor takes meanwhile
// where it has no other core.
func (e *engine) hold(i uint32, d int64, v event) {
	end, used := e.serverPace.after(e.now, d)
	if s := &e.inst[i].scheduler; s.lookTime > 0 && s.cores == 1 {
		if n := s.monitor.during(e.now, end, s.lookTime); n > 0 {
			end, used = e.serverPace.after(e.now, d+n*s.lookTime)
		}
	}
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
