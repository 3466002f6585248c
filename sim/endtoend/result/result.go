// Package result is what an end-to-end measurement of logins finds: the types,
// their JSON, and their rows in the Go benchmark format. It knows no servers.
//
// Times are in µs unless a name says otherwise.
package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
)

// Format is the version of the JSON.
const Format = "mpin-endtoend/1"

// ErrFormat: content that is not of Format.
var ErrFormat = errors.New("not the result of an end-to-end measurement")

// The ways of verifying.
const (
	Single   = "single"
	Batching = "batching"
)

// The transports of pass 1 and pass 2.
const (
	HTTP      = "http"
	WebSocket = "websocket"
)

// The phases of a login, as its client sees them.
const (
	Permit = "permit" // the RPS's half of the time permit, asked for at every login
	Pass1  = "pass1"  // U and U_T for y
	Pass2  = "pass2"  // V for authOTT
	Redeem = "redeem" // authOTT for a session, at the relying party: here the RPS verifies
	Whole  = "whole"  // all of it with what the client computes
)

// Phases lists them in their order.
func Phases() []string { return []string{Permit, Pass1, Pass2, Redeem, Whole} }

// The shares of the servers' time on a CPU, as a profile tells them apart: by
// the first in this order that is on a sample's stack.
const (
	Cryptography = "cryptography" // packages protocol, backends and their libraries
	Store        = "store"
	JSON         = "json"
	Collector    = "collector" // the garbage collector's own work
	Net          = "http"      // HTTP and the kernel's network
	Other        = "other"     // scheduler, kernel, and what no rule is for
)

// Parts lists them in that order.
func Parts() []string { return []string{Cryptography, Store, JSON, Collector, Net, Other} }

// Run is a measurement.
type Run struct {
	Format  string    `json:"format"`
	Started time.Time `json:"started"`
	// Elapsed is what it took in seconds, and CPUs the processors that servers
	// and clients shared.
	Elapsed     float64       `json:"elapsed"`
	CPUs        int           `json:"cpus"`
	Deployments []*Deployment `json:"deployments"`
	// Notes say what was not measured, and why.
	Notes []string `json:"notes,omitempty"`
}

// Deployment is what was measured on one suite and backend.
type Deployment struct {
	Suite   string `json:"suite"`   // "rfc9380/bls12-381"
	Backend string `json:"backend"` // "gnark/bls12-381"
	Store   string `json:"store"`
	// Ready is the time in seconds from the start of the process to the moment
	// at which all servers answer, on a data folder that is there already.
	Ready     float64    `json:"ready"`
	Latencies []*Latency `json:"latencies"`
	Costs     []*Cost    `json:"costs"`
}

// Latency is a phase's time for one client that logs in again and again, with
// nobody else there.
type Latency struct {
	Transport string  `json:"transport"`
	Phase     string  `json:"phase"`
	Count     int     `json:"count"`
	Median    float64 `json:"median"`
	P95       float64 `json:"p95"`
	P99       float64 `json:"p99"`
}

// Cost is the servers' time on CPUs for a login over HTTP with the permit at
// hand: pass 1, pass 2 and the relying party's authenticate with its call to the
// RPS. All servers are one process; clients are in another.
type Cost struct {
	Verifier string `json:"verifier"`
	// Clients log in without pause.
	Clients int `json:"clients"`
	// Samples are of one round each.
	Samples []Sample `json:"samples"`
	// Parts are a profile's shares of the server's time, which add up to 1, and
	// Profiled the time on CPUs that it saw, in seconds. Parts is nil without a
	// profile.
	Parts    map[string]float64 `json:"parts,omitempty"`
	Profiled float64            `json:"profiled,omitempty"`
	// Memory is the resident memory of the process of all servers afterwards, in
	// bytes.
	Memory int64 `json:"memory"`
}

// Sample is one round.
type Sample struct {
	Logins int `json:"logins"`
	// Server is the servers' time on CPUs a login, Client the clients', Elapsed
	// the time on the clock.
	Server  float64 `json:"server"`
	Client  float64 `json:"client"`
	Elapsed float64 `json:"elapsed"`
	// Verify is the time on a CPU of one ServerVerifyCached, measured before and
	// after in the same round.
	Verify float64 `json:"verify"`
	// Batch is the mean number of logins in a batch; 0 without batches.
	Batch float64 `json:"batch,omitempty"`
}

