// Package result is what a load run leaves behind: the types, the folder they
// are kept in, and its reading and writing.
//
// A folder holds
//
//	run.json         Run: environment, scenario, counts, latencies, verdicts, SLOs
//	scenario.yaml    the scenario as it was run, with everything set and scaled
//	timeline.csv     one line a second of intended start: see Tick
//	servers.csv      one line a second and server: see ServerTick
//	histograms.hlog  HdrHistogram log, format 1.3: one histogram a tag, values
//	                 in µs; tags are <phase>.<measure>, as in "whole.response"
//	bench.txt        Go benchmark format: what reports and benchstat compare
//	index.html       the page, with figures/ beside it
//
// All times in JSON and CSV are seconds from the start of the run, and all
// latencies milliseconds, unless a name says otherwise.
package result

import (
	"time"
)

// Format is the version of the folder's form.
const Format = "mpin-load/1"

// The classes of outcome. The first five are successes of the system: it did
// what it should.
const (
	Accepted  = "accepted"  // a right PIN was accepted; of other operations: it succeeded
	Refused   = "refused"   // a wrong PIN was refused
	Blocked   = "blocked"   // refused, because the attempts are used up
	Abandoned = "abandoned" // the virtual user went away, as planned
	Replayed  = "replayed"  // a replay was refused

	Busy        = "busy"        // 429 or 503: come again
	Failed      = "failed"      // any other failure of the service, 5xx or nonsense
	Unreachable = "unreachable" // no connection, or cut
	Timeout     = "timeout"     // no answer in time
	Dropped     = "dropped"     // never started: too many were under way

	WrongAcceptance = "wrong-acceptance" // accepted, and must not have been
	WrongRefusal    = "wrong-refusal"    // refused, and must not have been
)

// Classes lists the classes in the order of columns and legends.
func Classes() []string {
	return []string{Accepted, Refused, Blocked, Abandoned, Replayed, Busy, Failed, Unreachable, Timeout, Dropped, WrongAcceptance, WrongRefusal}
}

// Good reports whether a class is a success of the system.
func Good(class string) bool {
	switch class {
	case Accepted, Refused, Blocked, Abandoned, Replayed:
		return true
	}
	return false
}

// Run is run.json.
type Run struct {
	Format      string  `json:"format"`
	Scenario    string  `json:"scenario"`
	Title       string  `json:"title"`
	Description string  `json:"description,omitempty"`
	Seed        uint64  `json:"seed"`
	Scale       float64 `json:"scale"`
	// Started is when the load began, Elapsed for how long in seconds it went on; of a
	// search for saturation both are the whole search's.
	Started time.Time `json:"started"`
	Elapsed float64   `json:"elapsed"`
	// Partial says that the run was cut short, and Why by what.
	Partial bool   `json:"partial"`
	Why     string `json:"why,omitempty"`

	Environment []Setting  `json:"environment"`
	Warnings    []string   `json:"warnings,omitempty"`
	Deployment  Deployment `json:"deployment"`
	Client      Client     `json:"client"`

	// WarmUp is how long after the start measuring begins: everything below is
	// of operations whose intended start is later.
	WarmUp float64 `json:"warm_up"`
	Stages []Stage `json:"stages"`
	Faults []Fault `json:"faults,omitempty"`

	Counts     Counts      `json:"counts"`
	Operations []Operation `json:"operations"`
	Verdicts   Verdicts    `json:"verdicts"`
	// Failures are what the outcomes that are not good were, from the start on.
	Failures []Failure `json:"failures,omitempty"`
	Phases   []Phase   `json:"phases"`
	// ClosedLoop is what a closed-loop generator would have reported of the
	// whole login in this run: see load.ClosedLoop.
	ClosedLoop *Latency `json:"closed_loop,omitempty"`

	Servers   []Server  `json:"servers,omitempty"`
	Generator Generator `json:"generator"`

	// Searches are the saturation searches of a scenario that has them.
	Searches []Search `json:"searches,omitempty"`

	SLOs []SLO `json:"slos"`
	// Met is whether all SLOs are, and no verdict was wrong.
	Met bool `json:"met"`

	// Timeline and ServerTimeline are in files of their own.
	Timeline       []Tick       `json:"-"`
	ServerTimeline []ServerTick `json:"-"`
	Histograms     Histograms   `json:"-"`
	// Source is scenario.yaml.
	Source []byte `json:"-"`
}

