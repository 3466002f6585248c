package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"time"
)

// Options say how much to measure. The zero value is ready for use.
type Options struct {
	// Samples is the number of samples of each case; 0 means 10. Fewer than
	// six give no 95 % interval.
	Samples int
	// Time is how long one sample is meant to take; 0 means 50 ms. The count
	// of runs is rounded so that the inputs are covered evenly, which makes a
	// sample last between 0.7 and 1.4 times as long, or one run if that is
	// longer.
	Time time.Duration
	// Budget is the wall-clock time for everything, set-up and checks
	// included; 0 means no limit. Where it does not suffice the samples are
	// made shorter, down to an eighth, and after that there are fewer of them,
	// but never less than one round. Either is told in Results.Warnings.
	Budget time.Duration
	// Precision makes Samples the least number of samples: each block of rows
	// (see Claims) is sampled until every ratio in it has a 95 % interval that
	// reaches no further than this share of it to either side (0.01 is 1 %),
	// or the budget ends, or there are maxRounds. 0 takes Samples and no more.
	// Whether to stop depends on the width of intervals and never on where
	// they lie, so that it favours no outcome.
	Precision float64
	// Procs is GOMAXPROCS while measuring; 0 means 1.
	Procs int
	// Seed determines the order of the cases in each round. 0 draws one. It
	// is recorded in the environment.
	Seed uint64
	// Settings are added to the environment.
	Settings []Setting
	// Progress, if not nil, is called after every step (a case set up,
	// calibrated, sampled), between timed regions and never concurrently.
	Progress func(done, total int, label string)
}

// CaseError is the failure of one case, which leaves no row in the results.
type CaseError struct {
	Key Key
	// Err is what Setup or Check returned, or tells of a panic.
	Err error
	// Stack is the stack of a panic, and empty otherwise.
	Stack string
}

func (e *CaseError) Error() string { return e.Key.String() + ": " + e.Err.Error() }
func (e *CaseError) Unwrap() error { return e.Err }

// Run measures the cases and returns a row for each in the given order.
//
// All cases are set up first, several at a time, and calibrated. Then every
// round takes one sample of every case, so that a machine that changes its
// speed does so for all of them; sample i of two rows comes from the same round
// (see Ratio). The rows that are compared with each other, a block, are measured
// one right after the other; the order of the blocks and that of the rows in
// each are shuffled anew in every round. The first round is discarded. The heap
// is collected between samples, after every 32 MiB, and never while the clock
// runs unless memory grows past a guard, which a row's warnings tell. Before a
// sample an operation of up to 2 ms is run once more, untimed. On one
// processor a sample stays on one thread, unless the case is Concurrent:
// handing work to another goroutine would then cost a switch of threads. Where
// the system takes the processor away from such a sample, for other work, the
// processor time counts instead of the time on the clock, and a warning tells
// how often that was.
//
// Successive samples go on through the inputs: where one covers fewer than
// Inputs of them, different samples have different inputs, which adds to their
// spread, and cases with equal counts have the same inputs in the same round. A
// row whose samples together do not reach all inputs says so.
//
// Check runs after every sample. A case whose Setup or Check fails, or which
// panics, is dropped with all its samples; the others go on. Its *CaseError is
// joined into the returned error and repeated in Results.Warnings. When ctx
// ends, the complete rounds so far are returned with ctx's error. The results
// are nil only if the arguments are invalid.
func Run(ctx context.Context, cases []Case, opt Options) (*Results, error) {
	if err := opt.normalise(); err != nil {
		return nil, err
	}
	e := &engine{
		opt:   opt,
		start: time.Now(),
		order: rand.New(rand.NewPCG(opt.Seed, 0)),
	}
	if err := e.accept(cases); err != nil {
		return nil, err
	}
	e.results.Environment = Environment(append(opt.settings(), opt.Settings...)...)
	e.warnOfConditions()

	for _, s := range e.subjects {
		e.expect(s, 3+opt.Samples)
	}
	e.setUp(ctx)
	e.measure(ctx)
	return e.finish(ctx)
}

