package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"mpinlab/bench"
	"mpinlab/protocol"
	"mpinlab/sim/deploy"
	"mpinlab/sim/fault"
	"mpinlab/sim/load/result"
	"mpinlab/sim/service"
)

// Options say how to run a scenario. The zero value is ready for use in a
// program that knows the command serve; see package deploy.
type Options struct {
	// Seed brings about the same arrivals, users, operations and mistakes; 0 is 1.
	Seed uint64
	// Progress, if not nil, is told how far the run is, about ten times a second.
	Progress func(Progress)
	// Command makes a server's process from its configuration; see
	// deploy.Config.
	Command func(configFile string) *exec.Cmd
	// Log gets the servers' logs.
	Log io.Writer
	// Temp is the folder in which a deployment's data lie while it runs; "" is the
	// system's for such.
	Temp string
	// Sparing looks at the servers when measuring begins and when it ends only, and
	// not every second: being asked takes some of their time.
	Sparing bool
}

// Progress is how far a run is: Done of Total of what Doing says.
type Progress struct {
	Doing       string
	Done, Total int
}

// drain is how long operations that are under way at the end are waited for.
const drain = 15 * time.Second

// Run runs a scenario and returns what was measured. When ctx ends it starts
// nothing more, waits for what is under way, and returns a result marked partial,
// without an error. Whatever happens, the deployment that it started has ended
// when it returns. That a promise was missed is in the result and no error.
func Run(ctx context.Context, s *Scenario, o Options) (*result.Run, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	r, err := s.newResult(o)
	if err != nil {
		return nil, err
	}
	if s.Saturation != nil {
		err = s.saturate(ctx, o, r)
	} else {
		err = s.once(ctx, o, r)
	}
	return s.ended(ctx, r, err)
}

// newResult is what is known before a run.
func (s *Scenario) newResult(o Options) (*result.Run, error) {
	source, err := s.YAML()
	if err != nil {
		return nil, err
	}
	r := &result.Run{
		Format: result.Format, Scenario: s.Name, Title: s.Title, Description: s.Description, Seed: o.Seed, Scale: s.scale,
		Started: time.Now(), Source: source, WarmUp: s.WarmUp.Seconds(), Histograms: result.Histograms{},
	}
	for _, e := range bench.Environment() {
		r.Environment = append(r.Environment, result.Setting{Key: e.Key, Value: e.Value})
	}
	r.Environment = append(r.Environment, result.Setting{Key: "network-faults", Value: fault.Detect().String()})
	return r, nil
}

// ended is the result of a run that ended with an error or nil.
func (s *Scenario) ended(ctx context.Context, r *result.Run, err error) (*result.Run, error) {
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	if ctx.Err() != nil {
		r.Partial, r.Why = true, "interrupted"
	}
	s.judgeSLOs(r)
	return r, nil
}

// prepare is told of preparations.
func (o *Options) prepare(what string) func(done, total int) {
	return func(done, total int) { o.tell(Progress{what, done, total}) }
}

