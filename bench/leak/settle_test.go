package leak

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// dependent is a target that takes so much longer for the fixed secret.
func dependent(longer time.Duration) Target {
	return Target{Op: "Wait", Backend: "a test's", Fixed: Drawn, setup: func(*rand.ChaCha8) (*trial, error) {
		var fixed [batch]bool
		return &trial{
			prepare: func(i int, isFixed bool) error { fixed[i] = isFixed; return nil },
			run: func(i int) error {
				for start := time.Now(); fixed[i] && time.Since(start) < longer; {
				}
				return nil
			},
		}, nil
	}}
}

// TestSettled: what is certain ends early, what is not seen takes all times.
func TestSettled(t *testing.T) {
	r, err := Run(context.Background(), []Target{dependent(20 * time.Microsecond), dependent(0)}, Options{Samples: 20_000, Seed: 1})
	if err != nil || len(r.Rows) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if row := r.Rows[0]; row.FixedSamples+row.RandomSamples >= 20_000 || row.FixedSamples+row.RandomSamples < settleAfter || row.Verdict != Leaks {
		t.Errorf("a long wait: %+v", row)
	}
	if row := r.Rows[1]; row.FixedSamples+row.RandomSamples != 20_000 && math.Abs(row.T) < settled {
		t.Errorf("no wait: %+v", row)
	}
}

func TestByChance(t *testing.T) {
	r := &Results{Rows: make([]Row, 134)}
	n, p := r.ByChance()
	if n != 134*7 || p < 0.005 || p > 0.01 {
		t.Errorf("%d comparisons, %g", n, p)
	}
	if n, p := (&Results{}).ByChance(); n != 0 || p != 0 {
		t.Errorf("of none: %d, %g", n, p)
	}
}
