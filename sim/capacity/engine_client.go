package capacity

// setOut has a client begin a login, before it does what waits: a timer tells it to.
func (e *engine) setOut(r ref) {
	if _, _, ok := e.clients.take(e.now); ok {
		e.attend(r)
		return
	}
	e.clients.wake(task{ref: r})
}

// notice brings an answer to the clients' door.
func (e *engine) notice(r ref) {
	e.jobs[r.job].reply = true
	if _, _, ok := e.clients.take(e.now); ok {
		e.clients.polled = e.now
		e.attend(r)
		return
	}
	e.clients.knock(e.now, task{ref: r})
}

// attend has a clients' core read an answer, if one is there, and do what comes before
// the next request or after the last answer.
func (e *engine) attend(r ref) {
	end := e.now
	if e.alive(r) {
		j := &e.jobs[r.job]
		var d int64
		switch {
		case !j.reply:
			end, _ = e.clientPace.after(end, e.m.Begin.draw(e.random))
			j.spent = end // when it began
			d = e.m.Costs[j.stage].Think.draw(e.random)
		case e.answered(r):
			d = e.m.Costs[j.stage].Think.draw(e.random)
		default:
			j.ended = true
			d = e.m.Finish.draw(e.random)
		}
		j.reply, r.gen = false, j.gen
		end, _ = e.clientPace.after(end, d)
	}
	e.push(end, event{job: r.job, gen: r.gen, kind: evThought})
}

// thought is a clients' core that has done.
func (e *engine) thought(r ref) {
	c := &e.clients
	c.watch(e.now)
	switch {
	case !e.alive(r):
	case !e.jobs[r.job].ended:
		e.send(r)
	default:
		e.verdict(r)
		if end, used := e.clientPace.after(e.now, e.m.End.draw(e.random)); used > 0 {
			e.push(end, event{job: r.job, gen: r.gen, kind: evThought})
			return
		}
	}
	if t, ok := c.turn(e.now); ok {
		e.attend(t.ref)
		return
	}
	c.idle = append(c.idle, e.now)
}
