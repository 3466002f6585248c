// Package endtoend measures what a login takes on a whole deployment: how long
// its phases are for who waits, and what time on CPUs it costs the servers, of
// which so much is cryptography.
//
// The servers are one process, as `mpin serve` runs them, with their store on
// disk; clients are in this process, over loopback. Nothing is estimated: the
// servers' time is what the kernel counted for their process, and
// ServerVerifyCached, the one verification without which there is no verdict, is
// measured before and after each round of logins, so that the two meet the same
// machine. It needs Linux for the time on CPUs of another process.
package endtoend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/sim/deploy"
	"mpinlab/sim/endtoend/result"
)

// ErrUnsupported: this machine cannot be measured on; the text says why.
var ErrUnsupported = errors.New("not measurable here")

// Subject is a suite on a backend.
type Subject struct{ Suite, Backend string }

// Plan says what to measure, and how long.
type Plan struct {
	Subjects []Subject
	// Latencies is the number of logins timed over each transport.
	Latencies int
	// Rounds are taken of each way of verifying, in turn: Single logins of
	// Few clients one by one, and Batching logins of Many in batches.
	Rounds                      int
	Single, Few, Batching, Many int
	// Profile is how long each way is profiled, in whole seconds; 0 is not at
	// all.
	Profile time.Duration
	// Store is the deployments', "bbolt" where empty.
	Store string
	// Command makes the servers' process, see deploy.Config.
	Command func(configFile string) *exec.Cmd
	// Progress, if not nil, is called after each step.
	Progress func(done, total int, label string)
}

// Quick takes seconds, Full about two minutes a subject.
func Quick(s ...Subject) Plan {
	return Plan{Subjects: s, Latencies: 100, Rounds: 3, Single: 120, Few: 16, Batching: 768, Many: 256, Profile: 2 * time.Second}
}

// Full is the plan of the full report.
func Full(s ...Subject) Plan {
	return Plan{Subjects: s, Latencies: 1000, Rounds: 12, Single: 600, Few: 16, Batching: 2048, Many: 512, Profile: 8 * time.Second}
}

// steps is how often Progress is called for a subject.
func (p *Plan) steps() int { return 4 + 2*p.Rounds + 2 }

// Measure measures. What it has when ctx ends or something fails is returned
// with the error; a subject counts when it is complete.
func Measure(ctx context.Context, p Plan) (*result.Run, error) {
	run := &result.Run{Format: result.Format, Started: time.Now().UTC(), CPUs: runtime.GOMAXPROCS(0)}
	if _, err := deploy.CPU(os.Getpid()); err != nil {
		return run, fmt.Errorf("%w: the kernel does not tell the time on CPUs of another process (%w)", ErrUnsupported, err)
	}
	start := time.Now()
	done := 0
	for i, s := range p.Subjects {
		step := func(label string) {
			done++
			if p.Progress != nil {
				p.Progress(done, p.steps()*len(p.Subjects), label)
			}
		}
		d, err := measure(ctx, &p, s, step)
		if err != nil {
			run.Elapsed = time.Since(start).Seconds()
			return run, fmt.Errorf("end to end, %s on %s: %w", s.Suite, s.Backend, err)
		}
		run.Deployments = append(run.Deployments, d)
		done = (i + 1) * p.steps()
	}
	run.Elapsed = time.Since(start).Seconds()
	return run, nil
}

// subject is one being measured.
type subject struct {
	plan   *Plan
	suite  *protocol.Suite
	step   func(label string)
	result *result.Deployment
	folder string
}

// target is a deployment with the clients' side of it.
type target struct {
	*deploy.Whole
	ready time.Duration
	crowd *crowd
	judge *judge
}

func (t *target) close() error {
	if t == nil {
		return nil
	}
	if t.crowd != nil {
		t.crowd.close()
	}
	return t.Whole.Close()
}

// why adds the servers' first complaint to an error.
func (t *target) why(err error) error {
	for line := range bytes.Lines(t.Logs()) {
		if bytes.Contains(line, []byte(`"level":"ERROR"`)) && !bytes.Contains(line, []byte("/status")) {
			return fmt.Errorf("%w; the servers said: %.600s", err, bytes.TrimSpace(line))
		}
	}
	return err
}