// normalise fills in the defaults.
func (o *Options) normalise() error {
	if o.Samples < 0 || o.Time < 0 || o.Budget < 0 || o.Procs < 0 || !(o.Precision >= 0) {
		return errors.New("bench: samples, time, budget, procs and precision must not be negative")
	}
	if o.Samples == 0 {
		o.Samples = 10
	}
	if o.Time == 0 {
		o.Time = 50 * time.Millisecond
	}
	if o.Procs == 0 {
		o.Procs = 1
	}
	for o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	for _, s := range o.Settings {
		if err := s.valid(); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}

// settings records the options as they will be carried out.
func (o *Options) settings() []Setting {
	s := []Setting{
		{"seed", strconv.FormatUint(o.Seed, 10)},
		{"samples", strconv.Itoa(o.Samples)},
		{"sample-time", o.Time.String()},
	}
	if o.Budget > 0 {
		s = append(s, Setting{"budget", o.Budget.String()})
	}
	if o.Precision > 0 {
		s = append(s, Setting{"precision", percent(o.Precision)})
	}
	return s
}

// engine is the state of one Run.
type engine struct {
	opt      Options
	start    time.Time
	order    *rand.Rand
	subjects []*subject
	blocks   [][]*subject // the same, by what is compared with each other
	results  Results
	rounds   int // complete ones, the discarded one aside

	heap             heap
	taken, preempted int // samples

	done, total int // steps, for Progress
}

// subject is a case while it is measured.
type subject struct {
	Case
	row  Row
	body *Body
	err  error // set when the case is dropped
	done bool  // its block is known as precisely as was wanted

	perRun  float64 // nanoseconds, the least so far
	runs    int     // in each sample
	next    int     // the next input
	steps   int     // reported to Progress
	planned int     // to be reported in all
	latest  measurement
	// checking is how long the last check took, fresh how many inputs it met for
	// the first time, and seen how many all checks did.
	checking    time.Duration
	fresh, seen int
	crowded     int // samples during which the collector ran
}

// accept makes the subjects, and refuses what cannot become a result file.
func (e *engine) accept(cases []Case) error {
	if len(cases) == 0 {
		return errors.New("bench: no cases to measure")
	}
	seen := make(map[Key]bool, len(cases))
	places := make(map[block]int)
	for _, c := range cases {
		c.Key.Procs = e.opt.Procs
		if c.PerRun == 0 {
			c.PerRun = 1
		}
		if err := c.Key.valid(); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		switch {
		case seen[c.Key]:
			return fmt.Errorf("bench: %v is there twice", c.Key)
		case c.Setup == nil:
			return fmt.Errorf("bench: %v has no set-up", c.Key)
		case c.PerRun < 0:
			return fmt.Errorf("bench: %v has %d units a run", c.Key, c.PerRun)
		}
		seen[c.Key] = true
		s := &subject{Case: c, row: Row{Key: c.Key}}
		e.subjects = append(e.subjects, s)
		at, ok := places[blockOf(c.Key)]
		if !ok {
			at = len(e.blocks)
			places[blockOf(c.Key)] = at
			e.blocks = append(e.blocks, nil)
		}
		e.blocks[at] = append(e.blocks[at], s)
	}
	return nil
}

// live returns the subjects to be sampled: those that have not failed and are
// not done.
func (e *engine) live() []*subject {
	var live []*subject
	for _, s := range e.subjects {
		if s.err == nil && !s.done {
			live = append(live, s)
		}
	}
	return live
}

// step reports that one more step of s is over, or all that were left of it if
// it has failed.
func (e *engine) step(s *subject, label string) {
	n := 1
	if s.err != nil {
		n = s.planned - s.steps
	}
	s.steps += n
	e.done += n
	if e.opt.Progress != nil {
		e.opt.Progress(e.done, e.total, label)
	}
}

// expect plans n more steps of s.
func (e *engine) expect(s *subject, n int) {
	s.planned += n
	e.total += n
}

// warn adds a warning about the run.
func (e *engine) warn(format string, args ...any) {
	e.results.Warnings = append(e.results.Warnings, oneLine(fmt.Sprintf(format, args...)))
}

// warnOfConditions tells what makes the times of the whole run doubtful.
func (e *engine) warnOfConditions() {
	var one float64
	if n, _ := fmt.Sscan(e.results.Get("load-before"), &one); n == 1 && one > float64(runtime.NumCPU())/2 {
		e.warn("busy: the load average was %.2f on %d cores before the run", one, runtime.NumCPU())
	}
	for _, key := range []string{"race", "msan", "asan", "cover"} {
		if e.results.Get(key) == "yes" {
			e.warn("build: the program was built with -%s and is slower than without", key)
		}
	}
}

// finish makes rows of the subjects.
func (e *engine) finish(ctx context.Context) (*Results, error) {
	var errs []error
	for _, s := range e.subjects {
		if s.err != nil {
			errs = append(errs, s.err)
			e.warn("failed: %v", s.err)
			continue
		}
		if len(s.row.Samples) == 0 {
			continue
		}
		if inputs := s.runs * len(s.row.Samples); inputs < Inputs {
			s.row.Warnings = append(s.row.Warnings, fmt.Sprintf(
				"inputs: %d of %d were used, %d in each sample", inputs, Inputs, s.runs))
		}
		if s.crowded > 0 {
			s.row.Warnings = append(s.row.Warnings, fmt.Sprintf(
				"memory: the collector ran during %d of %d samples", s.crowded, len(s.row.Samples)))
		}
		e.results.Rows = append(e.results.Rows, s.row)
	}
	if err := ctx.Err(); err != nil {
		e.warn("interrupted: after %d of %d rounds", e.rounds, e.opt.Samples)
		errs = append(errs, err)
	} else if e.done < e.total && e.opt.Progress != nil {
		e.opt.Progress(e.total, e.total, "")
	}
	e.results.set("load-after", loadAverage())
	Summarise(&e.results)
	if e.preempted > 0 {
		e.warn("preempted: the processor was taken away during %d of %d samples; they have their processor time", e.preempted, e.taken)
	}
	e.warnOfRounds()
	e.warnOfControls()
	return &e.results, errors.Join(errs...)
}
