package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Fault is something that can be broken and mended.
type Fault interface {
	Begin(ctx context.Context) error
	End(ctx context.Context) error
}

// Node is what of a deployment's node is needed here.
type Node interface {
	Name() string
	Start(ctx context.Context) error
	Ready(ctx context.Context) error
	Kill() error
	Pause() error
	Continue() error
	Restart(ctx context.Context) error
}

// both makes a Fault of two functions.
type both struct{ begin, end func(context.Context) error }

func (b both) Begin(ctx context.Context) error { return b.begin(ctx) }
func (b both) End(ctx context.Context) error   { return b.end(ctx) }

// Kill kills a node as kill -9 does, and starts it again.
func Kill(n Node) Fault {
	return both{
		func(context.Context) error { return n.Kill() },
		func(ctx context.Context) error {
			if err := n.Start(ctx); err != nil {
				return err
			}
			return n.Ready(ctx)
		},
	}
}

// Pause stops a node's process and has it go on.
func Pause(n Node) Fault {
	return both{
		func(context.Context) error { return n.Pause() },
		func(context.Context) error { return n.Continue() },
	}
}

// Restart ends a node in good order and starts it again at once; there is
// nothing to be mended.
func Restart(n Node) Fault {
	return both{n.Restart, func(context.Context) error { return nil }}
}

// setting is a value with the changes that faults make of it, in the order in
// which these have begun.
type setting[T any] struct {
	base    T
	changes []*func(*T)
}

func (s *setting[T]) now() T {
	v := s.base
	for _, c := range s.changes {
		(*c)(&v)
	}
	return v
}

// changing is a fault that changes a setting, which with gives to a function.
func changing[T any](with func(func(*setting[T])), change func(*T)) Fault {
	mine := &change
	return both{
		func(context.Context) error {
			with(func(s *setting[T]) { s.changes = append(s.changes, mine) })
			return nil
		},
		func(context.Context) error {
			with(func(s *setting[T]) {
				s.changes = slices.DeleteFunc(s.changes, func(c *func(*T)) bool { return c == mine })
			})
			return nil
		},
	}
}

// Together is several faults that begin and end as one.
func Together(list ...Fault) Fault {
	each := func(f func(Fault) error) error {
		var errs []error
		for _, x := range list {
			errs = append(errs, f(x))
		}
		return errors.Join(errs...)
	}
	return both{
		func(ctx context.Context) error { return each(func(f Fault) error { return f.Begin(ctx) }) },
		func(ctx context.Context) error { return each(func(f Fault) error { return f.End(ctx) }) },
	}
}

// FullStore takes a Redis server the room for anything new, and gives it back:
// what it has it keeps, and every write is refused.
func FullStore(url string) Fault {
	set := func(ctx context.Context, limit string) error {
		o, err := redis.ParseURL(url)
		if err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		c := redis.NewClient(o)
		defer c.Close()
		if err := c.ConfigSet(ctx, "maxmemory-policy", "noeviction").Err(); err != nil {
			return err
		}
		return c.ConfigSet(ctx, "maxmemory", limit).Err()
	}
	return both{
		func(ctx context.Context) error { return set(ctx, "1") },
		func(ctx context.Context) error { return set(ctx, "0") },
	}
}

// Clock is a clock that can be made wrong. It is safe for concurrent use.
type Clock struct {
	mu   sync.Mutex
	skew time.Duration
}

// Now is the time as the clock tells it.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skew)
}

// Skew moves the clock from the true time.
func (c *Clock) Skew(d time.Duration) {
	c.mu.Lock()
	c.skew = d
	c.mu.Unlock()
}

// WrongClock moves a clock by some time, and back.
func WrongClock(c *Clock, by time.Duration) Fault {
	move := func(d time.Duration) error {
		c.mu.Lock()
		c.skew += d
		c.mu.Unlock()
		return nil
	}
	return both{
		func(context.Context) error { return move(by) },
		func(context.Context) error { return move(-by) },
	}
}

// Event is a fault with its time.
type Event struct {
	Fault Fault
	At    time.Duration // after the start
	For   time.Duration // 0: begun and ended at once
}

// Happened is when a fault began and ended, and what went wrong with that.
type Happened struct {
	Begun, Ended time.Duration // after the start; Ended is -1 while it lasts
	Err          error
}

// mending bounds the end of a fault.
const mending = 30 * time.Second

// Run begins and ends faults by the clock from start on, each by itself, and
// returns when all have ended. When ctx ends, those that have not begun do not,
// and those that have are ended at once: nothing stays broken. tell, if not nil,
// is called at every beginning and end.
func Run(ctx context.Context, start time.Time, events []Event, tell func(i int, h Happened)) []Happened {
	out := make([]Happened, len(events))
	var all sync.WaitGroup
	var mu sync.Mutex
	said := func(i int, h Happened) {
		mu.Lock()
		defer mu.Unlock()
		out[i] = h
		if tell != nil {
			tell(i, h)
		}
	}
	for i, e := range events {
		all.Go(func() {
			if !until(ctx, start.Add(e.At)) {
				said(i, Happened{-1, -1, errors.New("the run ended before")})
				return
			}
			h := Happened{Begun: time.Since(start), Ended: -1}
			said(i, h)
			// What was begun is ended, whatever happens to ctx.
			firm := context.WithoutCancel(ctx)
			work, cancel := context.WithTimeout(firm, mending)
			h.Err = e.Fault.Begin(work)
			cancel()
			until(ctx, start.Add(e.At+e.For))
			work, cancel = context.WithTimeout(firm, mending)
			defer cancel()
			h.Err = errors.Join(h.Err, e.Fault.End(work))
			h.Ended = time.Since(start)
			said(i, h)
		})
	}
	all.Wait()
	return out
}

func until(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
