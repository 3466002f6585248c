package load

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/lean"
	"mpinlab/sim/load/result"
	"mpinlab/sim/rps"
	"mpinlab/sim/wire"
)

// proof is a login whose first half is made: x, U, U_T and the secret are in the
// prover, and V for any y costs one multiplication. It belongs to one user, and
// serves once.
type proof struct {
	prover *protocol.Prover
	pass1  []byte // the message after the mpin_id
}

// prepared is the crowd of mode precomputed.
type prepared struct {
	*crowd
	suite    *protocol.Suite
	date     protocol.Date
	pass     *lean.Client // the RPS
	redeemer *lean.Client // its private listener, or the relying party
	path     string
	bound    bool // with proofs of binding, as real clients send them

	made, unplanned atomic.Int64
	took            time.Duration // to prepare
	scratches       sync.Pool
}

// scratch is what the messages of a login are put together in.
type scratch struct {
	body, answer []byte
}

func (t *target) newPrepared(c *crowd) (*prepared, error) {
	date, err := protocol.DateOf(time.Now())
	if err != nil {
		return nil, err
	}
	p := &prepared{crowd: c, suite: c.people.suite, date: date, bound: c.people.suite.ID().Dialect == protocol.RFC9380}
	p.scratches.New = func() any { return &scratch{make([]byte, 0, 2048), make([]byte, 0, 1024)} }
	if p.pass, err = t.lean(t.rps); err != nil {
		return nil, err
	}
	base := t.rpsPrivate
	p.path = wire.PrivateAuthenticate
	if c.scenario.Client.Redeem == "rpa" {
		base, p.path = t.rpa, "/mpinAuthenticate"
	}
	p.redeemer, err = t.lean(base)
	return p, err
}

func (t *target) lean(base string) (*lean.Client, error) { return lean.New(base, t.dial, t.roots) }

func (p *prepared) close() { p.pass.Close(); p.redeemer.Close() }

// intend goes through the users in turn, so that nobody is asked for twice at a
// time unless everybody is under way.
func (p *prepared) intend(a arrival) intent {
	i := p.crowd.intend(a)
	i.index = int(a.n % uint64(len(p.people.users)))
	return i
}

// prepare makes the first halves of the arrivals, on all CPUs, and leaves them
// with the users. What an earlier run left there counts.
func (p *prepared) prepare(ctx context.Context, list []arrival, progress func(done, total int)) error {
	start := time.Now()
	var needs [2][][]uint64 // by kind and user, the numbers of their arrivals
	for kind := range needs {
		needs[kind] = make([][]uint64, min(len(list), len(p.people.users)))
	}
	for _, a := range list {
		i := p.intend(a)
		k := kindOf(i.wrong)
		needs[k][i.index] = append(needs[k][i.index], a.n)
	}
	var next, made atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				index := int(next.Add(1) - 1)
				if index >= len(needs[0]) || ctx.Err() != nil {
					return
				}
				u, err := p.people.take(ctx, index)
				if err != nil {
					cancel(fmt.Errorf("preparing: %w", err))
					return
				}
				for kind := range needs {
					for _, n := range needs[kind][index][min(len(u.ready[kind]), len(needs[kind][index])):] {
						half, err := p.prove(u, intent{wrong: kind == kindOf(true)}, n)
						if err != nil {
							cancel(fmt.Errorf("preparing: %w", err))
							break
						}
						u.ready[kind] = append(u.ready[kind], half)
						if done := made.Add(1); progress != nil && done%256 == 0 {
							progress(int(done), len(list))
						}
					}
				}
				p.people.give(u)
			}
		})
	}
	all.Wait()
	p.made.Store(made.Load())
	p.took = time.Since(start)
	return context.Cause(ctx)
}

// kindOf is the place in user.ready of proofs with the right PIN or a wrong one.
func kindOf(wrong bool) int {
	if wrong {
		return 1
	}
	return 0
}

// takeReady holds the user of an index who has a proof of the kind left, or one
// near who is free and has: whoever is under way must not be asked twice, and a
// proof that is made when it is due costs more than all else of a login. nil
// where nobody is found.
func (p *prepared) takeReady(index, kind int) (*user, *proof) {
	users := p.people.users
	for i := range min(len(users), 256) {
		u := users[(index+i)%len(users)].Load()
		if u == nil || !u.busy.CompareAndSwap(false, true) {
			continue
		}
		if last := len(u.ready[kind]) - 1; last >= 0 && !u.retire {
			half := u.ready[kind][last]
			u.ready[kind][last] = nil
			u.ready[kind] = u.ready[kind][:last]
			p.people.remember(u)
			return u, half
		}
		p.people.give(u)
	}
	return nil, nil
}