// Setting is a fact about machine or toolchain.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Deployment is what was loaded.
type Deployment struct {
	External  string `json:"external,omitempty"`
	Suite     string `json:"suite"`
	Backend   string `json:"backend,omitempty"`
	Run       string `json:"run,omitempty"` // in-process, process or processes
	Cores     int    `json:"cores"`         // CPUs that the servers may use
	RPS       int    `json:"rps"`
	DTAs      int    `json:"dtas"`
	Threshold int    `json:"threshold"`
	Store     string `json:"store,omitempty"`
	Batching  bool   `json:"batching"`
	TLS       bool   `json:"tls"`
}

// Client is how the virtual users worked.
type Client struct {
	Cost      string `json:"cost"`      // real or precomputed
	Transport string `json:"transport"` // http or websocket
	Redeem    string `json:"redeem"`    // rpa or rps
	Backend   string `json:"backend"`
	Users     int    `json:"users"`
	Enrol     string `json:"enrol"` // issued or registered
	InFlight  int    `json:"in_flight"`
}

// Stage is a stage of arrivals with the times at which it began and ended.
type Stage struct {
	Name   string  `json:"name"`
	Kind   string  `json:"kind"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Rate   float64 `json:"rate"` // mean, arrivals a second
	WarmUp bool    `json:"warm_up,omitempty"`
}

// Fault is a fault with the times at which it began and ended.
type Fault struct {
	Kind   string  `json:"kind"`
	Target string  `json:"target"`
	Detail string  `json:"detail,omitempty"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	// Error says why it could not be made or undone.
	Error string `json:"error,omitempty"`
}

// Counts are of operations by their intended start.
type Counts struct {
	Intended int64 `json:"intended"` // arrivals
	Started  int64 `json:"started"`
	Dropped  int64 `json:"dropped"` // never started
	// Late were started more than Client.late after their time; they count as
	// started too.
	Late     int64            `json:"late"`
	Outcomes map[string]int64 `json:"outcomes"`
	// Seconds measured, and the rates over them.
	Seconds     float64 `json:"seconds"`
	OfferedRate float64 `json:"offered_rate"` // intended a second
	// AchievedRate is the good outcomes a second.
	AchievedRate float64 `json:"achieved_rate"`
}

// Operation is what Counts are, of one kind of operation.
type Operation struct {
	Name     string           `json:"name"`
	Intended int64            `json:"intended"`
	Outcomes map[string]int64 `json:"outcomes"`
}

// Verdicts compare what the system said with what the virtual users knew.
type Verdicts struct {
	Checked          int64    `json:"checked"`
	WrongAcceptances int64    `json:"wrong_acceptances"`
	WrongRefusals    int64    `json:"wrong_refusals"`
	Examples         []string `json:"examples,omitempty"`
}

// Failure is a kind of failure: its class and what was said.
type Failure struct {
	Text  string `json:"text"`
	Count int64  `json:"count"`
}

// The phases. Whole is the operation; the others are parts of it.
const (
	Whole    = "whole"
	Permit   = "permit"
	Pass1    = "pass1"
	Pass2    = "pass2"
	Redeem   = "redeem"
	Register = "register"
	Sign     = "sign"
)

// Phases lists the phases in order.
func Phases() []string { return []string{Whole, Permit, Pass1, Pass2, Redeem, Register, Sign} }

// The measures of the whole: Response is from the intended start to the end,
// Queue from the intended start to the start, Service from the start to the end.
// Phases have Service only.
const (
	Response = "response"
	Service  = "service"
	Queue    = "queue"
)

