package capacity

import (
	"time"

	"golang.org/x/sys/unix"
)

// processTime returns the time on CPUs of all threads of this process so far: on
// a machine where others work too it is worth more than the clock on the wall.
// All threads, since a library may share the work of a batch out.
func processTime() time.Duration { return cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID) }

// threadTime is the same of the calling thread.
func threadTime() time.Duration { return cpuTime(unix.CLOCK_THREAD_CPUTIME_ID) }

func cpuTime(clock int32) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}
