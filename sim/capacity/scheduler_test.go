package capacity

import (
	"slices"
	"testing"
	"time"
)

// newScheduler is one whose only core works on something.
func newScheduler(now int64) *scheduler {
	s := &scheduler{cores: 1, fresh: 1}
	s.take(now)
	return s
}

func numbered(i int) task { return task{ref: ref{job: uint32(i)}} }

// rest takes what is to run, in its order.
func (s *scheduler) rest(now int64) (list []int) {
	for {
		t, ok := s.turn(now)
		if !ok {
			return list
		}
		list = append(list, int(t.job))
	}
}

func backwards(from, to int) (list []int) {
	for i := from; i > to; i-- {
		list = append(list, i)
	}
	return list
}

// TestDoor: a look takes in the first 128 that wait, the last of them first, and the next
// look comes when they have had their turn.
func TestDoor(t *testing.T) {
	s := newScheduler(0)
	for i := range 130 {
		s.knock(int64(i), numbered(i))
	}
	want := append(backwards(127, -1), 129, 128)
	if got := s.rest(1000); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	s.inTurn = true
	for i := range 130 {
		s.knock(int64(i), numbered(i))
	}
	if got := s.rest(1000); !slices.IsSorted(got) || len(got) != 130 {
		t.Errorf("in turn: %v", got)
	}
}

