package capacity

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mpinlab/sim/deploy"
)

// permits has every user fetch a permit, one after the other, which measures
// that.
func (c *crowd) permits(ctx context.Context, e *Entry, to *Requests) error {
	pids := append([]int{c.rps}, c.dta...)
	var had []time.Duration
	for _, pid := range pids {
		t, err := deploy.CPU(pid)
		if err != nil {
			return err
		}
		had = append(had, t)
	}
	before, err := c.counters(ctx)
	if err != nil {
		return err
	}
	var latencies []time.Duration
	in, out := c.in.Load(), c.out.Load()
	begun := time.Now()
	for _, m := range c.users {
		start := time.Now()
		permit, err := c.client.Permit(ctx, m.identity)
		if err != nil {
			return err
		}
		latencies = append(latencies, time.Since(start))
		// The client's suite is of a backend of its own.
		if m.permit, err = c.suite.DecodePermit(permit.Date(), permit.Bytes()); err != nil {
			return err
		}
		c.date = permit.Date()
	}
	ended := time.Now()
	each := func(i int) (float64, error) {
		has, err := deploy.CPU(pids[i])
		if err != nil {
			return 0, err
		}
		t, err := c.machine.scaled(c.machine.server, c.scale, span{begun, ended, has - had[i]})
		return t.Seconds() * 1e6 / float64(len(c.users)), err
	}
	own, err := each(0)
	if err != nil {
		return err
	}
	issue := 0.0
	for i := 1; i < len(pids); i++ {
		x, err := each(i)
		if err != nil {
			return err
		}
		issue += x
	}
	// Each half of a permit is asked of one D-TA.
	e.Issue = Constant(us(issue / float64(len(c.dta))))
	lat, err := Measured(withoutStrays(latencies))
	if err != nil {
		return err
	}
	counts, err := c.counters(ctx)
	if err != nil {
		return err
	}
	n := float64(len(c.users))
	to.Permit = RequestCost{
		CPU: own, Service: Constant(us(own)), Delay: lat.Plus(-us(own + issue)), Calls: (counts.calls - before.calls) / n, In: float64(c.in.Load()-in) / n, Out: float64(c.out.Load()-out) / n,
	}
	return nil
}

// phase is what one request of everybody came to, the mean of the rounds' costs and the
// median of the rest.
type phase struct {
	cpu     float64 // µs a request, of the RPS
	client  float64 // µs a request, of this process
	in, out float64 // bytes a request
	calls   float64 // of the store, a request
	after   float64 // µs between answers of a batch
}

// level is what whole logins came to.
type level struct {
	cpu         float64 // µs a login, of the RPS, but for collecting garbage
	batches     []sized // that they were verified in
	collections float64 // of garbage, a login
	collecting  float64 // µs a login
	speed       float64 // of the CPU meanwhile
	ended       []time.Time
}

func meanLevel(list []level) (m level) {
	n := float64(len(list))
	for _, l := range list {
		m.cpu += l.cpu / n
		m.batches = append(m.batches, l.batches...)
		m.collections, m.collecting = m.collections+l.collections/n, m.collecting+l.collecting/n
	}
	return m
}

