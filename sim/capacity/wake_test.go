package capacity

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

// TestWake: a core that was idle for so long takes so much longer, on a line between
// what was measured.
func TestWake(t *testing.T) {
	w := Wake{{1000, 10}, {5000, 90}}
	for _, c := range []struct{ idle, want time.Duration }{
		{0, 0},
		{500 * time.Microsecond, 5 * time.Microsecond},
		{time.Millisecond, 10 * time.Microsecond},
		{3 * time.Millisecond, 50 * time.Microsecond},
		{5 * time.Millisecond, 90 * time.Microsecond},
		{time.Hour, 90 * time.Microsecond},
	} {
		if got := time.Duration(w.after(int64(c.idle))); got != c.want {
			t.Errorf("%v after %v, not %v", got, c.idle, c.want)
		}
	}
	if (Wake{}).after(int64(time.Second)) != 0 {
		t.Error("no wake takes time")
	}
	for _, w := range []Wake{{{0, 1}}, {{5, 1}, {5, 2}}, {{1, -1}}, {{1, 1e10}}} {
		m := &Model{Instances: 1, Cores: 1, Duration: time.Second, Arrivals: Flat(1)}
		m.Costs[Pass1] = Cost{Service: Constant(time.Millisecond), Wake: w}
		if _, err := m.Run(t.Context()); !errors.Is(err, ErrModel) {
			t.Errorf("%v: %v", w, err)
		}
	}
}

// TestIdleCores: of two cores the one that had work last takes the next, so that it
// is idle from then only; the other one as long as nobody needs it.
func TestIdleCores(t *testing.T) {
	m := &Model{Instances: 1, Cores: 2, Duration: time.Second, Drain: true, Seed: 1}
	m.Costs[Pass1] = Cost{Service: Constant(time.Millisecond), Wake: Wake{{10_000, 1000}}}
	const every = 5 * time.Millisecond
	took, sum := 0.002, 0.0 // the first finds a core that never worked
	for i := range 9 {
		m.Trace = append(m.Trace, time.Duration(i)*every)
		sum += took
		took = 0.001 + 0.1*(every.Seconds()-took)
	}
	r := simulate(t, m)
	near(t, "the mean of nine", r.Whole.Mean().Seconds(), sum/9, 0.001)
	near(t, "the first", r.Whole.Quantile(1).Seconds(), 0.002, 0.002)
	// Another together with the ninth needs the other core, which ends last.
	m.Trace = append(m.Trace, m.Trace[8], m.Trace[8]+every)
	sum += 0.002 + 0.001 + 0.1*(every.Seconds()-0.002)
	r = simulate(t, m)
	near(t, "the mean of eleven", r.Whole.Mean().Seconds(), sum/11, 0.001)
}

// TestSlower: on a machine half as fast everything takes twice as long, and as fast
// it is the same.
func TestSlower(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	e := &c.Entries[0]
	if !reflect.DeepEqual(e.at(1), e) {
		t.Error("as fast, it is another")
	}
	before := e.Batch[0].Time
	for _, batching := range []bool{false, true} {
		run := func(e *Entry, rate float64) *Result {
			m := e.Model(batching)
			m.Costs[Permit], m.Monitor = Cost{}, 0 // which looks at the same times
			m.Arrivals, m.Duration, m.Drain, m.Seed = Flat(rate), time.Duration(4000/rate*float64(time.Second)), true, 7
			return simulate(t, m)
		}
		one, half := run(e, 200), run(e.at(2), 100)
		for _, q := range []float64{0.5, 0.99} {
			near(t, "twice as slow", half.Whole.Quantile(q).Seconds(), 2*one.Whole.Quantile(q).Seconds(), 0.1)
		}
		near(t, "utilization", half.Utilization, one.Utilization, 0.05)
	}
	if e.Batch[0].Time != before {
		t.Error("scaling changed what it scaled")
	}
}
