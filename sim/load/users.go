package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/load/result"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// The operations.
const (
	opLogin        = "login"
	opAccessNumber = "access-number"
	opRegister     = "register"
	opPermit       = "permit"
	opSign         = "sign"
)

// errTimeout: an operation took longer than anybody waits.
var errTimeout = errors.New("no answer in time")

// isTimeout tells a client's time-out from its other failures to reach a server:
// it says so in words only.
func isTimeout(err error) bool { return strings.Contains(err.Error(), "no answer in time") }

// intent is what a virtual user is about to do: a function of seed, stage and
// number.
type intent struct {
	op                       string
	index                    int
	wrong, abandon, replayed bool
}

// crowd is all virtual users of a run.
type crowd struct {
	scenario *Scenario
	seed     uint64
	people   *population
	sessions *sessions
	verdicts *verdicts
	private  *service.Caller // with client.redeem rps
	rps      string          // private base URL
	verifier *protocol.Verifier
	patience time.Duration // for a whole operation
}

// intend decides what arrival n of a stage is.
func (c *crowd) intend(a arrival) intent {
	m, b := &c.scenario.Mix, &c.scenario.Behaviour
	r := random(c.seed, forChoice, a.n)
	i := intent{index: int(r.Uint64N(uint64(len(c.people.users))))}
	at := r.Float64() * (m.Login + m.AccessNumber + m.Register + m.Permit + m.Sign)
	for _, o := range []struct {
		op     string
		weight float64
	}{{opAccessNumber, m.AccessNumber}, {opRegister, m.Register}, {opPermit, m.Permit}, {opSign, m.Sign}} {
		if at < o.weight {
			i.op = o.op
			return i
		}
		at -= o.weight
	}
	i.op = opLogin
	wrong := b.WrongPINs
	if a.stage < len(c.scenario.Stages) && c.scenario.Stages[a.stage].WrongPINs != nil {
		wrong = *c.scenario.Stages[a.stage].WrongPINs
	}
	switch x := r.Float64(); {
	case x < float64(wrong):
		i.wrong = true
	case x < float64(wrong+b.Abandoned):
		i.abandon = true
	case x < float64(wrong+b.Abandoned+b.Replays):
		i.replayed = true
	}
	return i
}

// do is one operation of mode real.
func (c *crowd) do(ctx context.Context, a arrival) done {
	i := c.intend(a)
	ctx, cancel := timedOut(ctx, c.patience)
	defer cancel()
	s, err := c.sessions.get(ctx)
	if err != nil {
		return done{op: i.op, class: c.verdicts.failure(err)}
	}
	defer c.sessions.put(s)
	if i.op == opRegister { // somebody who is new
		class := c.register(ctx, s, a.n)
		return done{op: i.op, class: class, phases: s.take()}
	}
	u, err := c.people.take(ctx, i.index)
	if errors.Is(err, errNobody) {
		return done{op: i.op, class: result.Dropped, nobody: true}
	}
	if err != nil {
		return done{op: i.op, class: c.verdicts.failure(err)}
	}
	defer c.people.give(u)
	s.take() // enrolling is no part of the operation
	d := done{op: i.op}
	switch i.op {
	case opLogin:
		d.class = c.login(ctx, s, u, i, a.n)
	case opAccessNumber:
		d.class = c.accessNumber(ctx, s, u)
	case opPermit:
		d.class = c.permit(ctx, s, u)
	case opSign:
		d.class, d.phases[inSign] = c.sign(s, u, a.n)
	}
	for k, took := range s.take() {
		d.phases[k] += took
	}
	return d
}

// login is a whole login, or as much of it as is intended.
func (c *crowd) login(ctx context.Context, s *session, u *user, i intent, n uint64) string {
	pin := u.pin
	if i.wrong {
		var err error
		if pin, err = client.NewPIN(fmt.Appendf(nil, "%0*d", c.people.digits, c.people.wrongPIN(u, n))); err != nil {
			return result.Failed
		}
	}
	if !i.abandon && !i.replayed && c.private == nil {
		_, err := s.Login(ctx, u.id, pin, client.LoginOptions{})
		return c.verdict(u, !i.wrong, err)
	}
	proof, err := s.Prove(ctx, u.id, pin, client.ProveOptions{})
	if err != nil {
		return c.verdict(u, !i.wrong, err)
	}
	if i.abandon {
		// Nothing was judged, and so nothing is counted.
		return result.Abandoned
	}
	class := c.verdict(u, !i.wrong, c.redeem(ctx, s, proof.AuthOTT))
	if !i.replayed || class != result.Accepted {
		return class
	}
	switch err := c.redeem(ctx, s, proof.AuthOTT); {
	case err == nil:
		c.verdicts.wrong(result.WrongAcceptance, "user %d: an authOTT was accepted twice", u.index)
		return result.WrongAcceptance
	case errors.Is(err, client.ErrExpired):
		c.verdicts.checked()
		return result.Replayed
	default:
		return c.verdicts.failure(err)
	}
}

