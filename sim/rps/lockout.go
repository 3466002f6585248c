package rps

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// Lockout is a policy: which failed logins count towards the block of an
// identity.
type Lockout string

const (
	// LockoutToken counts the failures with a PIN error behind them
	// (protocol.Verifier.PINError): only who holds the identity's token can
	// make them, so that nobody else can lock a user out. Failures without are
	// refused and counted apart.
	//
	// Under a time permit a thief could hide the PIN error with a false U,
	// unless the login carries a proof of binding (Pass1Request.Proof). So
	// failures without a PIN error and without a valid proof use up an
	// allowance: so many a day for an identity. When it is used up, the
	// identity's logins without a valid proof are refused unjudged, those with
	// one are judged as ever. A success without a proof clears it.
	//
	// What that leaves: who has a token and hides the PIN error may guess as
	// often as the allowance says every day, and anew after each login of a
	// client that does not prove; and outsiders who know an identity can use its
	// allowance up, which keeps clients that do not prove out for the day.
	//
	// The time that a failed login takes tells something of the PIN error, so
	// its answer is held back to a multiple of Config.FailureTime.
	//
	// A login that the allowance refuses is verified all the same, but its
	// verdict makes no difference to what is answered or counted.
	LockoutToken Lockout = "token"
	// LockoutAny counts every failure, as the original server does: whoever
	// knows an identity can lock its user out. It is the default in the milagro
	// dialect.
	LockoutAny Lockout = "any"
)

// ParseLockout reads a policy; "" is the dialect's own.
func ParseLockout(s string) (Lockout, error) {
	switch l := Lockout(s); l {
	case "", LockoutToken, LockoutAny:
		return l, nil
	}
	return "", fmt.Errorf("unknown lock-out policy %q; there are token and any", s)
}

func (l Lockout) check(s *protocol.Suite) error {
	if _, err := ParseLockout(string(l)); err != nil {
		return err
	}
	if _, ok := s.Backend().(backends.Pairer); l == LockoutToken && !ok {
		return fmt.Errorf("lock-out policy token: backend %s: %w", s.Backend().Info().ID, protocol.ErrNoPairing)
	}
	return nil
}

// lockout is the policy as it is carried out.
type lockout struct {
	token     bool
	policy    store.Policy
	allowance store.Policy
	pins      int
	quantum   time.Duration
	searches  chan struct{} // one for each search for a PIN error
	// trials are the logins being judged now, and searchTime is the moving
	// average of a search in ns.
	trials, searchTime *atomic.Int64
	left               chan struct{} // a trial is over
}

// room is how many logins may be judged at a time so that, should all fail, the
// searches for their PIN errors do not outlast the leases. Searches cannot be
// skipped instead: that would let a thief guess for nothing or outsiders lock
// users out, whoever makes the crowd.
func (l *lockout) room() int64 {
	return max(16, int64(l.policy.Lease/4)*int64(cap(l.searches))/max(1, l.searchTime.Load()))
}

// enter takes a place among the logins being judged, and leave gives it back. A
// login waits an eighth of its lease for one, right or wrong: places are free
// again as soon as a batch is judged. Then it is protocol.ErrOverloaded.
func (l *lockout) enter(ctx context.Context) error {
	var patience <-chan time.Time
	for {
		n := l.trials.Load()
		if l.token && n >= l.room() {
			if patience == nil {
				timer := time.NewTimer(l.policy.Lease / 8)
				defer timer.Stop()
				patience = timer.C
			}
			select {
			case <-l.left:
				continue
			case <-patience:
				return fmt.Errorf("%w: searches for PIN errors", protocol.ErrOverloaded)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if l.trials.CompareAndSwap(n, n+1) {
			if patience != nil {
				l.wake() // there may be room for one more
			}
			return nil
		}
	}
}

func (l *lockout) leave() {
	l.trials.Add(-1)
	l.wake()
}

// wake lets one that waits look again.
func (l *lockout) wake() {
	select {
	case l.left <- struct{}{}:
	default:
	}
}

func newLockout(c *Config) lockout {
	l := lockout{
		token:     c.Lockout == LockoutToken,
		policy:    store.Policy{Max: c.MaxAttempts, Lease: c.Lease},
		allowance: store.Policy{Max: c.UnprovedAllowance, Lease: c.Lease},
		pins:      int(math.Pow10(c.PINDigits.Max)),
		quantum:   c.FailureTime,
		// A core is left to logins that are not attacks.
		searches:   make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)),
		trials:     new(atomic.Int64),
		left:       make(chan struct{}, 1),
		searchTime: new(atomic.Int64),
	}
	l.searchTime.Store(int64(10 * time.Millisecond))
	if c.Suite.ID().Dialect != protocol.RFC9380 {
		l.pins = protocol.FourDigits
	}
	return l
}

