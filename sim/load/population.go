package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/wire"
)

// Bounds on what is made ahead.
const (
	maxRegistered = 20_000
	maxPrepared   = 200_000
	defaultReady  = 2000 // users made before the run
)

// population is everybody who may log in. Users are made when they first come.
type population struct {
	seed     uint64
	digits   int
	max      int // failures that block
	suite    *protocol.Suite
	issuer   issuer // nil where users register over the wire
	client   *client.Client
	server   string
	precious bool // precomputed: users keep their protocol values
	users    []atomic.Pointer[user]

	// epoch counts how often the deployment may have forgotten its state.
	epoch atomic.Int64
}

// issuer plays all D-TAs of a deployment that the generator started itself, as
// deploy.Issuer does.
type issuer interface {
	Secret(id *protocol.Identity) (*protocol.ClientSecret, error)
	Permit(id *protocol.Identity, date protocol.Date) (*protocol.Permit, error)
}

// user is one identity. Whoever holds it (see take) may use the fields.
type user struct {
	busy  atomic.Bool
	index int
	// generation counts registrations: the blocked register again.
	generation int
	id         *client.Identity
	number     uint64 // the PIN's
	pin        *client.PIN

	// In mode precomputed.
	point  *protocol.Identity
	secret *protocol.ClientSecret
	token  *protocol.Token
	permit *protocol.Permit
	ready  [2][]*proof // see kindOf

	// lo and hi are how many failures the deployment must and may have counted
	// since the last success; more than one where an answer was lost.
	lo, hi int
	epoch  int64
	retire bool // blocked: to be made anew
}

func newPopulation(s *Scenario, seed uint64, suite *protocol.Suite, c *client.Client, i issuer) *population {
	return &population{
		seed: seed, digits: s.Population.PINDigits, max: s.Deployment.MaxAttempts, suite: suite, issuer: i, client: c, server: c.Server(),
		precious: s.Client.Cost == "precomputed", users: newUsers(s.Population.Users * s.Population.Devices),
	}
}

// newUsers makes room for users.
func newUsers(n int) []atomic.Pointer[user] { return make([]atomic.Pointer[user], n) }

// random is the randomness that belongs to a number, for decisions that a seed
// must bring about again. It makes no secrets of the protocol.
func random(seed uint64, what uint64, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed^what*0x9e3779b97f4a7c15, n))
}

// The uses of random.
const (
	forChoice = 1 + iota
	forUser
	forBehaviour
	forPIN
)

// errNobody: everybody is busy.
var errNobody = errors.New("no user is free")

// take holds the user of an index, or one near who is free.
func (p *population) take(ctx context.Context, index int) (*user, error) {
	for i := range min(len(p.users), 256) {
		k := (index + i) % len(p.users)
		u := p.users[k].Load()
		if u == nil {
			fresh := &user{index: k}
			fresh.busy.Store(true)
			if !p.users[k].CompareAndSwap(nil, fresh) {
				continue
			}
			u = fresh
		} else if !u.busy.CompareAndSwap(false, true) {
			continue
		}
		if u.id == nil || u.retire {
			if err := p.make(ctx, u); err != nil {
				p.give(u)
				return nil, err
			}
		}
		p.remember(u)
		return u, nil
	}
	return nil, errNobody
}

// remember has a user who was taken know what the deployment may have forgotten.
func (p *population) remember(u *user) {
	if e := p.epoch.Load(); u.epoch != e {
		u.epoch, u.lo = e, 0
	}
}

func (p *population) give(u *user) { u.busy.Store(false) }

// make enrols a user, or one who was blocked again.
func (p *population) make(ctx context.Context, u *user) error {
	r := random(p.seed, forPIN, uint64(u.index))
	u.number = r.Uint64N(pow10(p.digits))
	var err error
	if u.pin, err = client.NewPIN(fmt.Appendf(nil, "%0*d", p.digits, u.number)); err != nil {
		return err
	}
	if u.retire {
		u.generation++
	}
	name := fmt.Sprintf("load-%d@example.com", u.index)
	if p.issuer == nil {
		u.id, err = enrol(ctx, p.client, name, u.pin)
	} else {
		err = p.issue(u, name)
	}
	if err != nil {
		u.id = nil
		return err
	}
	u.lo, u.hi, u.retire, u.epoch = 0, 0, false, p.epoch.Load()
	return nil
}

// issue makes a user without asking the deployment.
func (p *population) issue(u *user, name string) error {
	id, err := wire.NewIdentity(name, false, time.Now(), nil)
	if err != nil {
		return err
	}
	suite := p.suite
	point, err := suite.Identity(id.Bytes())
	if err != nil {
		return err
	}
	secret, err := p.issuer.Secret(point)
	if err != nil {
		return err
	}
	pin, err := suite.PINNumber(u.number, p.digits)
	if err != nil {
		return err
	}
	token, err := secret.Token(point, pin)
	if err != nil {
		return err
	}
	u.id = &client.Identity{
		MpinID: id.String(), UserID: name, Server: p.server, Suite: suite.ID().String(), State: client.StateActive, Token: token.Bytes(), Announced: true,
	}
	if p.precious {
		u.point, u.secret, u.token, u.permit, u.ready = point, secret, token, nil, [2][]*proof{}
	}
	return nil
}

// enrol registers a user over the wire, who is active at once.
func enrol(ctx context.Context, c *client.Client, name string, pin *client.PIN) (*client.Identity, error) {
	id, err := c.Register(ctx, client.Registration{UserID: name, DeviceName: "load"})
	if err != nil {
		return nil, err
	}
	e, err := c.Enrol(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := e.SetPIN(pin); err != nil {
		return nil, err
	}
	return id, c.SetupDone(ctx, id)
}

// prepare makes the first n users, on all CPUs.
func (p *population) prepare(ctx context.Context, n int, progress func(done, total int)) error {
	var next, made atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= n || ctx.Err() != nil {
					return
				}
				u, err := p.take(ctx, i)
				if err != nil {
					cancel(fmt.Errorf("preparing user %d: %w", i, err))
					return
				}
				p.give(u)
				if done := made.Add(1); progress != nil && done%64 == 0 {
					progress(int(done), n)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func pow10(n int) uint64 {
	v := uint64(1)
	for range n {
		v *= 10
	}
	return v
}

// wrongPIN is a PIN of the same length that is not the user's.
func (p *population) wrongPIN(u *user, n uint64) uint64 {
	r := random(p.seed, forBehaviour, n^0xffff)
	return (u.number + 1 + r.Uint64N(pow10(p.digits)-1)) % pow10(p.digits)
}
