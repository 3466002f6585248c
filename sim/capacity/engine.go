package capacity

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// The kinds of event.
const (
	evRequest   uint8 = iota // a login's next request reaches its instance
	evServed                 // a core has done with a request
	evBatch                  // a core has done with a slice of a batch
	evIssued                 // a D-TA's core has issued
	evAnswer                 // a login's last answer is with the client
	evAgain                  // a client begins anew
	evThought                // a client's core has done
	evChore                  // a chore is due
	evChoreDone              // a core has done with a chore
)

// ref is a login at the time when it had a generation: a newer one means that
// its client has given up meanwhile.
type ref struct{ job, gen uint32 }

// job is a login under way. The slot is used again for later ones.
type job struct {
	began   int64 // when its present request was sent
	spent   int64 // response times of its requests before
	gen     uint32
	stage   Stage
	retries uint8
	bad     bool
	permit  bool // it needs one
	counted bool // it arrived after the warm-up
	half    bool // the first half of the permit is there
	ended   bool // the last answer is there; the client has yet to finish
	back    bool // the verdict is there
}

// task is what waits for a core: a login's request, a worker (job noJob), or a
// chore (job noLogin), whose number is in batch.
type task struct {
	ref
	batch uint32 // a worker's batch + 1, 0 if it has yet to take one
	stage Stage  // of the request, which stays when its client has gone
}

const (
	noJob   = ^uint32(0)
	noLogin = noJob - 1
)

// instance is one RPS. What a verdict has woken comes before what waits at the
// door: Go's scheduler looks at the network only when nothing is ready.
type instance struct {
	ready    ring[task]
	waiting  ring[task]
	polled   int64 // when one of waiting got a core
	busy     int
	verifier verifier
}

// batch is a batch being verified.
type batch struct {
	jobs []ref
	bad  int
	left int64
}

// issuer is the cores of a D-TA.
type issuer struct {
	waiting ring[ref]
	busy    int
}

type deadline struct {
	at int64
	ref
}

// engine is a simulation under way.
type engine struct {
	m       *Model
	random  *rand.Rand
	events  heap
	due     ring[deadline] // in order, for all time-outs are equally long
	jobs    []job
	free    []uint32
	flying  int
	next    [stages]Stage // the stage after each, stages after the last
	inst    []instance
	turn    int
	issuers [2]issuer
	clients issuer

	table          *batchTable
	batch, workers int
	queue          int
	batches        []batch
	freeBatches    []uint32
	batched        int64
	first          []float64 // chance that a login needs a permit, over the period

	now, start, end int64 // start is the end of the warm-up
	busyTime        [2]int64
	verdicts        int64
	result          *Result
}

// never is after everything.
const never = int64(1<<63 - 1)

// coming returns the first arrival and what tells the next ones.
func (e *engine) coming() (int64, func() int64) {
	if e.m.Trace == nil {
		a := newArrivals(&e.m.Arrivals, e.m.From, rand.New(rand.NewPCG(e.m.Seed, 0x61727269766573)))
		return a.next(), a.next
	}
	i := -1
	next := func() int64 {
		if i++; i < len(e.m.Trace) {
			return int64(e.m.From + e.m.Trace[i])
		}
		return never
	}
	return next(), next
}

// checkEvery is how many events lie between two looks at the context.
const checkEvery = 1 << 16

// Run simulates. The same model gives the same result. Errors: ErrModel,
// ErrProfile, and ctx's.
func (m *Model) Run(ctx context.Context) (*Result, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	e := newEngine(m)
	return e.run(ctx)
}

func newEngine(m *Model) *engine {
	e := &engine{
		m: m, random: rand.New(rand.NewPCG(m.Seed, 0x6361706163697479)), inst: make([]instance, m.Instances),
		now: int64(m.From), start: int64(m.From + m.WarmUp), end: int64(m.From + m.WarmUp + m.Duration),
		result: &Result{Whole: newHistogram()},
	}
	for s := range e.result.Stages {
		e.result.Stages[s] = newHistogram()
	}
	if b := m.Batching; b != nil {
		e.batch, e.queue, e.workers = b.Batch, b.Waiting, b.Workers
		if e.batch == 0 {
			e.batch = 256
		}
		if e.queue == 0 {
			e.queue = 10_000
		}
		if e.workers == 0 {
			e.workers = m.Cores
		}
		e.table = b.table(e.batch)
	}
	after := stages
	for s := Redeem; s > Permit; s-- {
		e.next[s] = after
		c := &m.Costs[s]
		if c.Service.mean+c.Delay.mean > 0 || s == Redeem && (m.Verify.mean > 0 || m.Batching != nil) {
			after = s
		}
	}
	e.next[Permit] = after
	e.permits()
	return e
}

