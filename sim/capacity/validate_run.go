package capacity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"mpinlab/sim/deploy"
	"mpinlab/sim/load"
	"mpinlab/sim/load/result"
)

// real is what came out of a real run.
type real struct {
	seed           uint64
	inFlight       int
	arrivals       []time.Duration
	warmUp, length time.Duration
	offered, rate  float64 // logins a second
	p50, p99       float64 // ms
	requests       [stages]float64
	cpu            float64 // share of the RPS's core
	batch          float64 // mean
	late, queue    float64
	generator      float64   // µs a login
	outside        float64   // µs of it between its requests, before, and after them
	disturbed      float64   // share of all CPUs that others had
	begun          time.Time // the load
	limits         []*real   // saturation right before a load, and right after it where that was measured
	server, client []beat    // of their CPUs until its last login ended
}

// during is the model of a run: the same arrivals at the same speed of the machine, and
// the generator's work as it was. stretch is how many times as long all of that takes,
// but for work.
func (r *real) during(e *Entry, batching bool, stretch float64) *Model {
	servers, clients := e.scale(batching).speeds(r.server, r.begun), e.Scale.speeds(r.client, r.begun)
	speed := meanSpeed(clients, r.warmUp, r.length)
	m := e.real(batching, r.seed, r.generator*speed, r.outside*speed)
	m.Speeds, m.ClientSpeeds, m.InFlight = onward(less(servers, r.server)), onward(less(clients, r.client)), r.inFlight
	longer := func(d time.Duration) time.Duration { return time.Duration(stretch * float64(d)) }
	m.Trace = slices.Clone(r.arrivals)
	for i, at := range m.Trace {
		m.Trace[i] = longer(at)
	}
	for _, list := range [][]Speed{m.Speeds, m.ClientSpeeds} {
		for i := range list {
			list[i].At = longer(list[i].At)
		}
	}
	m.WarmUp, m.Duration, m.Drain = longer(r.warmUp), longer(r.length)-longer(r.warmUp), true
	return m
}

// less is speeds without what each pulse itself takes of its CPU, up to the next one.
func less(list []Speed, beats []beat) []Speed {
	for i := range list {
		if list[i].Speed > 0 { // of a beat; the others stand still
			list[i].Speed = max(list[i].Speed*(1-beats[0].pulsing()), 1.0/maxSpeed)
			beats = beats[1:]
		}
	}
	return list
}

// onward is speeds with what comes after the last beat, should the model take longer than
// the server did: their mean, for the last may be of a moment in which it hardly worked.
func onward(list []Speed) []Speed {
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1].At + pulseEvery
	return append(list, Speed{last, max(meanSpeed(list, list[0].At, last), 1.0/maxSpeed)})
}

// used is the share of the servers' CPU that the servers had in a simulation of a run.
func (r *real) used(s *Result) float64 { return s.Utilization * (1 - pulsing(r.server)) }

// pace is how much work at speed 1 the servers' CPU did on the whole, nothing while it
// stood still.
func (r *real) pace(s Scale) float64 {
	return workRate(s.speeds(r.server, r.begun), r.warmUp, r.length)
}

// slower is how many times as long as while calibrating work took on the servers' CPU.
func (r *real) slower(s Scale) float64 {
	return 1 / meanSpeed(s.speeds(r.server, r.begun), r.warmUp, r.length)
}

// client is the CPU time in µs of a request's client.
func (e *Entry) client(batching bool, s Stage) float64 {
	r := e.requests(batching)
	return [stages]float64{r.Permit.Client, r.Pass1.Client, r.Pass2.Client, r.Redeem.Client}[s]
}

// real is the model of what the load generator does to one RPS: no permits; its own work,
// of so many µs a login, takes turns on its CPU, half of a request's before it is sent,
// half after the answer, outside of it between requests, and the rest around the login.
func (e *Entry) real(batching bool, seed uint64, generator, outside float64) *Model {
	m := e.Model(batching)
	m.Warm = e.requests(batching).Warm
	m.Costs[Permit] = Cost{}
	m.Seed, m.Timeout, m.ClientCores = seed, 10*time.Second, 1
	half := func(s Stage) float64 { return e.client(batching, s) / 2 }
	answer, requests := e.Answer.mean/1000, 2*(half(Pass1)+half(Pass2)+half(Redeem))
	outside = max(outside, answer)
	rest := (outside - answer) / 4
	beyond := max(0, generator-requests-outside) / 2
	m.Begin, m.End = Constant(us(beyond)), Constant(us(beyond))
	m.Costs[Pass1].Think = Constant(us(rest + half(Pass1)))
	m.Costs[Pass2].Think = Constant(us(rest + half(Pass1) + answer + half(Pass2)))
	m.Costs[Redeem].Think = Constant(us(rest + half(Pass2) + half(Redeem)))
	m.Finish = Constant(us(rest + half(Redeem)))
	return m
}

// saturation simulates a core that has as many logins as it bears; a rate of 0 is
// twice that.
func (e *Entry) saturation(ctx context.Context, batching bool, seed uint64, rate, generator float64) (*Result, error) {
	m := e.real(batching, seed, generator, 0)
	if rate == 0 {
		rate = 2e9 / float64(m.cheapest())
	}
	m.InFlight, m.Arrivals = flying, Flat(rate)
	m.WarmUp, m.Duration = 5*time.Second, 20*time.Second
	return m.Run(ctx)
}

// scenario is what the load generator finds.
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
  users: 400
client:
  cost: precomputed
  redeem: rps
  backend: %s
stages:
  - {name: load, kind: poisson, rate: 1, duration: 1s}
