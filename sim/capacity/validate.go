package capacity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"time"

	"mpinlab/bench"
	"mpinlab/sim/load"
	"mpinlab/sim/load/result"
)

// ValidateOptions say what Validate compares.
type ValidateOptions struct {
	Calibration *Calibration
	// Backend is of the calibration, its first if empty.
	Backend string
	// Duration is that of each run, 20 s where 0, a fifth of it warm-up. Loads
	// are shares of the measured saturation, 0.3, 0.6 and 0.8 if nil.
	Duration time.Duration
	Loads    []float64
	// Modes are the verifiers, one by one and in batches if nil.
	Modes    []bool
	Seed     uint64
	Command  func(configFile string) *exec.Cmd
	Progress func(done, total int, what string)
	Log      io.Writer
}

// Validation is the model beside reality.
type Validation struct {
	Format      string    `json:"format"`
	Created     time.Time `json:"created"`
	Environment []Setting `json:"environment"`
	Backend     string    `json:"backend"`
	// Calibrated is when the costs were measured.
	Calibrated time.Time       `json:"calibrated"`
	Seconds    float64         `json:"seconds"` // of each run
	Modes      []ValidatedMode `json:"modes"`
	// Met tells whether all deviations keep within the targets.
	Met bool `json:"met"`
}

// ValidatedMode is one verifier.
type ValidatedMode struct {
	Batching   bool     `json:"batching"`
	Saturation Compared `json:"saturation"` // logins a second
	// CPU is the RPS's time on a core for a login at saturation, in µs: the same
	// as Saturation where nobody else had the core.
	CPU    Compared        `json:"cpu_us"`
	Points []ValidatedLoad `json:"points"`
}

// ValidatedLoad is one load.
type ValidatedLoad struct {
	Load float64 `json:"load"` // of the measured saturation
	Rate float64 `json:"rate"` // offered, logins a second
	// P50 and P99 of the whole login, and of its requests, in ms.
	P50      Compared            `json:"p50_ms"`
	P99      Compared            `json:"p99_ms"`
	Requests map[string]Compared `json:"requests_p50_ms"`
	// CPU is the share of the RPS's core in use.
	CPU Compared `json:"cpu"`
	// Late is the share of logins that the generator started late: where it is
	// more than a little the run says nothing about the model.
	Late float64 `json:"late"`
}

// Compared is a figure of the model and of a real run.
type Compared struct {
	Model float64 `json:"model"`
	Real  float64 `json:"real"`
}

// Deviation is how far the model is off, as a share of the real figure.
func (c Compared) Deviation() float64 {
	if c.Real == 0 {
		return math.Inf(1)
	}
	return c.Model/c.Real - 1
}

// The targets: how far the model may be off.
const (
	SaturationTarget = 0.10
	LatencyTarget    = 0.20
)

// ValidationFormat is the version of a validation's form.
const ValidationFormat = "mpin-capacity-validation/1"

// flying is how many logins are under way at saturation: enough that no core
// waits, and that batches are large.
const flying = 256

// Validate runs a deployment whose RPS has one core, under logins that are
// prepared so that the generator keeps to the other, and simulates the same. It
// needs Linux and two cores. What came out is told, whatever it is; an error
// means that a run failed.
func Validate(ctx context.Context, o ValidateOptions) (*Validation, error) {
	if o.Calibration == nil {
		c, err := Default()
		if err != nil {
			return nil, err
		}
		o.Calibration = c
	}
	if o.Duration == 0 {
		o.Duration = 20 * time.Second
	}
	if o.Duration < 2*time.Second || o.Duration > time.Hour {
		return nil, fmt.Errorf("%w: runs of %v; 2 s to an hour", ErrRequest, o.Duration)
	}
	if o.Loads == nil {
		o.Loads = []float64{0.3, 0.6, 0.8}
	}
	if o.Modes == nil {
		o.Modes = []bool{false, true}
	}
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	entry, err := o.Calibration.Find(o.Backend, "memory")
	if err != nil {
		return nil, err
	}
	v := &Validation{
		Format: ValidationFormat, Created: time.Now().UTC().Truncate(time.Second), Backend: entry.Backend,
		Calibrated: o.Calibration.Created, Seconds: (o.Duration - o.Duration/5).Seconds(), Met: true,
	}
	for _, s := range bench.Environment() {
		v.Environment = append(v.Environment, Setting{s.Key, s.Value})
	}
	total, done := len(o.Modes)*(1+len(o.Loads)), 0
	step := func(batching bool, what string) {
		mode := "one by one"
		if batching {
			mode = "in batches"
		}
		o.Progress(done, total, mode+", "+what)
		done++
	}
	for _, batching := range o.Modes {
		mode := ValidatedMode{Batching: batching}
		step(batching, "saturation")
		expected, err := entry.saturation(ctx, batching, o.Seed)
		if err != nil {
			return nil, err
		}
		run, err := o.run(ctx, entry, batching, 1.3*expected, flying)
		if err != nil {
			return nil, err
		}
		mode.Saturation = Compared{expected, run.Counts.AchievedRate}
		mode.CPU.Model = 1e6 / expected
		for _, s := range run.Servers {
			if s.Node == "rps-1" && run.Counts.AchievedRate > 0 {
				mode.CPU.Real = 1e6 * s.Share / run.Counts.AchievedRate
			}
		}
		v.Met = v.Met && math.Abs(mode.Saturation.Deviation()) <= SaturationTarget
		for _, share := range o.Loads {
			step(batching, fmt.Sprintf("%.0f %% load", 100*share))
			p, err := o.point(ctx, entry, batching, share*mode.Saturation.Real)
			if err != nil {
				return nil, err
			}
			p.Load = share
			v.Met = v.Met && math.Abs(p.P50.Deviation()) <= LatencyTarget && math.Abs(p.P99.Deviation()) <= LatencyTarget
			mode.Points = append(mode.Points, *p)
		}
		v.Modes = append(v.Modes, mode)
	}
	o.Progress(total, total, "done")
	return v, nil
}

