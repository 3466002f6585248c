package bench

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// oneRun makes every sample a single run, whatever the machine.
const oneRun = time.Nanosecond

// log records the runs of fake cases in order.
type log struct {
	mu   sync.Mutex
	runs []logged
}

type logged struct {
	op    string
	input int
}

// fake is a case that records its runs, and fails where told to.
func (l *log) fake(op string, change ...func(*Body)) Case {
	return Case{
		Key: Key{Op: op, Curve: "bn254", Backend: "fake", Via: "direct"},
		Setup: func() (*Body, error) {
			b := &Body{
				Run: func(i int) {
					l.mu.Lock()
					l.runs = append(l.runs, logged{op, i})
					l.mu.Unlock()
				},
				Check: func() error { return nil },
			}
			for _, f := range change {
				f(b)
			}
			return b, nil
		},
	}
}

// ops returns the operations in the order in which they ran.
func (l *log) ops() []string {
	var ops []string
	for _, r := range l.runs {
		ops = append(ops, r.op)
	}
	return ops
}

func run(t *testing.T, cases []Case, opt Options) *Results {
	t.Helper()
	r, err := Run(context.Background(), cases, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunMeasuresEveryCase(t *testing.T) {
	var l log
	r := run(t, []Case{l.fake("B"), l.fake("A")}, Options{Samples: 7, Time: 20 * time.Microsecond, Seed: 5})
	if len(r.Rows) != 2 || r.Rows[0].Key.Op != "B" || r.Rows[1].Key.Op != "A" {
		t.Fatalf("rows: %+v", r.Rows)
	}
	for _, row := range r.Rows {
		if row.Key.Procs != 1 {
			t.Errorf("%v: expected one processor", row.Key)
		}
		if n := len(row.Samples); n != 7 || len(row.Counts) != n || len(row.BytesSamples) != n || len(row.AllocsSamples) != n {
			t.Errorf("%v: samples missing: %+v", row.Key, row)
		}
		if !(row.Lo <= row.Median && row.Median <= row.Hi) {
			t.Errorf("%v: median %v outside of %v, %v", row.Key, row.Median, row.Lo, row.Hi)
		}
	}
	for key, want := range map[string]string{"seed": "5", "samples": "7", "sample-time": "20µs", "pkg": "mpinlab"} {
		if have := r.Get(key); have != want {
			t.Errorf("%s is %q, expected %q", key, have, want)
		}
	}
	if r.Get("load-after") == "" {
		t.Error("no load-after")
	}
}

func TestRoundsAreShuffled(t *testing.T) {
	order := func(seed uint64) []string {
		var l log
		var cases []Case
		for _, op := range []string{"A", "B", "C", "D", "E", "F"} {
			cases = append(cases, l.fake(op))
		}
		run(t, cases, Options{Samples: 8, Time: oneRun, Seed: seed})
		ops := l.ops()[len(cases):] // after calibration
		var timed []string
		for i, op := range ops {
			if i%2 == 0 { // the run that warms the caches
				continue
			}
			if ops[i-1] != op {
				t.Fatalf("%s is timed after a run of %s", op, ops[i-1])
			}
			timed = append(timed, op)
		}
		return timed
	}
	first := order(1)
	distinct := map[string]bool{}
	for round := range slices.Chunk(first, 6) {
		distinct[strings.Join(round, "")] = true
		if sorted := slices.Sorted(slices.Values(round)); strings.Join(sorted, "") != "ABCDEF" {
			t.Errorf("round %v does not have every case once", round)
		}
	}
	if len(first) != 9*6 || len(distinct) < 6 {
		t.Errorf("%d runs in %d orders, expected 54 in nearly 9", len(first), len(distinct))
	}
	if !slices.Equal(first, order(1)) {
		t.Error("the same seed gave another order")
	}
	if slices.Equal(first, order(2)) {
		t.Error("another seed gave the same order")
	}
}

func TestSeedIsDrawn(t *testing.T) {
	var l log
	a := run(t, []Case{l.fake("A")}, Options{Samples: 1, Time: oneRun}).Get("seed")
	b := run(t, []Case{l.fake("A")}, Options{Samples: 1, Time: oneRun}).Get("seed")
	if a == b || a == "0" || a == "" {
		t.Errorf("drew %q and %q", a, b)
	}
}

func TestInputsRotate(t *testing.T) {
	var l log
	r := run(t, []Case{l.fake("A")}, Options{Samples: Inputs, Time: oneRun})
	last := l.runs[len(l.runs)-2*Inputs:]
	for i := range Inputs {
		if warm, timed := last[2*i].input, last[2*i+1].input; timed != i || warm == i {
			t.Fatalf("sample %d had input %d, after one of input %d", i, timed, warm)
		}
	}
	if w := r.Rows[0].Warnings; slices.ContainsFunc(w, func(s string) bool { return strings.HasPrefix(s, "inputs: ") }) {
		t.Errorf("all inputs were used, but: %q", w)
	}

	r = run(t, []Case{l.fake("A")}, Options{Samples: 6, Time: oneRun})
	if w := r.Rows[0].Warnings; !slices.Contains(w, "inputs: 6 of 64 were used, 1 in each sample") {
		t.Errorf("six inputs were used, but: %q", w)
	}

	l = log{}
	run(t, []Case{l.fake("A")}, Options{Samples: 1, Time: time.Millisecond})
	seen := map[int]bool{}
	for _, r := range l.runs {
		seen[r.input] = true
	}
	if len(seen) != Inputs || slices.Max(slices.Collect(maps.Keys(seen))) != Inputs-1 {
		t.Errorf("long samples used %d inputs", len(seen))
	}
}

func TestSeriesArePrepared(t *testing.T) {
	for _, length := range []time.Duration{oneRun, 50 * time.Microsecond} {
		var l log
		next, left := 0, 0
		run(t, []Case{l.fake("A", func(b *Body) {
			b.Prepare = func(first, n int) {
				if left != 0 {
					t.Errorf("%d runs were prepared in vain", left)
				}
				next, left = first, n
			}
			b.Run = func(i int) {
				if left == 0 || i != next {
					t.Errorf("run on input %d; prepared were %d from %d", i, left, next)
				}
				next, left = (next+1)%Inputs, left-1
			}
		})}, Options{Samples: 3, Time: length})
		if left != 0 {
			t.Errorf("%d runs were prepared in vain", left)
		}
	}
}

func TestRunsFor(t *testing.T) {
	for _, c := range []struct {
		perRun float64
		want   int
	}{
		{1e12, 1}, {1e6, 1}, {0.8e6, 1}, {0.7e6, 2}, {1e6 / 3.1, 4}, {1e6 / 44, 32}, {1e6 / 46, 64},
		{1e6 / 64, 64}, {1e6 / 100, 128}, {1e6 / 1000, 1024}, {1e-9, maxRuns},
	} {
		if have := runsFor(time.Millisecond, c.perRun); have != c.want {
			t.Errorf("%v ns a run: %d runs in a millisecond, expected %d", c.perRun, have, c.want)
		}
	}
	for range 1000 {
		perRun := 1e9 * rand.Float64() * rand.Float64() * rand.Float64()
		n := runsFor(time.Millisecond, perRun)
		if n%Inputs != 0 && Inputs%n != 0 {
			t.Fatalf("%d runs do not cover the inputs evenly", n)
		}
		if share := float64(n) * perRun / 1e6; n > 1 && (share < 0.66 || share > 1.5) {
			t.Fatalf("%d runs of %v ns are no millisecond", n, perRun)
		}
	}
}

func TestCostIsDividedByUnits(t *testing.T) {
	var l log
	var sink []*[64]byte
	c := l.fake("ServerVerifyBatch", func(b *Body) {
		b.Run = func(int) {
			sink = sink[:0]
			for range 10 {
				sink = append(sink, new([64]byte))
			}
		}
	})
	c.PerRun = 10
	c.Key.NName, c.Key.N = "n", 10
	row := run(t, []Case{c}, Options{Samples: 6, Time: time.Millisecond}).Rows[0]
	for _, n := range row.Counts {
		if n < 10 || n%10 != 0 {
			t.Errorf("%d units are not whole batches of 10", n)
		}
	}
	// Other goroutines of the test may allocate now and then.
	if row.Allocs < 1 || row.Allocs > 1.5 || row.Bytes < 64 || row.Bytes > 90 {
		t.Errorf("%v allocations of %v bytes a unit, expected 1 of 64", row.Allocs, row.Bytes)
	}
}
