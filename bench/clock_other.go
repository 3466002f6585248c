//go:build !linux

package bench

import "time"

// processorTime is for Linux only, whose clock of it is fine enough.
func processorTime() (time.Duration, bool) { return 0, false }

// threadTime is for Linux only, too.
func threadTime() (time.Duration, bool) { return 0, false }