// median is that of a list, which it sorts; 0 of an empty one.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// rounds has everybody log in so many times, k at a time, everybody with one
// request before anybody with the next. It returns passes 1 and 2 and redeeming. A first
// time is not counted, in which connections are made and stacks grow.
func (c *crowd) rounds(ctx context.Context, rounds, k int) (*[3]phase, error) {
	var out [3]phase
	pool, err := c.posts()
	if err != nil {
		return nil, err
	}
	defer pool.close()
	var cpu, client [3][]span
	var after [3][]float64
	n := float64(len(c.users))
	for round := range 1 + rounds {
		if err := c.prepareAll(); err != nil {
			return nil, err
		}
		for i, s := range c.steps() {
			before, err := c.counters(ctx)
			if err != nil {
				return nil, err
			}
			answers := make([][]byte, len(c.users))
			came := make([]time.Time, len(c.users))
			in, outBytes := pool.in.Load(), pool.out.Load()
			var own span
			served, err := worked(c.served, func() (err error) {
				own, err = worked(processTime, func() error {
					return each(ctx, len(c.users), k, func(n int) (err error) {
						answers[n], err = pool.post(ctx, &s, c.users[n].body)
						came[n] = time.Now()
						return err
					})
				})
				return err
			})
			if err != nil {
				return nil, err
			}
			now, err := c.counters(ctx)
			if err != nil {
				return nil, err
			}
			for n, m := range c.users {
				if err := s.next(m, answers[n]); err != nil {
					return nil, err
				}
			}
			if round == 0 {
				continue
			}
			cpu[i], client[i] = append(cpu[i], served), append(client[i], own)
			out[i].in, out[i].out = float64(pool.in.Load()-in)/n, float64(pool.out.Load()-outBytes)/n
			out[i].calls = (now.calls - before.calls) / n
			if d := apiece(came); d > 0 {
				after[i] = append(after[i], float64(d)/1000)
			}
		}
	}
	for i := range out {
		served, err := c.machine.mean(c.machine.server, c.scale, cpu[i])
		if err != nil {
			return nil, err
		}
		own, err := c.machine.mean(c.machine.client, c.scale, client[i])
		if err != nil {
			return nil, err
		}
		out[i].cpu, out[i].client, out[i].after = served/n, own/n, median(after[i])
	}
	return &out, nil
}

// silence is what lies between the answers of one batch and those of the next: verifying
// it takes longer, and sending an answer less.
const silence = time.Millisecond

// apiece is the mean time between two answers of a batch, which come as fast as a server
// sends them if the client has nothing else to do.
func apiece(came []time.Time) time.Duration {
	slices.SortFunc(came, time.Time.Compare)
	var sum time.Duration
	n := 0
	for i := 1; i < len(came); i++ {
		if d := came[i].Sub(came[i-1]); d < silence {
			sum, n = sum+d, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / time.Duration(n)
}

// mixed has everybody log in so many times, k at a time, each with one request after the
// other. A third as much before is not counted: a server that was idle takes up to 15 %
// more until its heap and its goroutines' stacks have grown again.
func (c *crowd) mixed(ctx context.Context, rounds, k int) (l level, err error) {
	pool, err := c.posts()
	if err != nil {
		return l, err
	}
	defer pool.close()
	before := (rounds + 2) / 3 * len(c.users)
	logins := make([]*member, before+rounds*len(c.users))
	turns := make([]sync.Mutex, len(c.users)) // a user's newer login ends the one under way
	for i := range logins {
		m := *c.users[i%len(c.users)]
		if err := c.prepare(&m); err != nil {
			return l, err
		}
		logins[i] = &m
	}
	ended := make([]time.Time, len(logins))
	everybody := func(logins []*member) error {
		return each(ctx, len(logins), k, func(n int) error {
			turns[n%len(turns)].Lock()
			defer turns[n%len(turns)].Unlock()
			for _, s := range c.steps() {
				answer, err := pool.post(ctx, &s, logins[n].body)
				if err != nil {
					return err
				}
				if err := s.next(logins[n], answer); err != nil {
					return err
				}
			}
			ended[n] = time.Now()
			return nil
		})
	}
	if err := everybody(logins[:before]); err != nil {
		return l, err
	}
	had, err := c.counters(ctx)
	if err != nil {
		return l, err
	}
	logins = logins[before:]
	l.ended = ended[:len(logins)]
	s, err := worked(c.served, func() error { return everybody(logins) })
	if err != nil {
		return l, err
	}
	now, err := c.counters(ctx)
	if err != nil {
		return l, err
	}
	took, err := c.machine.scaled(c.machine.server, c.scale, s)
	l.speed = took.Seconds() / max(s.took.Seconds(), 1e-9)
	n := float64(len(logins))
	all := took.Seconds() * 1e6 / n
	l.collections = (now.collections - had.collections) / n
	if s.took > 0 { // Go's own account, of which there is one after each collection
		l.collecting = all * min((now.collecting-had.collecting)/s.took.Seconds(), 0.5)
	}
	l.cpu = all - l.collecting
	l.batches = now.batches(had)
	return l, err
}

// each does n things, k at a time.
func each(ctx context.Context, n, k int, do func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, k) {
		all.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= n || ctx.Err() != nil {
					return
				}
				if err := do(i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
