package capacity

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	suite   *protocol.Suite
	client  *client.Client
	date    protocol.Date
	users   []*member
	rps     int // process
	had     time.Duration
	dta     []int
	ready   deploy.Ready
	metrics string
	machine *machine
	scale   Scale
	in, out atomic.Int64 // bytes of the client's requests
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
	c := &crowd{suite: suite, rps: d.ByRole(deploy.RoleRPS)[0].PID(), ready: ready, metrics: ready.RPSPrivate + "/metrics"}
	for _, node := range d.ByRole(deploy.RoleDTA) {
		c.dta = append(c.dta, node.PID())
	}
	var err error
	if c.date, err = protocol.DateOf(time.Now()); err != nil {
		return nil, err
	}
	if c.client, err = client.Open(ctx, ready.RPA, client.Options{
		Suites: client.SuitesOf(all.Backends()...), Transport: &http.Transport{DialContext: (&counted{in: &c.in, out: &c.out}).dial, MaxIdleConnsPerHost: 4},
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

// step is a request of a login, and what is made of its answer.
type step struct {
	redeems bool // at the private listener
	path    string
	next    func(m *member, answer []byte) error
}

func (c *crowd) steps() [3]step {
	return [3]step{
		{false, rps.Prefix + "/pass1", c.pass2},
		{false, rps.Prefix + "/pass2", c.redeeming},
		{true, wire.PrivateAuthenticate, func(m *member, answer []byte) error {
			var a wire.RedeemAnswer
			if err := json.Unmarshal(answer, &a); err != nil || a.UserID != m.identity.UserID {
				return fmt.Errorf("%s was logged in as %q: %w", m.identity.UserID, a.UserID, err)
			}
			return nil
		}},
	}
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
type counters struct {
	calls, collections, collecting float64
	sizes                          map[float64]float64 // batches of at most so many logins
}

func (c *crowd) counters(ctx context.Context) (v counters, err error) {
	b, err := page(ctx, c.metrics)
	if err != nil {
		return v, err
	}
	v.sizes = map[float64]float64{}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		most, batches := strings.CutPrefix(name, `mpin_batch_size_bucket{le="`)
		var to *float64
		switch {
		case batches:
		case name == "go_gc_cycles_total_gc_cycles_total":
			to = &v.collections
		case name == "go_cpu_classes_gc_total_cpu_seconds_total":
			to = &v.collecting
		case strings.HasPrefix(name, "mpin_store_seconds_count{"):
			to = &v.calls
		default:
			continue
		}
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return v, err
		}
		if !batches {
			*to += x
			continue
		}
		size, err := strconv.ParseFloat(strings.TrimSuffix(most, `"}`), 64)
		if err != nil {
			return v, err
		}
		v.sizes[size] = x
	}
	return v, nil
}

// batches are the sizes of those since other counters, each by the middle of its bucket.
func (v *counters) batches(before counters) (list []sized) {
	bounds := slices.Sorted(maps.Keys(v.sizes))
	last, below := 0.0, 0.0
	for _, b := range bounds {
		n := v.sizes[b] - before.sizes[b]
		if n > below && !math.IsInf(b, 1) {
			list = append(list, sized{(last + 1 + b) / 2, n - below})
		}
		last, below = b, n
	}
	return list
}

// sized are so many batches of a size.
type sized struct{ size, batches float64 }
