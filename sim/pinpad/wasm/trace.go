//go:build js && wasm

package main

import (
	"slices"
	"sync"
	"time"

	"mpinlab/sim/client"
)

// tracer passes the client's steps to the page's explainer, and adds up for how
// long a login waited for others and computed.
type tracer struct {
	tell func(any)

	mu     sync.Mutex
	events []client.Event // nil while nothing is measured
	on     bool
	ahead  time.Duration // of Prepare since the last login
}

// spent is what a login took of this worker's time: work is all but the waiting;
// crypto is the computing from the PIN to V, which is a part of it; and ahead is
// what was computed in advance, throw-away proofs included, which is not.
type spent struct{ work, crypto, ahead time.Duration }

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
	switch {
	case e.Step == client.StepPrepare:
		t.ahead += e.Duration
	case t.on:
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

// spent returns what was spent in the time since measure: what was not waited
// until a request was answered or a WebSocket open is work.
func (t *tracer) spent(whole time.Duration) spent {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on = false
	var sum, crypto time.Duration
	for i, e := range t.events {
		switch e.Step {
		case client.StepComputeToken, client.StepComputePermit, client.StepCompute1, client.StepCompute2:
			crypto += e.Duration
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
	done := spent{whole - sum, crypto, t.ahead}
	t.events, t.ahead = nil, 0
	return done
}
