//go:build js && wasm

package main

import (
	"slices"
	"sync"
	"time"

	"mpinlab/sim/client"
)

// tracer passes the client's steps to the page's explainer, and adds up for how
// long a login waited for others.
type tracer struct {
	tell func(any)

	mu     sync.Mutex
	events []client.Event // nil while nothing is measured
	on     bool
}

// traceEvent is a step for the explainer: only what goes over the wire openly.
type traceEvent struct {
	Type   string            `json:"type"` // "trace"
	Step   client.Step       `json:"step"`
	MS     float64           `json:"ms"`
	Status int               `json:"status"`
	Kind   string            `json:"kind,omitempty"` // of error
	Public map[string]string `json:"public,omitempty"`
}

func (t *tracer) event(e client.Event) {
	t.mu.Lock()
	if t.on {
		t.events = append(t.events, e)
	}
	t.mu.Unlock()
	out := traceEvent{
		Type: "trace", Step: e.Step, MS: float64(e.Duration.Microseconds()) / 1000, Status: e.Status, Public: e.Public,
	}
	if e.Err != nil {
		out.Kind = kindOf(e.Err)
	}
	t.tell(out)
}

// measure begins to add up.
func (t *tracer) measure() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on, t.events = true, nil
}

// waited returns for how long since measure some request was on its way or a
// WebSocket was being opened.
func (t *tracer) waited() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on = false
	var sum time.Duration
	for i, e := range t.events {
		switch e.Step {
		case client.StepCompute1, client.StepCompute2:
		case client.StepWebSocket:
			// It spans the passes; what came before them is the opening.
			opened := e.Start.Add(e.Duration)
			first := slices.IndexFunc(t.events[:i], func(o client.Event) bool {
				return o.Step == client.StepCompute1 && !o.Start.Before(e.Start)
			})
			if first >= 0 {
				opened = t.events[first].Start
			}
			sum += opened.Sub(e.Start)
		default:
			sum += e.Duration
		}
	}
	t.events = nil
	return sum
}
