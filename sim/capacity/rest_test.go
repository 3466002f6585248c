package capacity

import (
	"testing"
	"time"

	"mpinlab/sim/deploy"
)

// TestRest: a core that finds nothing to do comes to rest in time that only the next login
// waits for, if it is there so soon.
func TestRest(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, Duration: time.Second, Drain: true, Seed: 1, Rest: 100 * time.Microsecond}
	m.Costs[Pass1].Service = Constant(time.Millisecond)
	m.Trace = []time.Duration{0, 500 * time.Millisecond}
	r := simulate(t, m)
	near(t, "alone", r.Whole.Quantile(1).Seconds(), 0.001, 0.001)
	near(t, "use", r.Utilization, 0.0022, 0.001)
	m.Trace = []time.Duration{0, 1050 * time.Microsecond}
	r = simulate(t, m)
	near(t, "while it comes to rest", r.Whole.Quantile(1).Seconds(), 0.00105, 0.001)
	near(t, "use, after each", r.Utilization, 0.0022, 0.001)
	m.Trace = []time.Duration{0, 500 * time.Microsecond}
	near(t, "use, once after both", simulate(t, m).Utilization, 0.0021, 0.001)
}

// TestLooks: Go's monitor is the thread with many short turns, and what logins that come one
// after the other cost beyond its looks is coming to rest.
func TestLooks(t *testing.T) {
	var l looks
	if l.look() != 0 {
		t.Error("a look of threads that are not known")
	}
	had := map[int]deploy.Thread{7: {CPU: time.Second, Turns: 5}}
	for range 2 {
		l.add(had, map[int]deploy.Thread{
			7: {CPU: 1500 * time.Millisecond, Turns: 3005}, // the worker
			8: {CPU: 20 * time.Millisecond, Turns: 4000},   // the monitor
			9: {}, 10: {CPU: time.Microsecond, Turns: 1},
		}, 0.5)
	}
	near(t, "look", l.look(), 2.5, 1e-9)

	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	e := c.Entries[0].at(1)
	for _, batching := range []bool{false, true} {
		to := e.requests(batching)
		works := to.Warm.at(1)*(to.Pass1.CPU+to.Pass2.CPU+to.Redeem.CPU) + e.verifying(to, batching)
		before := to.Monitor
		e.rest(to, batching, level{cpu: works + 400}, 0)
		if to.Rest != 0 || to.Monitor <= 5 {
			t.Errorf("nothing known of looks: one of %v µs, %v to come to rest", to.Monitor, to.Rest)
		}
		all := to.Monitor
		e.rest(to, batching, level{cpu: works + 400}, 5)
		if to.Monitor != 5 || !(to.Rest > 50 && to.Rest < 133) {
			t.Errorf("looks of 5 µs: %v, %v to come to rest", to.Monitor, to.Rest)
		}
		e.rest(to, batching, level{cpu: works + 400}, 2*all)
		if to.Rest != 0 || to.Monitor < 0.9*all || to.Monitor > 1.1*all {
			t.Errorf("looks that explain more than there is: %v, not %v; %v to come to rest", to.Monitor, all, to.Rest)
		}
		e.rest(to, batching, level{cpu: works - 1}, 5)
		if to.Monitor != 0 || to.Rest != 0 {
			t.Errorf("nothing more alone: %v, %v", to.Monitor, to.Rest)
		}
		to.Monitor = before
	}
}
