package quorum

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// member is a D-TA and what is known of it. Times are of the machine's clock,
// whatever clock permits go by.
type member struct {
	Member
	silentUntil   atomic.Int64 // ns since the epoch: did not tell its status
	avoidUntil    atomic.Int64 // did not issue
	distrustUntil atomic.Int64 // lied
	seconds       *service.Histogram
	failures      *service.Counter
	faults        *service.Counter
}

func newMember(m Member, c Config) *member {
	labels := []string{"server", c.Name, "dta", strconv.Itoa(m.Index)}
	r := c.Registry
	return &member{
		Member:   m,
		seconds:  r.Histogram("mpin_dta_answer_seconds", "Time until a D-TA has issued a share.", service.Seconds, labels...),
		failures: r.Counter("mpin_dta_failures_total", "Requests that a D-TA did not answer or refused.", labels...),
		faults:   r.Counter("mpin_dta_faults_total", "Shares of a D-TA that were wrong.", labels...),
	}
}

func (m *member) live(now time.Time) bool {
	n := now.UnixNano()
	return n >= m.silentUntil.Load() && n >= m.avoidUntil.Load() && !m.distrusted(now)
}

func (m *member) distrusted(now time.Time) bool { return now.UnixNano() < m.distrustUntil.Load() }

func (m *member) avoid(d time.Duration) { m.avoidUntil.Store(time.Now().Add(d).UnixNano()) }

// probe asks for a D-TA's status at once and then every so often. That it tells
// its status again is enough where it had not, and no reason to ask it to issue
// where that has failed.
func (q *Quorum) probe(ctx context.Context, m *member) {
	tick := time.NewTicker(q.c.Probe)
	defer tick.Stop()
	call := q.call
	call.Timeout = max(q.c.Probe, time.Second)
	for {
		var a wire.DTAStatus
		err := call.Get(ctx, m.URL+wire.StatusPath+"?app_id="+q.c.AppID, &a)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			m.silentUntil.Store(time.Now().Add(q.c.Avoid + q.c.Probe).UnixNano())
		case a.Key.Key != "" && !q.pinned(m.Index, a.Key):
			q.fault(m, protocol.ErrBadShare)
		default:
			m.silentUntil.Store(0)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (q *Quorum) pinned(index int, k wire.ShareKey) bool {
	for _, p := range q.c.Keys {
		if p.DTA == index {
			return k.DTA == index && k.Key == p.Key
		}
	}
	return false
}

// fault records a lie.
func (q *Quorum) fault(m *member, err error) *Fault {
	f := &Fault{m.Index, err}
	m.faults.Inc()
	m.distrustUntil.Store(time.Now().Add(q.c.Distrust).UnixNano())
	q.c.Logger.LogAttrs(context.Background(), slog.LevelError, "wrong share",
		slog.String("app", q.c.AppID), slog.Int("dta", m.Index), slog.String("cause", err.Error()))
	return f
}

// ask gets a D-TA's answer to a signed query, with a second try. It marks the
// D-TA as one to be avoided if there is none. Errors: ErrUnavailable, ctx's.
func ask[A any](ctx context.Context, q *Quorum, m *member, path string, query wire.Query) (*A, error) {
	start := time.Now()
	a, err := hedged[A](ctx, q, m.URL+path+"?"+query.Encode())
	if err == nil {
		m.seconds.Since(start)
		return a, nil
	}
	if ctx.Err() != nil {
		// The caller has left, or another D-TA has failed: this says nothing.
		return nil, fmt.Errorf("D-TA %d: %w", m.Index, ctx.Err())
	}
	m.failures.Inc()
	m.avoid(q.c.Avoid)
	q.c.Logger.LogAttrs(ctx, slog.LevelWarn, "no share", slog.String("id", service.RequestID(ctx)),
		slog.String("app", q.c.AppID), slog.Int("dta", m.Index), slog.String("cause", err.Error()))
	return nil, fmt.Errorf("%w: D-TA %d: %w", ErrUnavailable, m.Index, err)
}

// hedged sends a request, and a second time when the first fails to bring an
// answer or has taken Hedge. Issuing twice does no harm: a share is always the
// same.
func hedged[A any](ctx context.Context, q *Quorum, url string) (*A, error) {
	ctx, cancel := context.WithTimeout(ctx, q.c.Timeout)
	defer cancel()
	type outcome struct {
		a   *A
		err error
	}
	results := make(chan outcome, 2)
	send := func() {
		a := new(A)
		err := q.call.Get(ctx, url, a)
		results <- outcome{a, err}
	}
	go send()
	timer := time.NewTimer(q.c.Hedge)
	defer timer.Stop()
	for sent, back := 1, 0; ; {
		select {
		case <-timer.C:
			if sent == 1 {
				sent++
				go send()
			}
		case r := <-results:
			back++
			if r.err == nil {
				return r.a, nil
			}
			if sent == 1 && errors.Is(r.err, service.ErrUnreachable) && ctx.Err() == nil {
				sent++
				go send()
			} else if back == sent || !errors.Is(r.err, service.ErrUnreachable) {
				return nil, r.err
			}
		}
	}
}

// gather asks several D-TAs at the same time and gives up with the first error.
// The results are in the order of the indices.
func gather[T any](ctx context.Context, q *Quorum, from wire.Set, f func(context.Context, *member) (T, error)) ([]T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		i   int
		v   T
		err error
	}
	results := make(chan outcome, len(from))
	for i, index := range from {
		go func() {
			v, err := f(ctx, q.members[index])
			results <- outcome{i, v, err}
		}()
	}
	list := make([]T, len(from))
	var first error
	for range from {
		r := <-results
		if r.err != nil && first == nil {
			first = r.err
			cancel()
		}
		list[r.i] = r.v
	}
	if first != nil {
		return nil, first
	}
	return list, nil
}
