package capacity

import (
	"context"
	"math"
	mathrand "math/rand/v2"
	"time"

	"mpinlab/sim/deploy"
)

// request is one alone: how long the server had nothing to do before, how long it
// took, and how long it held the CPU.
type request struct{ gap, took, served time.Duration }

// quiet is the mean time between two requests of a server that is to be idle when
// the next one comes: long enough for its CPU to fall asleep.
const quiet = 3 * time.Millisecond

// sparse has everybody log in so many times, one request after the other with
// pauses between them, and tells how long each held the CPU.
func (c *crowd) sparse(ctx context.Context, rounds int) (*[3][]request, error) {
	had := time.Duration(0)
	pause := func(random *mathrand.Rand, _ time.Time) (err error) {
		time.Sleep(quiet/4 + time.Duration(random.ExpFloat64()*float64(quiet)*3/4))
		had, err = deploy.CPU(c.rps)
		return err
	}
	return c.alone(ctx, rounds, pause, func(q *request) error {
		time.Sleep(quiet / 4) // what the server does after its answer is of this request
		has, err := deploy.CPU(c.rps)
		q.served = has - had
		return err
	})
}

// dozing is the same with pauses from next to nothing to some milliseconds, as many
// between x and 2x as between 2x and 4x, and tells only how long requests took.
func (c *crowd) dozing(ctx context.Context, rounds int) (*[3][]request, error) {
	const shortest, longest = 50 * time.Microsecond, 10 * time.Millisecond
	pause := func(random *mathrand.Rand, since time.Time) error {
		d := time.Duration(float64(shortest) * math.Pow(float64(longest)/float64(shortest), random.Float64()))
		if d > time.Duration(bounds[0])*time.Microsecond {
			time.Sleep(d)
			return nil
		}
		for time.Since(since) < d { // a timer is not that exact
		}
		return nil
	}
	return c.alone(ctx, rounds, pause, func(*request) error { return nil })
}

// alone has everybody log in, one request after the other. pause comes before each,
// since the last answer or the time after it, and then after it.
func (c *crowd) alone(ctx context.Context, rounds int, pause func(*mathrand.Rand, time.Time) error, then func(*request) error) (*[3][]request, error) {
	var out [3][]request
	pool, err := c.posts()
	if err != nil {
		return nil, err
	}
	defer pool.close()
	random := mathrand.New(mathrand.NewPCG(1, 2))
	var spans [3][]span
	for range rounds {
		if err := c.prepareAll(); err != nil {
			return nil, err
		}
		answered := time.Now()
		for _, m := range c.users {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			for i, s := range c.steps() {
				if err := pause(random, answered); err != nil {
					return nil, err
				}
				start := time.Now()
				answer, err := pool.post(ctx, &s, m.body)
				if err != nil {
					return nil, err
				}
				q := request{gap: start.Sub(answered), took: time.Since(start)}
				answered = time.Now()
				if err := then(&q); err != nil {
					return nil, err
				}
				out[i], spans[i] = append(out[i], q), append(spans[i], span{start, time.Now(), q.served})
				if err := s.next(m, answer); err != nil {
					return nil, err
				}
			}
		}
	}
	for i := range out {
		for k := range out[i] {
			q, s := &out[i][k], spans[i][k]
			var err error
			if q.served, err = c.machine.scaled(c.machine.server, c.scale, s); err != nil {
				return nil, err
			}
			s.to = s.from.Add(q.took)
			if q.took, err = c.machine.waited(c.machine.server, c.scale, s); err != nil {
				return nil, err
			}
		}
	}
	return &out, nil
}
