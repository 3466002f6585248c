package store

import (
	"container/list"
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// attempts grants attempts within one process: reservations and those who wait
// for them are in memory, failures in a ledger.
//
// The state of an identity is held only while it has a reservation, a waiter or
// a write under way; then its count here goes before the ledger's, which gets
// its writes in the same order. There are no goroutines: leases are looked at
// whenever the shard is used, and by one timer a shard while anyone waits.
type attempts struct {
	now        func() int64
	ledger     ledger
	room       *room
	sweep      func() // makes room
	maxWaiters int
	ownClock   bool
	parts      [shards]attemptPart
}

type attemptPart struct {
	mu      sync.Mutex
	ids     map[string]*identity
	held    map[string]*lease // by token
	leases  schedule[*lease]
	waiting int
	timer   *time.Timer
	closed  bool
}

type identity struct {
	id       string
	failures int
	told     int // the failures that all waiters were last looked at with
	held     int
	writing  int
	waiters  list.List // of *waiter, who came first in front
}

type lease struct {
	who   *identity
	token string
	ends  int64
	index int
}

func (l *lease) due() int64  { return l.ends }
func (l *lease) place() *int { return &l.index }

type waiter struct {
	policy Policy
	answer chan answer // of capacity 1
}

type answer struct {
	r   *Reservation
	err error
}

func newAttempts(now func() int64, o Options, l ledger, r *room, sweep func()) *attempts {
	a := &attempts{now: now, ledger: l, room: r, sweep: sweep, maxWaiters: o.MaxWaiters, ownClock: o.Now != nil}
	for i := range a.parts {
		a.parts[i].ids = map[string]*identity{}
		a.parts[i].held = map[string]*lease{}
	}
	return a
}

// attemptSize is what a waiter or a reservation counts in the room.
func attemptSize(id string) int64 { return int64(2*overhead + len(id)) }

func (a *attempts) Reserve(ctx context.Context, id string, p Policy) (*Reservation, error) {
	if err := checkReserve(ctx, id, p); err != nil {
		return nil, err
	}
	if !a.room.take(1, attemptSize(id)) {
		a.sweep()
		if !a.room.take(1, attemptSize(id)) {
			return nil, ErrFull
		}
	}
	r, err := a.reserve(ctx, id, p)
	if err != nil {
		a.room.add(-1, -attemptSize(id))
	}
	return r, err
}

func (a *attempts) reserve(ctx context.Context, id string, p Policy) (*Reservation, error) {
	part := &a.parts[shardOf(id)]
	part.mu.Lock()
	if part.closed {
		part.mu.Unlock()
		return nil, ErrClosed
	}
	a.lapse(part)
	who := part.ids[id]
	if who == nil {
		n, err := a.ledger.load(id)
		if err != nil {
			part.mu.Unlock()
			return nil, err
		}
		who = &identity{id: id, failures: n}
		part.ids[id] = who
	}
	switch {
	case who.failures >= p.Max:
		part.drop(who)
		part.mu.Unlock()
		return nil, ErrBlocked
	case who.waiters.Len() == 0 && who.failures+who.held < p.Max:
		defer part.mu.Unlock()
		return a.grant(part, who, p), nil
	case who.waiters.Len() >= a.maxWaiters:
		part.mu.Unlock()
		return nil, ErrOverloaded
	}
	w := &waiter{policy: p, answer: make(chan answer, 1)}
	element := who.waiters.PushBack(w)
	part.waiting++
	a.arm(part)
	part.mu.Unlock()

	select {
	case got := <-w.answer:
		return got.r, got.err
	case <-ctx.Done():
	}
	part.mu.Lock()
	defer part.mu.Unlock()
	select {
	case got := <-w.answer: // it came just now: it is not thrown away
		return got.r, got.err
	default:
	}
	who.waiters.Remove(element)
	part.waiting--
	a.admit(part, who) // whoever is next may have a policy that lets him in
	part.drop(who)
	return nil, ctx.Err()
}

// admit answers the waiters of an identity that need wait no longer. It is
// called after every change. Nobody passes the first who waits; those behind him
// are of interest only when there are more failures, which may block them.
func (a *attempts) admit(part *attemptPart, who *identity) {
	more := who.failures > who.told
	who.told = who.failures
	for e := who.waiters.Front(); e != nil; {
		w, this := e.Value.(*waiter), e
		first := e == who.waiters.Front()
		e = e.Next()
		switch {
		case who.failures >= w.policy.Max:
			w.answer <- answer{err: ErrBlocked}
		case first && who.failures+who.held < w.policy.Max:
			w.answer <- answer{r: a.grant(part, who, w.policy)}
		case more:
			continue
		default:
			return
		}
		who.waiters.Remove(this)
		part.waiting--
	}
}

func (a *attempts) grant(part *attemptPart, who *identity, p Policy) *Reservation {
	l := &lease{who: who, token: rand.Text(), ends: a.now() + millis(p.Lease)}
	part.held[l.token] = l
	part.leases.add(l)
	who.held++
	return &Reservation{ID: who.id, Failures: who.failures, token: l.token}
}

// lapse gives up the reservations whose leases have ended.
func (a *attempts) lapse(part *attemptPart) {
	for now := a.now(); ; {
		l, ok := part.leases.next(now)
		if !ok {
			return
		}
		delete(part.held, l.token)
		l.who.held--
		a.room.add(-1, -attemptSize(l.who.id))
		a.admit(part, l.who)
		part.drop(l.who)
	}
}

// drop forgets an identity of which only the ledger's count is left.
func (p *attemptPart) drop(who *identity) {
	if who.held == 0 && who.writing == 0 && who.waiters.Len() == 0 {
		delete(p.ids, who.id)
	}
}

// arm sets the timer for the first lease to end, if anyone waits.
func (a *attempts) arm(part *attemptPart) {
	if part.waiting == 0 || len(part.leases) == 0 || part.closed {
		return
	}
	wait := time.Duration(max(1, part.leases[0].ends-a.now())) * time.Millisecond
	if a.ownClock {
		wait = min(wait, 5*time.Millisecond) // it may be set forward
	}
	if part.timer == nil {
		part.timer = time.AfterFunc(wait, func() {
			part.mu.Lock()
			defer part.mu.Unlock()
			if !part.closed {
				a.lapse(part)
				a.arm(part)
			}
		})
		return
	}
	part.timer.Reset(wait)
}

// close ends all waiting.
func (a *attempts) close() {
	for i := range a.parts {
		part := &a.parts[i]
		part.mu.Lock()
		part.closed = true
		if part.timer != nil {
			part.timer.Stop()
		}
		for _, who := range part.ids {
			for e := who.waiters.Front(); e != nil; e = who.waiters.Front() {
				e.Value.(*waiter).answer <- answer{err: ErrClosed}
				who.waiters.Remove(e)
				part.waiting--
			}
		}
		part.mu.Unlock()
	}
}
