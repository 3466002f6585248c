package capacity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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

// Validation is the model beside reality.
type Validation struct {
	Format      string    `json:"format"`
	Created     time.Time `json:"created"`
	Environment []Setting `json:"environment"`
	Backend     string    `json:"backend"`
	// Calibrated is when the costs were measured, and Calibration those.
	Calibrated  time.Time    `json:"calibrated"`
	Calibration *Calibration `json:"calibration,omitempty"`
	Seconds     float64      `json:"seconds"` // of each run below saturation
	Rounds      int          `json:"rounds,omitempty"`
	// Paced tells that arrivals below saturation followed the speed of the server's core,
	// and that saturation was measured before each load, for half as long.
	Paced bool            `json:"paced,omitempty"`
	Modes []ValidatedMode `json:"modes"`
	// Met tells whether all deviations keep within Bounds.
	Bounds Bounds `json:"bounds"`
	Met    bool   `json:"met"`
	// Disturbed is the greatest share of the machine's CPUs that others had
	// during a run: where it is more than a few percent the real figures are not
	// those of the server alone.
	Disturbed float64 `json:"disturbed"`
}

// ValidatedMode is one verifier.
type ValidatedMode struct {
	Batching   bool     `json:"batching"`
	Saturation Compared `json:"saturation"` // logins a second
	// CPU is the RPS's time on a core for a login at saturation, in µs: the
	// inverse of Saturation where nobody else had the core.
	CPU Compared `json:"cpu_us"`
	// Slower is how many times as long as while calibrating work took in each run,
	// by the pulse of the server's CPU, which the model follows.
	Slower []float64 `json:"slower"`
	// MeanBatch is that of saturation, 0 one by one.
	MeanBatch Compared        `json:"mean_batch"`
	Points    []ValidatedLoad `json:"points"`
}

// ValidatedLoad is one load.
type ValidatedLoad struct {
	Load float64 `json:"load"` // of the saturation measured just before
	Rate float64 `json:"rate"` // offered, logins a second on average, the median of the rounds
	// P50 and P99 of the whole login, from the time when the generator began it,
	// and of its requests, in ms, the model at this load of its own saturation.
	P50      Compared            `json:"p50_ms"`
	P99      Compared            `json:"p99_ms"`
	Requests map[string]Compared `json:"requests_p50_ms"`
	// SameRate has the same percentiles with the model at the real rate, which is another
	// load to it if its saturation is another: near that a percent of throughput is
	// many of response time.
	SameRate Percentiles `json:"same_rate"`
	// Slower is as in ValidatedMode.
	Slower []float64 `json:"slower"`
	// CPU is the share of the RPS's core in use.
	CPU       Compared `json:"cpu"`
	MeanBatch Compared `json:"mean_batch"`
	// Late is the share of logins that the generator started late, and QueueP99
	// how much later than intended it began 1 in 100 or more, in ms: where they
	// are more than a little the run says nothing about the model.
	Late     float64 `json:"late"`
	QueueP99 float64 `json:"queue_p99_ms"`
	// Generator is its CPU time for a login in µs, which the model takes from the
	// run: it is the instrument, not the service.
	Generator float64 `json:"generator_us"`
}

// Percentiles are those of whole logins, in ms.
type Percentiles struct {
	P50 Compared `json:"p50_ms"`
	P99 Compared `json:"p99_ms"`
}