func (o *Options) tell(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

// once runs the stages against one deployment.
func (s *Scenario) once(ctx context.Context, o Options, r *result.Run) (err error) {
	o.tell(Progress{"starting the deployment", 0, 1})
	d, err := s.stand(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	s.describe(r, d.users)
	l, err := d.ready(ctx, s, o)
	if err != nil {
		return err
	}
	return l.run(ctx, r)
}

// people are virtual users of either mode.
type people interface {
	do(ctx context.Context, a arrival) done
	intend(a arrival) intent
}

// users is a crowd of either mode with what it needs.
type users struct {
	people
	crowd     *crowd
	prepared  *prepared // nil in mode real
	transport *http.Transport
	suite     *protocol.Suite
}

// begin forgets what earlier loads had to report.
func (u *users) begin() {
	u.crowd.verdicts = &verdicts{}
	if u.prepared != nil {
		u.prepared.unplanned.Store(0)
	}
}

func (u *users) close() {
	if u.prepared != nil {
		u.prepared.close()
	}
	u.transport.CloseIdleConnections()
}

// newCrowd makes the virtual users of a target, none enrolled yet.
func (s *Scenario) newCrowd(ctx context.Context, t *target, seed uint64) (*users, error) {
	u := &users{transport: t.transport(s.Client.InFlight)}
	var err error
	suites := func(id protocol.SuiteID) (*protocol.Suite, error) { return suiteOf(id.String(), s.Client.Backend) }
	opened, err := newSessions(ctx, t.rpa, suites, u.transport, &s.Client)
	if err != nil {
		return nil, fmt.Errorf("opening the deployment: %w", err)
	}
	first, err := opened.get(ctx)
	if err != nil {
		return nil, err
	}
	u.suite = first.Suite()
	var i issuer
	var verifier *protocol.Verifier
	if s.Population.Enrol == "issued" {
		opened, err := deploy.OpenIssuer(ctx, u.suite, t.data)
		if err != nil {
			return nil, fmt.Errorf("reading the D-TAs' shares: %w", err)
		}
		server, err := opened.ServerSecret()
		if err != nil {
			return nil, err
		}
		if verifier, err = u.suite.NewVerifier(server); err != nil {
			return nil, err
		}
		i = opened
	}
	u.crowd = &crowd{
		scenario: s, seed: seed, people: newPopulation(s, seed, u.suite, first.Client, i), sessions: opened, verdicts: &verdicts{},
		rps: t.rpsPrivate, verifier: verifier, patience: max(4*s.Client.Timeout.D(), 30*time.Second),
	}
	// first stays with the population, which registers with it.
	if s.Client.Redeem == "rps" {
		u.crowd.private = &service.Caller{Timeout: s.Client.Timeout.D(), Transport: u.transport}
	}
	u.people = u.crowd
	if s.Client.Cost == "precomputed" {
		if u.prepared, err = t.newPrepared(u.crowd); err != nil {
			return nil, err
		}
		u.people = u.prepared
	}
	return u, nil
}

// describe fills in what was loaded by what.
func (s *Scenario) describe(r *result.Run, u *users) {
	d := &s.Deployment
	r.Deployment = result.Deployment{
		External: d.External, Suite: u.suite.ID().String(), Backend: d.Backend, Run: d.Run, Cores: d.Cores, RPS: d.RPS, DTAs: d.DTAs,
		Threshold: d.Threshold, Store: d.Store, Batching: d.Batching, TLS: d.TLS,
	}
	if d.External != "" {
		r.Deployment.Run, r.Deployment.Store, r.Deployment.RPS, r.Deployment.DTAs = "", "", 0, 0
	} else if r.Deployment.Backend == "" {
		if suite, err := suiteOf(d.Suite, ""); err == nil {
			r.Deployment.Backend = suite.Backend().Info().ID
		}
	}
	if r.Deployment.Cores == 0 {
		r.Deployment.Cores = runtime.NumCPU()
	}
	r.Client = result.Client{
		Cost: s.Client.Cost, Transport: s.Client.Transport, Redeem: s.Client.Redeem, Backend: u.suite.Backend().Info().ID,
		Users: len(u.crowd.people.users), Enrol: s.Population.Enrol, InFlight: s.Client.InFlight,
	}
}

// loading is one run of stages by a crowd.
type loading struct {
	scenario *Scenario
	target   *target
	people   *users
	options  Options
	stages   []Stage
	given    iter.Seq[time.Duration] // arrivals, of the first stage; nil for the stages' own
	warmUp   time.Duration
	end      time.Duration
}

// arrivals are those of the run.
func (l *loading) arrivals() iter.Seq[arrival] {
	if l.given == nil {
		return arrivals(l.stages, l.options.Seed)
	}
	return func(yield func(arrival) bool) {
		n := uint64(0)
		for at := range l.given {
			if !yield(arrival{n: n, at: at}) {
				return
			}
			n++
		}
	}
}

// prepare makes users, and in mode precomputed proofs, ahead.
func (l *loading) prepare(ctx context.Context) error {
	s, p := l.scenario, l.people
	n := s.Population.Prepare
	if n == 0 {
		n = min(len(p.crowd.people.users), defaultReady)
	}
	if s.Population.Enrol == "registered" {
		n = len(p.crowd.people.users)
	}
	var list []arrival
	if p.prepared != nil {
		limit := s.Client.Prepared
		if limit == 0 {
			limit = maxPrepared
		}
		for a := range arrivals(l.stages, l.options.Seed) {
			if len(list) >= limit {
				break
			}
			list = append(list, a)
		}
		n = max(n, min(len(p.crowd.people.users), len(list)))
	}
	if err := p.crowd.people.prepare(ctx, n, l.options.prepare("enrolling users")); err != nil {
		return err
	}
	if p.prepared == nil {
		return nil
	}
	return p.prepared.prepare(ctx, list, l.options.prepare("preparing proofs"))
}

// run loads the target, with faults, and reports.
func (l *loading) run(ctx context.Context, r *result.Run) error {
	s, t := l.scenario, l.target
	events := t.events(s, func() { l.people.crowd.people.epoch.Add(1) })
	m := newMeter(l.warmUp)
	e := &engine{
		inFlight: s.Client.InFlight, late: s.Client.Late.D(), drain: drain, meter: m,
		name: func(a arrival) string { return l.people.intend(a).op },
	}
	cpus, err := serverCPUs(s.Deployment.Cores)
	if err != nil {
		return err
	}
	undo, err := pinSelf(cpus)
	if err != nil {
		return err
	}
	defer undo()
	t.startClock(s)

	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	sampled := make(chan struct{})
	sample := newSampler(t, l.people.transport, l.options.Sparing)
	broken := make(chan []fault.Happened, 1)
	go func() { defer close(sampled); sample.run(watching, time.Now(), l.warmUp) }()
	breaking, mend := context.WithCancel(ctx)
	defer mend()
	go func() { broken <- fault.Run(breaking, time.Now(), events, nil) }()
	go l.progress(watching, e)

	start, elapsed, cut := e.run(ctx, untilEnd(l.arrivals(), l.end), l.end, l.people.do)
	mend()
	happened := <-broken
	sample.sample(watching, l.warmUp)
	stop()
	<-sampled

	r.Started, r.Elapsed = start, elapsed.Seconds()
	if cut {
		r.Partial, r.Why = true, "interrupted"
	}
	m.report(r, elapsed, l.stages)
	r.Verdicts = l.people.crowd.verdicts.report()
	r.Failures = l.people.crowd.verdicts.failures()
	l.stageTimes(r, elapsed)
	l.faultTimes(r, happened, elapsed)
	sample.report(r)
	g := &r.Generator
	g.InFlight, g.Goroutines = e.greatest.Load(), runtime.NumGoroutine()
	if r.Counts.Started > 0 {
		g.LateShare = float64(r.Counts.Late) / float64(r.Counts.Started)
	}
	for _, p := range r.Phases {
		if p.Name == result.Whole && p.Queue != nil {
			g.QueueP99MS = p.Queue.P99
		}
	}
	if p := l.people.prepared; p != nil {
		g.Prepared, g.Unprepared, g.PrepareMS = p.made.Load(), p.unplanned.Load(), float64(p.took.Milliseconds())
		if g.Unprepared > 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%d of %d proofs were made when they were due, since none was prepared for them", g.Unprepared, r.Counts.Started))
		}
	}
	if g.LateShare > 0.01 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%.2g %% of operations started more than %v late: the generator's machine was busy; response times include that", 100*g.LateShare, s.Client.Late.D()))
	}
	return nil
}

