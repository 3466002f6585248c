package load

import (
	"errors"
	"fmt"
	"testing"

	"mpinlab/sim/client"
	"mpinlab/sim/load/result"
)

// truth is a deployment that counts as it should, with answers that may be lost.
type truth struct {
	failures, max int
}

func (t *truth) login(right bool) said {
	switch {
	case t.failures >= t.max:
		return saidBlocked
	case right:
		t.failures = 0
		return saidYes
	}
	if t.failures++; t.failures >= t.max {
		return saidBlocked
	}
	return saidNo
}

// Whatever is entered and whichever answers are lost, a deployment that counts
// rightly is never charged with a wrong verdict.
func TestRightVerdictsAreNeverWrong(t *testing.T) {
	for seed := range uint64(2000) {
		r := random(seed, 1, 1)
		p := &population{max: 3}
		d := &truth{max: 3}
		u := &user{}
		var v verdicts
		for step := range 60 {
			right := r.Float64() < 0.5
			answer := d.login(right)
			if r.Float64() < 0.2 {
				answer = saidNothing
			}
			p.judge(&v, u, right, answer, result.Timeout)
			if u.retire { // registers again
				*u, *d = user{}, truth{max: 3}
			}
			if n := v.report(); n.WrongAcceptances+n.WrongRefusals > 0 {
				t.Fatalf("seed %d, step %d: %v", seed, step, n.Examples)
			}
		}
	}
}

// Wrong verdicts are found out.
func TestWrongVerdictsAreWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		lo, hi int
		right  bool
		said   said
		class  string
	}{
		{"a wrong PIN that is accepted", 0, 0, false, saidYes, result.WrongAcceptance},
		{"a right PIN that is refused", 0, 0, true, saidNo, result.WrongRefusal},
		{"a right PIN after the block", 3, 3, true, saidYes, result.WrongAcceptance},
		{"a block too early", 0, 0, true, saidBlocked, result.WrongRefusal},
		{"a block one failure too early", 1, 1, false, saidBlocked, result.WrongRefusal},
		{"a guess beyond the maximum", 2, 2, false, saidNo, result.WrongAcceptance},
		{"a right PIN", 2, 2, true, saidYes, result.Accepted},
		{"a wrong PIN", 1, 1, false, saidNo, result.Refused},
		{"the failure that blocks", 2, 2, false, saidBlocked, result.Blocked},
		{"a block that may be", 0, 2, false, saidBlocked, result.Blocked},
		{"no verdict", 0, 0, true, saidNothing, result.Timeout},
	} {
		p, u := &population{max: 3}, &user{lo: c.lo, hi: c.hi}
		var v verdicts
		if class := p.judge(&v, u, c.right, c.said, result.Timeout); class != c.class {
			t.Errorf("%s: %s, not %s", c.name, class, c.class)
		}
		n := v.report()
		if wrong := n.WrongAcceptances + n.WrongRefusals; (wrong > 0) == (result.Good(c.class) || c.class == result.Timeout) {
			t.Errorf("%s: %d wrong verdicts", c.name, wrong)
		}
	}
}

func TestFailureClasses(t *testing.T) {
	for _, c := range []struct {
		err   error
		class string
	}{
		{client.ErrBusy, result.Busy},
		{&client.StatusError{Step: client.StepPass1, Status: 503}, result.Busy},
		{fmt.Errorf("%w: pass1: no answer in time", client.ErrUnreachable), result.Timeout},
		{fmt.Errorf("%w: refused", client.ErrUnreachable), result.Unreachable},
		{errTimeout, result.Timeout},
		{client.ErrServer, result.Failed},
		{errors.New("anything"), result.Failed},
	} {
		var v verdicts
		if class := v.failure(c.err); class != c.class {
			t.Errorf("%v: %s, not %s", c.err, class, c.class)
		}
		if f := v.failures(); len(f) != 1 || f[0].Count != 1 {
			t.Errorf("%v", f)
		}
	}
	var v verdicts
	for i := range 1000 {
		v.failure(fmt.Errorf("error number %d", i))
	}
	if n := len(v.failures()); n > maxFailures+3 {
		t.Errorf("%d kinds of failure are kept", n)
	}
}