func measure(ctx context.Context, p *Plan, s Subject, step func(string)) (_ *result.Deployment, err error) {
	b, err := all.Get(s.Backend)
	if err != nil {
		return nil, err
	}
	id, err := protocol.ParseSuiteID(s.Suite)
	if err != nil {
		return nil, err
	}
	m := &subject{plan: p, step: step, result: &result.Deployment{Suite: s.Suite, Backend: s.Backend, Store: p.Store}}
	if m.result.Store == "" {
		m.result.Store = "bbolt"
	}
	if m.suite, err = protocol.New(id, b); err != nil {
		return nil, err
	}
	if m.folder, err = os.MkdirTemp("", "mpin-endtoend-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(m.folder)) }()

	single, err := m.start(ctx, result.Single, p.Few)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, single.close()) }()
	m.result.Ready = single.ready.Seconds()
	for _, transport := range []string{result.HTTP, result.WebSocket} {
		if err := m.latencies(ctx, single, transport); err != nil {
			return nil, err
		}
		step(s.Backend + " latency " + transport)
	}
	batching, err := m.start(ctx, result.Batching, p.Many)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, batching.close()) }()
	costs := []*result.Cost{{Verifier: result.Single, Clients: p.Few}, {Verifier: result.Batching, Clients: p.Many}}
	targets, logins := []*target{single, batching}, []int{p.Single, p.Batching}
	for k, t := range targets {
		if _, err := t.crowd.run(ctx, max(p.Few, logins[k]/2)); err != nil { // warm: connections, identities
			return nil, t.why(err)
		}
	}
	// The two take turns, so that rounds of the same number are neighbours.
	for range p.Rounds {
		for k, t := range targets {
			sample, err := t.round(ctx, logins[k])
			if err != nil {
				return nil, t.why(err)
			}
			costs[k].Samples = append(costs[k].Samples, *sample)
			step(s.Backend + " " + costs[k].Verifier)
		}
	}
	for k, t := range targets {
		if p.Profile > 0 {
			if costs[k].Parts, costs[k].Profiled, err = t.profile(ctx, p.Profile); err != nil {
				return nil, err
			}
		}
		if costs[k].Memory, err = deploy.Memory(t.PID()); err != nil {
			return nil, err
		}
		step(s.Backend + " profile " + costs[k].Verifier)
	}
	m.result.Costs = costs
	return m.result, nil
}

// start starts a deployment with a crowd of clients.
func (m *subject) start(ctx context.Context, verifier string, clients int) (t *target, err error) {
	c := deploy.Config{
		Suite: m.result.Suite, Backend: m.result.Backend, Listen: "127.0.0.1:0", Data: filepath.Join(m.folder, verifier), Store: m.result.Store,
		Batching: verifier == result.Batching, LogLevel: "warn", Rate: -1, Command: m.plan.Command,
	}
	t = &target{}
	start := time.Now()
	if t.Whole, err = deploy.StartWhole(ctx, c); err != nil {
		return nil, err
	}
	t.ready = time.Since(start)
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	issuer, err := deploy.OpenIssuer(ctx, m.suite, c.Data)
	if err != nil {
		return nil, err
	}
	if t.crowd, err = newCrowd(m.suite, issuer, t.Addresses(), clients); err != nil {
		return nil, err
	}
	if t.judge, err = newJudge(m.suite, issuer, t.crowd); err != nil {
		return nil, err
	}
	m.step(m.result.Backend + " start " + verifier)
	return t, nil
}

// round is one sample.
func (t *target) round(ctx context.Context, logins int) (*result.Sample, error) {
	halves, err := t.crowd.prepare(ctx, logins)
	if err != nil {
		return nil, err
	}
	before, err := t.judge.cost()
	if err != nil {
		return nil, err
	}
	batches, err := t.batches(ctx)
	if err != nil {
		return nil, err
	}
	server, err := deploy.CPU(t.PID())
	if err != nil {
		return nil, err
	}
	own, err := deploy.CPU(os.Getpid())
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := t.crowd.logIn(ctx, halves); err != nil {
		return nil, err
	}
	elapsed := time.Since(start)
	serverAfter, err := deploy.CPU(t.PID())
	if err != nil {
		return nil, err
	}
	ownAfter, err := deploy.CPU(os.Getpid())
	if err != nil {
		return nil, err
	}
	more, err := t.batches(ctx)
	if err != nil {
		return nil, err
	}
	after, err := t.judge.cost()
	if err != nil {
		return nil, err
	}
	each := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(logins) }
	s := &result.Sample{
		Logins: logins, Server: each(serverAfter - server), Client: each(ownAfter - own), Elapsed: elapsed.Seconds() * 1e6,
		Verify: (before + after) / 2,
	}
	if n := more.batches - batches.batches; n > 0 {
		s.Batch = (more.logins - batches.logins) / n
	}
	return s, nil
}
