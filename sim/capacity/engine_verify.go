package capacity

// batch is a batch being verified.
type batch struct {
	jobs []ref
	bad  int
	left int64
	// first is what of it comes before its goroutines, of which so many have yet to take
	// their turns.
	first int64
	turns int
	begun bool // they have
}

// enter brings a login to an instance's batching verifier.
func (e *engine) enter(i uint32, r ref) {
	v := &e.inst[i].verifier
	if v.waiting.n >= e.queue {
		if e.jobs[r.job].counted {
			e.result.Overloaded++
		}
		e.again(r)
		return
	}
	v.waiting.push(r)
	if v.awake < e.workers {
		v.awake++
		e.yield(i, task{ref: ref{job: noJob}})
	}
}

// verify is a worker that has a core: it takes a batch if it has none, and works on it
// until it has to give way.
func (e *engine) verify(i uint32, t task) {
	v := &e.inst[i].verifier
	if t.batch == 0 {
		n := v.share(e.batch, e.workers)
		if n == 0 {
			v.awake--
			e.release(i)
			return
		}
		var k uint32
		if f := len(e.freeBatches); f > 0 {
			k = e.freeBatches[f-1]
			e.freeBatches = e.freeBatches[:f-1]
		} else {
			k = uint32(len(e.batches))
			e.batches = append(e.batches, batch{jobs: make([]ref, 0, e.batch)})
		}
		b := &e.batches[k]
		b.jobs, b.bad = b.jobs[:0], 0
		for range n {
			r := v.waiting.pop()
			if e.jobs[r.job].gen == r.gen && e.jobs[r.job].bad {
				b.bad++
			}
			b.jobs = append(b.jobs, r)
		}
		v.verifying += n
		b.left = e.table.cost(n, b.bad)
		b.first, b.turns, b.begun = b.left, 0, false
		if e.m.Cores == 1 && !e.m.InTurn {
			b.turns = e.table.turns[n]
			b.first = int64(float64(b.left) * e.table.first[n])
		}
		if e.now >= e.start {
			e.result.Batches++
			e.batched += int64(n)
		}
		t.batch = k + 1
	}
	e.hold(i, e.batches[t.batch-1].proceed(e.now, &e.inst[i].scheduler), event{job: t.batch - 1, kind: evBatch})
}

// proceed tells how long a batch keeps a core: as long as a goroutine may, until it waits
// for its own goroutines, or while those have their turns.
func (b *batch) proceed(now int64, s *scheduler) (d int64) {
	if b.first > 0 {
		d = min(b.first, s.preempted(now)-now)
		b.first -= d
	} else {
		n := min(b.turns, s.until())
		d = b.left * int64(n) / int64(b.turns)
		b.turns -= n
		b.begun = true
		s.turns += n - 1
	}
	b.left -= d
	return d
}

// sliced is the end of a batch's slice; the core is given away afterwards.
func (e *engine) sliced(k, i uint32) {
	b, v := &e.batches[k], &e.inst[i].verifier
	if t := (task{ref: ref{job: noJob}, batch: k + 1}); b.left > 0 {
		switch s := &e.inst[i].scheduler; {
		case b.first > 0:
			e.yield(i, t) // preempted
		case b.begun:
			s.local.unshift(t)
		default:
			s.local.push(t) // behind what is ready
		}
		return
	}
	v.verifying -= len(b.jobs)
	v.learn(len(b.jobs), b.bad)
	for _, r := range b.jobs {
		if e.alive(r) {
			e.jobs[r.job].back = true
			e.wake(i, task{ref: r, stage: Redeem})
		}
	}
	e.freeBatches = append(e.freeBatches, k)
	if v.waiting.n == 0 {
		v.awake--
		return
	}
	e.yield(i, task{ref: ref{job: noJob}})
}
