package capacity

import (
	"context"
	"math/rand/v2"
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
	evCollected              // a core has collected garbage for a while
	evRested                 // a core that found nothing to do has come to rest
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
	reply   bool // an answer is there; the client has yet to read it
	ended   bool // it was the last; the client has yet to finish
	back    bool // the verdict is there
}

func (j *job) ref(i uint32) ref { return ref{i, j.gen} }

const noJob = ^uint32(0)

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
	clients scheduler
	warm    []float64 // Warm, by the logins under way for an instance

	table          *batchTable
	batch, workers int
	queue          int
	batches        []batch
	freeBatches    []uint32
	batched        int64
	first          []float64 // chance that a login needs a permit, over the period

	now, start, end int64 // start is the end of the warm-up
	serverPace      pace
	clientPace      pace
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
		serverPace: pace{list: m.Speeds, from: int64(m.From)}, clientPace: pace{list: m.ClientSpeeds, from: int64(m.From)},
		result: &Result{Whole: newHistogram()},
	}
	for i := range e.inst {
		e.inst[i].scheduler = scheduler{cores: m.Cores, fresh: m.Cores, inTurn: m.InTurn, lookTime: int64(m.Monitor)}
	}
	e.warm = m.Warm.table()
	e.clients = scheduler{cores: m.ClientCores, fresh: m.ClientCores, inTurn: m.InTurn}
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
		e.inst[v.core].watch(e.now)
		e.served(r, v.core) // what it wakes is there before the core looks for work
		e.release(v.core)
	case evBatch:
		e.inst[v.core].watch(e.now)
		e.sliced(v.job, v.core)
		e.release(v.core)
	case evCollected:
		in := &e.inst[v.core]
		in.watch(e.now)
		in.collector.active = false
		e.release(v.core)
	case evRested:
		e.rested(v.core)
	case evIssued:
		e.issued(r, int(v.core))
	case evAnswer:
		if e.alive(r) {
			e.arrived(r)
		}
	case evThought:
		e.thought(r)
	}
}

func (e *engine) push(at int64, v event) {
	v.at = at
	e.events.push(v)
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
		e.setOut(r)
		return
	}
	e.send(r)
}

// reset puts a login before its first request.
func (e *engine) reset(j *job) {
	j.stage, j.spent, j.half, j.back, j.reply, j.ended = e.next[Permit], 0, false, false, false, false
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
	if j.stage == Redeem {
		e.redeemed(&e.inst[i])
	}
	e.answer(r)
}

// answer sends the answer to a request on its way.
func (e *engine) answer(r ref) {
	at, _ := e.serverPace.after(e.now, e.m.Costs[e.jobs[r.job].stage].Delay.draw(e.random))
	e.push(at, event{job: r.job, gen: r.gen, kind: evAnswer})
}

// arrived is an answer that is with its client.
func (e *engine) arrived(r ref) {
	if e.m.ClientCores > 0 {
		e.notice(r)
		return
	}
	if !e.answered(r) {
		e.verdict(e.jobs[r.job].ref(r.job))
		return
	}
	r = e.jobs[r.job].ref(r.job)
	if think := e.m.Costs[e.jobs[r.job].stage].Think.draw(e.random); think > 0 {
		e.events.push(event{at: e.now + think, job: r.job, gen: r.gen, kind: evRequest})
		return
	}
	e.send(r)
}

// answered is a client that has read its answer; more tells whether there is another
// request.
func (e *engine) answered(r ref) (more bool) {
	j := &e.jobs[r.job]
	took := e.now - j.began
	if e.m.ClientCores == 0 {
		j.spent += took
	}
	if j.counted {
		e.result.Stages[j.stage].add(took)
	}
	j.gen++ // the deadline of this request is void
	if j.stage == Permit {
		j.permit = false
		if j.counted {
			e.result.Permits++
		}
	}
	n := e.next[j.stage]
	if n == stages {
		return false
	}
	j.stage = n
	return true
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
