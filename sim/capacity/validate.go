package capacity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"

	"mpinlab/bench"
)

// ValidateOptions say what Validate compares.
type ValidateOptions struct {
	// Calibration has the costs; the recorded one where nil. Fresh, if not nil,
	// measures them here and now instead, a part before each round of runs.
	Calibration *Calibration
	Fresh       *Options
	// Backend is of the calibration, its first if empty.
	Backend string
	// Duration is that of each run below saturation, 10 s where 0, a fifth of it warm-up.
	// Loads are shares of the saturation that is measured right before each, for half as
	// long: 0.3, 0.6 and 0.8 if nil. Rounds are how often everything is run, 2 where 0.
	Duration time.Duration
	Loads    []float64
	Rounds   int
	// Modes are the verifiers, one by one and in batches if nil.
	Modes []bool
	// Bounds are what the deviations are held against, Targets where zero.
	Bounds   Bounds
	Seed     uint64
	Command  func(configFile string) *exec.Cmd
	Pulse    func(cpus string) *exec.Cmd
	Progress func(done, total int, what string)
	Log      io.Writer
}

// Bounds are how far the model may be off, as shares of the real figures.
type Bounds struct {
	Saturation float64 `json:"saturation"`
	Latency    float64 `json:"latency"`
}

// Targets are the bounds that the model is made for.
var Targets = Bounds{Saturation: 0.10, Latency: 0.20}

// flying is how many logins are under way at saturation: enough that no core
// waits, and that batches are large.
const flying = 256

// most is how many there may be below it.
const most = 5000

func (o *ValidateOptions) fill() error {
	if o.Calibration == nil {
		c, err := Default()
		if err != nil {
			return err
		}
		o.Calibration = c
	}
	if o.Backend == "" {
		o.Backend = o.Calibration.Entries[0].Backend
	}
	if o.Duration == 0 {
		o.Duration = 10 * time.Second
	}
	if o.Duration < 2*time.Second || o.Duration > time.Hour {
		return fmt.Errorf("%w: runs of %v; 2 s to an hour", ErrRequest, o.Duration)
	}
	if o.Rounds == 0 {
		o.Rounds = 2
	}
	if o.Rounds < 1 || o.Rounds > 100 {
		return fmt.Errorf("%w: %d rounds; 1 to 100", ErrRequest, o.Rounds)
	}
	if o.Bounds == (Bounds{}) {
		o.Bounds = Targets
	}
	if !(o.Bounds.Saturation > 0 && o.Bounds.Latency > 0) {
		return fmt.Errorf("%w: bounds of %v and %v; more than 0", ErrRequest, o.Bounds.Saturation, o.Bounds.Latency)
	}
	if o.Loads == nil {
		o.Loads = []float64{0.3, 0.6, 0.8}
	}
	for _, l := range o.Loads {
		if !(l > 0 && l < 1) {
			return fmt.Errorf("%w: a load of %v; more than 0 and less than 1", ErrRequest, l)
		}
	}
	if o.Modes == nil {
		o.Modes = []bool{false, true}
	}
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	return nil
}

// Validate runs a deployment whose RPS has one core, under logins that are
// prepared so that the generator keeps to the other, and simulates the same: at
// saturation with the same arrivals, below it, where they follow the speed of the
// server's core, with these spread so that they are the same share of its own
// saturation. It needs Linux and two cores. What came out is told,
// whatever it is; an error means that a run failed. Errors: ErrRequest,
// ErrCalibration, and those of the runs.
func Validate(ctx context.Context, o ValidateOptions) (*Validation, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	v := &Validation{
		Format: ValidationFormat, Created: time.Now().UTC().Truncate(time.Second),
		Seconds: (o.Duration - o.Duration/5).Seconds(), Rounds: o.Rounds, Paced: true, Bounds: o.Bounds, Backend: o.Backend,
	}
	for _, s := range bench.Environment() {
		v.Environment = append(v.Environment, Setting{s.Key, s.Value})
	}
	doze, kept := awake()
	defer doze()
	v.Environment = append(v.Environment, idling(kept))
	entry, runs, err := o.measure(ctx, v)
	if err != nil {
		return nil, err
	}
	settle(runs)
	for _, r := range every(runs) {
		v.Disturbed = max(v.Disturbed, r.disturbed)
	}
	v.Met = true
	for i, batching := range o.Modes {
		mode, err := o.mode(ctx, entry, batching, runs[i])
		if err != nil {
			return nil, err
		}
		v.Met = v.Met && mode.Saturation.Within(o.Bounds.Saturation)
		for _, p := range mode.Points {
			v.Met = v.Met && p.P50.Within(o.Bounds.Latency) && p.P99.Within(o.Bounds.Latency)
		}
		v.Modes = append(v.Modes, *mode)
	}
	return v, nil
}

