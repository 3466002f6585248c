package bench

import (
	"math"
	"regexp"
	"testing"
)

func TestRepeats(t *testing.T) {
	fast, slow, gone := verifyKey("fast", "protocol"), verifyKey("slow", "protocol"), verifyKey("gone", "protocol")
	control := verifyKey("fast", ViaControl)
	old := noisy(1, 200, map[Key]float64{fast: 1, slow: 1.5, gone: 2, control: 1}, slow, fast, gone, control)
	// The other run is of a slower machine, on which the base is the dearer one.
	again := noisy(2, 200, map[Key]float64{fast: 4, slow: 3, control: 4}, fast, slow, control)
	list := Repeats(old, again, Headline)
	if len(list) != 1 || list[0].Row != slow || list[0].Base != fast {
		t.Fatalf("%+v", list)
	}
	r := list[0]
	if math.Abs(r.Old.Mid/1.5-1) > 0.01 || math.Abs(r.New.Mid/0.75-1) > 0.01 || math.Abs(r.Difference+0.5) > 0.01 ||
		!(r.Old.Lo <= r.Old.Mid && r.Old.Mid <= r.Old.Hi && r.New.Lo <= r.New.Mid && r.New.Mid <= r.New.Hi) {
		t.Errorf("%+v", r)
	}
	if list := Repeats(old, again, regexp.MustCompile(`^G1Mul$`)); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	median, greatest := Differences([]Repeated{{Difference: -0.03}, {Difference: 0.01}, {Difference: 0.02}, {Difference: 0.005}})
	if math.Abs(median-0.015) > 1e-12 || greatest != 0.03 {
		t.Errorf("median %v, greatest %v", median, greatest)
	}
	if median, _ := Differences(nil); !math.IsNaN(median) {
		t.Error(median)
	}
}
