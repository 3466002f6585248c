package capacity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mpinlab/backends/all"
	"mpinlab/bench"
	"mpinlab/protocol"
	"mpinlab/sim/deploy"
)

// Options say what Calibrate measures.
type Options struct {
	// Backends are measured with the store memory; empty means the first of
	// bls12-381, blst where it is available, and the first of bn254. Stores
	// besides memory are measured with the first backend.
	Backends []string
	Stores   []string
	// Users and Rounds: so many users go through so many logins, all with one
	// request before the first with the next, so that each request's CPU time
	// can be told. 0 means 384 and 8.
	Users, Rounds int
	// Samples is how often the cryptography is measured, 0 means 200.
	Samples int
	// Command makes a process of a deployment; see deploy.Config. Pulse makes the one
	// that takes the CPUs' pulse, the function of this name. Both are this program's
	// own if nil.
	Command func(configFile string) *exec.Cmd
	Pulse   func(cpus string) *exec.Cmd
	// Progress is told what is being measured.
	Progress func(done, total int, what string)
	// Said is how the calibration was asked for, for its provenance.
	Said string
}

// besides are the stores that are measured besides memory.
var besides = []string{"bbolt", "redis"}

func (o *Options) fill() error {
	if o.Users < 0 || o.Users > 5000 || o.Rounds < 0 || o.Rounds > 10_000 || o.Samples < 0 || o.Samples > 100_000 {
		return fmt.Errorf("%w: %d users, %d rounds and %d samples; at most 5000, 10000 and 100000", ErrRequest, o.Users, o.Rounds, o.Samples)
	}
	// What is asked for last is measured minutes later.
	for _, b := range o.Backends {
		if _, err := all.Get(b); err != nil {
			return fmt.Errorf("%w: %w", ErrRequest, err)
		}
	}
	for _, s := range o.Stores {
		if !slices.Contains(besides, s) {
			return fmt.Errorf("%w: store %q; %s", ErrRequest, s, strings.Join(besides, " or "))
		}
	}
	if o.Users == 0 {
		o.Users = 384
	}
	if o.Rounds == 0 {
		o.Rounds = 8
	}
	if o.Samples == 0 {
		o.Samples = 200
	}
	if len(o.Backends) == 0 {
		for _, id := range []string{"gnark/bls12-381", "blst/bls12-381", "gnark/bn254"} {
			if b, err := all.Get(id); err == nil && b != nil {
				o.Backends = append(o.Backends, id)
			}
		}
	}
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	return nil
}

// Calibrate measures a deployment's costs on this machine: the cryptography in
// this process, the requests on a deployment of processes whose servers have one
// core each. It needs Linux, for the time that processes spend, and nothing else
// running on the machine, for the figures to be worth something. Errors: ErrRequest,
// ErrCalibration for costs that cannot be, and those of the deployment.
func Calibrate(ctx context.Context, o Options) (*Calibration, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &Calibration{Format: Format, Command: o.Said, Created: time.Now().UTC().Truncate(time.Second)}
	for _, s := range bench.Environment() {
		c.Environment = append(c.Environment, Setting{s.Key, s.Value})
	}
	begun := time.Now()
	machine, own, unknown := machineTime()
	doze, kept := awake()
	defer doze()
	c.Environment = append(c.Environment, idling(kept))
	type job struct{ backend, store string }
	var jobs []job
	for i, b := range o.Backends {
		jobs = append(jobs, job{b, "memory"})
		if i == 0 {
			for _, s := range o.Stores {
				jobs = append(jobs, job{b, s})
			}
		}
	}
	for i, j := range jobs {
		what := j.backend + " with " + j.store
		o.Progress(i, len(jobs), what)
		e, err := o.entry(ctx, j.backend, j.store)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", what, ErrCalibration, err)
		}
		c.Entries = append(c.Entries, *e)
	}
	o.Progress(len(jobs), len(jobs), "done")
	if unknown == nil {
		if x, err := disturbed(begun, machine, own); err == nil {
			c.Environment = append(c.Environment, Setting{"others", fmt.Sprintf("%.1f %% of the CPUs' time", 100*x)})
		}
	}
	for i, s := range bench.Environment() {
		if s.Key == "load-before" && i < len(c.Environment) {
			c.Environment = append(c.Environment, Setting{"load-after", s.Value})
		}
	}
	return c, nil
}

