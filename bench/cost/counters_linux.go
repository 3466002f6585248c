package cost

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mpinlab/bench"
)

// counters are those of the kernel for the thread that opened them.
type counters struct{ instructions, cycles int }

// openCounters opens the counters, and stays on the thread they count.
func openCounters() (*counters, error) {
	runtime.LockOSThread()
	c := &counters{instructions: -1, cycles: -1}
	for _, event := range []struct {
		config uint64
		fd     *int
	}{{unix.PERF_COUNT_HW_INSTRUCTIONS, &c.instructions}, {unix.PERF_COUNT_HW_CPU_CYCLES, &c.cycles}} {
		attr := unix.PerfEventAttr{
			Type: unix.PERF_TYPE_HARDWARE, Config: event.config,
			Bits: unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv,
		}
		attr.Size = uint32(unsafe.Sizeof(attr))
		fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		if err != nil {
			c.close()
			return nil, fmt.Errorf("this kernel does not count them for us (perf_event_open: %w)", err)
		}
		*event.fd = fd
	}
	return c, nil
}

func (c *counters) close() {
	for _, fd := range []int{c.instructions, c.cycles} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	runtime.UnlockOSThread()
}

// counted is the least time over which is counted.
const counted = 30 * time.Millisecond

// measure counts over whole rounds of the inputs. What cannot be read is left
// out.
func (c *counters) measure(body *bench.Body, values map[string]float64) {
	each(body)
	i0, c0, err := c.read()
	if err != nil {
		return
	}
	runs := 0
	for start := time.Now(); time.Since(start) < counted || runs == 0; runs += bench.Inputs {
		each(body)
	}
	i1, c1, err := c.read()
	if err != nil || i1 <= i0 || c1 <= c0 {
		return
	}
	values[Instructions] = float64(i1-i0) / float64(runs)
	values[Cycles] = float64(c1-c0) / float64(runs)
}

func (c *counters) read() (instructions, cycles uint64, err error) {
	for _, v := range []struct {
		fd int
		to *uint64
	}{{c.instructions, &instructions}, {c.cycles, &cycles}} {
		var b [8]byte
		n, err := unix.Read(v.fd, b[:])
		if err != nil {
			return 0, 0, err
		}
		if n != len(b) {
			return 0, 0, errors.New("short read of a counter")
		}
		*v.to = binary.NativeEndian.Uint64(b[:])
	}
	return instructions, cycles, nil
}
