//go:build !linux

package pinpad_test

import "time"

func workerCPU() time.Duration { return 0 }
