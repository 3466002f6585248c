package capacity

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/deploy"
	"mpinlab/sim/rps"
	"mpinlab/sim/wire"
)

// crowd is registered users who go through one request after the other, all
// together.
type crowd struct {
	suite        *protocol.Suite
	client       *client.Client
	date         protocol.Date
	users        []*member
	rps          int // process
	had          time.Duration
	dta          []int
	pass, redeem *url.URL
	metrics      string
	machine      *machine
	scale        Scale
	bytes        *counted // of the client's requests
}

// counted counts what goes over its connections.
type counted struct{ in, out atomic.Int64 }

type countedConn struct {
	net.Conn
	c *counted
}

func (c *counted) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	n, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{n, c}, nil
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.out.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.c.in.Add(int64(n))
	return n, err
}

type member struct {
	identity *client.Identity
	point    *protocol.Identity
	secret   *protocol.ClientSecret
	permit   *protocol.Permit
	prover   *protocol.Prover
	body     []byte // of the next request
}

const pinDigits = "1234"

// newCrowd registers users over the wire, as any user does.
func newCrowd(ctx context.Context, d *deploy.Deployment, suite *protocol.Suite, n int) (*crowd, error) {
	ready := d.Ready()
	c := &crowd{suite: suite, rps: d.ByRole(deploy.RoleRPS)[0].PID(), metrics: ready.RPSPrivate + "/metrics", bytes: &counted{}}
	for _, node := range d.ByRole(deploy.RoleDTA) {
		c.dta = append(c.dta, node.PID())
	}
	var err error
	if c.date, err = protocol.DateOf(time.Now()); err != nil {
		return nil, err
	}
	if c.pass, err = url.Parse(ready.RPS); err != nil {
		return nil, err
	}
	if c.redeem, err = url.Parse(ready.RPSPrivate); err != nil {
		return nil, err
	}
	if c.client, err = client.Open(ctx, ready.RPA, client.Options{
		Suites: client.SuitesOf(all.Backends()...), Transport: &http.Transport{DialContext: c.bytes.dial, MaxIdleConnsPerHost: 4},
	}); err != nil {
		return nil, err
	}
	pin, err := suite.PIN(pinDigits)
	if err != nil {
		return nil, err
	}
	for i := range n {
		m, err := c.register(ctx, "capacity-"+strconv.Itoa(i)+"@example.com", pin)
		if err != nil {
			c.close()
			return nil, fmt.Errorf("registering: %w", err)
		}
		c.users = append(c.users, m)
	}
	return c, nil
}

func (c *crowd) close() { c.client.Close() }

func (c *crowd) register(ctx context.Context, user string, pin protocol.Factor) (*member, error) {
	id, err := c.client.Register(ctx, client.Registration{UserID: user})
	if err != nil {
		return nil, err
	}
	e, err := c.client.Enrol(ctx, id)
	if err != nil {
		return nil, err
	}
	digits, err := client.NewPIN([]byte(pinDigits))
	if err != nil {
		return nil, err
	}
	defer digits.Wipe()
	if err := e.SetPIN(digits); err != nil {
		return nil, err
	}
	if err := c.client.SetupDone(ctx, id); err != nil {
		return nil, err
	}
	raw, err := wire.RawIdentity(id.MpinID)
	if err != nil {
		return nil, err
	}
	m := &member{identity: id}
	if m.point, err = c.suite.Identity(raw); err != nil {
		return nil, err
	}
	token, err := c.suite.DecodeToken(id.Token)
	if err != nil {
		return nil, err
	}
	m.secret, err = token.Secret(m.point, pin)
	return m, err
}

// permits has every user fetch a permit, one after the other, which measures
// that.
func (c *crowd) permits(ctx context.Context, e *Entry, to *Requests) error {
	pids := append([]int{c.rps}, c.dta...)
	var had []time.Duration
	for _, pid := range pids {
		t, err := deploy.CPU(pid)
		if err != nil {
			return err
		}
		had = append(had, t)
	}
	before, err := c.counters(ctx)
	if err != nil {
		return err
	}
	var latencies []time.Duration
	in, out := c.bytes.in.Load(), c.bytes.out.Load()
	begun := time.Now()
	for _, m := range c.users {
		start := time.Now()
		permit, err := c.client.Permit(ctx, m.identity)
		if err != nil {
			return err
		}
		latencies = append(latencies, time.Since(start))
		// The client's suite is of a backend of its own.
		if m.permit, err = c.suite.DecodePermit(permit.Date(), permit.Bytes()); err != nil {
			return err
		}
		c.date = permit.Date()
	}
	ended := time.Now()
	each := func(i int) (float64, error) {
		has, err := deploy.CPU(pids[i])
		if err != nil {
			return 0, err
		}
		t, err := c.machine.scaled(c.machine.server, c.scale, span{begun, ended, has - had[i]})
		return t.Seconds() * 1e6 / float64(len(c.users)), err
	}
	own, err := each(0)
	if err != nil {
		return err
	}
	issue := 0.0
	for i := 1; i < len(pids); i++ {
		x, err := each(i)
		if err != nil {
			return err
		}
		issue += x
	}
	// Each half of a permit is asked of one D-TA.
	e.Issue = Constant(us(issue / float64(len(c.dta))))
	lat, err := Measured(withoutStrays(latencies))
	if err != nil {
		return err
	}
	counts, err := c.counters(ctx)
	if err != nil {
		return err
	}
	n := float64(len(c.users))
	to.Permit = RequestCost{
		CPU: own, Service: Constant(us(own)), Delay: lat.Plus(-us(own + issue)), Calls: (counts.calls - before.calls) / n, In: float64(c.bytes.in.Load()-in) / n, Out: float64(c.bytes.out.Load()-out) / n,
	}
	return nil
}

