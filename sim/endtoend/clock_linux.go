package endtoend

import "golang.org/x/sys/unix"

// threadTime is the time on a CPU of this thread, in ns.
func threadTime() (int64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, err
	}
	return t.Nano(), nil
}
