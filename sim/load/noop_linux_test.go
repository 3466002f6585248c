package load

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/perf/benchmath"

	"mpinlab/protocol"
	"mpinlab/sim/deploy"
	"mpinlab/sim/load/result"
)

// ownMaster issues with a master secret that is at hand.
type ownMaster struct{ *protocol.MasterSecret }

func (m ownMaster) Secret(id *protocol.Identity) (*protocol.ClientSecret, error) {
	share, err := m.ClientShare(id)
	if err != nil {
		return nil, err
	}
	return protocol.CombineClientSecrets(share)
}

func (m ownMaster) Permit(id *protocol.Identity, date protocol.Date) (*protocol.Permit, error) {
	share, err := m.PermitShare(id, date)
	if err != nil {
		return nil, err
	}
	return protocol.CombinePermits(share)
}

// newNoop makes a crowd with prepared proofs for a no-op server in a process of
// its own, which it starts.
func newNoop(tb testing.TB, rate float64, length, warmUp time.Duration) (l *loading, server int) {
	tb.Helper()
	s, err := Read("noop.yaml", fmt.Appendf(nil, "name: noop\nclient: {cost: precomputed, redeem: rps, in-flight: 5000}\npopulation: {users: 5000}\nstages:\n  - {kind: poisson, rate: %v, duration: %v}\n", rate, length))
	if err != nil {
		tb.Fatal(err)
	}
	suite, err := suiteOf(s.Deployment.Suite, "")
	if err != nil {
		tb.Fatal(err)
	}
	master, err := suite.NewMasterSecret(nil)
	if err != nil {
		tb.Fatal(err)
	}
	url, server := noop(tb, s.Deployment.Suite)
	t := &target{rps: url, rpsPrivate: url}
	u := &users{suite: suite, transport: &http.Transport{}, crowd: &crowd{
		scenario: s, seed: 1, verdicts: &verdicts{},
		people: &population{seed: 1, digits: 4, max: 3, suite: suite, issuer: ownMaster{master}, precious: true, users: newUsers(s.Population.Users)},
	}}
	if u.prepared, err = t.newPrepared(u.crowd); err != nil {
		tb.Fatal(err)
	}
	u.people = u.prepared
	tb.Cleanup(u.close)
	return &loading{scenario: s, target: t, people: u, options: Options{Seed: 1}, stages: s.Stages, warmUp: warmUp, end: s.Length().D()}, server
}

// spent is the CPU time that this process and the server have had.
func spent(tb testing.TB, server int) (own, its time.Duration) {
	tb.Helper()
	own, err := deploy.CPU(os.Getpid())
	if err != nil {
		tb.Fatal(err)
	}
	if its, err = deploy.CPU(server); err != nil {
		tb.Fatal(err)
	}
	return own, its
}

// Against a server that does nothing every login comes to its end and has its
// verdict, and none is dropped.
func TestNoop(t *testing.T) {
	l, _ := newNoop(t, 200, 500*time.Millisecond, 0)
	if err := l.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	var r result.Run
	if err := l.run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	g := &r.Generator
	if n := r.Counts.Intended; n == 0 || r.Counts.Outcomes[result.Accepted] != n || r.Counts.Started != n || r.Verdicts.Checked != n || g.Prepared != n || g.Unprepared != 0 {
		t.Errorf("%+v %+v %+v %v", r.Counts, r.Verdicts, r.Generator, r.Failures)
	}
}

// measuring skips tests that take their time and print figures instead of
// asserting: MPIN_NOOP=1 go test -count=1 -timeout 1h -v -run 'TestNoop' ./sim/load
func measuring(t *testing.T) {
	if os.Getenv("MPIN_NOOP") == "" {
		t.Skip("measures: MPIN_NOOP=1")
	}
}

