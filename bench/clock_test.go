package bench

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLostProcessorDoesNotCount: a sample on one thread that is not on the
// processor for most of its time has its processor time; one of a Concurrent
// case, which may wait, has the time on the clock.
func TestLostProcessorDoesNotCount(t *testing.T) {
	if _, told := processorTime(); !told {
		t.Skip("this system does not tell processor time")
	}
	const away = 5 * time.Millisecond
	var l log
	// Sleeping stands for being preempted: the thread does not run.
	lost := l.fake("Lost", func(b *Body) { b.Run = func(int) { time.Sleep(away); spin(1000) } })
	waits := l.fake("Waits", func(b *Body) { b.Run = func(int) { time.Sleep(away) } })
	waits.Concurrent = true
	r := run(t, []Case{lost, waits}, Options{Samples: 3, Time: oneRun})
	for i, row := range r.Rows {
		for _, ns := range row.Samples {
			if whole := ns >= float64(away); whole != (i == 1) {
				t.Errorf("%v: a sample of %v", row.Key, time.Duration(ns))
			}
		}
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool {
		return strings.HasPrefix(w, "preempted: the processor was taken away during 3 of 6 samples")
	}) {
		t.Errorf("warnings %q", r.Warnings)
	}
}