// verdict is the class of what a login came to.
func (c *crowd) verdict(u *user, right bool, err error) string {
	s, class := c.verdicts.classify(err)
	if right && (errors.Is(err, client.ErrRevoked) || errors.Is(err, client.ErrRefused)) {
		c.verdicts.wrong(result.WrongRefusal, "user %d: %v", u.index, err)
		return result.WrongRefusal
	}
	return c.people.judge(c.verdicts, u, right, s, class)
}

// redeem shows the proof to the relying party, or plays it.
func (c *crowd) redeem(ctx context.Context, s *session, ott string) error {
	if c.private == nil {
		_, err := s.Redeem(ctx, ott)
		return err
	}
	start := time.Now()
	defer func() {
		s.mu.Lock()
		s.parts[inRedeem] += time.Since(start)
		s.mu.Unlock()
	}()
	var answer wire.RedeemAnswer
	err := c.private.Post(ctx, c.rps+wire.PrivateAuthenticate, wire.RedeemRequest{AuthOTT: ott}, &answer)
	var status *service.StatusError
	if errors.As(err, &status) {
		switch status.Status {
		case http.StatusUnauthorized:
			return client.ErrWrongPIN
		case http.StatusGone:
			return client.ErrBlocked
		case http.StatusRequestTimeout:
			return client.ErrExpired
		case http.StatusServiceUnavailable:
			return client.ErrBusy
		}
		return client.ErrServer
	}
	if err != nil {
		return fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	return nil
}

// accessNumber logs a browser in with a number and a phone.
func (c *crowd) accessNumber(ctx context.Context, phone *session, u *user) string {
	browser, err := c.sessions.get(ctx)
	if err != nil {
		return c.verdicts.failure(err)
	}
	defer c.sessions.put(browser)
	code, err := browser.AccessNumber(ctx)
	if err != nil {
		return c.verdicts.failure(err)
	}
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	in := make(chan error, 1)
	go func() {
		session, err := browser.AwaitCode(waiting, code, 100*time.Millisecond, nil)
		if err == nil && session.UserID != u.id.UserID {
			c.verdicts.wrong(result.WrongAcceptance, "user %d: the browser was logged in as somebody else", u.index)
		}
		in <- err
	}()
	_, err = phone.Approve(ctx, u.id, u.pin, code.Number)
	if err != nil {
		stop()
	}
	if browserErr := <-in; err == nil {
		err = browserErr
	}
	if errors.Is(err, client.ErrUnknownCode) {
		return result.Failed
	}
	return c.verdict(u, true, err)
}

// register is a user who is new.
func (c *crowd) register(ctx context.Context, s *session, n uint64) string {
	pin, err := client.NewPIN(fmt.Appendf(nil, "%0*d", c.people.digits, n%pow10(c.people.digits)))
	if err != nil {
		return result.Failed
	}
	if _, err := enrol(ctx, s.Client, fmt.Sprintf("new-%d-%d@example.com", c.seed, n), pin); err != nil {
		return c.verdicts.failure(err)
	}
	return result.Accepted
}

// permit fetches both halves of a permit, as after midnight.
func (c *crowd) permit(ctx context.Context, s *session, u *user) string {
	// An identity that has no permit yet, whatever this one has.
	fresh := &client.Identity{
		MpinID: u.id.MpinID, UserID: u.id.UserID, Server: u.id.Server, Suite: u.id.Suite, State: u.id.State, Token: u.id.Token,
	}
	if _, err := s.Permit(ctx, fresh); err != nil {
		if errors.Is(err, client.ErrRevoked) {
			c.verdicts.wrong(result.WrongRefusal, "user %d: no permit: %v", u.index, err)
			return result.WrongRefusal
		}
		return c.verdicts.failure(err)
	}
	return result.Accepted
}

// sign signs on the client alone, and has the generator verify where it can.
func (c *crowd) sign(s *session, u *user, n uint64) (string, time.Duration) {
	message := fmt.Appendf(nil, "order %d", n)
	start := time.Now()
	signed, err := s.Sign(u.id, u.pin, message)
	took := time.Since(start)
	if err != nil {
		return result.Failed, took
	}
	if c.verifier != nil {
		c.verdicts.checked()
		if err := signed.Verify(c.people.suite, c.verifier, message); err != nil {
			c.verdicts.wrong(result.WrongRefusal, "user %d: a signature that should verify: %v", u.index, err)
			return result.WrongRefusal, took
		}
	}
	return result.Accepted, took
}
