package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

// failsAt makes the n-th check fail.
func failsAt(n int, err error) func(*Body) {
	return func(b *Body) {
		b.Check = func() error {
			if n--; n == 0 {
				return err
			}
			return nil
		}
	}
}

func TestFailingCasesAreDropped(t *testing.T) {
	wrong := errors.New("e(V, Q) is not 1")
	for name, c := range map[string]struct {
		change func(*Case)
		want   string
		panics bool
	}{
		"set-up":            {func(c *Case) { c.Setup = func() (*Body, error) { return nil, wrong } }, "set-up: e(V, Q) is not 1", false},
		"set-up of nothing": {func(c *Case) { c.Setup = func() (*Body, error) { return nil, nil } }, "no body", false},
		"set-up panics":     {func(c *Case) { c.Setup = func() (*Body, error) { panic(wrong) } }, "panic: e(V, Q) is not 1", true},
		"first check":       {changed(failsAt(1, wrong)), "wrong result: e(V, Q) is not 1", false},
		"discarded round":   {changed(failsAt(2, wrong)), "wrong result: e(V, Q) is not 1", false},
		"last check":        {changed(failsAt(8, wrong)), "wrong result: e(V, Q) is not 1", false},
		"check panics":      {changed(func(b *Body) { b.Check = func() error { panic("no\nluck") } }), "panic: no", true},
		"run panics": {changed(func(b *Body) {
			n := 0
			b.Run = func(int) {
				if n++; n == 5 {
					panic(wrong)
				}
			}
		}), "panic: e(V, Q) is not 1", true},
	} {
		t.Run(name, func(t *testing.T) {
			restored := runtimeState(t)
			var l log
			bad := l.fake("Bad")
			c.change(&bad)
			last, total := 0, 0
			r, err := Run(context.Background(), []Case{l.fake("A"), bad, l.fake("C")}, Options{
				Samples: 6, Time: oneRun,
				Progress: func(d, n int, _ string) {
					if d <= last || d > n {
						t.Errorf("step %d of %d after %d", d, n, last)
					}
					last, total = d, n
				},
			})
			if last != total {
				t.Errorf("progress ended at %d of %d", last, total)
			}
			caseErr, ok := errors.AsType[*CaseError](err)
			if !ok || caseErr.Key.Op != "Bad" || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "BenchmarkBad/curve=bn254/backend=fake/via=direct-1") {
				t.Errorf("error %v, expected one that names the case and says %q", err, c.want)
			}
			if ok && (caseErr.Stack != "") != c.panics {
				t.Errorf("stack %q", caseErr.Stack)
			}
			if len(r.Rows) != 2 || r.Rows[0].Key.Op != "A" || r.Rows[1].Key.Op != "C" || len(r.Rows[1].Samples) != 6 {
				t.Errorf("rows: %+v", r.Rows)
			}
			if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, "failed: BenchmarkBad") }) {
				t.Errorf("warnings: %q", r.Warnings)
			}
			restored()
		})
	}
}

func changed(f func(*Body)) func(*Case) {
	return func(c *Case) {
		inner := c.Setup
		c.Setup = func() (*Body, error) {
			b, err := inner()
			f(b)
			return b, err
		}
	}
}

func TestAllCasesFail(t *testing.T) {
	var l log
	r, err := Run(context.Background(), []Case{l.fake("A", failsAt(1, errors.New("no")))}, Options{Time: oneRun})
	if err == nil || r == nil || len(r.Rows) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// runtimeState remembers the settings of the runtime and returns a comparison.
func runtimeState(t *testing.T) func() {
	read := func() string {
		percent := debug.SetGCPercent(100)
		debug.SetGCPercent(percent)
		return fmt.Sprint(runtime.GOMAXPROCS(0), percent, debug.SetMemoryLimit(-1))
	}
	before := read()
	return func() {
		t.Helper()
		if after := read(); after != before {
			t.Errorf("processors, collector, memory limit were %s and are %s", before, after)
		}
	}
}

func TestRuntimeIsHeldAndRestored(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	restored := runtimeState(t)
	var l log
	run(t, []Case{l.fake("A", func(b *Body) {
		b.Run = func(int) {
			if n := runtime.GOMAXPROCS(0); n != 1 {
				t.Errorf("measured on %d processors", n)
			}
			percent := debug.SetGCPercent(-1)
			if percent != -1 {
				t.Errorf("measured with the collector at %d %%", percent)
			}
		}
		b.Check = func() error {
			if debug.SetMemoryLimit(-1) > 4<<30 {
				t.Error("memory is not limited")
			}
			return nil
		}
	})}, Options{Samples: 1, Time: oneRun})
	restored()

	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic of Progress was kept")
			}
		}()
		n := 0
		Run(context.Background(), []Case{l.fake("A")}, Options{Time: oneRun, Progress: func(int, int, string) {
			if n++; n == 4 {
				panic("terminal gone")
			}
		}})
	}()
	restored()
}