// round is what was run of a mode in a round: saturation before each load, and the loads in
// the order of the options.
type round struct{ saturations, loads []*real }

// measure does all that is real: rounds by mode, with parts of a calibration before them if
// it is to be fresh.
func (o *ValidateOptions) measure(ctx context.Context, v *Validation) (*Entry, [][]*round, error) {
	steps := len(o.Modes) * 2 * len(o.Loads)
	if o.Fresh != nil {
		steps++
	}
	total, done := o.Rounds*steps, 0
	step := func(format string, args ...any) {
		o.Progress(done, total, fmt.Sprintf(format, args...))
		done++
	}
	var parts []*Calibration
	entry, err := o.Calibration.Find(o.Backend, "memory")
	if err != nil && o.Fresh == nil {
		return nil, nil, err
	}
	v.Calibration = o.Calibration
	runs := make([][]*round, len(o.Modes))
	for round := range o.Rounds {
		if o.Fresh != nil {
			step("round %d of %d: costs", round+1, o.Rounds)
			f := *o.Fresh
			f.Backends, f.Stores, f.Progress, f.Pulse = []string{o.Backend}, nil, nil, o.Pulse
			part, err := Calibrate(ctx, f)
			if err != nil {
				return nil, nil, err
			}
			parts = append(parts, part)
			entry = &part.Entries[0]
		}
		for i, batching := range o.Modes {
			mode := map[bool]string{false: "one by one", true: "in batches"}[batching]
			say := func(what string) {
				step("round %d of %d: %s, %s", round+1, o.Rounds, mode, what)
			}
			r, err := o.round(ctx, entry, batching, o.Seed+uint64(round)+1, say)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", mode, err)
			}
			runs[i] = append(runs[i], r)
		}
	}
	o.Progress(total, total, "done")
	if o.Fresh != nil {
		v.Calibration = mean(parts)
		entry = &v.Calibration.Entries[0]
	}
	v.Calibrated = v.Calibration.Created
	return entry, runs, nil
}

// round runs one deployment at its loads, the greatest first, since the nearer to
// saturation, the more it matters that the machine is as it was when that was measured:
// right before, for half as long.
func (o *ValidateOptions) round(ctx context.Context, e *Entry, batching bool, seed uint64, say func(what string)) (out *round, err error) {
	// Beyond what can be, so that the server has what it bears.
	expected, err := e.saturation(ctx, batching, o.Seed, 0, 0)
	if err != nil {
		return nil, err
	}
	s, err := o.server(ctx, e, batching)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	out = &round{loads: make([]*real, len(o.Loads))}
	loads := make([]int, len(o.Loads))
	for i := range loads {
		loads[i] = i
	}
	slices.SortStableFunc(loads, func(i, k int) int { return cmp.Compare(o.Loads[k], o.Loads[i]) })
	var last *real // load
	for _, i := range loads {
		what := fmt.Sprintf("%.0f %% load", 100*o.Loads[i])
		say("saturation before " + what)
		saturated, err := s.run(ctx, 1.4*expected.Rate, nil, flying, o.Duration/2, seed)
		if err != nil {
			return nil, fmt.Errorf("saturation: %w", err)
		}
		out.saturations = append(out.saturations, saturated)
		if last != nil {
			last.limits = append(last.limits, saturated)
		}
		say(what)
		scale := e.scale(batching)
		p := &pacing{cpus: s.cpus, scale: scale, usual: saturated.pace(scale)}
		if last, err = s.run(ctx, o.Loads[i]*saturated.rate, p, most, o.Duration, seed); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		last.limits = []*real{saturated}
		out.loads[i] = last
	}
	return out, nil
}