// trial is one login being judged.
type trial struct {
	*Server
	verifier  *verifier
	login     *login
	hash      *[32]byte
	identity  *protocol.Identity
	challenge *protocol.Challenge // nil if it is not in the cache

	day   protocol.Date
	held  *store.Reservation // of the identity's attempts
	extra *store.Reservation // of its allowance, if it was needed

	proofChecked, proofHolds bool
}

// judge reserves an attempt, verifies and settles. failures is what is counted
// after it. With an error there is no verdict to tell, and the login may be
// judged again.
func (t *trial) judge(ctx context.Context) (c class, failures int, err error) {
	if t.day, err = wire.Today(t.login.begun); err != nil {
		return notJudged, 0, err
	}
	t.held, err = t.store.Reserve(ctx, string(t.hash[:]), t.lockout.policy)
	switch {
	case errors.Is(err, store.ErrBlocked):
		return blocked, 0, nil
	case err != nil:
		return notJudged, 0, err
	}
	// The wait for the turn is over and the lease begins. What follows gets its
	// own time, the same whether the PIN is right or wrong: a turn that came
	// late would else leave time to tell of a right one and none to count a
	// wrong one.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.lockout.policy.Lease*3/4)
	defer cancel()
	if err := t.lockout.enter(ctx); err != nil {
		t.withdraw(ctx)
		return notJudged, 0, err
	}
	defer t.lockout.leave()
	t.metrics.attempts.Inc()
	start := time.Now()
	err = t.verify(ctx, t.verifier, t.login, t.identity, t.challenge)
	t.metrics.verifySeconds.Since(start)
	var o outcomes
	switch {
	case err == nil:
		o, err = t.success(ctx)
	case undecided(err):
	default:
		o, err = t.failure(ctx, err)
	}
	if err != nil {
		t.withdraw(ctx)
		return notJudged, 0, err
	}
	// The allowance first: what frees the attempt must be kept by then.
	if t.extra != nil {
		extra := t.extra
		t.extra = nil
		if _, err := t.store.Settle(ctx, extra, o.extra); err != nil {
			t.withdraw(ctx)
			return notJudged, 0, err
		}
	}
	if failures, err = t.store.Settle(ctx, t.held, o.held); err != nil {
		return notJudged, 0, err
	}
	if o.clear {
		if err := t.store.Clear(ctx, t.allowanceKey(t.day)); err != nil {
			t.log.Warn("allowance not cleared", t.who(t.hash), "cause", err)
		}
	}
	return o.class, failures, nil
}

// outcomes are how a trial ends for what it has reserved.
type outcomes struct {
	class       class
	held, extra store.Outcome
	clear       bool // the allowance
}

// success is the end of a login that was right, except that without a proof
// it is refused when the allowance is used up: otherwise a thief would see
// which PIN is the right one. As long as all that can be under way at once fit
// into the allowance, nothing is reserved.
func (t *trial) success(ctx context.Context) (outcomes, error) {
	o := outcomes{class: accepted, held: store.Passed, extra: store.Passed}
	l := &t.lockout
	if !l.token {
		return o, nil
	}
	used, err := t.store.Failures(ctx, t.allowanceKey(t.day))
	if err != nil {
		return o, err
	}
	if used+l.policy.Max > l.allowance.Max && !t.bound() {
		if ok, err := t.reserveExtra(ctx); err != nil || !ok {
			return t.refused(), err
		}
		return o, nil
	}
	// A user whose client proves needs no allowance: if his logins cleared it, a
	// thief would have it as often as the user logs in.
	o.clear = used > 0 && !t.bound()
	return o, nil
}

