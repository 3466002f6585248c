package deploy

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/backends/all"
	"mpinlab/sim/client"
)

// Measurement says what MeasureLogins is to do.
type Measurement struct {
	// Config is the deployment's; Data must be an empty or fitting folder.
	Config Config
	// Users register first, 16 where 0; each then logs in in turn with the
	// permit it has.
	Users int
	// Logins are measured, 1000 where 0, after a tenth of them that are not, and
	// Concurrency is how many clients log in at a time, 1 where 0.
	Logins, Concurrency int
	// ClientBackend is the clients' backend, "" the first of the suite's curve.
	ClientBackend string
	// WebSocket sends pass 1 and pass 2 over a WebSocket.
	WebSocket bool
	// PermitAtHand has clients use the day's permit that they have, instead of
	// asking the RPS for its half at every login, as deployed clients do and by
	// which users are revoked. A login is then pass 1, pass 2 and authenticate.
	PermitAtHand bool
}

// Measured is what came out.
type Measured struct {
	// Phases are the latencies of what a client waited for, in the order in
	// which they first came: "register", "pass1", "authenticate" and so on (see
	// client.Step), and "login" for the whole. Those of the registrations
	// before, too.
	Phases []Phase
	// Logins succeeded in Elapsed on Concurrency connections.
	Logins  int
	Elapsed time.Duration
	// ServerCPU is the user and kernel time of the server process, all roles
	// together, and ClientCPU that of this one, during Elapsed.
	ServerCPU, ClientCPU time.Duration
	// Memory is the server's resident memory in bytes at the end.
	Memory int64
	// CPUs is GOMAXPROCS, for servers and clients alike.
	CPUs int
}

// Phase is the latencies of one step, ascending.
type Phase struct {
	Name      string
	Latencies []time.Duration
}

// Quantile returns the latency that a share q of the steps did not exceed.
func (p *Phase) Quantile(q float64) time.Duration {
	if len(p.Latencies) == 0 {
		return 0
	}
	i := int(q * float64(len(p.Latencies)))
	return p.Latencies[min(i, len(p.Latencies)-1)]
}

// CPUPerLogin is the servers' time on a CPU for one login: pass 1, pass 2 and
// the relying party's authenticate with its call to the RPS, and without
// PermitAtHand the RPS's half of the permit with its question to the relying
// party. Nothing else ran.
func (m *Measured) CPUPerLogin() time.Duration {
	if m.Logins == 0 {
		return 0
	}
	return m.ServerCPU / time.Duration(m.Logins)
}

// MeasureLogins starts a deployment in one process of its own, registers users
// and has them log in over HTTP on this machine, and returns what they waited
// for and what the servers' process spent. Every login must succeed. It needs
// Linux for the time on CPUs.
//
// The share of cryptography in a login follows from it with the cost of
// ServerVerifyCached on the same machine (package bench): that is the only
// pairing work of a login whose identity the RPS knows.
func MeasureLogins(ctx context.Context, m Measurement) (_ *Measured, err error) {
	if m.Users <= 0 {
		m.Users = 16
	}
	if m.Logins <= 0 {
		m.Logins = 1000
	}
	if m.Concurrency <= 0 {
		m.Concurrency = 1
	}
	// Each client has as many users of its own: proofs of one take turns.
	m.Users = (m.Users + m.Concurrency - 1) / m.Concurrency * m.Concurrency
	if m.Config.LogLevel == "" {
		m.Config.LogLevel = "warn"
	}
	w, err := StartWhole(ctx, m.Config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()

	r := &recorder{latencies: map[string][]time.Duration{}}
	suites := client.SuitesOf(all.Backends()...)
	if m.ClientBackend != "" {
		b, err := all.Get(m.ClientBackend)
		if err != nil {
			return nil, err
		}
		suites = client.SuitesOf(b)
	}
	c, err := client.Open(ctx, w.Addresses().RPA, client.Options{Suites: suites, WebSocket: m.WebSocket, Trace: r.trace})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	pin, err := client.NewPIN([]byte("1234"))
	if err != nil {
		return nil, err
	}
	users := make([]login, m.Users)
	r.on.Store(true)
	for i := range users {
		id, err := register(ctx, c, "measured-"+strconv.Itoa(i)+"@example.com")
		if err != nil {
			return nil, err
		}
		users[i] = func(ctx context.Context) error {
			_, err := c.Login(ctx, id, pin, client.LoginOptions{})
			return err
		}
		if m.PermitAtHand {
			if users[i], err = newBare(ctx, c, id, r); err != nil {
				return nil, err
			}
		}
	}
	// Warm: connections, permits, caches.
	r.on.Store(false)
	if err := m.logins(ctx, users, max(m.Users, m.Logins/10), nil); err != nil {
		return nil, err
	}
	server, err := CPU(w.PID())
	if err != nil {
		return nil, err
	}
	own, start := ownCPU(), time.Now()
	r.on.Store(true)
	if err := m.logins(ctx, users, m.Logins, r); err != nil {
		return nil, err
	}
	out := &Measured{Logins: m.Logins, Elapsed: time.Since(start), ClientCPU: ownCPU() - own, CPUs: runtime.GOMAXPROCS(0)}
	after, err := CPU(w.PID())
	if err != nil {
		return nil, err
	}
	out.ServerCPU = after - server
	if out.Memory, err = Memory(w.PID()); err != nil {
		return nil, err
	}
	out.Phases = r.phases()
	return out, nil
}

// register registers a user who is active at once, with PIN 1234.
func register(ctx context.Context, c *client.Client, user string) (*client.Identity, error) {
	id, err := c.Register(ctx, client.Registration{UserID: user})
	if err != nil {
		return nil, fmt.Errorf("registering: %w", err)
	}
	e, err := c.Enrol(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("fetching the secret: %w", err)
	}
	pin, err := client.NewPIN([]byte("1234"))
	if err != nil {
		return nil, err
	}
	defer pin.Wipe()
	if err := e.SetPIN(pin); err != nil {
		return nil, err
	}
	return id, c.SetupDone(ctx, id)
}

// login logs a user in.
type login func(context.Context) error

// logins has n logins made by all users in turn.
func (m *Measurement) logins(ctx context.Context, users []login, n int, r *recorder) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for k := range m.Concurrency {
		all.Go(func() {
			// Each client has users of its own.
			for i := k; next.Add(1) <= int64(n) && ctx.Err() == nil; i += m.Concurrency {
				start := time.Now()
				if err := users[i%len(users)](ctx); err != nil {
					cancel(fmt.Errorf("a login that had to succeed: %w", err))
					return
				}
				if r != nil {
					r.add("login", time.Since(start))
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// recorder gathers latencies by step.
type recorder struct {
	on        atomic.Bool
	mu        sync.Mutex
	order     []string
	latencies map[string][]time.Duration
}

func (r *recorder) trace(e client.Event) {
	if r.on.Load() && e.Err == nil {
		r.add(string(e.Step), e.Duration)
	}
}

func (r *recorder) add(name string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.latencies[name] == nil {
		r.order = append(r.order, name)
	}
	r.latencies[name] = append(r.latencies[name], d)
}

func (r *recorder) phases() []Phase {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Phase, len(r.order))
	for i, name := range r.order {
		list[i] = Phase{name, slices.Clone(r.latencies[name])}
		slices.Sort(list[i].Latencies)
	}
	return list
}