// idling tells what CPUs do while they have no work.
func idling(kept bool) Setting {
	return Setting{"idle-cpus", map[bool]string{true: "poll", false: "sleep"}[kept]}
}

// entry measures one backend with one store.
func (o *Options) entry(ctx context.Context, backend, store string) (_ *Entry, err error) {
	// The server's collector is in its requests' times; this process' would be in
	// the client's.
	defer uncollected()()
	e := &Entry{Backend: backend, Store: store}
	suite, err := e.suite()
	if err != nil {
		return nil, err
	}
	e.Suite = suite.ID().String()
	m, err := newMachine(o.Pulse)
	if err != nil {
		return nil, err
	}
	defer func() { m.end() }()
	begun := time.Now()
	if err := e.crypto(ctx, m, suite, o.Samples); err != nil {
		return nil, fmt.Errorf("cryptography: %w", err)
	}
	for _, batching := range []bool{false, true} {
		if err := o.requests(ctx, e, m, suite, batching); err != nil {
			return nil, fmt.Errorf("requests: %w", err)
		}
	}
	// So far costs are those of a core that nobody shares.
	beats, err := m.of(m.server, begun, time.Now())
	if err != nil {
		return nil, err
	}
	return e.each(e.Scale.meanOf(beats), e.scale(false).meanOf(beats), e.scale(true).meanOf(beats)), nil
}

// suite is what the entry is measured with.
func (e *Entry) suite() (*protocol.Suite, error) {
	b, err := all.Get(e.Backend)
	if err != nil {
		return nil, err
	}
	return protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: b.Info().Curve}, b)
}

// The logins under way at a time when requests are measured.
const (
	many   = 16  // enough to keep one core busy
	midway = 64  // where requests cost nearly as much as in a flood
	flood  = 256 // as many as a service has that bears no more

	turns = 3 // the costs of mixed requests are the mean of so many
)

// underWay are the numbers for which mixed requests are measured: alone, those of fewer
// that there are users for, and flood.
func (o *Options) underWay() []int {
	list := []int{1}
	for _, k := range []int{many, midway} {
		if k < o.Users {
			list = append(list, k)
		}
	}
	return append(list, flood)
}

// mixedRounds is how often everybody logs in in a turn while k are under way.
func (o *Options) mixedRounds(k int, batching bool) int {
	n := o.Rounds
	if batching { // which takes less time
		n *= 2
	}
	switch k {
	case 1:
		return max(1, o.Rounds/6)
	case flood:
		return n
	}
	return max(1, n/3)
}