func TestProcs(t *testing.T) {
	var l log
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := run(t, []Case{l.fake("A", func(b *Body) {
		b.Run = func(int) {
			if n := runtime.GOMAXPROCS(0); n != 3 {
				t.Errorf("measured on %d processors", n)
			}
		}
	})}, Options{Samples: 1, Time: oneRun, Procs: 3})
	if k := r.Rows[0].Key; k.Procs != 3 {
		t.Errorf("row %v", k)
	}
}

func TestInterruption(t *testing.T) {
	// Steps: two set-ups, two calibrations, two of the discarded round, then
	// two in each round.
	for steps, rounds := range map[int]int{1: 0, 3: 0, 5: 0, 7: 0, 8: 1, 9: 1, 13: 3} {
		var l log
		ctx, cancel := context.WithCancel(context.Background())
		r, err := Run(ctx, []Case{l.fake("A"), l.fake("B")}, Options{
			Samples: 10, Time: oneRun,
			Progress: func(done, _ int, _ string) {
				if done == steps {
					cancel()
				}
			},
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after %d steps: error %v", steps, err)
		}
		if rounds == 0 && len(r.Rows) != 0 || rounds > 0 && len(r.Rows) != 2 {
			t.Errorf("after %d steps: rows %+v", steps, r.Rows)
		}
		for _, row := range r.Rows {
			if len(row.Samples) != rounds || len(row.Counts) != rounds {
				t.Errorf("after %d steps: %d samples, expected %d", steps, len(row.Samples), rounds)
			}
		}
		if want := fmt.Sprintf("interrupted: after %d of 10 rounds", rounds); !slices.Contains(r.Warnings, want) {
			t.Errorf("after %d steps: warnings %q", steps, r.Warnings)
		}
	}
}

func TestBudget(t *testing.T) {
	var l log
	last, total := 0, 0
	r := run(t, []Case{l.fake("A"), l.fake("B")}, Options{
		Samples: 10, Time: 80 * time.Microsecond, Budget: time.Nanosecond,
		Progress: func(d, n int, _ string) { last, total = d, n },
	})
	if n := len(r.Rows[0].Samples); n != 1 {
		t.Errorf("%d samples, expected one in spite of the budget", n)
	}
	for _, want := range []string{"budget: samples of 10µs instead of 80µs", "budget: stopped after 1 of 10 rounds"} {
		if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, want) }) {
			t.Errorf("no warning %q: %q", want, r.Warnings)
		}
	}
	if last != total {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	if r := run(t, []Case{l.fake("A")}, Options{Samples: 2, Time: oneRun, Budget: time.Hour}); len(r.Rows[0].Samples) != 2 ||
		slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, "budget") }) {
		t.Errorf("an hour was not enough: %+v", r)
	}
}

func TestDoubtfulConditions(t *testing.T) {
	var e engine
	e.results.Environment = []Setting{{"load-before", "1000.5 1 1"}, {"race", "yes"}, {"asan", "no"}}
	e.warnOfConditions()
	if w := e.results.Warnings; len(w) != 2 || !strings.HasPrefix(w[0], "busy: the load average was 1000.50") || !strings.HasPrefix(w[1], "build: ") {
		t.Errorf("warnings %q", w)
	}
	e.results = Results{Environment: []Setting{{"load-before", "0.01 9 9"}}}
	e.warnOfConditions()
	e.results.Environment[0].Value = notReadable
	e.warnOfConditions()
	if w := e.results.Warnings; len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
}

func TestInvalidArguments(t *testing.T) {
	var l log
	good := l.fake("A")
	change := func(f func(*Case)) []Case {
		c := good
		f(&c)
		return []Case{good, c}
	}
	for name, c := range map[string]struct {
		cases []Case
		opt   Options
	}{
		"no cases":       {nil, Options{}},
		"twice":          {[]Case{good, good}, Options{}},
		"no set-up":      {change(func(c *Case) { c.Key.Op, c.Setup = "B", nil }), Options{}},
		"negative units": {change(func(c *Case) { c.Key.Op, c.PerRun = "B", -1 }), Options{}},
		"bad name":       {change(func(c *Case) { c.Key.Op = "b c" }), Options{}},
		"lost number":    {change(func(c *Case) { c.Key.Op, c.Key.N = "B", 3 }), Options{}},
		"samples":        {[]Case{good}, Options{Samples: -1}},
		"time":           {[]Case{good}, Options{Time: -1}},
		"setting":        {[]Case{good}, Options{Settings: []Setting{{"Key", "value"}}}},
	} {
		if r, err := Run(context.Background(), c.cases, c.opt); err == nil || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}
