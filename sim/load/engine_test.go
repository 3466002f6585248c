package load

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mpinlab/sim/load/result"
)

// newEngine makes an engine for operations that are all logins.
func newEngine(inFlight int, warmUp time.Duration) *engine {
	return &engine{inFlight: inFlight, late: 10 * time.Millisecond, drain: 10 * time.Second, meter: newMeter(warmUp), name: func(arrival) string { return opLogin }}
}

// stalling is a server that stands still for pause in every period, from its
// first request on. Its connections are within this process, so that it can run
// in the time of a synctest bubble.
func stalling(pause, period time.Duration) (client *http.Client, stop func()) {
	var begin atomic.Int64
	l := &pipes{make(chan net.Conn), make(chan struct{})}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		begin.CompareAndSwap(0, now.UnixNano())
		// The pause is at the end of each period.
		in := time.Duration(now.UnixNano()-begin.Load()) % period
		if in >= period-pause {
			time.Sleep(period - in)
		}
		w.WriteHeader(http.StatusOK)
	})}
	go s.Serve(l)
	transport := &http.Transport{MaxIdleConnsPerHost: 512, DialContext: l.dial}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		s.Close()
	}
}

// pipes is a listener at which only dial arrives.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A server that stands still for P in every T keeps a share P/T of the arrivals
// waiting, for a time that is uniform from 0 to P: the share that waits longer
// than x is (P − x)/T, and so the 99th percentile is P − T/100. A closed loop
// meets each pause once. Time is the bubble's: what else the machine does adds
// nothing to it.
func TestStallShowsAndAClosedLoopHidesIt(t *testing.T) {
	const pause, period = 500 * time.Millisecond, 5 * time.Second
	const want = float64(pause-period/100) / float64(time.Millisecond)
	synctest.Test(t, func(t *testing.T) {
		client, stop := stalling(pause, period)
		defer stop()
		stage := Stage{Kind: Constant, Rate: 80, Duration: Duration(5 * period)}
		e := newEngine(2000, 0)
		_, elapsed, _ := e.run(t.Context(), arrivals([]Stage{stage}, 1), stage.Duration.D(), func(ctx context.Context, a arrival) done {
			r, err := client.Get("http://stalling/")
			if err != nil {
				return done{op: opLogin, class: result.Unreachable}
			}
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
			return done{op: opLogin, class: result.Accepted}
		})
		var r result.Run
		e.meter.report(&r, elapsed, []Stage{stage})
		if r.Counts.Started != 2000 || r.Counts.Outcomes[result.Accepted] != 2000 {
			t.Fatalf("%+v", r.Counts)
		}
		open, closed := r.Phases[0].Response, r.ClosedLoop
		if math.Abs(open.P99-want) > 0.03*want || closed.P99 > want/3 {
			t.Errorf("open loop p99 %.1f ms, not %.0f as the arithmetic says; closed loop %.1f ms", open.P99, want, closed.P99)
		}
	})
}

// The same without a clock: the latencies are those of the arithmetic.
func TestClosedLoopArithmetic(t *testing.T) {
	const pause, period = 500 * time.Millisecond, 5 * time.Second
	var starts, took []time.Duration
	h := result.NewHistogram()
	for at := time.Duration(0); at < 100*time.Second; at += time.Millisecond {
		d := time.Millisecond
		if in := at % period; in >= period-pause {
			d += period - in
		}
		starts, took = append(starts, at), append(took, d)
		_ = h.RecordValue(d.Microseconds())
	}
	open, closed := result.Summary(h), ClosedLoop(starts, took, 0, 100*time.Second)
	if math.Abs(open.P99-451) > 2 {
		t.Errorf("open p99 %v ms, not 451", open.P99)
	}
	// 4.5 s of 1 ms each, then one of up to 501 ms: one in 4500.
	if closed.P99 > 1.1 || closed.Max < 499 || closed.Count < 80_000 {
		t.Errorf("closed: %+v", closed)
	}
	if ClosedLoop(nil, nil, 0, time.Second) != nil {
		t.Error("something of nothing")
	}
}

// What never started is dropped, what started late is late, and both are kept
// apart from what is under way.
func TestDroppedAndLate(t *testing.T) {
	release := make(chan struct{})
	e := newEngine(5, 0)
	e.late = time.Hour
	stage := Stage{Kind: Constant, Rate: 1000, Duration: Duration(20 * time.Millisecond)}
	var started atomic.Int64
	go func() {
		for e.reached.Load() < int64(20*time.Millisecond) {
			runtime.Gosched()
		}
		close(release)
	}()
	e.run(t.Context(), arrivals([]Stage{stage}, 1), stage.Duration.D(), func(context.Context, arrival) done {
		started.Add(1)
		<-release
		return done{op: opLogin, class: result.Accepted}
	})
	var r result.Run
	e.meter.report(&r, 20*time.Millisecond, []Stage{stage})
	if r.Counts.Intended != 20 || r.Counts.Started != 5 || r.Counts.Dropped != 15 || started.Load() != 5 || r.Counts.Late != 0 {
		t.Errorf("%+v, %d started", r.Counts, started.Load())
	}
	if r.Phases[0].Response.Count != 5 {
		t.Errorf("%d response times", r.Phases[0].Response.Count)
	}
}