// phase is what one request of everybody came to, the mean of the rounds' costs and the
// median of the rest.
type phase struct {
	cpu     float64 // µs a request, of the RPS
	client  float64 // µs a request, of this process
	in, out float64 // bytes a request
	calls   float64 // of the store, a request
	batch   float64 // mean
	after   float64 // µs between answers that come one after the other
}

// level is what whole logins came to.
type level struct {
	cpu   float64 // µs a login, of the RPS
	batch float64 // mean
}

func meanLevel(list []level) (m level) {
	for _, l := range list {
		m.cpu, m.batch = m.cpu+l.cpu/float64(len(list)), m.batch+l.batch/float64(len(list))
	}
	return m
}

// step is a request of a login, and what is made of its answer.
type step struct {
	to   *url.URL
	path string
	next func(m *member, answer []byte) error
}

func (c *crowd) steps() [3]step {
	return [3]step{
		{c.pass, rps.Prefix + "/pass1", c.pass2},
		{c.pass, rps.Prefix + "/pass2", c.redeeming},
		{c.redeem, wire.PrivateAuthenticate, func(m *member, answer []byte) error {
			var a wire.RedeemAnswer
			if err := json.Unmarshal(answer, &a); err != nil || a.UserID != m.identity.UserID {
				return fmt.Errorf("%s was logged in as %q: %w", m.identity.UserID, a.UserID, err)
			}
			return nil
		}},
	}
}

// median is that of a list, which it sorts; 0 of an empty one.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// served is the RPS's time on a CPU; the last one that was to be had where the RPS has
// gone, which its answers tell better.
func (c *crowd) served() time.Duration {
	t, err := deploy.CPU(c.rps)
	if err == nil {
		c.had = t
	}
	return c.had
}

func (c *crowd) prepareAll() error {
	for _, m := range c.users {
		if err := c.prepare(m); err != nil {
			return err
		}
	}
	return nil
}

// rounds has everybody log in so many times, k at a time, everybody with one
// request before anybody with the next. It returns passes 1 and 2 and redeeming.
func (c *crowd) rounds(ctx context.Context, rounds, k int) (*[3]phase, error) {
	var out [3]phase
	pool := &connections{}
	defer pool.close()
	var cpu, client [3][]span
	var batch, after [3][]float64
	n := float64(len(c.users))
	for range rounds {
		if err := c.prepareAll(); err != nil {
			return nil, err
		}
		for i, s := range c.steps() {
			before, err := c.counters(ctx)
			if err != nil {
				return nil, err
			}
			answers := make([][]byte, len(c.users))
			came := make([]time.Time, len(c.users))
			in, outBytes := pool.in.Load(), pool.out.Load()
			var own span
			served, err := worked(c.served, func() (err error) {
				own, err = worked(processTime, func() error {
					return each(ctx, len(c.users), k, func(n int) (err error) {
						answers[n], err = pool.post(ctx, s.to, s.path, c.users[n].body)
						came[n] = time.Now()
						return err
					})
				})
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.path, err)
			}
			now, err := c.counters(ctx)
			if err != nil {
				return nil, err
			}
			cpu[i], client[i] = append(cpu[i], served), append(client[i], own)
			out[i].in, out[i].out = float64(pool.in.Load()-in)/n, float64(pool.out.Load()-outBytes)/n
			out[i].calls = (now.calls - before.calls) / n
			if now.batches > before.batches {
				batch[i] = append(batch[i], (now.batched-before.batched)/(now.batches-before.batches))
			}
			if d := apiece(came); d > 0 {
				after[i] = append(after[i], float64(d)/1000)
			}
			for n, m := range c.users {
				if err := s.next(m, answers[n]); err != nil {
					return nil, err
				}
			}
		}
	}
	for i := range out {
		served, err := c.machine.mean(c.machine.server, c.scale, cpu[i])
		if err != nil {
			return nil, err
		}
		own, err := c.machine.mean(c.machine.client, c.scale, client[i])
		if err != nil {
			return nil, err
		}
		out[i].cpu, out[i].client, out[i].batch, out[i].after = served/n, own/n, median(batch[i]), median(after[i])
	}
	return &out, nil
}