func (e *engine) run(ctx context.Context) (*Result, error) {
	next, coming := e.coming()
	for i := range e.m.Chores {
		for k := range e.inst {
			e.push(e.now+int64(e.m.Chores[i].First), event{job: uint32(i), core: uint32(k), kind: evChore})
		}
	}
	for count := 0; ; count++ {
		if count%checkEvery == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		// The earliest of an arrival, an event and a time-out.
		at, which := never, 0
		if next < e.end {
			at, which = next, 1
		}
		if l := e.events.list; len(l) > 0 && l[0].at <= at {
			at, which = l[0].at, 2
		}
		if e.due.n > 0 && e.due.first().at < at {
			at, which = e.due.first().at, 3
		}
		if which == 0 || at >= e.end && !e.m.Drain {
			break
		}
		e.now = at
		switch which {
		case 1:
			e.arrive()
			next = coming()
		case 2:
			e.happen(e.events.pop())
		case 3:
			e.giveUp(e.due.pop().ref)
		}
		e.result.Events++
	}
	return e.finish(), nil
}

func (e *engine) happen(v event) {
	r := ref{v.job, v.gen}
	switch v.kind {
	case evRequest:
		if e.alive(r) {
			e.send(r)
		}
	case evAgain:
		if e.alive(r) {
			e.prepare(r)
		}
	case evServed:
		e.release(v.core)
		e.served(r, v.core)
	case evBatch:
		e.sliced(v.job, v.core) // what it wakes is there before the core looks for work
		e.release(v.core)
	case evIssued:
		e.issued(r, int(v.core))
	case evAnswer:
		if e.alive(r) {
			e.answered(r)
		}
	case evThought:
		if c := &e.clients; c.waiting.n > 0 {
			e.thinking(c.waiting.pop())
		} else {
			c.busy--
		}
		switch {
		case !e.alive(r):
		case e.jobs[r.job].ended:
			e.verdict(r)
		default:
			e.send(r)
		}
	case evChore:
		e.want(v.core, task{ref: ref{job: noLogin}, batch: v.job})
		if at := e.now + int64(e.m.Chores[v.job].Every); at < e.end {
			e.push(at, event{job: v.job, core: v.core, kind: evChore})
		}
	case evChoreDone:
		e.release(v.core)
	}
}

func (e *engine) push(at int64, v event) {
	v.at = at
	e.events.push(v)
}

// think has a client work before its next request, or after its last answer, on
// a core of the clients'.
func (e *engine) think(r ref) {
	if c := &e.clients; c.busy >= e.m.ClientCores {
		c.waiting.push(r)
		return
	}
	e.clients.busy++
	e.thinking(r)
}

func (e *engine) thinking(r ref) {
	j := &e.jobs[r.job]
	var d int64
	if j.gen == r.gen {
		if j.ended {
			d = e.m.Finish.draw(e.random)
		} else {
			d = e.m.Costs[j.stage].Think.draw(e.random)
		}
		if j.spent < 0 {
			j.spent = e.now // when it began
		}
	}
	e.push(e.now+d, event{job: r.job, gen: r.gen, kind: evThought})
}

func (e *engine) alive(r ref) bool { return e.jobs[r.job].gen == r.gen }

// arrive makes a login.
func (e *engine) arrive() {
	if e.m.InFlight > 0 && e.flying >= e.m.InFlight {
		if e.now >= e.start {
			e.result.Arrived++
			e.result.Dropped++
		}
		return
	}
	var i uint32
	if n := len(e.free); n > 0 {
		i = e.free[n-1]
		e.free = e.free[:n-1]
	} else {
		i = uint32(len(e.jobs))
		e.jobs = append(e.jobs, job{})
	}
	j := &e.jobs[i]
	*j = job{gen: j.gen, counted: e.now >= e.start, bad: e.m.Bad > 0 && e.random.Float64() < e.m.Bad, permit: e.needsPermit()}
	if e.flying++; e.flying > e.result.InFlight {
		e.result.InFlight = e.flying
	}
	if j.counted {
		e.result.Arrived++
	}
	e.begin(ref{i, j.gen})
}

// begin sends a login's first request.
func (e *engine) begin(r ref) {
	j := &e.jobs[r.job]
	e.reset(j)
	e.prepare(r)
}

// prepare has a client think, where that takes a core, and send its request.
func (e *engine) prepare(r ref) {
	if e.m.ClientCores > 0 {
		e.think(r)
		return
	}
	e.send(r)
}

