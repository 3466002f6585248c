package load

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"mpinlab/sim/client"
	"mpinlab/sim/load/result"
)

// verdicts gathers what was wrong, and what failed.
type verdicts struct {
	mu     sync.Mutex
	count  result.Verdicts
	failed map[string]int64
}

// maxFailures bounds the kinds of failure that are told apart.
const maxFailures = 30

// failure notes an error that is no verdict and returns its class.
func (v *verdicts) failure(err error) string {
	class, text := failure(err), err.Error()
	var status *client.StatusError
	if errors.As(err, &status) {
		text = fmt.Sprintf("%s: status %d, %q", status.Step, status.Status, status.Message)
	}
	v.fail(class, text)
	return class
}

func (v *verdicts) fail(class, text string) {
	if len(text) > 160 {
		text = text[:160]
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failed == nil {
		v.failed = map[string]int64{}
	}
	key := class + ": " + strings.ToValidUTF8(text, "")
	if _, known := v.failed[key]; !known && len(v.failed) >= maxFailures {
		key = class + ": others"
	}
	v.failed[key]++
}

// failures lists them, the most frequent first.
func (v *verdicts) failures() []result.Failure {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []result.Failure
	for _, text := range slices.Sorted(maps.Keys(v.failed)) {
		list = append(list, result.Failure{Text: text, Count: v.failed[text]})
	}
	slices.SortStableFunc(list, func(a, b result.Failure) int { return int(b.Count - a.Count) })
	return list
}

const maxExamples = 20

// wrong notes a verdict that must not have been.
func (v *verdicts) wrong(class string, format string, a ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if class == result.WrongAcceptance {
		v.count.WrongAcceptances++
	} else {
		v.count.WrongRefusals++
	}
	if len(v.count.Examples) < maxExamples {
		v.count.Examples = append(v.count.Examples, fmt.Sprintf(format, a...))
	}
}

func (v *verdicts) checked() {
	v.mu.Lock()
	v.count.Checked++
	v.mu.Unlock()
}

func (v *verdicts) report() result.Verdicts {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.count
}

// said is what the deployment said to a login that it was to judge.
type said int

const (
	saidYes     said = iota // accepted
	saidNo                  // wrong PIN
	saidBlocked             // attempts used up
	saidNothing             // no verdict: it may have been judged or not
)

// judge compares a verdict with what the user knows, and remembers what the
// deployment must have counted now.
func (p *population) judge(v *verdicts, u *user, right bool, s said, class string) string {
	if s != saidNothing {
		v.checked()
	}
	lo, hi := u.lo, u.hi
	switch s {
	case saidNothing:
		if right {
			u.lo = 0 // it may have been accepted
		} else {
			u.hi = min(hi+1, p.max)
		}
		return class
	case saidYes:
		u.lo, u.hi = 0, 0
		switch {
		case !right:
			v.wrong(result.WrongAcceptance, "user %d: a wrong PIN was accepted", u.index)
			return result.WrongAcceptance
		case lo >= p.max:
			v.wrong(result.WrongAcceptance, "user %d: accepted after %d wrong PINs", u.index, lo)
			return result.WrongAcceptance
		}
		return result.Accepted
	case saidBlocked:
		u.retire = true
		after := hi
		if !right {
			after++ // the failure that reaches the maximum is told so
		}
		if after < p.max {
			v.wrong(result.WrongRefusal, "user %d: blocked after at most %d wrong PINs", u.index, after)
			return result.WrongRefusal
		}
		return result.Blocked
	}
	// saidNo
	if right {
		v.wrong(result.WrongRefusal, "user %d: the right PIN was refused after %d to %d wrong ones", u.index, lo, hi)
		return result.WrongRefusal
	}
	if lo+1 >= p.max {
		u.retire = true
		v.wrong(result.WrongAcceptance, "user %d: wrong PIN number %d was judged, of %d that may be", u.index, lo+1, p.max)
		return result.WrongAcceptance
	}
	u.lo, u.hi = lo+1, max(lo+1, min(hi+1, p.max-1))
	return result.Refused
}

// classify makes a verdict, or the class of a failure, of a client's error.
func (v *verdicts) classify(err error) (said, string) {
	switch {
	case err == nil:
		return saidYes, result.Accepted
	case errors.Is(err, client.ErrWrongPIN):
		return saidNo, result.Refused
	case errors.Is(err, client.ErrBlocked):
		return saidBlocked, result.Blocked
	}
	return saidNothing, v.failure(err)
}

// failure is the class of an error that is no verdict.
func failure(err error) string {
	var status *client.StatusError
	switch {
	case errors.Is(err, client.ErrBusy), errors.As(err, &status) && status.Status == 503:
		return result.Busy
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, errTimeout):
		return result.Timeout
	case errors.Is(err, client.ErrUnreachable):
		if isTimeout(err) {
			return result.Timeout
		}
		return result.Unreachable
	}
	return result.Failed
}