// apiece is the time between two answers of a batch: those after the longest
// silence have been verified together, and come as fast as a server sends them.
func apiece(came []time.Time) time.Duration {
	slices.SortFunc(came, time.Time.Compare)
	from := 0
	for i := 1; i < len(came); i++ {
		if from == 0 || came[i].Sub(came[i-1]) > came[from].Sub(came[from-1]) {
			from = i
		}
	}
	if n := len(came) - 1 - from; n > 0 {
		return came[len(came)-1].Sub(came[from]) / time.Duration(n)
	}
	return 0
}

// mixed has everybody log in so many times, k at a time, each with one request after the
// other.
func (c *crowd) mixed(ctx context.Context, rounds, k int) (l level, err error) {
	pool := &connections{}
	defer pool.close()
	logins := make([]*member, rounds*len(c.users))
	turns := make([]sync.Mutex, len(c.users)) // a user's newer login ends the one under way
	for i := range logins {
		m := *c.users[i%len(c.users)]
		if err := c.prepare(&m); err != nil {
			return l, err
		}
		logins[i] = &m
	}
	before, err := c.counters(ctx)
	if err != nil {
		return l, err
	}
	s, err := worked(c.served, func() error {
		return each(ctx, len(logins), k, func(n int) error {
			turns[n%len(turns)].Lock()
			defer turns[n%len(turns)].Unlock()
			for _, s := range c.steps() {
				answer, err := pool.post(ctx, s.to, s.path, logins[n].body)
				if err == nil {
					err = s.next(logins[n], answer)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", s.path, err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return l, err
	}
	now, err := c.counters(ctx)
	if err != nil {
		return l, err
	}
	took, err := c.machine.scaled(c.machine.server, c.scale, s)
	l.cpu = took.Seconds() * 1e6 / float64(len(logins))
	if now.batches > before.batches {
		l.batch = (now.batched - before.batched) / (now.batches - before.batches)
	}
	return l, err
}

// prepare draws a new x for a user's next login.
func (c *crowd) prepare(m *member) (err error) {
	if m.prover, err = c.suite.NewProver(m.point, m.secret, m.permit, rand.Reader); err != nil {
		return err
	}
	p := m.prover.Pass1()
	q := wire.Pass1Request{MpinID: m.identity.MpinID, U: hex.EncodeToString(p.U), UT: hex.EncodeToString(p.UT), Pass: 1}
	if proof, err := m.prover.ProveBinding(rand.Reader); err == nil {
		q.Proof = hex.EncodeToString(proof)
	}
	m.body, err = json.Marshal(q)
	return err
}

func (c *crowd) pass2(m *member, answer []byte) error {
	var a wire.Pass1Answer
	if err := json.Unmarshal(answer, &a); err != nil {
		return err
	}
	y, err := hex.DecodeString(a.Y)
	if err != nil {
		return err
	}
	v, err := m.prover.Pass2(y)
	if err != nil {
		return err
	}
	m.body, err = json.Marshal(wire.Pass2Request{MpinID: m.identity.MpinID, V: hex.EncodeToString(v), WID: "0", Pass: 2})
	return err
}

func (c *crowd) redeeming(m *member, answer []byte) error {
	var a wire.Pass2Answer
	if err := json.Unmarshal(answer, &a); err != nil {
		return err
	}
	var err error
	m.body, err = json.Marshal(wire.RedeemRequest{AuthOTT: a.AuthOTT})
	return err
}

// counters are the RPS's own; those of batches are 0 where there are none.
type counters struct{ batches, batched, calls float64 }

func (c *crowd) counters(ctx context.Context) (v counters, err error) {
	b, err := page(ctx, c.metrics)
	if err != nil {
		return v, err
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		to := &v.batches
		switch {
		case name == "mpin_batches":
		case name == "mpin_batched_logins":
			to = &v.batched
		case strings.HasPrefix(name, "mpin_store_seconds_count{"):
			to = &v.calls
		default:
			continue
		}
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return v, err
		}
		*to += x
	}
	return v, nil
}

// each does n things, k at a time.
func each(ctx context.Context, n, k int, do func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, k) {
		all.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= n || ctx.Err() != nil {
					return
				}
				if err := do(i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
