package vectors

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"mpinlab/backends"
)

// Result is the outcome of a set on one backend, as `mpin vectors verify
// --json` prints it. Passed, Failed and Skipped add up to Cases.
type Result struct {
	File     string    `json:"file"`
	Format   string    `json:"format"`
	Suite    string    `json:"suite"`
	Backend  string    `json:"backend"`
	Cases    int       `json:"cases"`
	Passed   int       `json:"passed"`
	Failed   int       `json:"failed"`
	Skipped  int       `json:"skipped"`
	Failures []Failure `json:"failures"`
	// Reasons counts why cases were skipped.
	Reasons map[string]int `json:"-"`
}

// Failure is the first field of a case that differed.
type Failure struct {
	Case  string `json:"case"`
	Field string `json:"field"`
	Want  string `json:"want"`
	Got   string `json:"got"`
}

// Report is the outcome of all sets.
type Report struct {
	Sets    []Result `json:"sets"`
	Passed  int      `json:"passed"`
	Failed  int      `json:"failed"`
	Skipped int      `json:"skipped"`
}

// check is a case of any format, ready to be run.
type check struct {
	id string
	// skip is why the case says nothing about this project, or empty.
	skip string
	// run returns nil if the backend gives what is wanted.
	run func(b backends.Backend) (*Failure, error)
}

// errSkip is returned by a check that the backend cannot do.
type errSkip struct{ reason string }

func (e errSkip) Error() string { return e.reason }

// Options narrow a run.
type Options struct {
	// Backends to run on; those of a set's curve are taken.
	Backends []backends.Backend
	// Sample, if over 1, runs only every Sample-th case on the backends for
	// which Slow is true, and skips the others.
	Sample int
	Slow   func(b backends.Backend) bool
	// Progress, if not nil, is called after each case, never concurrently.
	Progress func(done, total int, label string)
}

// maxFailures bounds the failures kept of one set on one backend; all are
// counted.
const maxFailures = 100

// Run runs every set on every backend of its curve, cases side by side on all
// processors. It stops when ctx ends, with ctx's error. A set without a
// backend to run on is reported as skipped altogether.
func Run(ctx context.Context, sets []*Set, opt Options) (*Report, error) {
	r := &runner{ctx: ctx, opt: opt}
	var jobs []job
	for _, set := range sets {
		jobs = r.plan(jobs, set)
	}
	r.total = len(jobs)

	queue := make(chan job)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for j := range queue {
				r.do(j)
			}
		})
	}
	for _, j := range jobs {
		if ctx.Err() != nil {
			break
		}
		queue <- j
	}
	close(queue)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.report(), nil
}

type runner struct {
	ctx     context.Context
	opt     Options
	total   int
	results []*Result

	mu   sync.Mutex
	done int
}

// job is one case on one backend.
type job struct {
	check  *check
	b      backends.Backend
	result *Result
	// at is the place of its failure in the result's order.
	at int
}

// plan adds the jobs of a set, and a result for every backend.
func (r *runner) plan(jobs []job, set *Set) []job {
	ran := false
	for _, b := range r.opt.Backends {
		if b.Info().Curve != set.Suite.Curve {
			continue
		}
		ran = true
		res := r.newResult(set, b.Info().ID)
		for i := range set.checks {
			c := &set.checks[i]
			switch {
			case c.skip != "":
				res.skip(c.skip)
			case r.opt.Sample > 1 && r.opt.Slow != nil && r.opt.Slow(b) && i%r.opt.Sample != 0:
				res.skip(fmt.Sprintf("sampled: one case in %d runs on a slow backend", r.opt.Sample))
			default:
				jobs = append(jobs, job{c, b, res, i})
			}
		}
	}
	if !ran {
		res := r.newResult(set, "")
		for range set.checks {
			res.skip("no available backend of this curve is selected")
		}
	}
	return jobs
}

func (r *runner) newResult(set *Set, backend string) *Result {
	res := &Result{File: set.File, Format: set.Format, Suite: set.Suite.String(), Backend: backend,
		Cases: len(set.checks), Failures: []Failure{}, Reasons: map[string]int{}}
	r.results = append(r.results, res)
	return res
}

func (r *Result) skip(reason string) {
	r.Skipped++
	r.Reasons[reason]++
}

// do runs one job. A panic is a failure of the case.
func (r *runner) do(j job) {
	failure, err := attempt(j)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch skip, ok := err.(errSkip); {
	case ok:
		j.result.skip(skip.reason)
	case err != nil:
		j.result.fail(Failure{Case: j.check.id, Field: "", Want: "an answer", Got: err.Error()})
	case failure != nil:
		failure.Case = j.check.id
		j.result.fail(*failure)
	default:
		j.result.Passed++
	}
	r.done++
	if r.opt.Progress != nil {
		r.opt.Progress(r.done, r.total, j.result.Backend+" "+j.result.Suite)
	}
}

func (r *Result) fail(f Failure) {
	r.Failed++
	if len(r.Failures) < maxFailures {
		r.Failures = append(r.Failures, f)
	}
}

func attempt(j job) (f *Failure, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	return j.check.run(j.b)
}

func (r *runner) report() *Report {
	rep := &Report{Sets: []Result{}}
	for _, res := range r.results {
		rep.Passed += res.Passed
		rep.Failed += res.Failed
		rep.Skipped += res.Skipped
		rep.Sets = append(rep.Sets, *res)
	}
	return rep
}
