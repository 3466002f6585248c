package load

import (
	"errors"
	"os"
	"testing"
	"time"

	"mpinlab/sim/load/result"
)

// TestStanding: loads that come one after the other on one deployment are counted each by
// itself, and when it is closed nothing is left.
func TestStanding(t *testing.T) {
	t.Parallel()
	s, err := Read("standing.yaml", []byte(`name: standing
title: One deployment, several loads
deployment: {suite: rfc9380/bn254, run: processes}
population: {users: 20}
client: {cost: precomputed, redeem: rps, in-flight: 100}
stages:
  - {name: not run, kind: constant, rate: 1000, duration: 1h}
`))
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	d, err := Stand(t.Context(), s, Options{Command: asChild, Temp: temp, Sparing: true})
	if err != nil {
		t.Fatal(err)
	}
	var begun time.Time
	closed := false
	defer func() {
		if !closed {
			d.Close()
		}
	}()
	before, err := d.ServerCPU()
	if err != nil {
		t.Fatal(err)
	}
	stage := func(rate float64) []Stage {
		return []Stage{{Name: "even", Kind: Constant, Rate: rate, Duration: Duration(time.Second)}}
	}
	for _, n := range []int64{20, 10} {
		begun = time.Now()
		r, err := d.Run(t.Context(), Load{Stages: stage(float64(n))})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Counts.Outcomes[result.Accepted]; got < n-1 || got > n+1 || r.Verdicts.Checked != got || r.Verdicts.WrongAcceptances+r.Verdicts.WrongRefusals > 0 {
			t.Errorf("%d of %d logins accepted, verdicts %+v", got, n, r.Verdicts)
		}
		if r.Started.Before(begun) || r.Started.After(time.Now()) || r.Scenario != "standing" {
			t.Errorf("%s started at %v, which was asked for at %v", r.Scenario, r.Started, begun)
		}
	}
	// One login at a time, a thousand at once.
	r, err := d.Run(t.Context(), Load{Stages: stage(1000), InFlight: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Generator.InFlight != 1 || r.Counts.Dropped == 0 {
		t.Errorf("%d under way, %d dropped", r.Generator.InFlight, r.Counts.Dropped)
	}
	if _, err := d.Run(t.Context(), Load{}); !errors.Is(err, ErrScenario) {
		t.Errorf("no load: %v", err)
	}
	// Arrivals that are known only when they are to come, and end with the stage.
	var drawn []time.Duration
	given := func(yield func(time.Duration) bool) {
		for at := time.Duration(0); ; at += 50 * time.Millisecond {
			if drawn = append(drawn, time.Since(begun)); !yield(at) {
				return
			}
		}
	}
	begun = time.Now()
	r, err = d.Run(t.Context(), Load{Stages: stage(10), Arrivals: given})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Counts.Outcomes[result.Accepted]; got != 21 || len(drawn) != 22 {
		t.Errorf("%d of 21 logins, %d times drawn", got, len(drawn))
	}
	if d := drawn[20] - drawn[1]; d < 940*time.Millisecond {
		t.Errorf("20 arrivals that take a second were drawn in %v", d)
	}
	if _, err := d.Run(t.Context(), Load{Stages: append(stage(1), stage(1)...), Arrivals: given}); !errors.Is(err, ErrScenario) {
		t.Errorf("arrivals of two stages: %v", err)
	}
	if after, err := d.ServerCPU(); err != nil || after <= before {
		t.Errorf("the servers' time went from %v to %v (%v)", before, after, err)
	}
	closed = true
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if left := servers(t, temp); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}
