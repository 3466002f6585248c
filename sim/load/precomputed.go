package load

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/load/result"
	"mpinlab/sim/rps"
	"mpinlab/sim/wire"
)

// proof is a login whose first half is made: x, U, U_T and the secret are in the
// prover, and V for any y costs one multiplication. It belongs to one user, and
// serves once.
type proof struct {
	generation int
	prover     *protocol.Prover
	pass1      []byte // the message
	pass2      []byte // the message before V
}

// prepared is the crowd of mode precomputed.
type prepared struct {
	*crowd
	suite    *protocol.Suite
	date     protocol.Date
	pass     *lean // the RPS
	redeemer *lean // its private listener, or the relying party
	path     string
	bound    bool // with proofs of binding, as real clients send them

	// proofs are those of the arrivals that were foreseen.
	proofs          []atomic.Pointer[proof]
	made, unplanned atomic.Int64
	took            time.Duration // to prepare
	buffers         sync.Pool
}

func (t *target) newPrepared(c *crowd, i *issuer) (*prepared, error) {
	date, err := protocol.DateOf(time.Now())
	if err != nil {
		return nil, err
	}
	p := &prepared{crowd: c, suite: i.suite, date: date, bound: i.suite.ID().Dialect == protocol.RFC9380}
	p.buffers.New = func() any { b := make([]byte, 0, 2048); return &b }
	if p.pass, err = t.newLean(t.rps); err != nil {
		return nil, err
	}
	base := t.rpsPrivate
	p.path = wire.PrivateAuthenticate
	if c.scenario.Client.Redeem == "rpa" {
		base, p.path = t.rpa, "/mpinAuthenticate"
	}
	p.redeemer, err = t.newLean(base)
	return p, err
}

func (p *prepared) close() { p.pass.close(); p.redeemer.close() }

// intend goes through the users in turn, so that nobody is asked for twice at a
// time unless everybody is under way.
func (p *prepared) intend(a arrival) intent {
	i := p.crowd.intend(a)
	i.index = int(a.n % uint64(len(p.people.users)))
	return i
}

// prepare makes the first halves of the first n arrivals, on all CPUs.
func (p *prepared) prepare(ctx context.Context, list []arrival, progress func(done, total int)) error {
	start := time.Now()
	p.proofs = make([]atomic.Pointer[proof], len(list))
	var next, made atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				k := int(next.Add(1) - 1)
				if k >= len(list) || ctx.Err() != nil {
					return
				}
				i := p.intend(list[k])
				// Users are made before; here nobody holds one for long.
				u := p.people.users[i.index].Load()
				if u == nil {
					cancel(fmt.Errorf("preparing: no user %d", i.index))
					return
				}
				made1, err := p.prove(u, i, list[k].n)
				if err != nil {
					cancel(fmt.Errorf("preparing: %w", err))
					return
				}
				p.proofs[k].Store(made1)
				if done := made.Add(1); progress != nil && done%256 == 0 {
					progress(int(done), len(list))
				}
			}
		})
	}
	all.Wait()
	p.made.Store(made.Load())
	p.took = time.Since(start)
	return context.Cause(ctx)
}

