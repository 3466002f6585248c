package capacity

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
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
	dta          []int
	pass, redeem *url.URL
	metrics      string
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
	var before []time.Duration
	pids := append([]int{c.rps}, c.dta...)
	for _, pid := range pids {
		t, err := deploy.CPU(pid)
		if err != nil {
			return err
		}
		before = append(before, t)
	}
	var latencies []time.Duration
	in, out := c.bytes.in.Load(), c.bytes.out.Load()
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
	each := func(i int) (float64, error) {
		t, err := deploy.CPU(pids[i])
		return (t - before[i]).Seconds() * 1e6 / float64(len(c.users)), err
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
	n := float64(len(c.users))
	to.Permit = RequestCost{
		CPU: own, Delay: lat.Plus(-us(own + issue)), In: float64(c.bytes.in.Load()-in) / n, Out: float64(c.bytes.out.Load()-out) / n,
	}
	return nil
}

// phase is what one request of everybody came to.
type phase struct {
	latencies []time.Duration
	cpu       float64 // µs a request, of the RPS
	in, out   float64 // bytes a request
	batch     float64 // mean
}

// rounds has everybody log in so many times, k at a time, everybody with one
// request before anybody with the next. It returns passes 1 and 2 and redeeming.
func (c *crowd) rounds(ctx context.Context, rounds, k int) (*[3]phase, error) {
	var out [3]phase
	pool := &connections{}
	defer pool.close()
	steps := []struct {
		to   *url.URL
		path string
		next func(m *member, answer []byte) error
	}{
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
	for range rounds {
		for _, m := range c.users {
			if err := c.prepare(m); err != nil {
				return nil, err
			}
		}
		for i, s := range steps {
			batches, batched, err := c.batches(ctx)
			if err != nil {
				return nil, err
			}
			answers := make([][]byte, len(c.users))
			lat := make([]time.Duration, len(c.users))
			in, outBytes := pool.in.Load(), pool.out.Load()
			before, err := deploy.CPU(c.rps)
			if err != nil {
				return nil, err
			}
			if err := each(ctx, len(c.users), k, func(n int) error {
				start := time.Now()
				answer, err := pool.post(ctx, s.to, s.path, c.users[n].body)
				lat[n], answers[n] = time.Since(start), answer
				return err
			}); err != nil {
				return nil, fmt.Errorf("%s: %w", s.path, err)
			}
			after, err := deploy.CPU(c.rps)
			if err != nil {
				return nil, err
			}
			p := &out[i]
			n := float64(len(c.users) * rounds)
			p.cpu += (after - before).Seconds() * 1e6 / n
			p.in += float64(pool.in.Load()-in) / n
			p.out += float64(pool.out.Load()-outBytes) / n
			p.latencies = append(p.latencies, lat...)
			if b2, l2, err := c.batches(ctx); err != nil {
				return nil, err
			} else if b2 > batches {
				p.batch += (l2 - batched) / (b2 - batches) / float64(rounds)
			}
			for n, m := range c.users {
				if err := s.next(m, answers[n]); err != nil {
					return nil, err
				}
			}
		}
	}
	for i := range out {
		out[i].latencies = withoutStrays(out[i].latencies)
	}
	return &out, nil
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

// batches reads the batching verifier's counters, 0 where there is none.
func (c *crowd) batches(ctx context.Context) (batches, logins float64, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, c.metrics, nil)
	if err != nil {
		return 0, 0, err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "mpin_batches":
			batches, err = strconv.ParseFloat(value, 64)
		case "mpin_batched_logins":
			logins, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return batches, logins, nil
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

// connections post over persistent connections from the caller's goroutine, and
// count bytes. The standard library's client has two goroutines more on every
// connection, whose work would count as the server's delay.
type connections struct {
	mu      sync.Mutex
	free    map[string][]*connection
	in, out atomic.Int64
}

type connection struct {
	net.Conn
	read *bufio.Reader
}

var errAnswer = errors.New("not the answer that had to come")

const answerTime = 30 * time.Second

func (p *connections) post(ctx context.Context, to *url.URL, path string, body []byte) ([]byte, error) {
	c, err := p.get(ctx, to.Host)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	var q bytes.Buffer
	fmt.Fprintf(&q, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, to.Host, len(body))
	q.Write(body)
	p.in.Add(int64(q.Len()))
	if _, err := c.Write(q.Bytes()); err != nil {
		c.Close()
		return nil, err
	}
	answer, err := http.ReadResponse(c.read, nil)
	if err != nil {
		c.Close()
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		c.Close()
		return nil, err
	}
	size := len(b) + len("HTTP/1.1 200 OK\r\n\r\n")
	for name, values := range answer.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	p.out.Add(int64(size))
	p.put(to.Host, c)
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d: %.200s", errAnswer, answer.StatusCode, b)
	}
	return b, nil
}

func (p *connections) get(ctx context.Context, host string) (*connection, error) {
	p.mu.Lock()
	if n := len(p.free[host]); n > 0 {
		c := p.free[host][n-1]
		p.free[host] = p.free[host][:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &connection{c, bufio.NewReader(c)}, nil
}

func (p *connections) put(host string, c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == nil {
		p.free = map[string][]*connection{}
	}
	p.free[host] = append(p.free[host], c)
}

func (p *connections) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.free {
		for _, c := range list {
			c.Close()
		}
	}
}