// reset puts a login before its first request.
func (e *engine) reset(j *job) {
	j.stage, j.spent, j.half, j.back, j.ended = e.next[Permit], 0, false, false, false
	if e.m.ClientCores > 0 {
		j.spent = -1
	}
	if j.permit {
		j.stage = Permit
	}
}

// send brings a request to the instance whose turn it is.
func (e *engine) send(r ref) {
	j := &e.jobs[r.job]
	j.began = e.now
	if e.m.Timeout > 0 {
		e.due.push(deadline{e.now + int64(e.m.Timeout), r})
	}
	if c := &e.m.Costs[j.stage]; c.Service.mean == 0 && j.stage != Permit && j.stage != Redeem {
		e.answer(r) // it needs no core
		return
	}
	i := uint32(e.turn)
	if e.turn++; e.turn == len(e.inst) {
		e.turn = 0
	}
	e.want(i, task{ref: r, stage: j.stage})
}

// want gives a task a core, or has it wait for one.
func (e *engine) want(i uint32, t task) {
	in := &e.inst[i]
	if in.busy < e.m.Cores {
		in.busy++
		in.polled = e.now
		e.work(i, t, true)
		return
	}
	in.waiting.push(t)
}

// wake gives what has been waiting for a verdict a core, before what comes from
// outside.
func (e *engine) wake(i uint32, t task) {
	in := &e.inst[i]
	if in.busy < e.m.Cores {
		in.busy++
		e.work(i, t, false)
		return
	}
	in.ready.push(t)
}

// release ends what a core did; the next task gets it.
func (e *engine) release(i uint32) {
	in := &e.inst[i]
	if in.ready.n > 0 {
		e.work(i, in.ready.pop(), false)
		return
	}
	if in.waiting.n > 0 {
		in.polled = e.now
		e.work(i, in.waiting.pop(), false)
		return
	}
	in.busy--
}

// work has a core work on a task; idle says that it did nothing before.
func (e *engine) work(i uint32, t task, idle bool) {
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
	if idle {
		d += int64(c.Wake)
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

// hold keeps a core for a time.
func (e *engine) hold(i uint32, d int64, v event) {
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

// served is a request that had its core.
func (e *engine) served(r ref, i uint32) {
	if !e.alive(r) {
		return
	}
	j := &e.jobs[r.job]
	switch {
	case j.stage == Permit:
		e.issue(0, r)
		return
	case j.stage == Redeem && e.table != nil && !j.back:
		e.enter(i, r)
		return
	}
	e.answer(r)
}

// answer sends the answer to a request on its way.
func (e *engine) answer(r ref) {
	d := e.m.Costs[e.jobs[r.job].stage].Delay.draw(e.random)
	e.events.push(event{at: e.now + d, job: r.job, gen: r.gen, kind: evAnswer})
}

// answered is a client that has its answer.
func (e *engine) answered(r ref) {
	j := &e.jobs[r.job]
	took := e.now - j.began
	if e.m.ClientCores == 0 {
		j.spent += took
	}
	if j.counted {
		e.result.Stages[j.stage].add(took)
	}
	j.gen++ // the deadline of this request is void
	r.gen = j.gen
	if j.stage == Permit {
		j.permit = false
		if j.counted {
			e.result.Permits++
		}
	}
	if n := e.next[j.stage]; n < stages {
		j.stage = n
		if e.m.ClientCores > 0 {
			e.think(r)
			return
		}
		if think := e.m.Costs[j.stage].Think.draw(e.random); think > 0 {
			e.events.push(event{at: e.now + think, job: r.job, gen: r.gen, kind: evRequest})
			return
		}
		e.send(r)
		return
	}
	if e.m.ClientCores > 0 {
		j.ended = true
		e.think(r)
		return
	}
	e.verdict(r)
}

// verdict is the end of a login.
func (e *engine) verdict(r ref) {
	j := &e.jobs[r.job]
	if e.m.ClientCores > 0 {
		j.spent = e.now - j.spent
	}
	if e.now >= e.start && e.now < e.end {
		e.verdicts++
	}
	if j.counted {
		if j.bad {
			e.result.Refused++
		} else {
			e.result.Accepted++
			e.result.Whole.add(j.spent)
		}
	}
	e.leave(r.job)
}

// leave gives a login's slot back.
func (e *engine) leave(i uint32) {
	e.jobs[i].gen++
	e.free = append(e.free, i)
	e.flying--
}

// giveUp is a client for whom an answer comes too late, if it has not come.
func (e *engine) giveUp(r ref) {
	if !e.alive(r) {
		return
	}
	if e.jobs[r.job].counted {
		e.result.Timeouts++
	}
	e.again(r)
}

// again has a client begin anew after a pause, or give up for good.
func (e *engine) again(r ref) {
	j := &e.jobs[r.job]
	j.gen++
	if int(j.retries) >= e.m.Retries {
		if j.counted {
			e.result.Failed++
		}
		e.leave(r.job)
		return
	}
	j.retries++
	e.reset(j)
	e.events.push(event{at: e.now + int64(e.m.Pause), job: r.job, gen: j.gen, kind: evAgain})
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
		e.want(i, task{ref: ref{job: noJob}})
	}
}

// verify is a worker that has a core: it takes a batch if it has none, and
// works on it for a slice at most.
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
		if e.now >= e.start {
			e.result.Batches++
			e.batched += int64(n)
		}
		t.batch = k + 1
	}
	b := &e.batches[t.batch-1]
	d := min(b.left, slice)
	b.left -= d
	e.hold(i, d, event{job: t.batch - 1, kind: evBatch})
}

