package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"mpinlab/sim/deploy"
	"mpinlab/sim/load/result"
)

// arm is one of the deployments that are compared.
type arm struct {
	label    string
	batching bool
	rps      int     // 0: the scenario's
	bad      float64 // NaN: the scenario's
}

// parseArm reads "batching", "single", "rps-2", "bad-10", or several of them
// with spaces between.
func parseArm(text string) (arm, error) {
	a := arm{label: text, bad: math.NaN()}
	for _, word := range strings.Fields(text) {
		kind, number, numbered := strings.Cut(word, "-")
		n, err := strconv.Atoi(number)
		switch {
		case word == "single":
			a.batching = false
		case word == "batching":
			a.batching = true
		case kind == "rps" && numbered && err == nil && n >= 1 && n <= 64:
			a.rps = n
		case kind == "bad" && numbered && err == nil && n >= 0 && n <= 100:
			a.bad = float64(n) / 100
		default:
			return a, fmt.Errorf("%q is none of single, batching, rps-N, bad-N, or several of them with spaces between", word)
		}
	}
	if text == "" {
		return a, errors.New("it is empty")
	}
	return a, nil
}

// apply makes the scenario of an arm.
func (a arm) apply(s *Scenario) *Scenario {
	c := *s
	c.Deployment.Batching = a.batching
	if a.rps > 0 {
		c.Deployment.RPS = a.rps
		if a.rps > 1 {
			c.Deployment.Store = "redis"
		}
	}
	if !math.IsNaN(a.bad) {
		c.Behaviour = Behaviour{WrongPINs: Share(a.bad)}
		c.Deployment.MaxAttempts = 100 // nobody is to be blocked meanwhile
	}
	return &c
}

// saturate searches the knee of every arm.
func (s *Scenario) saturate(ctx context.Context, o Options, r *result.Run) error {
	began := time.Now()
	defer func() { r.Elapsed = time.Since(began).Seconds() }()
	for k, text := range s.Saturation.Compare {
		a, err := parseArm(text)
		if err != nil {
			return err
		}
		search, err := s.search(ctx, a, o, r, k)
		if search != nil {
			r.Searches = append(r.Searches, *search)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// search raises the rate by half as much again and again until the limit is
// broken, and then halves the bracket until it is as narrow as is asked for.
func (s *Scenario) search(ctx context.Context, a arm, o Options, r *result.Run, k int) (_ *result.Search, err error) {
	c := a.apply(s)
	q := s.Saturation
	o.tell(Progress{a.label + ": starting the deployment", 0, 1})
	d, err := c.stand(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	c.describe(r, d.users)
	out := &result.Search{
		Label: a.label, Batching: a.batching, RPS: c.Deployment.RPS, Cores: r.Deployment.Cores, Bad: float64(c.Behaviour.WrongPINs),
		Limit: float64(q.Limit.D()) / float64(time.Millisecond),
	}
	// The numbers of arrivals go on from probe to probe, so that every probe has
	// random numbers of its own.
	var probes uint64
	try := func(rate float64) (bool, error) {
		// A rate that fails is tried once more: what else the machine had to do
		// makes a probe fail, and never makes one pass.
		for range 2 {
			probes++
			p, err := d.probe(ctx, a, rate, o, uint64(k)<<32|probes, r)
			if err != nil {
				return false, err
			}
			out.Probes = append(out.Probes, *p)
			if p.Passed {
				return true, nil
			}
		}
		return false, nil
	}
	lo, hi := 0.0, 0.0
	for rate := q.From; ; rate = math.Min(rate*1.5, q.To) {
		ok, err := try(rate)
		if err != nil {
			return out, err
		}
		if !ok {
			hi = rate
			break
		}
		if lo = rate; rate >= q.To {
			out.Knee, out.Unreached = lo, true
			return out, nil
		}
	}
	for lo > 0 && hi/lo > 1+float64(q.Precision) {
		rate := math.Sqrt(lo * hi)
		ok, err := try(rate)
		if err != nil {
			return out, err
		}
		if ok {
			lo = rate
		} else {
			hi = rate
		}
	}
	out.Knee = lo
	return out, nil
}

// probe loads the target at one rate for a while; the first quarter is not
// measured.
func (d *Standing) probe(ctx context.Context, a arm, rate float64, o Options, seed uint64, r *result.Run) (*result.Probe, error) {
	s := *d.scenario
	length := s.Saturation.Probe.D()
	stage := Stage{Name: fmt.Sprintf("%s at %.0f/s", a.label, rate), Kind: Poisson, Rate: rate, Duration: Duration(length + length/4)}
	o.Seed += seed
	s.Stages, s.WarmUp = []Stage{stage}, Duration(length/4)
	l, err := d.ready(ctx, &s, o)
	if err != nil {
		return nil, err
	}
	var one result.Run
	before, own := l.cpu()
	if err := l.run(ctx, &one); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	after, ownAfter := l.cpu()
	p := &result.Probe{
		Rate: one.Counts.OfferedRate, Achieved: one.Counts.AchievedRate, Dropped: one.Counts.Dropped,
		ServerCPU: (after - before) / one.Elapsed, GeneratorCPU: (ownAfter - own) / one.Elapsed,
	}
	for class, n := range one.Counts.Outcomes {
		if !result.Good(class) {
			p.Bad += n
		}
	}
	for _, ph := range one.Phases {
		if ph.Name == result.Whole && ph.Response != nil {
			p.Latency = *ph.Response
		}
	}
	for _, n := range one.Servers {
		if b := n.Values["mpin_batches"]; b > 0 {
			p.Batch = n.Values["mpin_batched_logins"] / b
		}
	}
	p.Passed = p.Bad == 0 && p.Latency.Count > 0 && p.Latency.P99 <= float64(s.Saturation.Limit.D())/float64(time.Millisecond)
	// The run is the sum of its probes; their latencies are each its own.
	r.Verdicts.Checked += one.Verdicts.Checked
	r.Verdicts.WrongAcceptances += one.Verdicts.WrongAcceptances
	r.Verdicts.WrongRefusals += one.Verdicts.WrongRefusals
	r.Verdicts.Examples = append(r.Verdicts.Examples, one.Verdicts.Examples...)
	if len(r.Failures) == 0 {
		r.Failures = one.Failures
	}
	r.Generator.Prepared += one.Generator.Prepared
	r.Generator.Unprepared += one.Generator.Unprepared
	r.Generator.PrepareMS += one.Generator.PrepareMS
	return p, nil
}

// cpu is the CPU seconds of the servers and of this process; 0 where they cannot
// be had.
func (l *loading) cpu() (servers, own float64) {
	servers, _ = l.target.serverCPU()
	if d, err := deploy.CPU(os.Getpid()); err == nil {
		own = d.Seconds()
	}
	return servers, own
}
