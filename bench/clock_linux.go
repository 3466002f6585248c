package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns the processor time of all threads of this process so
// far, and whether the system tells.
func processorTime() (time.Duration, bool) { return clock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// threadTime is processorTime of the calling thread.
func threadTime() (time.Duration, bool) { return clock(unix.CLOCK_THREAD_CPUTIME_ID) }

func clock(id int32) (time.Duration, bool) {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}
