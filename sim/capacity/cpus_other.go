//go:build !linux

package capacity

import (
	"errors"
	"time"
)

func cpus() (own, servers []int, err error) { return nil, nil, nil }

func pinThread([]int) error { return nil }

func apart(servers, others []int) (undo func(), err error) { return func() {}, nil }

func awake() (undo func(), kept bool) { return func() {}, false }

func machineTime() (machine, own time.Duration, err error) {
	return 0, 0, errors.New("the machine's time is told on Linux only")
}