// Compared is a figure of the model and of a real run, both medians of the rounds, or of
// all runs at saturation; Low and High are the range of the real one. See Deviation for how
// they are compared.
type Compared struct {
	Model float64 `json:"model"`
	Real  float64 `json:"real"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
	// Rounds are the two of each.
	Rounds []Pair `json:"rounds,omitempty"`
}

// Pair is a figure of the model and of one real run.
type Pair struct {
	Model float64 `json:"model"`
	Real  float64 `json:"real"`
}

// Deviation is how far the model is off, as a share of the real figure: the median of the
// rounds, since the model of each is of the machine as it was in it, and machines change
// more between rounds than a model is off.
func (c Compared) Deviation() float64 {
	if len(c.Rounds) == 0 {
		return Pair{c.Model, c.Real}.deviation()
	}
	var list []float64
	for _, p := range c.Rounds {
		list = append(list, p.deviation())
	}
	return median(list)
}

func (p Pair) deviation() float64 {
	if p.Real == 0 {
		return math.Inf(1)
	}
	return p.Model/p.Real - 1
}

// Within tells whether the deviation is at most bound.
func (c Compared) Within(bound float64) bool { return math.Abs(c.Deviation()) <= bound }

// compared sums rounds up.
func compared(model, real []float64) Compared {
	if len(real) == 0 {
		return Compared{}
	}
	var rounds []Pair
	for i := range real {
		rounds = append(rounds, Pair{model[i], real[i]})
	}
	return Compared{median(slices.Clone(model)), median(slices.Clone(real)), slices.Min(real), slices.Max(real), rounds}
}

// ValidationFormat is the version of a validation's form.
const ValidationFormat = "mpin-capacity-validation/5"

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

// settle takes the generator's time for a login, where it was not told, to be the
// least that was.
func settle(runs [][]*round) {
	least := math.Inf(1)
	for _, r := range every(runs) {
		if r.generator > 0 {
			least = min(least, r.generator)
		}
	}
	for _, r := range every(runs) {
		if r.generator == 0 && !math.IsInf(least, 1) {
			r.generator = least
		}
	}
}

// every lists all runs.
func every(modes [][]*round) (list []*real) {
	for _, rounds := range modes {
		for _, r := range rounds {
			list = append(append(list, r.saturations...), r.loads...)
		}
	}
	return list
}

// mode simulates what was run in a mode, and compares.
func (o *ValidateOptions) mode(ctx context.Context, e *Entry, batching bool, rounds []*round) (*ValidatedMode, error) {
	out := &ValidatedMode{Batching: batching}
	var model, cpu, batch [2][]float64
	bears := map[*real]float64{} // how many times as much as the model the server did
	for _, round := range rounds {
		for _, r := range round.saturations {
			m, err := r.during(e, batching, 1).Run(ctx)
			if err != nil {
				return nil, err
			}
			if m.Rate == 0 {
				return nil, fmt.Errorf("%w: no login ended in the simulation", errRun)
			}
			bears[r] = r.rate / m.Rate
			out.Slower = append(out.Slower, r.slower(e.scale(batching)))
			add(&model, m.Rate, r.rate)
			if r.cpu > 0 { // the RPS was asked while it answered
				add(&cpu, 1e6*r.used(m)/m.Rate, 1e6*r.cpu/r.rate)
			}
			add(&batch, m.MeanBatch, r.batch)
		}
	}
	out.Saturation, out.CPU, out.MeanBatch = compared(model[0], model[1]), compared(cpu[0], cpu[1]), compared(batch[0], batch[1])
	for k, load := range o.Loads {
		var runs []*real
		var stretch []float64
		for _, round := range rounds {
			r := round.loads[k]
			runs = append(runs, r)
			product := 1.0
			for _, l := range r.limits {
				product *= bears[l]
			}
			stretch = append(stretch, math.Pow(product, 1/float64(len(r.limits))))
		}
		p, err := e.point(ctx, batching, runs, stretch)
		if err != nil {
			return nil, err
		}
		p.Load = load
		out.Points = append(out.Points, *p)
	}
	return out, nil
}

func add(to *[2][]float64, model, real float64) {
	to[0], to[1] = append(to[0], model), append(to[1], real)
}

// point simulates the runs of one load, and compares. bears is how many times as much as
// the model the server did at saturation right before and after, by round.
func (e *Entry) point(ctx context.Context, batching bool, runs []*real, bears []float64) (*ValidatedLoad, error) {
	p := &ValidatedLoad{Requests: map[string]Compared{}}
	var p50, p99, cpu, batch, rate50, rate99 [2][]float64
	var offered []float64
	requests := map[Stage]*[2][]float64{Pass1: {}, Pass2: {}, Redeem: {}}
	for i, r := range runs {
		same, err := r.during(e, batching, 1).Run(ctx)
		if err != nil {
			return nil, err
		}
		add(&rate50, ms(same.Whole.Quantile(0.5)), r.p50)
		add(&rate99, ms(same.Whole.Quantile(0.99)), r.p99)
		sim, err := r.during(e, batching, bears[i]).Run(ctx)
		if err != nil {
			return nil, err
		}
		add(&p50, ms(sim.Whole.Quantile(0.5)), r.p50)
		add(&p99, ms(sim.Whole.Quantile(0.99)), r.p99)
		if r.cpu > 0 {
			add(&cpu, r.used(sim), r.cpu)
		}
		add(&batch, sim.MeanBatch, r.batch)
		for s, to := range requests {
			add(to, ms(sim.Stages[s].Quantile(0.5))+e.client(batching, s)/1000, r.requests[s])
		}
		p.Slower = append(p.Slower, r.slower(e.scale(batching)))
		offered = append(offered, r.offered)
		p.Late, p.QueueP99, p.Generator = max(p.Late, r.late), max(p.QueueP99, r.queue), max(p.Generator, r.generator)
	}
	p.Rate = median(offered)
	p.SameRate = Percentiles{compared(rate50[0], rate50[1]), compared(rate99[0], rate99[1])}
	p.P50, p.P99, p.CPU, p.MeanBatch = compared(p50[0], p50[1]), compared(p99[0], p99[1]), compared(cpu[0], cpu[1]), compared(batch[0], batch[1])
	for s, list := range requests {
		p.Requests[s.String()] = compared(list[0], list[1])
	}
	return p, nil
}

// OffAtSameRate is the greatest deviation of [ValidatedLoad.SameRate], 0 where there is
// none.
func (v *Validation) OffAtSameRate() (worst float64) {
	for _, m := range v.Modes {
		for _, p := range m.Points {
			for _, c := range []Compared{p.SameRate.P50, p.SameRate.P99} {
				if d := c.Deviation(); c.Real > 0 && math.Abs(d) > math.Abs(worst) {
					worst = d
				}
			}
		}
	}
	return worst
}

// ReadValidation reads a validation's file. Error: ErrCalibration.
func ReadValidation(path string) (*Validation, error) {
	return readFile(path, DecodeValidation)
}

// DecodeValidation reads a validation's JSON. Error: ErrCalibration.
func DecodeValidation(b []byte) (*Validation, error) {
	if len(b) > maxCalibration {
		return nil, fmt.Errorf("%w: over %d bytes", ErrCalibration, maxCalibration)
	}
	var v Validation
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCalibration, err)
	}
	if v.Format != ValidationFormat {
		return nil, fmt.Errorf("%w: format %q, not %q", ErrCalibration, v.Format, ValidationFormat)
	}
	return &v, nil
}

// Encode writes the validation as JSON.
func (v *Validation) Encode() ([]byte, error) { return compact(v) }
