package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm ends the runtime's wait for the network at a moment. On Linux that wait
// is told its end in whole milliseconds, so that on a machine with nothing else
// to do a sleep of 200 µs takes 1 ms, and every operation would start late. A
// timer of the kernel's among the runtime's files ends it in time.
type alarm struct {
	file *os.File
	fd   int
}

// newAlarm makes one; nil, which is ready for use and does nothing, where the
// system has none.
func newAlarm() *alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	return &alarm{os.NewFile(uintptr(fd), "timer"), fd} // non-blocking, and so watched by the runtime
}

// in sets it to go off after d.
func (a *alarm) in(d time.Duration) {
	if a != nil && d > 0 {
		_ = unix.TimerfdSettime(a.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
	}
}

func (a *alarm) close() {
	if a != nil {
		a.file.Close()
	}
}