// real is the model of what the load generator does to one RPS: no permits, and
// the client's own time between the passes counts.
func (e *Entry) real(batching bool, seed uint64) *Model {
	m := e.Model(batching)
	m.Costs[Pass1].Delay = m.Costs[Pass1].Delay.Plus(e.Answer.Mean())
	m.Seed, m.Timeout = seed, 10*time.Second
	return m
}

// saturation is the logins a second of one core that has as many as it bears.
func (e *Entry) saturation(ctx context.Context, batching bool, seed uint64) (float64, error) {
	m := e.real(batching, seed)
	m.InFlight = flying
	m.Arrivals = Flat(2e9 / float64(m.cheapest()))
	m.WarmUp, m.Duration = 5*time.Second, 20*time.Second
	r, err := m.Run(ctx)
	if err != nil {
		return 0, err
	}
	return r.Rate, nil
}

// point compares one load.
func (o *ValidateOptions) point(ctx context.Context, e *Entry, batching bool, rate float64) (*ValidatedLoad, error) {
	run, err := o.run(ctx, e, batching, rate, 5000)
	if err != nil {
		return nil, err
	}
	m := e.real(batching, o.Seed)
	m.Arrivals, m.WarmUp, m.Duration = Flat(rate), 5*time.Second, 200*time.Second
	sim, err := m.Run(ctx)
	if err != nil {
		return nil, err
	}
	p := &ValidatedLoad{Rate: rate, Requests: map[string]Compared{}, Late: run.Generator.LateShare}
	for _, phase := range run.Phases {
		if phase.Name == result.Whole && phase.Response != nil {
			p.P50 = Compared{ms(sim.Whole.Quantile(0.5)), phase.Response.P50}
			p.P99 = Compared{ms(sim.Whole.Quantile(0.99)), phase.Response.P99}
		}
		for _, s := range Stages() {
			if s.String() == phase.Name && phase.Service != nil && sim.Stages[s].Count() > 0 {
				p.Requests[phase.Name] = Compared{ms(sim.Stages[s].Quantile(0.5)), phase.Service.P50}
			}
		}
	}
	if c, ok := p.Requests["pass1"]; ok { // without the client's own time
		c.Model -= ms(e.Answer.Mean())
		p.Requests["pass1"] = c
	}
	for _, s := range run.Servers {
		if s.Node == "rps-1" {
			p.CPU = Compared{sim.Utilization, s.Share}
		}
	}
	return p, nil
}

// scenario is what the load generator is to do.
const scenario = `name: validation
title: The capacity model against a real run
deployment:
  suite: %s
  backend: %s
  store: memory
  batching: %t
  run: processes
  cores: 1
population:
  users: 500
client:
  cost: precomputed
  redeem: rps
  backend: %s
  in-flight: %d
warm-up: %dms
stages:
  - {name: load, kind: poisson, rate: %.3f, duration: %dms}
`

var errRun = errors.New("the real run failed")

// run is a real run at a rate.
func (o *ValidateOptions) run(ctx context.Context, e *Entry, batching bool, rate float64, inFlight int) (*result.Run, error) {
	yaml := fmt.Sprintf(scenario, e.Suite, e.Backend, batching, e.Backend, inFlight, (o.Duration / 5).Milliseconds(), rate, o.Duration.Milliseconds())
	s, err := load.Read("validation.yaml", []byte(yaml))
	if err != nil {
		return nil, err
	}
	run, err := load.Run(ctx, s, load.Options{Seed: o.Seed + 1, Command: o.Command, Log: o.Log})
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if run.Partial || run.Verdicts.WrongAcceptances+run.Verdicts.WrongRefusals > 0 {
		return nil, fmt.Errorf("%w: %s; wrong verdicts: %v", errRun, run.Why, run.Verdicts.Examples)
	}
	for _, class := range []string{result.Failed, result.Unreachable, result.Timeout} {
		if n := run.Counts.Outcomes[class]; n > 0 {
			return nil, fmt.Errorf("%w: %d logins %s", errRun, n, class)
		}
	}
	return run, nil
}

// ReadValidation reads a validation's JSON. Error: ErrCalibration.
func ReadValidation(path string) (*Validation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var v Validation
	if err := json.NewDecoder(io.LimitReader(f, maxCalibration)).Decode(&v); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCalibration, path, err)
	}
	if v.Format != ValidationFormat {
		return nil, fmt.Errorf("%w: %s: format %q, not %q", ErrCalibration, path, v.Format, ValidationFormat)
	}
	return &v, nil
}