// Phase is the latencies of a phase.
type Phase struct {
	Name     string   `json:"name"`
	Response *Latency `json:"response,omitempty"`
	Service  *Latency `json:"service,omitempty"`
	Queue    *Latency `json:"queue,omitempty"`
}

// Latency is a distribution in ms.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// Server is what one server's process spent while measuring.
type Server struct {
	Node string `json:"node"`
	// CPU is seconds in user and kernel mode, and Share of one core.
	CPU   float64 `json:"cpu"`
	Share float64 `json:"share"`
	// Memory is the greatest resident size in bytes.
	Memory int64 `json:"memory"`
	// Values are differences of its counters: "mpin_batches", "mpin_batched_logins",
	// "go_gc_seconds" and others.
	Values map[string]float64 `json:"values,omitempty"`
}

// Generator is the generator's own cost.
type Generator struct {
	CPU        float64 `json:"cpu"` // seconds while measuring
	CPUPerOp   float64 `json:"cpu_per_op_us"`
	Memory     int64   `json:"memory"`
	Prepared   int64   `json:"prepared"`   // proofs prepared ahead
	Unprepared int64   `json:"unprepared"` // made when they were due, since none was left
	PrepareMS  float64 `json:"prepare_ms"` // time to prepare them
	LateShare  float64 `json:"late_share"` // Late over Started
	QueueP99MS float64 `json:"queue_p99"`  // ms
	InFlight   int64   `json:"in_flight"`  // greatest number under way
	Goroutines int     `json:"goroutines"` // at the end
}

// Search is one search for the knee of throughput against latency.
type Search struct {
	Label    string  `json:"label"`
	Batching bool    `json:"batching"`
	RPS      int     `json:"rps"`
	Cores    int     `json:"cores"`
	Bad      float64 `json:"bad"` // share of wrong PINs
	Limit    float64 `json:"limit_ms"`
	Probes   []Probe `json:"probes"`
	// Knee is the greatest rate whose p99 kept the limit with nothing dropped
	// or failed, in one try of two, 0 where there was none. Unreached: the search ended at its
	// upper bound, and the knee is beyond.
	Knee      float64 `json:"knee"`
	Unreached bool    `json:"unreached,omitempty"`
}

// Probe is one rate that was tried.
type Probe struct {
	Rate     float64 `json:"rate"`     // offered
	Achieved float64 `json:"achieved"` // good outcomes a second
	Latency  Latency `json:"latency"`  // response time of the whole
	Dropped  int64   `json:"dropped"`
	Bad      int64   `json:"bad"` // outcomes that are not good
	Passed   bool    `json:"passed"`
	// ServerCPU is CPU seconds of the servers for each second, and Batch the
	// mean size of the batches, 0 where none.
	ServerCPU    float64 `json:"server_cpu"`
	GeneratorCPU float64 `json:"generator_cpu"`
	Batch        float64 `json:"batch"`
}

// SLO is a promise and whether it was kept.
type SLO struct {
	Name  string  `json:"name"` // as in "p99 of whole ≤ 100 ms"
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Unit  string  `json:"unit"`
	Met   bool    `json:"met"`
}

// Tick is a second of the timeline, by intended start.
type Tick struct {
	Second   int
	Stage    string
	Faults   string // kinds under way, joined by "+"
	Intended int64
	Started  int64
	Late     int64
	InFlight int64 // at its end
	// Outcomes by class, dropped ones too.
	Outcomes map[string]int64
	// P50, P99 and Max are response times of the whole in ms, 0 without any.
	P50, P99, Max float64
}

// ServerTick is a second of one server's process. What could not be had is -1.
type ServerTick struct {
	Second     int
	Node       string
	CPU        float64 // cores in use during the second
	Memory     int64   // resident bytes
	Heap       int64   // bytes of Go's heap in use
	Goroutines int64
	Files      int64   // open file descriptors
	GC         float64 // seconds of pauses since its start
	Requests   float64 // answered since its start
	Store      float64 // mean ms of a store call since the last second
	Batch      float64 // mean batch since the last second
}