// prove makes the first half of a login of a user who is held.
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
	if u.permit == nil {
		var err error
		if u.permit, err = p.people.issuer.Permit(u.point, p.date); err != nil {
			return nil, err
		}
	}
	prover, err := p.suite.NewProver(u.point, secret, u.permit, nil)
	if err != nil {
		return nil, err
	}
	m := prover.Pass1()
	b := make([]byte, 0, 256+4*len(m.U)+4*len(m.UT))
	b = fmt.Appendf(b, `","UT":"%x","U":"%x","pass":1`, m.UT, m.U)
	if p.bound {
		binding, err := prover.ProveBinding(nil)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(b, `,"proof":"%x"`, binding)
	}
	return &proof{prover, append(b, '}')}, nil
}

// do is one login of mode precomputed.
func (p *prepared) do(ctx context.Context, a arrival) done {
	i := p.intend(a)
	d := done{op: opLogin}
	u, half := p.takeReady(i.index, kindOf(i.wrong))
	if u == nil {
		var err error
		u, err = p.people.take(ctx, i.index)
		if errors.Is(err, errNobody) {
			d.class, d.nobody = result.Dropped, true
			return d
		}
		if err != nil {
			d.class = p.verdicts.failure(err)
			return d
		}
		p.unplanned.Add(1)
		if half, err = p.prove(u, i, a.n); err != nil {
			p.people.give(u)
			d.class = result.Failed
			return d
		}
	}
	defer p.people.give(u)
	s := p.scratches.Get().(*scratch)
	defer p.scratches.Put(s)
	d.class = p.login(ctx, u, i, half, &d.phases, s)
	return d
}

// login speaks the rest of a login.
func (p *prepared) login(ctx context.Context, u *user, i intent, half *proof, took *phases, s *scratch) string {
	timeout := p.scenario.Client.Timeout.D()
	none := func(class string) string {
		return p.people.judge(p.verdicts, u, !i.wrong, saidNothing, class)
	}
	send := func(l *lean.Client, phase int, path string, body []byte) (int, []byte, string) {
		start := time.Now()
		status, answer, err := l.Post(ctx, path, body, s.answer[:0], timeout)
		took[phase] = time.Since(start)
		if err != nil {
			class := result.Unreachable
			if errors.Is(postFailure(err), errTimeout) {
				class = result.Timeout
			}
			p.verdicts.fail(class, path+": "+err.Error())
			return 0, nil, class
		}
		s.answer = answer
		if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
			p.verdicts.fail(result.Busy, fmt.Sprintf("%s: status %d", path, status))
			return status, answer, result.Busy
		}
		if status >= 500 {
			p.verdicts.fail(result.Failed, fmt.Sprintf("%s: status %d", path, status))
		}
		return status, answer, ""
	}
	pass1 := func() []byte {
		s.body = append(append(append(s.body[:0], `{"mpin_id":"`...), u.id.MpinID...), half.pass1...)
		return s.body
	}
	status, answer, class := send(p.pass, inPass1, rps.Prefix+"/pass1", pass1())
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
	var err error
	if s.body, err = hex.AppendDecode(s.body[:0], y); err != nil {
		return result.Failed
	}
	v, err := half.prover.Pass2(s.body)
	if err != nil {
		return result.Failed
	}
	s.body = append(append(append(s.body[:0], `{"mpin_id":"`...), u.id.MpinID...), `","OTP":0,"WID":"0","pass":2,"V":"`...)
	s.body = append(hex.AppendEncode(s.body, v), '"', '}')
	status, answer, class = send(p.pass, inPass2, rps.Prefix+"/pass2", s.body)
	if class != "" || status != http.StatusOK {
		return p.unanswered(u, i, status, class)
	}
	ott, ok := member(answer, "authOTT", 64)
	if !ok {
		return result.Failed
	}
	if p.scenario.Client.Redeem == "rpa" {
		s.body = append(append(append(s.body[:0], `{"mpinResponse":{"authOTT":"`...), ott...), `"}}`...)
	} else {
		s.body = append(append(append(s.body[:0], `{"authOTT":"`...), ott...), `"}`...)
	}
	status, _, class = send(p.redeemer, inRedeem, p.path, s.body)
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
	status, _, class = send(p.pass, inPass1, rps.Prefix+"/pass1", pass1())
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
// the rest; it is a part of the answer.
func member(answer []byte, name string, limit int) ([]byte, bool) {
	_, rest, ok := bytes.Cut(answer, []byte(`"`+name+`":"`))
	if !ok {
		return nil, false
	}
	value, _, ok := bytes.Cut(rest, []byte(`"`))
	if !ok || len(value) == 0 || len(value) > limit {
		return nil, false
	}
	return value, true
}

// postFailure is the class of an error of lean.Client.Post.
func postFailure(err error) error {
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		return errTimeout
	}
	return fmt.Errorf("%w: %w", errUnreachable, err)
}

var errUnreachable = errors.New("no connection")