`

var errRun = errors.New("the real run failed")

// memory is how much this process may allocate before its garbage is collected: what
// that takes of its CPU is no part of what is measured.
const memory = 2 << 30

// uncollected collects the garbage, and then none up to memory until undone.
func uncollected() (undo func()) {
	runtime.GC()
	limit, percent := debug.SetMemoryLimit(memory), debug.SetGCPercent(-1)
	return func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) }
}

// server is a deployment whose RPS has one core, and the pulse of the CPUs beside it.
type server struct {
	deployment *load.Standing
	cpus       *machine
}

func (o *ValidateOptions) server(ctx context.Context, e *Entry, batching bool) (*server, error) {
	s, err := load.Read("validation.yaml", fmt.Appendf(nil, scenario, e.Suite, e.Backend, batching, e.Backend))
	if err != nil {
		return nil, err
	}
	cpus, err := newMachine(o.Pulse)
	if err != nil {
		return nil, err
	}
	d, err := load.Stand(ctx, s, load.Options{Command: o.Command, Log: o.Log, Sparing: true})
	if err != nil {
		cpus.end()
		return nil, err
	}
	return &server{d, cpus}, nil
}

func (s *server) close() error {
	s.cpus.end()
	return s.deployment.Close()
}

// run is a real run at a rate, a fifth of it warm-up: as many arrivals a second, or, with
// a pacing, as many in a second as is usual by that.
func (s *server) run(ctx context.Context, rate float64, p *pacing, inFlight int, length time.Duration, seed uint64) (*real, error) {
	out := &real{seed: seed, inFlight: inFlight, warmUp: (length / 5).Truncate(time.Millisecond), length: length.Truncate(time.Millisecond)}
	stage := load.Stage{Name: "load", Kind: load.Poisson, Rate: rate, Duration: load.Duration(out.length)}
	l := load.Load{WarmUp: out.warmUp, InFlight: inFlight, Seed: seed}
	if p == nil {
		out.arrivals = slices.Collect(stage.Arrivals(seed))
	} else {
		pace := p.now()
		rate *= pace
		stage.Rate = mostPace * rate
		l.Arrivals = p.arrivals(rate, pace, out.length, seed, &out.arrivals)
	}
	l.Stages = []load.Stage{stage}
	defer uncollected()()
	before, unknown := s.others()
	begun := time.Now()
	run, err := s.deployment.Run(ctx, l)
	if err != nil {
		return nil, err
	}
	ended := time.Now() // when the last login has
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if after, err := s.others(); err == nil && unknown == nil {
		out.disturbed = max(0, (after-before).Seconds()/time.Since(begun).Seconds()/float64(runtime.NumCPU()))
	}
	if run.Partial || run.Verdicts.WrongAcceptances+run.Verdicts.WrongRefusals > 0 {
		return nil, fmt.Errorf("%w: %s; wrong verdicts: %v", errRun, run.Why, run.Verdicts.Examples)
	}
	for _, class := range []string{result.Failed, result.Unreachable, result.Timeout} {
		if n := run.Counts.Outcomes[class]; n > 0 {
			return nil, fmt.Errorf("%w: %d logins %s", errRun, n, class)
		}
	}
	out.begun, out.offered = run.Started, float64(len(out.arrivals))/out.length.Seconds()
	if out.server, err = s.cpus.of(s.cpus.server, out.begun, ended); err != nil {
		return nil, err
	}
	if out.client, err = s.cpus.of(s.cpus.client, out.begun, ended); err != nil {
		return nil, err
	}
	out.read(run)
	if out.rate == 0 || math.IsNaN(out.rate) {
		return nil, fmt.Errorf("%w: no login ended in it", errRun)
	}
	return out, nil
}

// others is the time that all CPUs have worked for others than this process, the
// deployment, and what takes the pulse.
func (s *server) others() (time.Duration, error) {
	machine, own, err := machineTime()
	if err != nil {
		return 0, err
	}
	servers, err := s.deployment.ServerCPU()
	if err != nil {
		return 0, err
	}
	pulse, err := deploy.CPU(s.cpus.cmd.Process.Pid)
	return machine - own - pulse - time.Duration(servers*float64(time.Second)), err
}

// disturbed is the share of all CPUs that others have had since a time, when the
// machine's time and this process' were those.
func disturbed(since time.Time, machine, own time.Duration) (float64, error) {
	m, o, err := machineTime()
	if err != nil {
		return 0, err
	}
	others := (m - machine) - (o - own)
	return max(0, others.Seconds()/time.Since(since).Seconds()/float64(runtime.NumCPU())), nil
}

func (r *real) read(run *result.Run) {
	r.rate, r.late, r.generator = run.Counts.AchievedRate, run.Generator.LateShare, run.Generator.CPUPerOp
	for _, phase := range run.Phases {
		switch {
		case phase.Service == nil:
		case phase.Name == result.Whole:
			r.p50, r.p99 = phase.Service.P50, phase.Service.P99
			r.outside += 1000 * phase.Service.Mean
			if phase.Queue != nil {
				r.queue = phase.Queue.P99
			}
		default:
			for _, s := range Stages() {
				if s.String() == phase.Name { // everybody has had them all, but for a few
					r.requests[s] = phase.Service.P50
					r.outside -= 1000 * phase.Service.Mean
				}
			}
		}
	}
	for _, s := range run.Servers {
		if s.Node != "rps-1" {
			continue
		}
		r.cpu = s.Share
		if n := s.Values["mpin_batches"]; n > 0 {
			r.batch = s.Values["mpin_batched_logins"] / n
		}
	}
}
