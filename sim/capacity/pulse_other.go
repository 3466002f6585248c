//go:build !linux

package capacity

import (
	"fmt"
	"io"
	"time"
)

func monotonic() int64 { return time.Now().UnixNano() }

// Pulse is for Linux only.
func Pulse(io.Reader, io.Writer, []int) error {
	return fmt.Errorf("%w: it is taken on Linux only", errPulse)
}
