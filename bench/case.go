// Package bench measures: a catalogue of operations, an engine that runs them
// interleaved and checks every result, the description of the machine, and
// the reading and summarising of result files.
//
// Results are in the Go benchmark format with key=value sub-names, so that
// the tools of golang.org/x/perf read them as they are.
package bench

import (
	"fmt"
	"strings"

	"mpinlab/bench/inputs"
)

// Inputs is the number of distinct inputs that every operation rotates
// through. One repeated input flatters variable-time code by up to a quarter.
const Inputs = inputs.Count

// Key names one row of measurements.
type Key struct {
	// Op is the operation's name, for example "ServerVerify".
	Op string
	// N is the size parameter of operations that have one (MSM,
	// ServerVerifyBatch), named by NName ("n", "t"); 0 and "" otherwise.
	N     int
	NName string
	// Suite is the dialect ("rfc9380") for protocol operations, and empty for
	// group operations.
	Suite string
	// Curve and Backend: "bls12-381", "gnark".
	Curve   string
	Backend string
	// Via is "direct" (the library as its users call it), "interface" (through
	// package backends) or "protocol" (through package protocol). A row with
	// any other is the same work as one of these under a second name: "control"
	// (see WithControls) or "planted" (see Planted).
	Via string
	// Procs is GOMAXPROCS while it was measured.
	Procs int
}

// String returns the row's full benchmark name, for example
// "BenchmarkServerVerify/suite=rfc9380/curve=bls12-381/backend=gnark/via=protocol-1".
func (k Key) String() string {
	var b strings.Builder
	b.WriteString("Benchmark")
	b.WriteString(k.Op)
	if k.NName != "" {
		fmt.Fprintf(&b, "/%s=%d", k.NName, k.N)
	}
	for _, part := range [][2]string{{"suite", k.Suite}, {"curve", k.Curve}, {"backend", k.Backend}, {"via", k.Via}} {
		if part[1] != "" {
			fmt.Fprintf(&b, "/%s=%s", part[0], part[1])
		}
	}
	fmt.Fprintf(&b, "-%d", k.Procs)
	return b.String()
}

// BackendID returns "<backend>/<curve>".
func (k Key) BackendID() string { return k.Backend + "/" + k.Curve }

// Case is one operation of one backend, ready to be set up and measured.
type Case struct {
	Key Key
	// Setup builds the operation's inputs. It is not timed.
	Setup func() (*Body, error)
	// PerRun is the number of units one Run does, over which its cost is
	// divided: the sessions of a batch. 0 means 1.
	PerRun int
	// Concurrent operations hand work to goroutines of their library and are
	// not bound to one thread while they are measured.
	Concurrent bool
}

// Body is an operation with its inputs.
type Body struct {
	// Run does the operation once on input i (to be taken modulo Inputs) and
	// keeps the result where Check finds it. It must not fail early: a wrong
	// result is Check's to find.
	Run func(i int)
	// Prepare, if not nil, is called before each series of n Runs, of which the
	// first is on input first. It is not timed.
	Prepare func(first, n int)
	// Check verifies the results that the Runs since the last Check kept, by
	// another route than Run took. It is not timed.
	Check func() error
}
