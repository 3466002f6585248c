package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"mpinlab/sim/load/result"
)

// Standing is a deployment that stays, with its users, while one load after another is
// put on it: what differs between them is then the load, and not which process, with
// which memory, had it.
type Standing struct {
	scenario *Scenario
	options  Options
	target   *target
	users    *users
	loads    uint64
}

// Load is what [Standing.Run] puts on a deployment.
type Load struct {
	Stages   []Stage
	WarmUp   time.Duration
	InFlight int // 0 is the scenario's
	// Seed brings about the same arrivals; 0 is another one for each load.
	Seed uint64
	// Arrivals, in order and since the beginning, come instead of those of the one stage, up
	// to its end; each is drawn when the one before has come. Proofs are prepared for as many
	// as the stage has.
	Arrivals iter.Seq[time.Duration]
}

// Stand starts the deployment of a scenario, which is to be closed. The scenario's stages
// count for nothing but its being a scenario.
func Stand(ctx context.Context, s *Scenario, o Options) (*Standing, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	o.tell(Progress{"starting the deployment", 0, 1})
	return s.stand(ctx, o)
}

// stand is Stand of a scenario that was checked.
func (s *Scenario) stand(ctx context.Context, o Options) (*Standing, error) {
	t, err := startTarget(ctx, s, o)
	if err != nil {
		return nil, err
	}
	u, err := s.newCrowd(ctx, t, o.Seed)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return &Standing{scenario: s, options: o, target: t, users: u}, nil
}

// ServerCPU is the CPU seconds of all its servers' processes up to now.
func (d *Standing) ServerCPU() (float64, error) { return d.target.serverCPU() }

// Close ends the deployment and leaves nothing behind.
func (d *Standing) Close() error {
	d.users.close()
	return d.target.close()
}

// Run puts a load on the deployment; the rest is as in [Run].
func (d *Standing) Run(ctx context.Context, l Load) (*result.Run, error) {
	s := *d.scenario
	s.Stages, s.WarmUp = slices.Clone(l.Stages), Duration(l.WarmUp)
	if l.InFlight > 0 {
		s.Client.InFlight = l.InFlight
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if l.Arrivals != nil && len(l.Stages) != 1 {
		return nil, fmt.Errorf("%w: arrivals of their own in %d stages; they are of one", ErrScenario, len(l.Stages))
	}
	d.loads++
	o := d.options
	if o.Seed = l.Seed; o.Seed == 0 {
		o.Seed = d.options.Seed + d.loads
	}
	r, err := s.newResult(o)
	if err != nil {
		return nil, err
	}
	s.describe(r, d.users)
	ready, err := d.ready(ctx, &s, o)
	if err == nil {
		ready.given = l.Arrivals
		err = ready.run(ctx, r)
	}
	return s.ended(ctx, r, err)
}

// ready prepares for the stages of a scenario.
func (d *Standing) ready(ctx context.Context, s *Scenario, o Options) (*loading, error) {
	d.users.begin()
	l := &loading{scenario: s, target: d.target, people: d.users, options: o, stages: s.Stages, warmUp: s.WarmUp.D(), end: s.Length().D()}
	return l, l.prepare(ctx)
}