// untilEnd leaves arrivals out that are due after the end.
func untilEnd(list iter.Seq[arrival], end time.Duration) iter.Seq[arrival] {
	return func(yield func(arrival) bool) {
		for a := range list {
			if a.at > end || !yield(a) {
				return
			}
		}
	}
}

func (l *loading) progress(ctx context.Context, e *engine) {
	if l.options.Progress == nil {
		return
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	start := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			at := time.Since(start)
			doing := stageAt(l.stages, int(at/time.Second))
			if at > l.end {
				doing = fmt.Sprintf("waiting for %d under way", e.flying.Load())
			}
			l.options.tell(Progress{doing, int(min(at, l.end) / (100 * time.Millisecond)), int(l.end / (100 * time.Millisecond))})
		}
	}
}

func (l *loading) stageTimes(r *result.Run, elapsed time.Duration) {
	begin := 0.0
	for i := range l.stages {
		st := &l.stages[i]
		end := min(begin+st.Duration.Seconds(), elapsed.Seconds())
		if begin < end {
			r.Stages = append(r.Stages, result.Stage{
				Name: st.Name, Kind: st.Kind, From: begin, To: end, Rate: st.Expected() / st.Duration.Seconds(), WarmUp: end <= l.warmUp.Seconds(),
			})
		}
		begin += st.Duration.Seconds()
	}
}

func (l *loading) faultTimes(r *result.Run, happened []fault.Happened, elapsed time.Duration) {
	for i, h := range happened {
		f := &l.scenario.Faults[i]
		out := result.Fault{Kind: f.Kind, Target: f.Node + f.Between, Detail: f.detail(), From: h.Begun.Seconds(), To: h.Ended.Seconds()}
		if out.Target == "" {
			out.Target = "store"
		}
		if h.Ended < 0 {
			out.To = elapsed.Seconds()
		}
		if h.Err != nil {
			out.Error = h.Err.Error()
			r.Warnings = append(r.Warnings, fmt.Sprintf("fault %s of %s: %v", out.Kind, out.Target, h.Err))
		}
		r.Faults = append(r.Faults, out)
	}
	for i := range r.Timeline {
		at := float64(r.Timeline[i].Second)
		for _, f := range r.Faults {
			if f.From >= 0 && f.From < at+1 && f.To > at {
				if r.Timeline[i].Faults != "" {
					r.Timeline[i].Faults += "+"
				}
				r.Timeline[i].Faults += f.Kind
			}
		}
	}
	slices.SortStableFunc(r.Faults, func(a, b result.Fault) int {
		if a.From < b.From {
			return -1
		}
		return 1
	})
}
