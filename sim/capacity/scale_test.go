package capacity

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSharedCore: a pulse tells how fast a core of one's own is, of one that is shared
// only that it is, and of one that is slower than that, how slow.
func TestSharedCore(t *testing.T) {
	s := Scale{Usual: 10, From: 10.5, Mean: 1.2}
	for took, want := range map[float64]float64{10_000: 1.2, 9000: 1.2 / 0.9, 10_400: 1.2 / 1.04, 10_600: 0.75, 20_000: 0.75, 100_000: 0.12, 1e8: 1.0 / maxSpeed, 1: maxSpeed} {
		if got := s.speed(took); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v ns: speed %v, not %v", took, got, want)
		}
	}
	var beats []beat
	for i := range 1000 {
		beats = append(beats, beat{Took: map[bool]uint32{true: 10_000, false: 17_000}[i%4 != 0]})
	}
	// Three quarters of the time all is done, in the rest less.
	near(t, "mean", s.meanOf(beats), 1/(0.75+0.25/shared), 1e-9)
	if got := s.meanOf(nil); got != 1 {
		t.Errorf("without beats: %v", got)
	}
	for name, bad := range map[string]Scale{
		"no pulse": {Mean: 1}, "always shared": {Usual: 10, From: 9, Mean: 1}, "no mean": {Usual: 10, From: 11}, "NaN": {Usual: math.NaN(), From: 11, Mean: 1},
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
