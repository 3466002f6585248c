package load

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/sim/load/result"
)

// arrival is one operation that is to start.
type arrival struct {
	n     uint64        // its number, from 0
	stage int           // which stage it belongs to
	at    time.Duration // after the start of the run
}

// arrivals are those of all stages, one after the other: a function of the
// stages and the seed.
func arrivals(stages []Stage, seed uint64) iter.Seq[arrival] {
	return func(yield func(arrival) bool) {
		var n uint64
		var begin time.Duration
		for i := range stages {
			for t := range stages[i].Arrivals(seed + uint64(i)*0x9e3779b97f4a7c15) {
				if !yield(arrival{n, i, begin + t}) {
					return
				}
				n++
			}
			begin += stages[i].Duration.D()
		}
	}
}

// done is how an operation ended, and how long its parts took, 0 for those that
// it did not have.
type done struct {
	op, class string
	phases    phases
	// nobody: it was to start, and no user was free to do it.
	nobody bool
	late   bool // it started late
}

// phases are the times of an operation's parts, in the order of phaseNames.
type phases [len(phaseNames)]time.Duration

var phaseNames = [...]string{result.Permit, result.Pass1, result.Pass2, result.Redeem, result.Register, result.Sign}

const (
	inPermit = iota
	inPass1
	inPass2
	inRedeem
	inRegister
	inSign
)

// engine starts operations when they are due, whatever became of the earlier
// ones.
type engine struct {
	inFlight int
	late     time.Duration
	// drain is how long operations that are under way at the end are waited
	// for; then their contexts end.
	drain time.Duration
	meter *meter
	// name tells the kind of an operation that is dropped.
	name func(a arrival) string

	flying   atomic.Int64
	greatest atomic.Int64
	reached  atomic.Int64 // the last intended start, ns
}

// run starts the operations and returns when all have ended. It returns how long
// it ran; cut says that ctx ended before the last arrival was due.
func (e *engine) run(ctx context.Context, list iter.Seq[arrival], end time.Duration, do func(ctx context.Context, a arrival) done) (start time.Time, elapsed time.Duration, cut bool) {
	// Operations outlive ctx, to be drained.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var all sync.WaitGroup
	wake := newAlarm()
	defer wake.close()
	start = time.Now()
	e.meter.begin(start)
	// Whoever has ended an operation waits for the next: a goroutine that was
	// used before has a stack that is large enough. There are as many as were
	// ever under way at once.
	type job struct {
		a   arrival
		due time.Time
	}
	jobs := make(chan job)
	operate := func(j job) {
		began := time.Now()
		late := began.Sub(j.due) > e.late
		e.meter.started(j.a, late)
		d := do(work, j.a)
		d.late = late
		e.meter.done(j.a, d, j.due, began, time.Now())
		e.flying.Add(-1)
	}
	for a := range list {
		due := start.Add(a.at)
		if !sleepUntil(ctx, wake, due) {
			cut = true
			break
		}
		e.reached.Store(int64(a.at))
		e.meter.intended(a)
		flying := e.flying.Add(1)
		if flying > int64(e.inFlight) {
			e.flying.Add(-1)
			e.meter.done(a, done{op: e.name(a), class: result.Dropped}, due, due, due)
			continue
		}
		if flying > e.greatest.Load() {
			e.greatest.Store(flying) // this goroutine alone writes it
		}
		select {
		case jobs <- job{a, due}:
		default:
			all.Go(func() {
				operate(job{a, due})
				for j := range jobs {
					operate(j)
				}
			})
		}
	}
	close(jobs)
	if !cut {
		cut = !sleepUntil(ctx, wake, start.Add(end))
	}
	elapsed = time.Since(start)
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	timer := time.NewTimer(e.drain)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
		stop()
		<-finished
	}
	return start, elapsed, cut
}

// sleepUntil waits for a moment; false if ctx ends first.
func sleepUntil(ctx context.Context, wake *alarm, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	if d < 20*time.Millisecond { // too short to be cut
		wake.in(d)
		time.Sleep(d)
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	wake.in(d)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
