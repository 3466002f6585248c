//go:build !linux

package cost

import (
	"errors"

	"mpinlab/bench"
)

type counters struct{}

func openCounters() (*counters, error) {
	return nil, errors.New("only Linux has perf_event_open")
}

func (*counters) close() {}

func (*counters) measure(*bench.Body, map[string]float64) {}