// TestNoopRate prints whether the generator holds 5000 prepared logins a second,
// of three requests each, for 20 s, what that costs in CPU time, and whether its
// memory stays.
func TestNoopRate(t *testing.T) {
	measuring(t)
	const rate, length, warmUp = 5000, 20 * time.Second, 2 * time.Second
	l, server := newNoop(t, rate, length, warmUp)
	began := time.Now()
	if err := l.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	prepared := time.Since(began)
	runtime.GC()
	own, its := spent(t, server)
	began = time.Now()
	var r result.Run
	if err := l.run(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	ownAfter, itsAfter := spent(t, server)
	var n int64
	for _, tick := range r.Timeline {
		n += tick.Started
	}
	c, g, whole := &r.Counts, &r.Generator, &r.Phases[0]
	t.Logf("%d proofs prepared in %v", g.Prepared, prepared.Round(time.Millisecond))
	t.Logf("offered %.0f/s, achieved %.0f/s; dropped %d; late %.2g %%; made when they were due %d; outcomes %v", c.OfferedRate, c.AchievedRate, c.Dropped, 100*g.LateShare, g.Unprepared, c.Outcomes)
	t.Logf("CPU a login: generator %.0f µs, no-op server %.0f µs; together %.2f cores", (ownAfter-own).Seconds()/float64(n)*1e6, (itsAfter-its).Seconds()/float64(n)*1e6, (ownAfter-own+itsAfter-its).Seconds()/took.Seconds())
	t.Logf("response p50 %.3f ms, p99 %.3f ms, p99.9 %.3f ms; queue p99 %.3f ms; %d under way at most", whole.Response.P50, whole.Response.P99, whole.Response.P999, whole.Queue.P99, g.InFlight)
	for _, tick := range r.ServerTimeline {
		if tick.Node == generatorNode && tick.Second%2 == 0 {
			t.Logf("after %2d s: %.2f cores, %d MB resident", tick.Second, tick.CPU, tick.Memory>>20)
		}
	}
}

// TestNoopOverhead prints by how much the 99th percentile that the generator
// reports, from the intended start and all that it does included, exceeds that
// of a bare client: threads of the system with a raw socket each that do the
// same logins at the same times and note nothing but when they ended. Both take
// turns; the ratio is the median over the turns with its 95 % interval.
func TestNoopOverhead(t *testing.T) {
	measuring(t)
	const length, turns = 4 * time.Second, 10
	for _, rate := range []float64{500, 1000, 2000} {
		l, _ := newNoop(t, rate, length, length/4)
		ratios := map[string][]float64{}
		var generator, bare []float64
		for turn := range turns {
			l.options.Seed = uint64(turn + 1)
			l.people.crowd.seed = l.options.Seed
			both := [2]*result.Phase{}
			for k := range both {
				k = (k + turn) % 2
				if err := l.prepare(t.Context()); err != nil {
					t.Fatal(err)
				}
				runtime.GC()
				if k == 0 {
					var r result.Run
					if err := l.run(t.Context(), &r); err != nil {
						t.Fatal(err)
					}
					both[k] = &r.Phases[0]
				} else {
					both[k] = l.bare(t)
				}
			}
			generator, bare = append(generator, both[0].Response.P99), append(bare, both[1].Response.P99)
			ratios["p50"] = append(ratios["p50"], both[0].Response.P50/both[1].Response.P50)
			ratios["p99"] = append(ratios["p99"], both[0].Response.P99/both[1].Response.P99)
			ratios["p99 of service"] = append(ratios["p99 of service"], both[0].Service.P99/both[1].Service.P99)
		}
		median := func(list []float64) benchmath.Summary {
			return benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(list), &benchmath.DefaultThresholds), 0.95)
		}
		t.Logf("%.0f/s: p99 %.3f ms by the generator, %.3f ms bare", rate, median(generator).Center, median(bare).Center)
		for _, what := range []string{"p50", "p99", "p99 of service"} {
			m := median(ratios[what])
			t.Logf("%.0f/s: %s: generator/bare %.3f [%.3f, %.3f] over %d turns", rate, what, m.Center, m.Lo, m.Hi, turns)
		}
	}
}

// bare does the arrivals of a run with as little as can be.
func (l *loading) bare(t *testing.T) *result.Phase {
	t.Helper()
	const threads = 32
	p := l.people.prepared
	type turn struct {
		at    time.Duration
		user  *user
		proof *proof
	}
	var turns [threads][]turn
	for a := range untilEnd(arrivals(l.stages, l.options.Seed), l.end) {
		u, half := p.takeReady(p.intend(a).index, kindOf(false))
		if u == nil {
			t.Fatal("a proof is missing")
		}
		p.people.give(u) // no user comes twice at a time: there are more than are ever under way
		turns[a.n%threads] = append(turns[a.n%threads], turn{a.at, u, half})
	}
	type took struct{ at, response, service time.Duration }
	var times [threads][]took
	start := time.Now().Add(50 * time.Millisecond)
	errs := make(chan error, threads)
	for k := range threads {
		go func() {
			errs <- func() error {
				runtime.LockOSThread() // never unlocked: the thread ends with it
				c, err := dialBare(l.target.rps)
				if err != nil {
					return err
				}
				defer c.close()
				for _, w := range turns[k] {
					due := start.Add(w.at)
					if err := sleepBare(time.Until(due)); err != nil {
						return err
					}
					began := time.Now()
					if err := c.login(w.user.id.MpinID, w.proof); err != nil {
						return err
					}
					ended := time.Now()
					times[k] = append(times[k], took{w.at, ended.Sub(due), ended.Sub(began)})
				}
				return nil
			}()
		}()
	}
	for range threads {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	response, service := result.NewHistogram(), result.NewHistogram()
	for k := range times {
		for _, x := range times[k] {
			if x.at >= l.warmUp {
				_ = response.RecordValue(result.Clamp(x.response.Microseconds()))
				_ = service.RecordValue(result.Clamp(x.service.Microseconds()))
			}
		}
	}
	return &result.Phase{Response: result.Summary(response), Service: result.Summary(service)}
}

// What a user costs whom the generator issues, and that nobody is made ahead who
// does not come: a million registered users cost a million pointers.
func TestUsersAreMadeWhenTheyCome(t *testing.T) {
	l, _ := newNoop(t, 1, time.Second, 0)
	p := l.people.crowd.people
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.users = newUsers(1_000_000)
	runtime.ReadMemStats(&after)
	if grown := after.HeapAlloc - before.HeapAlloc; grown > 16<<20 {
		t.Errorf("a million users who have not come take %d bytes", grown)
	}
	const n = 200
	began, err := deploy.CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.prepare(context.Background(), n, nil); err != nil {
		t.Fatal(err)
	}
	ended, err := deploy.CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for i := range p.users {
		if p.users[i].Load() != nil {
			made++
		}
	}
	if made != n {
		t.Errorf("%d users were made, not %d", made, n)
	}
	each := (ended - began).Seconds() / n
	t.Logf("%.0f µs of CPU time a user; a million in %.1f minutes on 2 cores", each*1e6, math.Ceil(each*1e6/2/60*10)/10)
}
