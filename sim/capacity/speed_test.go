package capacity

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// TestSpeeds: work that is under way when its CPU gets slower, faster, or stands still
// takes as much longer or shorter as remains of it.
func TestSpeeds(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, From: time.Hour, Duration: time.Second, Drain: true, Seed: 1, Trace: []time.Duration{0, 100e6, 199e6, 300e6}}
	m.Costs[Pass1].Service = Constant(2 * time.Millisecond)
	m.Speeds = []Speed{{100 * time.Millisecond, 0.5}, {101 * time.Millisecond, 2}, {200 * time.Millisecond, 0}, {210 * time.Millisecond, 1}}
	r := simulate(t, m)
	// 2; 1 at half speed, then 0.75; all done while it is twice as fast; 2.
	near(t, "the mean of 2, 1.75, 1 and 2 ms", r.Whole.Mean().Seconds(), 0.0016875, 0.01)
	near(t, "a core's use", r.Utilization, 0.00675, 0.01)

	m.Trace = []time.Duration{199500e3} // twice 0.5 ms, then nothing for 10 ms, then 1 ms
	r = simulate(t, m)
	near(t, "while it stands still", r.Whole.Mean().Seconds(), 0.0115, 0.01)
	near(t, "what it worked", r.Utilization, 0.0015, 0.01)

	// The clients' CPU is another.
	m.Trace, m.Speeds = []time.Duration{0, 100e6}, nil
	m.ClientCores, m.ClientSpeeds, m.Finish = 1, []Speed{{50 * time.Millisecond, 0.5}}, Constant(time.Millisecond)
	r = simulate(t, m)
	near(t, "the mean of 3 and 4 ms", r.Whole.Mean().Seconds(), 0.0035, 0.01)

	for _, p := range [][]Speed{{{2, 1}, {1, 1}}, {{1, 0}}, {{1, math.NaN()}}, {{1, -1}}, {{1, 0.001}, {2, 1}}, {{1, 1000}}} {
		m.ClientSpeeds, m.Speeds = nil, p
		if _, err := m.Run(t.Context()); !errors.Is(err, ErrModel) {
			t.Errorf("%v: %v", p, err)
		}
		m.ClientSpeeds, m.Speeds = p, nil
		if _, err := m.Run(t.Context()); !errors.Is(err, ErrModel) {
			t.Errorf("clients %v: %v", p, err)
		}
	}
}

// TestMeanSpeed: what is done in a time is counted over the time that the CPU worked.
func TestMeanSpeed(t *testing.T) {
	list := []Speed{{0, 1}, {10, 0.5}, {20, 0}, {30, 2}}
	for _, c := range []struct {
		from, to time.Duration
		want     float64
	}{{0, 10, 1}, {5, 15, 0.75}, {10, 30, 0.5}, {0, 40, (10 + 5 + 20) / 30.0}, {30, 1000, 2}, {20, 30, 1}, {-100, 10, 1}} {
		if got := meanSpeed(list, c.from, c.to); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%d to %d: %v, not %v", c.from, c.to, got, c.want)
		}
	}
}

// TestTurns: what waits at the door has its turn in the opposite order, and what comes
// meanwhile after all of it.
func TestTurns(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, Duration: time.Second, Drain: true, Seed: 1}
	m.Costs[Pass1].Service = Constant(10 * time.Millisecond)
	// While the first is served two more come; while those are served, another.
	m.Trace = []time.Duration{0, 1e6, 9e6, 11e6}
	// 10; 30 − 1; 20 − 9; 40 − 11.
	r := simulate(t, m)
	near(t, "the mean", r.Whole.Mean().Seconds(), 0.01975, 0.01)
	near(t, "the second shortest", r.Whole.Quantile(0.5).Seconds(), 0.011, 0.01)
	m.InTurn = true // 10; 20 − 1; 30 − 9; 40 − 11
	near(t, "in turn", simulate(t, m).Whole.Quantile(0.5).Seconds(), 0.019, 0.01)
}

// TestStandstill: a pulse that comes late tells that its CPU stood still, as long before
// it was due as after, but not before the one before; one that may be late by itself does
// not.
func TestStandstill(t *testing.T) {
	begin := time.Now()
	at := machineClock(begin)
	ms := func(x float64) int64 { return at + int64(x*1e6) }
	beats := []beat{{At: ms(0), Took: 10_000, Sure: 1}, {At: ms(2), Late: 5e6, Took: 20_000, Sure: 1}, {At: ms(8), Late: 600e3, Took: 10_000, Sure: 1}, {At: ms(10), Late: 5e6, Took: 10_000}}
	list := Scale{Usual: 10, From: 11, Mean: 1}.speeds(beats, begin)
	want := []Speed{{0, 1}, {10_000, 0}, {7e6, 1 / shared}, {7.4e6, 0}, {8.6e6, 1}, {15e6, 1}}
	if len(list) != len(want) {
		t.Fatalf("%v, not %v", list, want)
	}
	for i, s := range list {
		if d := s.At - want[i].At; d < -50_000 || d > 50_000 || math.Abs(s.Speed-want[i].Speed) > 1e-9 {
			t.Errorf("%d: %v, not %v", i, s, want[i])
		}
	}
}

// TestOnward: what comes after the last beat is as fast as the mean, not as the last.
func TestOnward(t *testing.T) {
	ms := time.Millisecond
	got := onward([]Speed{{0, 1}, {2 * ms, 0}, {3 * ms, 0.5}})
	// Of the 4 ms in which it worked, half were at speed 1.
	if want := []Speed{{0, 1}, {2 * ms, 0}, {3 * ms, 0.5}, {5 * ms, 0.75}}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if got := onward(nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

// TestLess: a pulse that takes long leaves less of its CPU until the next one.
func TestLess(t *testing.T) {
	beats := []beat{{Took: 10_000}, {Took: 200_000}, {Took: 4_000_000}}
	got := less([]Speed{{0, 0.5}, {1, 0}, {2, 1}, {3, 1}}, beats)
	rest := func(b beat) float64 { return 1 - b.pulsing() }
	want := []Speed{{0, 0.5 * rest(beats[0])}, {1, 0}, {2, rest(beats[1])}, {3, 1.0 / maxSpeed}}
	if !slices.Equal(got, want) || !checkSpeeds(got) || !(got[2].Speed < 0.8 && got[0].Speed > 0.48) {
		t.Errorf("%v, not %v", got, want)
	}
}
