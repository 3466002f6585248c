package store

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// How long whoever is first in line waits before he asks Redis again, unless a
// reservation of the same instance is settled. It grows from the first to the
// second.
const (
	shortestPoll = time.Millisecond
	longestPoll  = 50 * time.Millisecond
)

// lines are those who wait in this instance, a line for each identity. Only the
// first of a line asks Redis, so that any number of them cost what one does.
type lines struct {
	max   int
	ended chan struct{} // closed with the store

	mu sync.Mutex
	of map[string]*line
}

type line struct {
	size    int
	turn    chan struct{} // holds one token; who has it asks
	settled chan struct{} // of capacity 1: worth asking again
	news    *news
}

// news are what the first has found out for all who wait behind him.
type news struct {
	told     chan struct{} // closed when the rest is set
	failures int
	err      error
}

func newNews() *news { return &news{told: make(chan struct{})} }

// join enters the line of an identity.
func (l *lines) join(id string) (*line, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.of[id]
	if q == nil {
		q = &line{turn: make(chan struct{}, 1), settled: make(chan struct{}, 1), news: newNews()}
		q.turn <- struct{}{}
		if l.of == nil {
			l.of = map[string]*line{}
		}
		l.of[id] = q
	}
	if q.size >= l.max {
		return nil, ErrOverloaded
	}
	q.size++
	return q, nil
}

func (l *lines) leave(id string, q *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q.size--; q.size == 0 {
		delete(l.of, id)
	}
}

// latest returns the news to wait for.
func (l *lines) latest(q *line) *news {
	l.mu.Lock()
	defer l.mu.Unlock()
	return q.news
}

// tell gives news to all who wait.
func (l *lines) tell(q *line, failures int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.news.failures, q.news.err = failures, err
	close(q.news.told)
	q.news = newNews()
}

// settled lets the first in line ask again.
func (l *lines) settled(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q := l.of[id]; q != nil {
		select {
		case q.settled <- struct{}{}:
		default:
		}
	}
}

func (r *redis) Reserve(ctx context.Context, id string, p Policy) (*Reservation, error) {
	if err := r.ready(checkReserve(ctx, id, p)); err != nil {
		return nil, err
	}
	q, err := r.lines.join(id)
	if err != nil {
		return nil, err
	}
	defer r.lines.leave(id, q)
	for news := r.lines.latest(q); ; {
		select {
		case <-q.turn:
			got, err := r.first(ctx, id, p, q)
			q.turn <- struct{}{}
			return got, err
		case <-news.told:
			if news.err != nil {
				return nil, news.err
			}
			if news.failures >= p.Max {
				return nil, ErrBlocked
			}
			news = r.lines.latest(q)
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.lines.ended:
			return nil, ErrClosed
		}
	}
}

// first asks for a reservation until there is an answer.
func (r *redis) first(ctx context.Context, id string, p Policy, q *line) (*Reservation, error) {
	token := rand.Text()
	for poll := shortestPoll; ; poll = min(2*poll, longestPoll) {
		got, free, err := r.ask(ctx, id, p, token)
		if err == ErrBlocked {
			r.lines.tell(q, got.Failures, nil)
			return nil, err
		}
		if err != nil {
			if ctx.Err() == nil {
				r.lines.tell(q, 0, err)
			}
			return nil, err
		}
		if got.token != "" {
			return got, nil
		}
		// Instances that poll the same identity drift apart.
		wait := min(free, poll/2+mathrand.N(poll))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-q.settled:
			timer.Stop()
			poll = shortestPoll
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-r.lines.ended:
			timer.Stop()
			return nil, ErrClosed
		}
	}
}

// ask asks Redis once. If the reservation has no token it is to be waited for,
// no longer than until the first lease ends.
func (r *redis) ask(ctx context.Context, id string, p Policy, token string) (got *Reservation, free time.Duration, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	// Not under ctx: a reservation that is granted while it ends would be held,
	// by nobody, until its lease ends.
	answer, err := r.eval(context.WithoutCancel(ctx), reserveScript, id, p.Max, millis(p.Lease), token)
	if err != nil {
		return nil, 0, err
	}
	got = &Reservation{ID: id, Failures: int(answer[1])}
	switch answer[0] {
	case 1:
		got.token = token
	case 2:
		return got, 0, ErrBlocked
	}
	return got, time.Duration(max(1, answer[2])) * time.Millisecond, nil
}

// eval runs a script on the failures and reservations of an identity.
func (r *redis) eval(ctx context.Context, script *goredis.Script, id string, args ...any) ([]int64, error) {
	keys := []string{r.key(failed, id), r.prefix + "held:" + id}
	answer, err := script.Run(ctx, r.client, keys, args...).Int64Slice()
	if err != nil {
		return nil, r.fault(ctx, err)
	}
	if len(answer) < 2 {
		return nil, fmt.Errorf("%w: %d answers to an attempt", ErrUnavailable, len(answer))
	}
	return answer, nil
}

var outcomeNames = [...]string{Passed: "passed", Failed: "failed", Withdrawn: "withdrawn"}

func (r *redis) Settle(ctx context.Context, a *Reservation, o Outcome) (int, error) {
	if err := r.ready(checkSettle(ctx, a, o)); err != nil {
		return 0, err
	}
	answer, err := r.eval(ctx, settleScript, a.ID, outcomeNames[o], a.token)
	if err != nil {
		return 0, err
	}
	r.lines.settled(a.ID)
	if answer[0] != 1 {
		return 0, ErrLeaseEnded
	}
	return int(answer[1]), nil
}

func (r *redis) Failures(ctx context.Context, id string) (int, error) {
	if err := r.ready(checkID(ctx, id)); err != nil {
		return 0, err
	}
	n, err := r.client.Get(ctx, r.key(failed, id)).Int()
	if err == goredis.Nil {
		return 0, nil
	}
	return n, r.fault(ctx, err)
}

func (r *redis) Clear(ctx context.Context, id string) error {
	if err := r.ready(checkID(ctx, id)); err != nil {
		return err
	}
	err := r.fault(ctx, r.client.Del(ctx, r.key(failed, id)).Err())
	r.lines.settled(id)
	return err
}
