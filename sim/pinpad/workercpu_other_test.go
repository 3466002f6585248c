//go:build !linux

package pinpad_test

import "time"

func workerCPU() map[string]time.Duration { return nil }
