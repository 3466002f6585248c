//go:build !linux

package deploy

import "time"

// CPU is known on Linux only: ErrUnsupported.
func CPU(int) (time.Duration, error) { return 0, ErrUnsupported }

// Threads are known on Linux only: ErrUnsupported.
func Threads(int) (map[int]Thread, error) { return nil, ErrUnsupported }

// Memory is known on Linux only: ErrUnsupported.
func Memory(int) (int64, error) { return 0, ErrUnsupported }
