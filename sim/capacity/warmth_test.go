package capacity

import (
	"errors"
	"testing"
	"time"
)

// TestWarmth: requests take the less the fewer logins are under way for an instance, on a
// line over the logarithm between what was measured.
func TestWarmth(t *testing.T) {
	w := Warmth{{4, 0.5}, {16, 0.7}, {64, 1}}
	for n, want := range map[int]float64{0: 0.5, 1: 0.5, 4: 0.5, 8: 0.6, 16: 0.7, 32: 0.85, 64: 1, 1000: 1} {
		near(t, "share", w.at(n), want, 1e-9)
	}
	if (Warmth{}).at(1) != 1 {
		t.Error("nothing known is no share of 1")
	}
	m := &Model{Instances: 2, Cores: 1, Duration: time.Second, Drain: true, Seed: 1, Warm: Warmth{{1, 0.5}, {4, 1}}, InTurn: true}
	m.Costs[Pass1].Service = Constant(time.Millisecond)
	m.Trace = []time.Duration{0, 0}
	near(t, "one for each", simulate(t, m).Whole.Mean().Seconds(), 0.0005, 0.01)
	// Of three at one instance the first is alone when it begins, the second has its core
	// with three under way, the last with two.
	m.Instances, m.Trace = 1, make([]time.Duration, 3)
	near(t, "the last of three", simulate(t, m).Whole.Quantile(1).Seconds(), 0.001*(0.5+0.896+0.75), 0.01)
	for _, w := range []Warmth{{{0, 1}}, {{5, 1}, {5, 1}}, {{1, 0}}, {{1, -1}}, {{1, 11}}, {{1 << 20, 1}}} {
		m.Warm = w
		if _, err := m.Run(t.Context()); !errors.Is(err, ErrModel) {
			t.Errorf("%v: %v", w, err)
		}
	}
}
