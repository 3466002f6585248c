package capacity

import (
	"errors"
	"math"
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
			m.Costs[Permit] = Cost{}
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

// TestLinger: a core that has nothing else to do lingers after a request, which the
// next one waits for; one that has goes on at once, and so it does after the first
// half of a request that waits for its batch. Redeeming takes no time here, but a core.
func TestLinger(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, Duration: time.Second, Drain: true, Seed: 1, Trace: []time.Duration{0, 1200e3, 20e6, 20e6}}
	m.Costs[Pass1] = Cost{Service: Constant(time.Millisecond), Linger: 500 * time.Microsecond}
	m.Costs[Redeem].Delay = Constant(time.Millisecond)
	r := simulate(t, m)
	near(t, "the mean of 2.5, 2.8, 3 and 3 ms", r.Whole.Mean().Seconds(), 0.002825, 0.01)
	near(t, "the longest", r.Whole.Quantile(1).Seconds(), 0.003, 0.01)
	near(t, "a core's use", r.Utilization, 0.005, 0.01) // four times 1 ms, twice 0.5

	m.Trace = []time.Duration{0}
	m.Costs[Redeem] = Cost{Service: Constant(time.Millisecond), Linger: 500 * time.Microsecond}
	m.Batching = &Batching{Costs: []BatchCost{{N: 1, Time: 2000}, {N: 2, Time: 3000}}, Back: 0.5}
	r = simulate(t, m)
	near(t, "in a batch", r.Whole.Mean().Seconds(), 0.0045, 0.01) // the second request waits for half a millisecond
	near(t, "a core's use in a batch", r.Utilization, 0.005, 0.01)

	for _, d := range []time.Duration{-1, 2 * time.Hour} {
		m.Costs[Pass1].Linger = d
		if _, err := m.Run(t.Context()); !errors.Is(err, ErrModel) {
			t.Errorf("%v: %v", d, err)
		}
	}
}

// TestYardstick: it ticks until it is ended, and what it tells of a time without
// ticks is what it knows.
func TestYardstick(t *testing.T) {
	e := &Entry{Backend: "gnark/bn254"}
	suite, err := e.suite()
	if err != nil {
		t.Fatal(err)
	}
	_, servers, err := cpus()
	if err != nil {
		t.Fatal(err)
	}
	y, err := newYardstick(suite, servers)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	for {
		if _, spent := y.mean(from, time.Now()); spent > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	y.end()
	to := time.Now()
	mean, spent := y.mean(from, to)
	if !(mean > 10) || spent.Seconds()*1e6 < mean*0.99 {
		t.Errorf("%v µs, %v together", mean, spent)
	}
	if none, spent := y.mean(to, to.Add(time.Hour)); spent != 0 || !(none > 10) {
		t.Errorf("after the end: %v µs, %v together", none, spent)
	}
}

// TestPace: a machine that is twice as slow for a while takes twice as long for what
// it begins then.
func TestPace(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, From: time.Hour, Duration: time.Second, Drain: true, Seed: 1, Trace: []time.Duration{0, 100e6, 200e6, 300e6}}
	m.Costs[Pass1].Service = Constant(time.Millisecond)
	m.Costs[Redeem].Delay = Constant(time.Millisecond)
	m.Pace = []Pace{{100 * time.Millisecond, 2}, {150 * time.Millisecond, 0.5}, {250 * time.Millisecond, 1}}
	r := simulate(t, m)
	near(t, "the mean of 2, 4, 1 and 2 ms", r.Whole.Mean().Seconds(), 0.00225, 0.01)
	near(t, "the longest", r.Whole.Quantile(1).Seconds(), 0.004, 0.01)
	for _, p := range [][]Pace{{{2, 1}, {1, 1}}, {{1, 0}}, {{1, math.NaN()}}} {
		m.Pace = p
		if _, err := m.Run(t.Context()); !errors.Is(err, ErrModel) {
			t.Errorf("%v: %v", p, err)
		}
	}
}
