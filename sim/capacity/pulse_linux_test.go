package capacity

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestPulse takes the pulse of this machine: it comes at the rate it should, with no
// time missing, and the same work is told to be slower by a CPU that is.
func TestPulse(t *testing.T) {
	m, err := newMachine(beside)
	if err != nil {
		t.Fatal(err)
	}
	defer m.end()
	runtime.LockOSThread() // whose time it is
	defer runtime.UnlockOSThread()
	from := time.Now()
	s, err := worked(threadTime, func() error {
		if chew(20_000_000, 1) == 0 {
			return errors.New("the chains have met")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	beats, err := m.of(m.server, from, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range beats {
		if int(b.CPU) != m.server || b.Took == 0 {
			t.Fatalf("beat %d of %d: %+v", i, len(beats), b)
		}
		if i > 0 && b.At-beats[i-1].At < int64(pulseEvery) {
			t.Fatalf("%d ns between two beats", b.At-beats[i-1].At)
		}
	}
	if first, last := beats[0].At, beats[len(beats)-1].At; first > machineClock(from) || last < machineClock(s.to) {
		t.Errorf("beats from %d to %d are not around the work", first, last)
	}
	sc := Scale{Mean: 1}
	sc.Usual, sc.From = unshared(beats)
	if err := sc.check(); err != nil {
		t.Fatal(err)
	}
	same, err := m.scaled(m.server, sc, s)
	if err != nil {
		t.Fatal(err)
	}
	slow := sc
	slow.Mean /= 2
	half, err := m.scaled(m.server, slow, s)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "at half the speed", half.Seconds(), same.Seconds()/2, 0.001)
	if p := pulsing(beats); !(p > 0 && p < 0.5) {
		t.Errorf("the pulse takes %v of its CPU", p)
	}
	m.end()
	if _, err := m.of(m.server, time.Now(), time.Now().Add(time.Hour)); !errors.Is(err, errPulse) {
		t.Errorf("after the end: %v", err)
	}
}

// TestNoPulse: a CPU that is not there has none, and neither has no CPU.
func TestNoPulse(t *testing.T) {
	if _, err := takePulse(beside, 1<<20); !errors.Is(err, errPulse) {
		t.Errorf("of a CPU that is not there: %v", err)
	}
	for _, cpus := range [][]int{nil, {-1}, {1 << 20}} {
		if err := Pulse(strings.NewReader(""), io.Discard, cpus); !errors.Is(err, errPulse) {
			t.Errorf("%v: %v", cpus, err)
		}
	}
}