// of returns the median over the samples.
func (c *Cost) of(f func(Sample) float64) float64 {
	if len(c.Samples) == 0 {
		return math.NaN()
	}
	list := make([]float64, len(c.Samples))
	for i, s := range c.Samples {
		list[i] = f(s)
	}
	return Median(list)
}

// Median returns the middle of a list, NaN of an empty one.
func Median(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}

// Server is the median time of the servers a login.
func (c *Cost) Server() float64 { return c.of(func(s Sample) float64 { return s.Server }) }

// Client is the median time of the clients a login.
func (c *Cost) Client() float64 { return c.of(func(s Sample) float64 { return s.Client }) }

// Verify is the median time of ServerVerifyCached.
func (c *Cost) Verify() float64 { return c.of(func(s Sample) float64 { return s.Verify }) }

// Batch is the median of the mean sizes of batches.
func (c *Cost) Batch() float64 { return c.of(func(s Sample) float64 { return s.Batch }) }

// Verifications is how many times ServerVerifyCached a login costs the servers:
// the median of the ratios of one round each, so that what slows a machine down
// for a while cancels.
func (c *Cost) Verifications() float64 {
	return c.of(func(s Sample) float64 { return s.Server / s.Verify })
}

// PerCore is the logins a second that one core of nothing but servers makes.
func (c *Cost) PerCore() float64 { return 1e6 / c.Server() }

// Rate is the logins a second on the clock, with the clients on the same CPUs.
func (c *Cost) Rate() float64 {
	return c.of(func(s Sample) float64 { return float64(s.Logins) * 1e6 / s.Elapsed })
}

// Cost returns the cost with a way of verifying, nil if it was not measured.
func (d *Deployment) Cost(verifier string) *Cost {
	for _, c := range d.Costs {
		if c.Verifier == verifier && len(c.Samples) > 0 {
			return c
		}
	}
	return nil
}

// Latency returns a phase's latency over a transport, or nil.
func (d *Deployment) Latency(transport, phase string) *Latency {
	for _, l := range d.Latencies {
		if l.Transport == transport && l.Phase == phase {
			return l
		}
	}
	return nil
}

// Gain is how many times the logins of single verification the same cores make
// with batches: the median over rounds that were measured one right after the
// other, each taken by the verifications that it could have made. NaN if either
// was not measured.
func (d *Deployment) Gain() float64 {
	single, batching := d.Cost(Single), d.Cost(Batching)
	if single == nil || batching == nil {
		return math.NaN()
	}
	var list []float64
	for i := range min(len(single.Samples), len(batching.Samples)) {
		a, b := single.Samples[i], batching.Samples[i]
		list = append(list, (a.Server/a.Verify)/(b.Server/b.Verify))
	}
	return Median(list)
}

// Write writes a run as JSON.
func Write(w io.Writer, r *Run) error {
	out := *r
	out.Format = Format
	b, err := json.MarshalIndent(&out, "", "  ")
	if err != nil {
		return fmt.Errorf("end to end: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// maxFile bounds a file that is read, in bytes.
const maxFile = 8 << 20

// Read reads what Write has written. Error: ErrFormat.
func Read(r io.Reader) (*Run, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("end to end: %w", err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%w: larger than %d MiB", ErrFormat, maxFile>>20)
	}
	var run Run
	if err := json.Unmarshal(b, &run); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if run.Format != Format {
		return nil, fmt.Errorf("%w: format %.40q, not %q", ErrFormat, run.Format, Format)
	}
	for _, d := range run.Deployments {
		if d == nil || slices.Contains(d.Latencies, nil) || slices.Contains(d.Costs, nil) {
			return nil, fmt.Errorf("%w: an entry is missing", ErrFormat)
		}
	}
	return &run, nil
}

// ReadFile reads a file.
func ReadFile(path string) (*Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("end to end: %w", err)
	}
	defer f.Close()
	return Read(f)
}
