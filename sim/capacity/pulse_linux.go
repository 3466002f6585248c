package capacity

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mpinlab/sim/deploy"
)

// monotonic is the time in ns since the machine began, which all processes share.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return t.Nano()
}

// Pulse takes the pulse of CPUs and writes it for [Calibrate] and [Validate], whose
// child process does nothing else, until in ends. Without the right to real-time
// priority a pulse tells how fast work goes, but not that it stood still.
func Pulse(in io.Reader, out io.Writer, cpus []int) error {
	there, err := deploy.OwnCPUs()
	if err != nil {
		return err
	}
	for _, c := range cpus {
		if !slices.Contains(there, c) {
			return fmt.Errorf("%w: CPU %d is not one of %v", errPulse, c, there)
		}
	}
	if len(cpus) == 0 {
		return fmt.Errorf("%w: of no CPU; there are %v", errPulse, there)
	}
	debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(len(cpus) + 2)
	var mu sync.Mutex
	failed := make(chan error, len(cpus)+1)
	for _, c := range cpus {
		go func() {
			runtime.LockOSThread()
			failed <- beating(c, func(list *[beatsEach]beat) error {
				mu.Lock()
				defer mu.Unlock()
				return binary.Write(out, binary.LittleEndian, list)
			})
		}()
	}
	go func() {
		_, err := io.Copy(io.Discard, in)
		failed <- err
	}()
	return <-failed
}

// beating takes the pulse of a CPU until writing fails.
func beating(cpu int, write func(*[beatsEach]beat) error) error {
	if err := pinThread([]int{cpu}); err != nil {
		return err
	}
	sure := uint16(1)
	if unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 50}, 0) != nil {
		sure = 0
	}
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // else 50 µs, where there is no real-time priority
	list, x := new([beatsEach]beat), uint64(1)
	for next := monotonic(); ; {
		for i := range list {
			next += int64(pulseEvery)
			if now := monotonic(); now > next { // what lies behind has been told as one
				next = now
			}
			begun := sleep(next)
			x = chew(warm, x)
			from := monotonic()
			x = chew(work, x)
			between := monotonic()
			x = chew(work, x)
			to := monotonic()
			// The faster one, for an interrupt may lie in the other.
			list[i] = beat{At: next, Late: clip(begun - next), Took: clip(min(between-from, to-between)), CPU: uint16(cpu), Sure: sure}
		}
		if err := write(list); err != nil {
			return err
		}
	}
}

// sleep until a time, and tell when it is. Go's scheduler is not told, for its monitor
// would wake every 20 µs to see what the thread does, and take a tenth of a CPU with it.
func sleep(until int64) (now int64) {
	at := unix.NsecToTimespec(until)
	for now = monotonic(); now < until; now = monotonic() {
		unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, uintptr(unsafe.Pointer(&at)), 0, 0, 0)
	}
	return now
}

func clip(ns int64) uint32 { return uint32(min(max(ns, 0), int64(time.Minute), 1<<32-1)) }
