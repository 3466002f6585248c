package capacity

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSharedCore: a pulse tells how fast a core of one's own is, and of one that is shared
// only that it is.
func TestSharedCore(t *testing.T) {
	s := Scale{Usual: 10, From: 10.5, Shared: 1.5, Mean: 1.2}
	for took, want := range map[float64]float64{10_000: 1.2, 9000: 1.2 / 0.9, 10_400: 1.2 / 1.04, 10_600: 0.8, 20_000: 0.8, 1: maxSpeed} {
		if got := s.speed(took); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v ns: speed %v, not %v", took, got, want)
		}
	}
	var beats []beat
	for i := range 1000 {
		beats = append(beats, beat{Took: map[bool]uint32{true: 10_000, false: 17_000}[i%4 != 0]})
	}
	// Three quarters of the time all is done, in the last two thirds of it.
	near(t, "mean", s.meanOf(beats), 1/(0.75+0.25/1.5), 1e-9)
	if got := s.meanOf(nil); got != 1 {
		t.Errorf("without beats: %v", got)
	}
	for name, bad := range map[string]Scale{
		"no pulse": {Shared: 1.5, Mean: 1}, "always shared": {10, 9, 1.5, 1}, "faster when shared": {10, 11, 0.9, 1}, "much slower": {10, 11, 5, 1},
		"no mean": {10, 11, 1.5, 0}, "NaN": {math.NaN(), 11, 1.5, 1},
	} {
		if bad.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestUnshared: the lowest clock is found also where the core is mostly shared, with pulses
// of all lengths, or the clock is mostly higher; and one that was never low is expected to be.
func TestUnshared(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ shared, higher, usual float64 }{{0, 0.05, 11.14}, {0.3, 0.05, 11.14}, {0.7, 0.1, 11.14}, {0.1, 0.8, 11.14}, {0.1, 0.9, 10.06}} {
		var beats []beat
		for range 5000 {
			took := 11_130 + 20*r.Float64()
			switch x := r.Float64(); {
			case x < c.shared:
				took = 11_800 + 8000*r.Float64()
			case x < c.shared+c.higher:
				took = 10_050 + 20*r.Float64()
			}
			beats = append(beats, beat{Took: uint32(took)})
		}
		usual, from := unshared(beats)
		near(t, "usual pulse", usual, c.usual, 0.002)
		near(t, "of a shared core", from, 11.69, 0.005)
	}
	if usual, from := unshared(nil); usual != 0 || from != 0 {
		t.Errorf("without beats: %v, %v", usual, from)
	}
}

// TestLonger: how much longer work takes on a shared core is found where it was shared to
// several degrees, and as it mostly is where it was not.
func TestLonger(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	times := func(most, factor, noise float64) (share, time []float64) {
		for range 60 {
			x := most * r.Float64()
			share, time = append(share, x), append(time, 0.7*(1+(factor-1)*x)*(1+noise*r.NormFloat64()))
		}
		return share, time
	}
	for _, factor := range []float64{1.2, 1.48, 1.9} {
		near(t, "found", longer(times(1, factor, 0.02)), factor, 0.05)
	}
	// A twentieth of the time, as noise would have it, says hardly anything.
	near(t, "hardly known", longer(times(0.05, 1, 0.04)), mostlyShared, 0.08)
	near(t, "never shared", longer(times(0, 1, 0.01)), mostlyShared, 1e-9)
	if got := longer(times(1, 0.5, 0.01)); got != 1 {
		t.Errorf("work that takes less: %v", got)
	}
}
