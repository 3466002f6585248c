package bench

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
)

// maxRuns bounds the runs of a sample for operations too short to time.
const maxRuns = 1 << 30

// setUp builds the bodies of all cases, on all processors.
func (e *engine) setUp(ctx context.Context) {
	var (
		work  = make(chan *subject)
		ready = make(chan *subject)
		group sync.WaitGroup
	)
	for range min(runtime.GOMAXPROCS(0), len(e.subjects)) {
		group.Go(func() {
			for s := range work {
				s.setUp()
				ready <- s
			}
		})
	}
	go func() {
		defer close(ready)
		defer group.Wait()
		defer close(work)
		for _, s := range e.subjects {
			select {
			case work <- s:
			case <-ctx.Done():
				return
			}
		}
	}()
	for s := range ready {
		e.step(s, s.Key.String())
	}
}

// setUp builds the body, or drops the case.
func (s *subject) setUp() {
	s.attempt(func() error {
		body, err := s.Setup()
		switch {
		case err != nil:
			return fmt.Errorf("set-up: %w", err)
		case body == nil || body.Run == nil || body.Check == nil:
			return fmt.Errorf("set-up: it returned no body, or one without Run or Check")
		}
		s.body = body
		return nil
	})
}

// measure calibrates, and takes the rounds.
func (e *engine) measure(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	defer holdRuntime(e.opt.Procs)()
	for _, s := range e.live() {
		if ctx.Err() != nil {
			return
		}
		s.calibrate(e.opt.Time, &e.heap)
		e.step(s, s.Key.String())
	}
	took, ok := e.discardedRound(ctx)
	if !ok {
		return
	}
	e.plan(took)
	for e.wanted() {
		if e.rounds >= e.opt.Samples {
			for _, s := range e.live() {
				e.expect(s, 1)
			}
		}
		if !e.round(ctx) {
			return
		}
		e.keep()
		e.settle()
		if past := time.Since(e.start); e.opt.Budget > 0 && past > e.opt.Budget && e.wanted() {
			if e.rounds < e.opt.Samples {
				e.warn("budget: stopped after %d of %d rounds, when %v of %v had passed",
					e.rounds, e.opt.Samples, past.Round(time.Millisecond), e.opt.Budget)
			} else {
				e.warn("budget: stopped after %d rounds, when %v of %v had passed",
					e.rounds, past.Round(time.Millisecond), e.opt.Budget)
			}
			break
		}
	}
	e.warnOfPrecision()
}

// discardedRound takes a round and tells how long it took.
func (e *engine) discardedRound(ctx context.Context) (took time.Duration, ok bool) {
	began := time.Now()
	ok = e.round(ctx)
	return time.Since(began), ok
}

// round takes one sample of every live subject, block by block in a new order,
// and reports whether it was completed.
func (e *engine) round(ctx context.Context) bool {
	blocks := slices.Clone(e.blocks)
	e.order.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	any := false
	for _, b := range blocks {
		var live []*subject
		for _, s := range b {
			if s.err == nil && !s.done {
				live = append(live, s)
			}
		}
		e.order.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
		for _, s := range live {
			if ctx.Err() != nil {
				return false
			}
			s.attempt(func() error {
				s.latest = s.sample(s.runs, &e.heap)
				return s.check(s.runs)
			})
			e.step(s, s.Key.String())
			any = true
		}
	}
	return any
}

// keep adds the samples of a completed round to the rows.
func (e *engine) keep() {
	e.rounds++
	for _, s := range e.live() {
		m, units := s.latest, float64(s.runs*s.PerRun)
		s.row.Samples = append(s.row.Samples, roundTo(float64(m.elapsed)/units, 1000))
		s.row.Counts = append(s.row.Counts, s.runs*s.PerRun)
		s.row.BytesSamples = append(s.row.BytesSamples, roundTo(float64(m.bytes)/units, 100))
		s.row.AllocsSamples = append(s.row.AllocsSamples, roundTo(float64(m.allocs)/units, 100))
		if m.collected {
			s.crowded++
		}
		e.taken++
		if m.preempted {
			e.preempted++
		}
	}
}

// roundTo rounds to 1/parts: digits beyond what the clock or a counter tells
// would only make the files longer.
func roundTo(x, parts float64) float64 { return math.Round(x*parts) / parts }

// plan settles the runs of each sample, now that the discarded round, which
// took the given time, has shown once more what a run costs. It shortens the
// samples if as many rounds would not fit into what is left of the budget.
func (e *engine) plan(round time.Duration) {
	length, rounds := e.opt.Time, time.Duration(e.opt.Samples)
	// Collections and set-up do not get shorter with the samples. A check that
	// meets an input for the first time computes what result to want, once for
	// all; later ones cost next to nothing.
	var timed, checks, later time.Duration
	for _, s := range e.live() {
		timed += s.latest.elapsed
		checks += s.checking
		if s.fresh > 0 {
			later += s.checking * time.Duration(max(0, min(Inputs, s.runs*e.opt.Samples)-s.seen)) / time.Duration(s.fresh)
		}
	}
	left := e.opt.Budget - time.Since(e.start) - later
	if e.opt.Budget > 0 && rounds*(round-checks) > left {
		share := left/rounds - (round - checks - timed)
		factor := min(1, max(1.0/8, float64(share)/float64(max(timed, 1))))
		length = time.Duration(float64(length) * factor).Round(10 * time.Microsecond)
		e.warn("budget: samples of %v instead of %v, to keep to %v", length, e.opt.Time, e.opt.Budget)
	}
	for _, s := range e.live() {
		s.learn(s.latest, s.runs)
		s.runs = runsFor(length, s.perRun)
		s.next = 0
	}
	// What is compared with itself does so on the same inputs in each round.
	for _, b := range e.blocks {
		var rows []*Row
		for _, s := range b {
			rows = append(rows, &s.row)
		}
		for _, s := range b {
			if !repeats(s.Key) {
				continue
			}
			if i := slices.Index(rows, original(s.Key, rows)); i >= 0 {
				s.runs = b[i].runs
			}
		}
	}
}

// learn takes the cost of a run from a sample. Other work on the machine only
// ever makes it longer, so the shortest time seen is the best guess.
func (s *subject) learn(m measurement, runs int) {
	cost := float64(max(m.elapsed, 1)) / float64(runs)
	if s.perRun == 0 || cost < s.perRun {
		s.perRun = cost
	}
}

// calibrate finds how many runs make a sample of length t.
func (s *subject) calibrate(t time.Duration, h *heap) {
	s.attempt(func() error {
		for runs := 1; ; {
			m := s.sample(runs, h)
			if err := s.check(runs); err != nil {
				return err
			}
			s.learn(m, runs)
			if m.elapsed >= t/4 || runs >= maxRuns {
				break
			}
			// Aim at half a sample, but do not trust a short reading far.
			aim := float64(t) / 2 / s.perRun
			runs = int(min(max(aim, float64(runs)+1), 100*float64(runs), maxRuns))
		}
		s.runs = runsFor(t, s.perRun)
		return nil
	})
}

// runsFor returns the runs in a sample of about t: a multiple of Inputs, or a
// power of two below, so that samples of any length cover the inputs evenly.
func runsFor(t time.Duration, perRun float64) int {
	n := min(float64(t)/perRun, maxRuns)
	if n >= Inputs {
		return int(math.Round(n/Inputs)) * Inputs
	}
	runs := 1
	for float64(runs)*math.Sqrt2 < n {
		runs *= 2
	}
	return runs
}