// An interrupt ends the arrivals and waits for what is under way.
func TestInterruptDrains(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := newEngine(100, 0)
	stage := Stage{Kind: Constant, Rate: 100, Duration: Duration(time.Hour)}
	var ended atomic.Int64
	_, _, cut := e.run(ctx, arrivals([]Stage{stage}, 1), stage.Duration.D(), func(work context.Context, a arrival) done {
		if a.n == 3 {
			cancel()
		}
		<-ctx.Done()
		if work.Err() != nil {
			t.Error("what was under way was cut")
		}
		ended.Add(1)
		return done{op: opLogin, class: result.Accepted}
	})
	if !cut || ended.Load() < 4 {
		t.Errorf("cut %v, %d ended", cut, ended.Load())
	}
}

// What is under way when even draining takes too long is told to end.
func TestDrainEnds(t *testing.T) {
	e := newEngine(100, 0)
	e.drain = time.Millisecond
	stage := Stage{Kind: Constant, Rate: 100, Duration: Duration(10 * time.Millisecond)}
	e.run(t.Context(), arrivals([]Stage{stage}, 1), stage.Duration.D(), func(work context.Context, a arrival) done {
		<-work.Done()
		return done{op: opLogin, class: result.Timeout}
	})
}

// The warm-up is in the timeline and in nothing else.
func TestWarmUp(t *testing.T) {
	e := newEngine(100, 50*time.Millisecond)
	stage := Stage{Kind: Constant, Rate: 100, Duration: Duration(100 * time.Millisecond)}
	e.run(t.Context(), arrivals([]Stage{stage}, 1), stage.Duration.D(), func(work context.Context, a arrival) done {
		d := done{op: opLogin, class: result.Accepted}
		d.phases[inPass1] = time.Millisecond
		return d
	})
	var r result.Run
	e.meter.report(&r, 100*time.Millisecond, []Stage{stage})
	if r.Counts.Intended != 6 || r.Counts.Outcomes[result.Accepted] != 6 { // at 50, 60 … 100 ms
		t.Errorf("%+v", r.Counts)
	}
	if r.Timeline[0].Intended != 10 || r.Histograms[result.Tag(result.Pass1, result.Service)].TotalCount() != 6 {
		t.Errorf("%+v", r.Timeline)
	}
}

// A meter's memory does not grow with the operations, and with time only by a
// line a second.
func TestMeterStaysSmall(t *testing.T) {
	m := newMeter(0)
	begin := time.Now()
	m.begin(begin)
	operate := func(from, to int) {
		for s := from; s < to; s++ {
			for k := range 200 {
				a := arrival{at: time.Duration(s)*time.Second + time.Duration(k)*5*time.Millisecond}
				m.intended(a)
				m.started(a, false)
				due := begin.Add(a.at)
				m.done(a, done{op: opLogin, class: result.Accepted}, due, due, due.Add(time.Millisecond))
			}
		}
	}
	measure := func() uint64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	operate(0, 1000) // beyond the trace's bound
	before := measure()
	operate(1000, 2000)
	after := measure()
	// A line with its map is some hundred bytes.
	if after > before && after-before > 1000*4096 {
		t.Errorf("%d bytes for 1000 seconds and 200000 operations", after-before)
	}
	if len(m.seconds) > settled+2 || len(m.trace.points) > maxTrace {
		t.Errorf("%d seconds and %d points are kept", len(m.seconds), len(m.trace.points))
	}
	runtime.KeepAlive(m)
}

// BenchmarkEngine is the generator's own cost and delay against nothing.
func BenchmarkEngine(b *testing.B) {
	e := newEngine(10_000, 0)
	stage := Stage{Kind: Poisson, Rate: 20_000, Duration: Duration(time.Duration(b.N) * 50 * time.Microsecond)}
	b.ResetTimer()
	_, elapsed, _ := e.run(b.Context(), arrivals([]Stage{stage}, 1), stage.Duration.D(), func(context.Context, arrival) done {
		return done{op: opLogin, class: result.Accepted}
	})
	b.StopTimer()
	var r result.Run
	e.meter.report(&r, elapsed, nil)
	if len(r.Phases) > 0 {
		b.ReportMetric(r.Phases[0].Response.P99*1e6, "p99-ns")
	}
}