// sliced is the end of a batch's slice; the core is given away afterwards.
func (e *engine) sliced(k, i uint32) {
	b, v := &e.batches[k], &e.inst[i].verifier
	if b.left > 0 {
		e.want(i, task{ref: ref{job: noJob}, batch: k + 1})
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
	// The worker goes on before the door is looked at, but for so long only.
	if next := (task{ref: ref{job: noJob}}); e.now-e.inst[i].polled < slice {
		e.wake(i, next)
	} else {
		e.want(i, next)
	}
}

// issue asks a D-TA for its half of a permit.
func (e *engine) issue(which int, r ref) {
	d := &e.issuers[which]
	if e.m.IssuerCores > 0 && d.busy >= e.m.IssuerCores {
		d.waiting.push(r)
		return
	}
	d.busy++
	e.issuing(which, r)
}

func (e *engine) issuing(which int, r ref) {
	took := e.m.Issue.draw(e.random)
	e.busyFor(1, took)
	e.events.push(event{at: e.now + took, job: r.job, gen: r.gen, core: uint32(which), kind: evIssued})
}

// issued is a half that is there; the other follows, if it does not lie in the
// storage.
func (e *engine) issued(r ref, which int) {
	if d := &e.issuers[which]; d.waiting.n > 0 {
		e.issuing(which, d.waiting.pop())
	} else {
		d.busy--
	}
	if !e.alive(r) {
		return
	}
	j := &e.jobs[r.job]
	if which == 0 && !j.half {
		j.half = true
		if e.random.Float64() >= e.m.Published {
			e.issue(1, r)
			return
		}
	}
	e.answer(r)
}

// permits prepares the chance that a login needs a permit, by the minute of the
// period: that its user, whose logins are Poisson, has had none since the period
// began.
func (e *engine) permits() {
	m := e.m
	if m.PermitPeriod <= 0 {
		return
	}
	minutes := max(1, min(int(m.PermitPeriod/time.Minute), 366*24*60))
	e.first = make([]float64, minutes+1)
	day := m.Arrivals.Mean() * (24 * time.Hour).Seconds()
	for i := range e.first {
		t := time.Duration(float64(m.PermitPeriod) * float64(i) / float64(minutes))
		if i == minutes {
			t-- // the end, and not the next beginning
		}
		e.first[i] = math.Exp(-m.Arrivals.since(t, m.PermitPeriod) / day * m.PerUser)
	}
}

func (e *engine) needsPermit() bool {
	if e.first == nil {
		return false
	}
	period := int64(e.m.PermitPeriod)
	at := float64(e.now%period) / float64(period) * float64(len(e.first)-1)
	i := min(int(at), len(e.first)-2)
	p := e.first[i] + (at-float64(i))*(e.first[i+1]-e.first[i])
	return e.random.Float64() < p
}

// finish makes the result.
func (e *engine) finish() *Result {
	r := e.result
	for i := range e.jobs {
		if e.jobs[i].counted {
			r.Unfinished++
		}
	}
	for _, i := range e.free {
		if e.jobs[i].counted {
			r.Unfinished--
		}
	}
	seconds := float64(e.end-e.start) * 1e-9
	r.Rate = float64(e.verdicts) / seconds
	r.Utilization = float64(e.busyTime[0]) * 1e-9 / seconds / float64(e.m.Instances*e.m.Cores)
	if e.m.IssuerCores > 0 {
		r.IssuerUse = float64(e.busyTime[1]) * 1e-9 / seconds / float64(2*e.m.IssuerCores)
	}
	if r.Batches > 0 {
		r.MeanBatch = float64(e.batched) / float64(r.Batches)
	}
	return r
}
