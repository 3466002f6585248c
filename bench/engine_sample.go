package bench

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	// memoryGuard is by how many bytes the heap may grow with the collector off
	// before it runs nevertheless.
	memoryGuard = 256 << 20
	// collectAfter is by how many bytes it may grow before it is collected
	// between two samples. A collection walks the inputs of all cases and empties
	// the processor's caches, so that one before every sample would take longer
	// than the samples, and be seen in short ones.
	collectAfter = 32 << 20
	// warmed is the time up to which a run is made once more before the clock
	// starts.
	warmed = 2 * time.Millisecond
)

// heap collects between samples.
type heap struct{ floor uint64 } // bytes in use after the last collection

func (h *heap) tidy() {
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); h.floor != 0 && m.HeapAlloc < h.floor+collectAfter {
		return
	}
	runtime.GC()
	runtime.ReadMemStats(&m)
	h.floor = max(m.HeapAlloc, 1)
}

// measurement is what one sample showed, for all its runs together.
type measurement struct {
	elapsed       time.Duration
	bytes, allocs uint64
	collected     bool // the collector ran while the clock did
	preempted     bool // elapsed is processor time
}

// A sample that loses the processor for more than a hundredth of its time has
// its processor time for a cost, if it is long enough for that clock.
const (
	preemptedShare   = 0.01
	leastPreemptible = 200 * time.Microsecond
)

// sample times runs successive inputs. It panics where the body does.
func (s *subject) sample(runs int, h *heap) measurement {
	var before, after runtime.MemStats
	run, i := s.body.Run, s.next

	// The other cases before this one, and collections, empty the caches; one
	// run more fills them again, where it does not take long.
	warm := runs >= 8 || s.perRun > 0 && s.perRun <= float64(warmed)
	if s.body.Prepare != nil {
		if warm {
			s.body.Prepare((i+Inputs-1)%Inputs, runs+1)
		} else {
			s.body.Prepare(i, runs)
		}
	}
	h.tidy()
	if !s.Concurrent && s.Key.Procs == 1 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	if warm {
		run((i + Inputs - 1) % Inputs)
	}
	runtime.ReadMemStats(&before)
	used, told := processorTime()
	start := time.Now()
	for range runs {
		run(i)
		if i++; i == Inputs {
			i = 0
		}
	}
	elapsed := time.Since(start)
	until, _ := processorTime()
	runtime.ReadMemStats(&after)
	used = until - used
	// What runs on one thread does not wait, so that time in which the process
	// does not run is the system's, which has other work.
	preempted := told && !s.Concurrent && s.Key.Procs == 1 && elapsed >= leastPreemptible &&
		used > 0 && float64(used) < (1-preemptedShare)*float64(elapsed)
	if preempted {
		elapsed = used
	}

	s.next = i
	return measurement{
		elapsed:   elapsed,
		bytes:     after.TotalAlloc - before.TotalAlloc,
		allocs:    after.Mallocs - before.Mallocs,
		collected: after.NumGC != before.NumGC,
		preempted: preempted,
	}
}

// check verifies the results of the last sample, of so many runs.
func (s *subject) check(runs int) error {
	began := time.Now()
	err := s.body.Check()
	s.checking, s.fresh = time.Since(began), min(runs, Inputs-s.seen)
	s.seen += s.fresh
	if err != nil {
		return fmt.Errorf("wrong result: %w", err)
	}
	return nil
}

// attempt calls f and drops the case if it fails or panics.
func (s *subject) attempt(f func() error) {
	defer func() {
		if p := recover(); p != nil {
			s.err = &CaseError{Key: s.Key, Err: fmt.Errorf("panic: %v", p), Stack: string(debug.Stack())}
		}
		if s.err != nil {
			s.body = nil // its inputs are garbage now
		}
	}()
	if err := f(); err != nil {
		s.err = &CaseError{Key: s.Key, Err: err}
	}
}

// holdRuntime prepares the runtime for measuring, with the collector off, and
// returns what undoes it.
func holdRuntime(procs int) (release func()) {
	oldProcs := runtime.GOMAXPROCS(procs)
	oldPercent := debug.SetGCPercent(-1)
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	limit := int64(min(m.Sys-m.HeapReleased+memoryGuard, math.MaxInt64))
	oldLimit := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(limit, oldLimit))
	return func() {
		debug.SetGCPercent(oldPercent)
		debug.SetMemoryLimit(oldLimit)
		runtime.GOMAXPROCS(oldProcs)
	}
}
