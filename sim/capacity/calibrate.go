package capacity

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	// can be told. 0 means 128 and 24.
	Users, Rounds int
	// Samples is how often the cryptography is measured, 0 means 200.
	Samples int
	// Command makes a process of a deployment; see deploy.Config.
	Command func(configFile string) *exec.Cmd
	// Progress is told what is being measured.
	Progress func(done, total int, what string)
	// Said is how the calibration was asked for, for its provenance.
	Said string
}

func (o *Options) fill() error {
	if o.Users <= 0 {
		o.Users = 128
	}
	if o.Rounds <= 0 {
		o.Rounds = 24
	}
	if o.Samples <= 0 {
		o.Samples = 200
	}
	if o.Users > 5000 || o.Rounds > 10_000 || o.Samples > 100_000 {
		return fmt.Errorf("%w: at most 5000 users, 10000 rounds and 100000 samples", ErrCalibration)
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
// running on the machine, for the figures to be worth something.
func Calibrate(ctx context.Context, o Options) (*Calibration, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	c := &Calibration{Format: Format, Command: o.Said, Created: time.Now().UTC().Truncate(time.Second)}
	for _, s := range bench.Environment() {
		c.Environment = append(c.Environment, Setting{s.Key, s.Value})
	}
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
	for i, s := range bench.Environment() {
		if s.Key == "load-before" && i < len(c.Environment) {
			c.Environment = append(c.Environment, Setting{"load-after", s.Value})
		}
	}
	return c, nil
}

// entry measures one backend with one store.
func (o *Options) entry(ctx context.Context, backend, store string) (*Entry, error) {
	b, err := all.Get(backend)
	if err != nil {
		return nil, err
	}
	id := protocol.SuiteID{Dialect: protocol.RFC9380, Curve: b.Info().Curve}
	suite, err := protocol.New(id, b)
	if err != nil {
		return nil, err
	}
	e := &Entry{Suite: id.String(), Backend: backend, Store: store}
	if err := e.crypto(ctx, suite, o.Samples); err != nil {
		return nil, fmt.Errorf("cryptography: %w", err)
	}
	for _, batching := range []bool{false, true} {
		if err := o.requests(ctx, e, suite, batching); err != nil {
			return nil, fmt.Errorf("requests: %w", err)
		}
	}
	return e, nil
}

// The levels of load at which requests are measured.
const (
	alone = 1
	many  = 16  // enough to keep one core busy
	flood = 128 // of redeeming in batches
)

// requests measures the requests of one mode.
func (o *Options) requests(ctx context.Context, e *Entry, suite *protocol.Suite, batching bool) (err error) {
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
	old := runtime.GOMAXPROCS(1) // the other core is the server's
	defer runtime.GOMAXPROCS(old)

	to := &e.Single
	if batching {
		to = &e.Batching
	}
	if err := c.permits(ctx, e, to); err != nil {
		return err
	}
	if _, err := c.rounds(ctx, 2, many); err != nil { // warm
		return err
	}
	quiet, err := c.rounds(ctx, max(2, o.Rounds/4), alone)
	if err != nil {
		return err
	}
	busy, err := c.rounds(ctx, o.Rounds, many)
	if err != nil {
		return err
	}
	verify := e.Verify.mean / 1000 // µs a login
	if batching {
		flooded, err := c.rounds(ctx, max(2, o.Rounds/2), flood)
		if err != nil {
			return err
		}
		busy[2] = flooded[2]
		verify = along(goodOnes(e.Batch), max(1, int(flooded[2].batch+0.5))) / max(1, flooded[2].batch)
		// A batch of one is made from bytes.
		quiet[2].cpu -= e.Batch[0].Time
	} else {
		quiet[2].cpu -= verify
	}
	busy[2].cpu = max(1, busy[2].cpu-verify)
	for i, r := range []*RequestCost{&to.Pass1, &to.Pass2, &to.Redeem} {
		r.CPU, r.Wake = busy[i].cpu, max(0, quiet[i].cpu-busy[i].cpu)
		r.In, r.Out = quiet[i].in, quiet[i].out
		served := quiet[i].cpu
		if i == 2 {
			served += e.Verify.mean / 1000
			if batching {
				served += e.Batch[0].Time - e.Verify.mean/1000
			}
		}
		lat, err := Measured(quiet[i].latencies)
		if err != nil {
			return err
		}
		r.Delay = lat.Plus(-us(served))
	}
	e.Memory, err = deploy.Memory(c.rps)
	return err
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
func serve(file string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.Command(self, "serve", "--config", file)
}
