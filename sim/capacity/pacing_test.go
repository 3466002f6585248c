package capacity

import (
	"slices"
	"testing"
	"time"
)

// TestPacing: arrivals come as often as the server is fast, by the beats of the last while,
// and are told as they come.
func TestPacing(t *testing.T) {
	m := &machine{pulses: &pulses{beats: map[int][]beat{}}, server: 3}
	at := int64(0)
	beats := func(took uint32) {
		for range int(lately/pulseEvery) + 1 {
			at += int64(pulseEvery)
			m.beats[3] = append(m.beats[3], beat{At: at, Took: took, Sure: 1})
		}
	}
	p := &pacing{cpus: m, scale: Scale{Usual: 10, From: 10.5, Mean: 1}, usual: 1}
	near(t, "before there is a beat", p.now(), 1, 0)
	beats(10_000)
	near(t, "alone", p.now(), 1, 1e-9)
	beats(15_000)
	near(t, "shared", p.now(), 1/shared, 1e-9)
	p.usual = 0.5
	near(t, "where the server usually is as slow", p.now(), 2/shared, 1e-9)
	// It stands still half of the time: as long before a beat was due as after.
	p.usual = 1
	beats(10_000)
	for i := range m.beats[3] {
		m.beats[3][i].Late = uint32(pulseEvery / 4)
	}
	p.seen = 0
	near(t, "standing still", p.now(), 0.5, 0.01)

	beats(10_000)
	var told, came []time.Duration
	slow, fast := 0, 0
	for d := range p.arrivals(1000, 1, 20*time.Second, 5, &told) {
		if len(told) == 0 || told[len(told)-1] != d {
			t.Fatalf("%v came, and %v was told", d, told)
		}
		if len(came) == 10_000 {
			beats(15_000)
			slow = int(d / time.Second)
		}
		if slow > 0 && d > time.Duration(slow+5)*time.Second && fast == 0 {
			beats(1000) // ten times as fast: more than is followed
			fast = len(came)
		}
		came = append(came, d)
	}
	if !slices.IsSorted(came) || came[len(came)-1] >= 20*time.Second {
		t.Errorf("out of order, or after the end: %v", came[len(came)-1])
	}
	near(t, "as many a second", float64(10_000)/came[9999].Seconds(), 1000, 0.04)
	near(t, "less while it is slow", float64(fast-10_000)/(came[fast]-came[10_000]).Seconds(), 1000/shared, 0.06)
	near(t, "no more than are prepared", float64(len(came)-fast)/(20-came[fast].Seconds()), 1000*mostPace, 0.06)
	// Half as fast when the run began: the rate is of that.
	told = nil
	for range p.arrivals(1000, 20, 10*time.Second, 5, &told) {
	}
	near(t, "by what it was at the beginning", float64(len(told)), 10_000*0.5, 0.05)
	for range p.arrivals(1000, 1, 10*time.Second, 5, &told) {
		break
	}
}
