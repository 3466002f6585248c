package capacity

import (
	"encoding/binary"
	"os"
)

// awake keeps the machine's CPUs from sleeping until undone: an idle one polls, as
// under the boot parameter idle=poll. A virtual CPU that sleeps is woken by way of the
// hypervisor, which takes from 20 µs to a millisecond of the CPU that wakes it,
// and comes back on this half of a core or on that: with it the same work takes a
// fifth longer at a third of a server's load than at its limit. Only root may; kept
// tells whether it was done. See the kernel's PM Quality of Service Interface.
func awake() (undo func(), kept bool) {
	f, err := os.OpenFile("/dev/cpu_dma_latency", os.O_WRONLY, 0)
	if err != nil {
		return func() {}, false
	}
	// The latency asked for, in µs, is kept while the file is open.
	if _, err := f.Write(binary.NativeEndian.AppendUint32(nil, 0)); err != nil {
		f.Close()
		return func() {}, false
	}
	return func() { f.Close() }, true
}