// failure finds out what a failure counts for.
func (t *trial) failure(ctx context.Context, failure error) (outcomes, error) {
	o := outcomes{class: wrongPIN, held: store.Failed, extra: store.Withdrawn}
	if !t.lockout.token {
		return o, nil
	}
	if !errors.Is(failure, protocol.ErrRejected) {
		// V is no point: accepted for no PIN, so no guess.
		o.class, o.held = malformed, store.Withdrawn
		return o, nil
	}
	bound := t.bound()
	if !bound {
		if ok, err := t.reserveExtra(ctx); err != nil || !ok {
			return t.refused(), err
		}
	}
	switch found, searched := t.search(); {
	case found:
	case !bound:
		o.class, o.held, o.extra = unexplained, store.Withdrawn, store.Failed
		if t.extra.Failures == 0 {
			// The first of its day; the day before is over.
			if err := t.store.Clear(ctx, t.allowanceKey(t.day-1)); err != nil {
				return o, err
			}
		}
	case searched:
		o.class, o.held = unexplained, store.Withdrawn
	default:
		// A proof that holds, but no turn for the search. If it counted for
		// nothing, a thief would keep the searches busy and guess on.
		o.class = unexplained
	}
	return o, nil
}

// refused is the end of a login that counts as not judged.
func (t *trial) refused() outcomes {
	return outcomes{class: exhausted, held: store.Withdrawn}
}

// allowanceKey is the identity's allowance for a day.
func (t *trial) allowanceKey(day protocol.Date) string {
	return "u" + strconv.Itoa(int(day)) + string(t.hash[:])
}

// reserveExtra reserves of the allowance; false if it is used up.
func (t *trial) reserveExtra(ctx context.Context) (bool, error) {
	var err error
	t.extra, err = t.store.Reserve(ctx, t.allowanceKey(t.day), t.lockout.allowance)
	if errors.Is(err, store.ErrBlocked) {
		return false, nil
	}
	return err == nil, err
}

// search looks for a PIN error. The number of searches at a time is bounded;
// searched is false if there was no turn in time.
func (t *trial) search() (found, searched bool) {
	turn := time.NewTimer(t.lockout.policy.Lease / 4)
	defer turn.Stop()
	select {
	case t.lockout.searches <- struct{}{}:
		defer func() { <-t.lockout.searches }()
	case <-turn.C:
		return false, false
	}
	start := time.Now()
	defer func() {
		t.metrics.searchSeconds.Since(start)
		old := t.lockout.searchTime.Load()
		t.lockout.searchTime.Store(old + (int64(time.Since(start))-old)/8)
	}()
	dates, err := wire.Accepted(t.login.begun)
	if err != nil {
		return false, false
	}
	for _, date := range dates {
		_, err := t.verifier.PINError(t.identity, &protocol.FailedLogin{
			Date:  date,
			Pass1: protocol.Pass1{U: t.login.u, UT: t.login.ut},
			Y:     t.login.y,
			V:     t.login.v,
		}, t.lockout.pins)
		if err == nil {
			return true, true
		}
	}
	return false, true
}

// bound tells whether the login carries a proof that its U belongs to its UT.
func (t *trial) bound() bool {
	if t.proofChecked || len(t.login.proof) == 0 {
		return t.proofHolds
	}
	t.proofChecked = true
	dates, err := wire.Accepted(t.login.begun)
	if err != nil {
		return false
	}
	for _, date := range dates {
		m := protocol.Pass1{U: t.login.u, UT: t.login.ut}
		if t.suite.VerifyBinding(t.identity, date, m, t.login.proof) == nil {
			t.proofHolds = true
		}
	}
	return t.proofHolds
}

// withdraw gives back what is held. What it fails to give back its lease ends.
func (t *trial) withdraw(ctx context.Context) {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
	}
	for _, r := range []*store.Reservation{t.extra, t.held} {
		if r == nil {
			continue
		}
		if _, err := t.store.Settle(ctx, r, store.Withdrawn); err != nil {
			t.log.Warn("attempt not given back", t.who(t.hash), "cause", err)
		}
	}
}

// mask waits until a multiple of the quantum has passed since start; of a
// longer one where searches take long.
func (l *lockout) mask(ctx context.Context, start time.Time) {
	quantum := l.quantum
	if quantum <= 0 {
		return
	}
	for int64(quantum) < 3*l.searchTime.Load() {
		quantum *= 2
	}
	timer := time.NewTimer(quantum - time.Since(start)%quantum)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