// permits gives a user the permit of the day.
func (p *prepared) permits(ctx context.Context, n int) error {
	for k := range n {
		u := p.people.users[k].Load()
		if u == nil || u.permit != nil {
			continue
		}
		var err error
		if u.permit, err = p.people.issuer.permit(u.point, p.date); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// prove makes the first half of a login.
func (p *prepared) prove(u *user, i intent, n uint64) (*proof, error) {
	secret := u.secret
	if i.wrong {
		pin, err := p.suite.PINNumber(p.people.wrongPIN(u, n), p.people.digits)
		if err != nil {
			return nil, err
		}
		if secret, err = u.token.Secret(u.point, pin); err != nil {
			return nil, err
		}
	}
	permit := u.permit
	if permit == nil {
		var err error
		if permit, err = p.people.issuer.permit(u.point, p.date); err != nil {
			return nil, err
		}
	}
	prover, err := p.suite.NewProver(u.point, secret, permit, nil)
	if err != nil {
		return nil, err
	}
	m := prover.Pass1()
	b := fmt.Appendf(nil, `{"mpin_id":"%s","UT":"%x","U":"%x","pass":1`, u.id.MpinID, m.UT, m.U)
	if p.bound {
		binding, err := prover.ProveBinding(nil)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, `,"proof":"%x"`, binding)
	}
	return &proof{
		generation: u.generation, prover: prover, pass1: append(b, '}'),
		pass2: fmt.Appendf(nil, `{"mpin_id":"%s","OTP":0,"WID":"0","pass":2,"V":"`, u.id.MpinID),
	}, nil
}

// do is one login of mode precomputed.
func (p *prepared) do(ctx context.Context, a arrival) done {
	i := p.intend(a)
	d := done{op: opLogin}
	u, err := p.people.take(ctx, i.index)
	if errors.Is(err, errNobody) {
		d.class, d.nobody = result.Dropped, true
		return d
	}
	if err != nil {
		d.class = p.verdicts.failure(err)
		return d
	}
	defer p.people.give(u)
	var half *proof
	if a.n < uint64(len(p.proofs)) {
		half = p.proofs[a.n].Swap(nil)
	}
	if half == nil || u.index != i.index || half.generation != u.generation {
		p.unplanned.Add(1)
		if half, err = p.prove(u, i, a.n); err != nil {
			d.class = result.Failed
			return d
		}
	}
	buffer := p.buffers.Get().(*[]byte)
	defer func() { p.buffers.Put(buffer) }()
	d.class = p.login(ctx, u, i, half, &d.phases, buffer)
	return d
}

// login speaks the rest of a login.
func (p *prepared) login(ctx context.Context, u *user, i intent, half *proof, took *phases, buffer *[]byte) string {
	timeout := p.scenario.Client.Timeout.D()
	none := func(class string) string {
		return p.people.judge(p.verdicts, u, !i.wrong, saidNothing, class)
	}
	send := func(l *lean, phase int, path string, body []byte) (int, []byte, string) {
		start := time.Now()
		status, answer, err := l.post(ctx, path, body, (*buffer)[:0], timeout)
		took[phase] = time.Since(start)
		if err != nil {
			class := result.Unreachable
			if errors.Is(leanFailure(err), errTimeout) {
				class = result.Timeout
			}
			p.verdicts.fail(class, path+": "+err.Error())
			return 0, nil, class
		}
		*buffer = answer
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			p.verdicts.fail(result.Busy, fmt.Sprintf("%s: status %d", path, status))
			return status, answer, result.Busy
		}
		if status >= 500 {
			p.verdicts.fail(result.Failed, fmt.Sprintf("%s: status %d", path, status))
		}
		return status, answer, ""
	}
	status, answer, class := send(p.pass, inPass1, rps.Prefix+"/pass1", half.pass1)
	if class != "" || status != http.StatusOK {
		return p.unanswered(u, i, status, class)
	}
	if i.abandon {
		return result.Abandoned // before he entered the PIN
	}
	y, ok := member(answer, "y", 128)
	if !ok {
		return result.Failed
	}
	challenge, err := hex.AppendDecode(make([]byte, 0, 64), y)
	if err != nil {
		return result.Failed
	}
	v, err := half.prover.Pass2(challenge)
	if err != nil {
		return result.Failed
	}
	body := hex.AppendEncode(half.pass2, v)
	body = append(body, '"', '}')
	status, answer, class = send(p.pass, inPass2, rps.Prefix+"/pass2", body)
	if class != "" || status != http.StatusOK {
		return p.unanswered(u, i, status, class)
	}
	ott, ok := member(answer, "authOTT", 64)
	if !ok {
		return result.Failed
	}
	if p.scenario.Client.Redeem == "rpa" {
		body = append(append(append(body[:0], `{"mpinResponse":{"authOTT":"`...), ott...), `"}}`...)
	} else {
		body = append(append(append(body[:0], `{"authOTT":"`...), ott...), `"}`...)
	}
	status, _, class = send(p.redeemer, inRedeem, p.path, body)
	if class != "" {
		return none(class)
	}
	class, said := p.said(status)
	class = p.people.judge(p.verdicts, u, !i.wrong, said, class)
	if !i.replayed || class != result.Accepted {
		return class
	}
	// The same proof once more: U was used before.
	first := took[inPass1]
	status, _, class = send(p.pass, inPass1, rps.Prefix+"/pass1", half.pass1)
	took[inPass1] = first
	switch {
	case class != "":
		return class
	case status == http.StatusForbidden:
		p.verdicts.checked()
		return result.Replayed
	case status == http.StatusOK && !p.bound:
		return result.Replayed // the milagro dialect answers; V would be another
	}
	p.verdicts.wrong(result.WrongAcceptance, "user %d: a U was accepted twice (status %d)", u.index, status)
	return result.WrongAcceptance
}

// said reads the verdict of a status.
func (p *prepared) said(status int) (string, said) {
	switch status {
	case http.StatusOK:
		return result.Accepted, saidYes
	case http.StatusUnauthorized:
		return result.Refused, saidNo
	case http.StatusGone:
		return result.Blocked, saidBlocked
	}
	return result.Failed, saidNothing
}

// unanswered is the class of a pass that was not answered with 200. Nothing was
// judged, and nothing is counted.
func (p *prepared) unanswered(u *user, i intent, status int, class string) string {
	if class != "" {
		return class
	}
	if status == http.StatusForbidden && !i.wrong {
		p.verdicts.wrong(result.WrongRefusal, "user %d: a pass was refused with %d", u.index, status)
		return result.WrongRefusal
	}
	return result.Failed
}

// member finds a string of hex digits in an answer of ours, without decoding
// the rest.
func member(answer []byte, name string, limit int) ([]byte, bool) {
	_, rest, ok := bytes.Cut(answer, []byte(`"`+name+`":"`))
	if !ok {
		return nil, false
	}
	value, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok || len(value) == 0 || len(value) > limit {
		return nil, false
	}
	// The answer's bytes are overwritten by the next one's.
	return append([]byte(nil), value...), true
}
