package capacity

import (
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestDeviation: each round's model is compared with that round.
func TestDeviation(t *testing.T) {
	// The machine was ten times slower in the second round, and the model knew.
	c := compared([]float64{11, 90, 10.4, 0.5, 10.5}, []float64{10, 100, 10, 1, 10})
	near(t, "of rounds", c.Deviation(), 0.04, 1e-9)
	if !c.Within(0.05) || c.Within(0.03) || c.Model != 10.5 || c.Real != 10 || c.Low != 1 || c.High != 100 {
		t.Errorf("%+v", c)
	}
	near(t, "without rounds", Compared{Model: 3, Real: 2}.Deviation(), 0.5, 1e-9)
	for _, c := range []Compared{{Model: 3}, compared([]float64{1, 2, 3}, []float64{0, 0, 3})} {
		if !math.IsInf(c.Deviation(), 1) || c.Within(1e9) {
			t.Errorf("%+v: %v", c, c.Deviation())
		}
	}
}

// TestValidate holds the model against a small real server, briefly: what a
// login takes of the RPS's core, which some other work on this machine changes
// little, has to be predicted within a factor of two, and where nobody else had more than
// a little of the machine, throughput within 50 % and the 50th percentile by a
// factor of 2.5: costs of four dozen users, and runs of two seconds, tell no more.
// mpin capacity validate measures more, against tighter bounds.
func TestValidate(t *testing.T) {
	if testing.Short() {
		t.Skip("a deployment and ten seconds")
	}
	if runtime.GOOS != "linux" || runtime.NumCPU() < 2 {
		t.Skip("servers and generator need a core each, and Linux")
	}
	v, err := Validate(t.Context(), ValidateOptions{
		Fresh: &Options{Users: 48, Rounds: 6, Samples: 30, Command: node, Pulse: beside}, Backend: "gnark/bn254",
		Duration: 2 * time.Second, Loads: []float64{0.3}, Rounds: 1, Command: node, Pulse: beside,
	})
	if err != nil {
		t.Fatal(err)
	}
	checkCalibration(t, v.Calibration)
	quiet, factor := v.Disturbed < 0.03, 2.0
	if v.Disturbed > 0.3 {
		factor = 4 // caches are others' too
	}
	t.Logf("others had %.0f %% of the machine", 100*v.Disturbed)
	for _, m := range v.Modes {
		t.Logf("batching %t: %+v logins a second, %+v µs of the core a login, mean batch %+v", m.Batching, m.Saturation, m.CPU, m.MeanBatch)
		// A server that is asked for its metrics too late tells nothing.
		if f := m.CPU.Model / m.CPU.Real; m.CPU.Real > 0 && !(f > 1/factor && f < factor) || m.CPU.Real == 0 && quiet {
			t.Errorf("batching %t: a login takes %.0f µs of the core, the model says %.0f", m.Batching, m.CPU.Real, m.CPU.Model)
		}
		if len(m.Points) != 1 {
			t.Fatalf("%d loads", len(m.Points))
		}
		p := m.Points[0]
		t.Logf("at %.0f logins a second: %+v", p.Rate, p)
		if quiet && !(m.Saturation.Within(0.5) && p.P50.Model < 2.5*p.P50.Real && p.P50.Real < 2.5*p.P50.Model) {
			t.Errorf("batching %t: throughput is off by %.0f %%, the 50th percentile by %.0f %%", m.Batching, 100*m.Saturation.Deviation(), 100*p.P50.Deviation())
		}
		for _, x := range []Compared{p.P50, p.P99, p.Requests["pass1"], p.Requests["pass2"], p.Requests["redeem"]} {
			if !(x.Model > 0 && x.Real > 0) || math.IsInf(x.Deviation(), 0) || x.Low > x.Real || x.High < x.Real {
				t.Errorf("batching %t: a figure is missing: %+v", m.Batching, p)
			}
		}
	}
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeValidation(b)
	if err != nil || back.Met != v.Met || len(back.Modes) != 2 || back.Calibration == nil || !reflect.DeepEqual(back.Modes, v.Modes) {
		t.Errorf("written and read again it differs: %v", err)
	}
	if _, err := DecodeValidation(b[:len(b)/2]); !errors.Is(err, ErrCalibration) {
		t.Errorf("half a file: %v", err)
	}
}

// TestRefusedValidations: what makes no sense is not run.
func TestRefusedValidations(t *testing.T) {
	for name, o := range map[string]ValidateOptions{
		"an instant":   {Duration: time.Millisecond},
		"days":         {Duration: 48 * time.Hour},
		"full load":    {Loads: []float64{1}},
		"no rounds":    {Rounds: -1},
		"no bound":     {Bounds: Bounds{Saturation: 0.1}},
		"not measured": {Backend: "nobody/curve"},
	} {
		if _, err := Validate(t.Context(), o); !errors.Is(err, ErrRequest) && !errors.Is(err, ErrCalibration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTrace: arrivals at given times come at these times, and clients that share a
// core take turns on it.
func TestTrace(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, Duration: time.Second, Drain: true, Seed: 1}
	m.Costs[Pass1].Service = Constant(time.Millisecond)
	for i := range 10 {
		m.Trace = append(m.Trace, time.Duration(i)*10*time.Millisecond)
	}
	r := simulate(t, m)
	if r.Accepted != 10 || r.Whole.Quantile(1) > 1001*time.Microsecond {
		t.Errorf("%d logins, the longest of %v: apart from each other they take 1 ms", r.Accepted, r.Whole.Quantile(1))
	}
	m.Trace = slices.Repeat([]time.Duration{0}, 10)
	r = simulate(t, m)
	near(t, "the last of ten at once", r.Whole.Quantile(1).Seconds(), 0.010, 0.002)
	// Twice as slow a client: it begins all logins before it reads an answer. Those that
	// are there then are read the last first, so that the first login ends after 18 ms.
	m.ClientCores, m.Finish = 1, Constant(time.Millisecond)
	m.Costs[Pass1].Think = Constant(time.Millisecond)
	r = simulate(t, m)
	near(t, "the shortest of ten", r.Whole.Quantile(0).Seconds(), 0.004, 0.01)
	near(t, "the longest of ten", r.Whole.Quantile(1).Seconds(), 0.018, 0.01)
	m.Trace = []time.Duration{2, 1}
	if _, err := m.Run(t.Context()); !errors.Is(err, ErrModel) {
		t.Errorf("out of order: %v", err)
	}
}

// TestLimits: a load's share is of what was borne right before and after it, by the server
// and by the model.
func TestLimits(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	e := &c.Entries[0]
	run := func(n, inFlight int) *real {
		r := &real{seed: 1, inFlight: inFlight, warmUp: time.Second, length: 4 * time.Second, generator: 200, begun: time.Now(), p50: 1, p99: 1}
		for i := range n {
			r.arrivals = append(r.arrivals, time.Duration(i)*r.length/time.Duration(n))
		}
		return r
	}
	bears := simulate(t, run(20_000, flying).during(e, false, 1)).Rate
	before, after, load := run(20_000, flying), run(20_000, flying), run(3000, most)
	before.rate, after.rate = 2*bears, bears/2
	o := ValidateOptions{Loads: []float64{0.8}}
	for _, x := range []struct {
		limits []*real
		same   bool
	}{{[]*real{before, after}, true}, {[]*real{before}, false}, {[]*real{after}, false}} {
		load.limits = x.limits
		m, err := o.mode(t.Context(), e, false, []*round{{saturations: []*real{before, after}, loads: []*real{load}}})
		if err != nil {
			t.Fatal(err)
		}
		p := m.Points[0]
		if (p.P50.Model == p.SameRate.P50.Model) != x.same || len(m.Saturation.Rounds) != 2 {
			t.Errorf("%d limits: %v and at the same rate %v", len(x.limits), p.P50, p.SameRate.P50)
		}
	}
	if all := every([][]*round{{{saturations: []*real{before, after}, loads: []*real{load}}}}); !slices.Equal(all, []*real{before, after, load}) {
		t.Errorf("%d runs in all", len(all))
	}
}

// TestStretched: a run that takes twice as long, but for its work, is half the load.
func TestStretched(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	e := &c.Entries[0]
	r := &real{seed: 1, inFlight: 1000, warmUp: 2 * time.Second, length: 10 * time.Second, generator: 200, begun: time.Now()}
	for i := range 2000 {
		r.arrivals = append(r.arrivals, time.Duration(i)*5*time.Millisecond)
	}
	before := slices.Clone(r.arrivals)
	once := simulate(t, r.during(e, false, 1))
	twice := simulate(t, r.during(e, false, 2))
	if !slices.Equal(r.arrivals, before) {
		t.Error("the run's arrivals are changed")
	}
	if once.Arrived != 1600 || twice.Arrived != 1600 {
		t.Errorf("%d and %d logins after the warm-up", once.Arrived, twice.Arrived)
	}
	near(t, "rate", twice.Rate, once.Rate/2, 0.001)
	near(t, "use", twice.Utilization, once.Utilization/2, 0.1)
	m := r.during(e, false, 2)
	if m.WarmUp != 4*time.Second || m.Duration != 16*time.Second || m.Trace[1] != 10*time.Millisecond {
		t.Errorf("%v of warm-up, %v, the second login at %v", m.WarmUp, m.Duration, m.Trace[1])
	}
}