// TestWoken: what was woken last runs next, and what was woken before it when those that
// are ready have.
func TestWoken(t *testing.T) {
	s := newScheduler(0)
	for i := range 2 {
		s.knock(0, numbered(i))
	}
	if got, ok := s.turn(1); !ok || got.job != 1 {
		t.Fatalf("%v", got)
	}
	s.yield(numbered(6))
	s.knock(1, numbered(7))
	for i := 2; i < 5; i++ {
		s.wake(numbered(i))
	}
	if got, want := s.rest(2), []int{4, 0, 2, 3, 6, 7}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

// TestFairness: what gave way comes after all that is ready, but not later than after 61
// turns; what is in its core's own queue meanwhile waits for it.
func TestFairness(t *testing.T) {
	s := newScheduler(0)
	for i := range 100 {
		s.knock(0, numbered(i))
	}
	s.turn(1)
	s.yield(numbered(1000))
	got := s.rest(1)
	if at := slices.Index(got, 1000); at != fairness-1 {
		t.Errorf("it runs after %d others", at)
	}
	for i := range 10 {
		s.knock(2, numbered(i))
	}
	s.turns = 1
	s.turn(2)
	s.yield(numbered(1000))
	if got := s.rest(2); got[len(got)-1] != 1000 {
		t.Errorf("%v", got)
	}
	// Of two cores each takes its share of what gave way.
	s.cores, s.turns = 2, 1
	for i := range 4 {
		s.yield(numbered(i))
	}
	s.turn(3)
	if s.local.n != 2 || s.global.n != 1 {
		t.Errorf("%d and %d", s.local.n, s.global.n)
	}
}

// TestMonitorsLook: where no core has waited at the door for 10 ms the monitor looks, every
// 10 ms, and what it finds comes after all that was ready. That a core which had work looked
// meanwhile changes nothing.
func TestMonitorsLook(t *testing.T) {
	ms := int64(time.Millisecond)
	s := newScheduler(0)
	s.local.push(numbered(0))
	s.knock(2*ms, numbered(1))
	s.knock(3*ms, numbered(2))
	s.watch(9 * ms)
	if s.door.n != 2 || s.global.n != 0 {
		t.Fatal("it looked too early")
	}
	s.knock(25*ms, numbered(3)) // by then it has looked
	s.watch(26 * ms)
	if s.door.n != 1 || s.global.n != 2 || s.polled < 10*ms || s.polled >= 25*ms {
		t.Fatalf("%d at the door, %d for all, at %d", s.door.n, s.global.n, s.polled)
	}
	s.turns = 1
	if got, want := s.rest(27*ms), []int{0, 2, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	before := s.polled
	s.knock(28*ms, numbered(4))
	s.rest(29 * ms)
	s.knock(30*ms, numbered(5))
	if s.watch(37 * ms); s.door.n != 0 || s.polled <= before {
		t.Errorf("%d at the door, at %d and %d", s.door.n, before, s.polled)
	}
}

// TestGoroutines: a batch that makes goroutines gives way to all that is ready when it
// makes them, and then only when the queue for all comes first.
func TestGoroutines(t *testing.T) {
	b := &batch{left: 1000, first: 400, turns: 100}
	s := newScheduler(0)
	s.turns = 50
	if d := b.proceed(0, s); d != 400 || b.begun || b.left != 600 || s.turns != 50 {
		t.Fatalf("%d, %+v", d, b)
	}
	// The present turn is the 50th, and the 61st is another's: 12 goroutines have theirs.
	for _, want := range []struct {
		d     int64
		turns int
	}{{72, 61}, {366, 122}, {162, 149}} {
		if d := b.proceed(0, s); d != want.d || !b.begun || s.turns != want.turns {
			t.Fatalf("%d, %+v, turn %d, not %v", d, b, s.turns, want)
		}
		s.turns++ // the batch's next turn
	}
	if b.left != 0 || b.turns != 0 {
		t.Errorf("%+v", b)
	}
}

// TestGivingWay: requests that are ready when a batch makes its goroutines are answered
// before it is done, by Go's scheduler on one core.
func TestGivingWay(t *testing.T) {
	late := func(m *Model, turns, first float64) float64 {
		m.Batching = &Batching{Costs: []BatchCost{{N: 1, Time: 1000, Turns: turns, First: first}, {N: 100, Time: 9000}}}
		m.Trace = append([]time.Duration{0, 50e3}, slices.Repeat([]time.Duration{120e3}, 99)...)
		m.Costs[Pass1] = Cost{Service: Constant(100 * time.Microsecond), Delay: Constant(60 * time.Microsecond)}
		m.Costs[Redeem].Service = Constant(100 * time.Microsecond)
		m.Instances, m.Duration, m.Drain = 1, time.Second, true
		return simulate(t, m).Stages[Pass1].Quantile(0.9).Seconds()
	}
	// The first to come is there to be verified when the server looks at 99 others, and is
	// served before them. The worker gets its turn as the 61st, when 40 of them are ready.
	without := late(&Model{Cores: 1}, 0, 0)
	near(t, "pass 1 of the others is answered earlier", without-late(&Model{Cores: 1}, 50, 0.3), 0.0007, 0.05)
	for _, m := range []*Model{{Cores: 1, InTurn: true}, {Cores: 2}} {
		same := *m
		if a, b := late(m, 50, 0.3), late(&same, 0, 0); a != b {
			t.Errorf("%d cores, in turn %v: %v and %v", m.Cores, m.InTurn, a, b)
		}
	}
}

// TestPreempted: a task gives way at the first look at which the monitor has seen it for
// 10 ms.
func TestPreempted(t *testing.T) {
	ms := int64(time.Millisecond)
	s := newScheduler(0)
	if at := s.preempted(0); at < 10*ms || at > 16*ms {
		t.Errorf("after %v, when it looks often", time.Duration(at))
	}
	s.watch(100 * ms)
	for now := 100 * ms; now < 120*ms; now += ms {
		if d := s.preempted(now) - now; d < 10*ms || d > 21*ms {
			t.Errorf("after %v, when it looks seldom", time.Duration(d))
		}
	}
}

// TestMonitor: on one core the monitor's looks take longer all that a server does after it
// was idle, for some milliseconds.
func TestMonitor(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, Duration: time.Second, Drain: true, Seed: 1, Trace: []time.Duration{0, 500e6}}
	m.Costs[Pass1].Service = Constant(time.Millisecond)
	m.Monitor = 50 * time.Microsecond
	// It looks after 80 µs and every 130 then, 12 times until all is done.
	r := simulate(t, m)
	near(t, "alone", r.Whole.Mean().Seconds(), 0.0016, 0.01)
	near(t, "its use, with a look that finds nothing", r.Utilization, 0.00325, 0.001)
	// 51 looks in the first 6.6 ms, then nine in 21 ms, and one in 10.
	m.Costs[Pass1].Service = Constant(4 * time.Millisecond)
	m.Trace = make([]time.Duration, 10)
	near(t, "the last of ten", simulate(t, m).Whole.Quantile(1).Seconds(), 0.0431, 0.01)
	m.Cores = 2
	near(t, "with a core for the monitor", simulate(t, m).Utilization, 0.02, 0.001)
}

// TestClients: where clients share a core a login begins before the answers that wait are
// read, the last of which comes first, and what is done around a login is not of it.
func TestClients(t *testing.T) {
	m := &Model{Instances: 1, Cores: 16, ClientCores: 1, Duration: time.Second, Drain: true, Seed: 1}
	us := func(n int) Dist { return Constant(time.Duration(n) * time.Microsecond) }
	m.Costs[Pass1] = Cost{Service: us(100), Think: us(1000)}
	m.Begin, m.Finish, m.End = us(300), us(200), us(500)
	m.Trace = []time.Duration{0}
	near(t, "one", simulate(t, m).Whole.Mean().Seconds(), 0.0013, 0.01)
	// The second begins when the first has asked, and the third then: the answers of
	// the first two wait until 3.9 ms. That of the second is read first, until 4.6.
	m.Trace = []time.Duration{0, 100e3, 2e6}
	r := simulate(t, m)
	near(t, "the first", r.Whole.Quantile(1).Seconds(), 0.0048-0.0003, 0.01)
	near(t, "the second", r.Whole.Quantile(0.1).Seconds(), 0.0041-0.0016, 0.02)
}

// TestCollect: after so many logins an instance collects garbage, as fast as it can while
// it has nothing else to do, and with a quarter of its time where it has.
func TestCollect(t *testing.T) {
	m := &Model{Instances: 1, Cores: 1, Duration: time.Second, Drain: true, Seed: 1, Collect: 5 * time.Millisecond, Logins: 3}
	m.Costs[Pass1].Service = Constant(time.Millisecond)
	m.Costs[Redeem].Service = Constant(time.Millisecond)
	for i := range 9 {
		m.Trace = append(m.Trace, time.Duration(i)*20*time.Millisecond)
	}
	r := simulate(t, m)
	near(t, "use of a server with pauses", r.Utilization, 9*0.002+3*0.005, 0.001)
	near(t, "times between which garbage is collected", r.Whole.Quantile(1).Seconds(), 0.002, 0.01)
	m.Logins, m.Trace = 50, make([]time.Duration, 100)
	r = simulate(t, m)
	near(t, "use of a busy one", r.Utilization, 100*0.002+2*0.005, 0.001)
	// All pass 1 come before any redeeming, the fiftieth of which ends after 150 ms.
	longest := r.Whole.Quantile(1).Seconds()
	near(t, "the longest with the first collection in it", longest, 0.205, 0.001)
	// A collection lasts for 20 ms at a quarter, as it does at most.
	near(t, "in the meantime", r.Whole.Quantile(0.64).Seconds(), 0.150+0.014+0.0042, 0.005)
	if got, want := m.cheapest(), 2*time.Millisecond+100*time.Microsecond; got != want {
		t.Errorf("a login takes %v at least, not %v", got, want)
	}
	m.Logins = 0.5
	if _, err := m.Run(t.Context()); err == nil {
		t.Error("half a login is taken")
	}
}