// requests measures the requests of one mode.
func (o *Options) requests(ctx context.Context, e *Entry, m *machine, suite *protocol.Suite, batching bool) (err error) {
	folder, err := os.MkdirTemp("", "mpin-capacity-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	command := o.Command
	if command == nil {
		command = serve
	}
	d, err := deploy.Start(ctx, deploy.Config{
		Suite: e.Suite, Backend: e.Backend, Store: e.Store, Batching: batching, Listen: "127.0.0.1:0", Data: filepath.Join(folder, "data"),
		Rate: -1, LogLevel: "error", Processes: true,
		Command: func(file string) *exec.Cmd {
			cmd := command(file)
			if cmd.Env == nil {
				cmd.Env = os.Environ()
			}
			cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
			return cmd
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	c, err := newCrowd(ctx, d, suite, o.Users)
	if err != nil {
		return err
	}
	defer c.close()
	// Servers and client keep to CPUs of their own, as in the runs of Validate.
	// Redis is another machine's as far as the RPS is concerned.
	var pids, others []int
	for _, n := range d.Nodes() {
		switch pid := n.PID(); {
		case pid <= 0 || n.Role() == deploy.RoleBalancer:
		case n.Role() == deploy.RoleRedis:
			others = append(others, pid)
		default:
			pids = append(pids, pid)
		}
	}
	to := e.requests(batching)
	undo, err := apart(pids, others)
	if err != nil {
		return err
	}
	defer undo()
	c.machine, c.scale = m, e.Scale
	if err := c.permits(ctx, e, to); err != nil {
		return err
	}
	if _, err := c.rounds(ctx, 2, many); err != nil { // warm
		return err
	}
	if to.Shared, err = c.sharing(ctx, o.mixedRounds(flood, batching)); err != nil {
		return err
	}
	if to.Shared > 0 {
		to.Mean, c.scale.Shared = 1, to.Shared
	}
	sparse, err := c.sparse(ctx, max(1, o.Rounds/8))
	if err != nil {
		return err
	}
	dozing, err := c.dozing(ctx, max(1, o.Rounds/4))
	if err != nil {
		return err
	}
	phased, err := c.rounds(ctx, max(2, o.Rounds/2), many)
	if err != nil {
		return err
	}
	// In turns, so that what they are compared by is measured at the same time.
	underWay := o.underWay()
	taken := make([][]level, len(underWay))
	var seen looks
	for range turns {
		for i, k := range underWay {
			had, unknown := deploy.Threads(c.rps)
			level, err := c.mixed(ctx, o.mixedRounds(k, batching), k)
			if err != nil {
				return err
			}
			if has, err := deploy.Threads(c.rps); k == 1 && err == nil && unknown == nil {
				seen.add(had, has, level.speed)
			}
			taken[i] = append(taken[i], level)
		}
	}
	var levels []level
	for _, list := range taken {
		levels = append(levels, meanLevel(list))
	}
	alone, fewer, crowd := levels[0], levels[1:len(levels)-1], levels[len(levels)-1]
	if crowd.collections > 0 {
		to.Logins, to.Collect = 1/crowd.collections, crowd.collecting/crowd.collections
	}
	if batching {
		// All at once, so that the client does nothing but read answers.
		flooded, err := c.rounds(ctx, max(2, o.Rounds/4), len(c.users))
		if err != nil {
			return err
		}
		e.inBatches(to, phased, flooded, crowd)
	} else {
		e.oneByOne(to, phased, crowd)
	}
	to.Warm = nil
	for i, l := range fewer {
		share := e.beyond(to, batching, l) / e.beyond(to, batching, crowd)
		to.Warm = append(to.Warm, WarmShare{underWay[1+i], max(1.0/mostShare, min(mostShare, share))})
	}
	if len(fewer) > 0 {
		to.Warm = append(to.Warm, WarmShare{flood, 1})
	}
	e.rest(to, batching, alone, seen.look())
	if err := e.single(to, batching, sparse, dozing, phased); err != nil {
		return err
	}
	e.Memory, err = deploy.Memory(c.rps)
	return err
}

// oneByOne tells the costs of requests and of verifying apart. What a login took
// when many had theirs mixed is what counts; it is shared out as what each request
// took by itself. Redeeming is what remains beyond verifying, and not less than
// pass 2, which does less with message and store.
func (e *Entry) oneByOne(to *Requests, phased *[3]phase, mixed level) {
	e.mixing = mixed.cpu / (phased[0].cpu + phased[1].cpu + phased[2].cpu)
	to.Pass1.CPU, to.Pass2.CPU = e.mixing*phased[0].cpu, e.mixing*phased[1].cpu
	to.Verify = 1
	to.Redeem.CPU = e.mixing*phased[2].cpu - e.Verify.mean/1000
	if least := to.Pass2.CPU; to.Redeem.CPU < least { // verifying is faster in the server
		to.Verify = max(0.1, (e.mixing*phased[2].cpu-least)/(e.Verify.mean/1000))
		to.Redeem.CPU = least
	}
}

// inBatches tells them apart by what a login takes on a busy server beyond its share of a
// batch. Of that the passes take what they do by themselves, and redeeming the rest, which
// is not less than pass 2; if it would be, all three take less.
func (e *Entry) inBatches(to *Requests, phased, flooded *[3]phase, mixed level) {
	rest := e.beyond(to, true, mixed)
	p1, p2 := e.mixing*phased[0].cpu, e.mixing*phased[1].cpu
	f := min(1, rest/(p1+2*p2))
	to.Pass1.CPU, to.Pass2.CPU = f*p1, f*p2
	to.Redeem.CPU = rest - f*(p1+p2)
	to.Verify = 1
	to.After = max(0, min(1, flooded[2].after/to.Redeem.CPU))
}

// beyond is the time in µs of a login beyond verifying it.
func (e *Entry) beyond(r *Requests, batching bool, l level) float64 {
	if batching {
		return max(1, l.cpu-e.share(l.batches))
	}
	return max(1, l.cpu-e.verifying(r, false))
}

// share is a login's share in µs of the batches that logins were verified in. It is less
// than that of a batch of their mean size, since a batch's time grows more slowly than its
// size.
func (e *Entry) share(batches []sized) float64 {
	time, logins := 0.0, 0.0
	for _, b := range batches {
		time, logins = time+b.batches*between(goodOnes(e.Batch), b.size), logins+b.batches*b.size
	}
	if logins == 0 {
		return e.Batch[0].Time
	}
	return time / logins
}

// dozes are the times in µs without work after which waking is measured, and bounds
// those between the requests that count for each, the first of them as awake.
var (
	dozes  = [...]float64{900, 2500, 5000, 8500}
	bounds = [...]float64{300, 1500, 3500, 6500}
)

// single takes what single requests are seen to take of a server that is idle: how the
// times that sparse ones hold the CPU lie, and what they take beyond the work of server
// and client, by the time that the server had nothing to do. Where it just had another
// that is Delay, and waking is what comes on top.
func (e *Entry) single(to *Requests, batching bool, sparse, dozing *[3][]request, phased *[3]phase) error {
	for i, r := range []*RequestCost{&to.Pass1, &to.Pass2, &to.Redeem} {
		r.In, r.Out, r.Calls, r.Client = phased[i].in, phased[i].out, phased[i].calls, phased[i].client
		verify := 0.0 // µs
		if i == 2 {
			verify = e.verifying(to, batching)
		}
		var served []time.Duration
		for _, q := range sparse[i] {
			served = append(served, max(time.Microsecond, q.served-us(to.alone(verify)+to.Rest)))
		}
		s, err := Measured(withoutStrays(served))
		if err != nil {
			return err
		}
		r.Service = s.Scale(r.CPU * 1000 / s.mean)
		var beyond [len(dozes) + 1][]time.Duration
		for _, q := range dozing[i] {
			k := 0
			for k < len(bounds) && float64(q.gap.Microseconds()) >= bounds[k] {
				k++
			}
			resting := max(0, us(to.Rest)-q.gap) // of the request before
			beyond[k] = append(beyond[k], max(0, q.took-resting-us(to.alone(to.Warm.at(1)*r.CPU+verify)+r.Client)))
		}
		if r.Delay, err = Measured(withoutStrays(beyond[0])); err != nil {
			return err
		}
		r.Wake = nil
		least := 0.0
		for k, list := range beyond[1:] {
			if d, err := Measured(list); err == nil {
				least = max(least, (d.Quantile(0.5)-r.Delay.Quantile(0.5)).Seconds()*1e6)
			}
			r.Wake = append(r.Wake, WakeCost{dozes[k], least})
		}
	}
	return nil
}

func goodOnes(list []BatchCost) []BatchCost {
	var good []BatchCost
	for _, c := range list {
		if c.Bad == 0 {
			good = append(good, c)
		}
	}
	return good
}

// serve makes a process of this program.
func serve(file string) *exec.Cmd { return exec.Command(self(), "serve", "--config", file) }

func self() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return os.Args[0]
}
