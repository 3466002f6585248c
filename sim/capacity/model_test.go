package capacity

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// whole is a model with everything in it, near what a real server costs.
func whole() *Model {
	us := func(n float64) Dist { return Constant(time.Duration(n * 1000)) }
	m := &Model{
		Instances: 2, Cores: 2, Monitor: 30 * time.Microsecond, Rest: 50 * time.Microsecond, Collect: 3 * time.Millisecond, Logins: 100, Verify: us(600), FindPIN: us(3000), Bad: 0.02,
		IssuerCores: 2, Issue: us(300), Published: 0.5, PermitPeriod: 24 * time.Hour, PerUser: 2,
		Arrivals: Flat(1500), WarmUp: time.Second, Duration: 5 * time.Second, Timeout: 2 * time.Second, Pause: time.Second, Retries: 2, Seed: 1,
	}
	for i, c := range []float64{200, 250, 120, 150} {
		m.Costs[i] = Cost{Service: Exponential(time.Duration(c * 1000)), Wake: Wake{{1000, 10}, {5000, 30}}, Delay: us(150), Think: us(400)}
	}
	return m
}

var someCosts = []BatchCost{
	{N: 1, Time: 600}, {N: 4, Time: 1200}, {N: 16, Time: 3000}, {N: 64, Time: 7000, Turns: 100, First: 0.7},
	{N: 256, Time: 20000, Turns: 130},
	{N: 4, Bad: 1, Time: 2400}, {N: 16, Bad: 1, Time: 5500}, {N: 64, Bad: 1, Time: 12000}, {N: 256, Bad: 1, Time: 29000}, {N: 4, Bad: 2, Time: 3000}, {N: 16, Bad: 2, Time: 8000}, {N: 64, Bad: 2, Time: 16000}, {N: 256, Bad: 2, Time: 38000},
}

func inBatches(m *Model) *Model {
	m.Batching = &Batching{Costs: someCosts, Back: 0.4}
	return m
}

// TestConservation: whatever the load, the time-outs and the queues, every login
// that comes is accounted for, and no core works more than all the time.
func TestConservation(t *testing.T) {
	t.Parallel()
	properties := gopter.NewProperties(gopter.DefaultTestParametersWithSeed(1))
	properties.Property("arrived = accepted + refused + failed + unfinished; drained, nothing is unfinished", prop.ForAll(
		func(seed uint64, rate, bad float64, cores, instances, timeout, inFlight int, batching, drain bool) bool {
			m := whole()
			m.Seed, m.Bad, m.Cores, m.Instances = seed, bad, cores, instances
			m.Arrivals, m.Duration, m.Drain = Flat(rate), 2*time.Second, drain
			m.Timeout, m.InFlight = time.Duration(timeout)*time.Millisecond, inFlight
			m.Speeds = []Speed{{300 * time.Millisecond, 0.5}, {time.Second, 0}, {1010 * time.Millisecond, 1}}
			if batching {
				inBatches(m).Batching.Waiting = 200
			}
			r := simulate(t, m)
			inside := r.Utilization >= 0 && r.Utilization <= 1.02 && r.IssuerUse <= 1.02
			return inside && r.Arrived == r.Accepted+r.Refused+r.Failed+r.Unfinished+r.Dropped &&
				r.Accepted == r.Whole.Count() && r.Unfinished >= 0 && (!drain || r.Unfinished == 0)
		},
		gen.UInt64(), gen.Float64Range(10, 8000), gen.Float64Range(0, 0.5), gen.IntRange(1, 4), gen.IntRange(1, 3), gen.IntRange(5, 400), gen.IntRange(0, 300), gen.Bool(), gen.Bool(),
	))
	properties.Property("the response time of a login is at least all its services and delays", prop.ForAll(
		func(seed uint64, rate float64) bool {
			m := whole()
			m.Seed, m.Arrivals, m.Timeout = seed, Flat(rate), 0
			m.Duration = 500 * time.Millisecond
			least := time.Duration(0)
			for _, s := range []Stage{Pass1, Pass2, Redeem} {
				m.Costs[s].Service = Constant(m.Costs[s].Service.Mean())
				least += m.Costs[s].Service.Mean() + m.Costs[s].Delay.Mean()
			}
			r := simulate(t, m)
			return r.Accepted == 0 || r.Whole.Quantile(0) >= (least+m.Verify.Mean())*999/1000
		},
		gen.UInt64(), gen.Float64Range(10, 4000),
	))
	properties.TestingRun(t)
}

// TestDeterminism: the same seed gives the same result to the last value,
// another one another.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	for _, m := range []*Model{whole(), inBatches(whole())} {
		a, b := simulate(t, m), simulate(t, m)
		if !reflect.DeepEqual(a, b) {
			t.Error("two runs of one model differ")
		}
		m.Seed++
		if c := simulate(t, m); c.Arrived == a.Arrived && c.Whole.Mean() == a.Whole.Mean() {
			t.Error("another seed, the same result")
		}
	}
}

// TestOverload: a service beyond what it bears collapses with clients that try
// again, and serves what it can with clients that do not give up.
func TestOverload(t *testing.T) {
	t.Parallel()
	m := whole()
	m.Bad, m.PermitPeriod, m.Arrivals, m.Duration = 0, 0, Flat(6000), 30*time.Second
	// Of logins that may all come in, earlier requests hold the cores of later
	// ones; with a bound it is the services that tell the rate.
	m.Timeout, m.InFlight = 0, 500
	patient := simulate(t, m)
	bears := float64(m.Instances*m.Cores) / 0.00115 // services of a login, and its garbage
	near(t, "rate with patient clients", patient.Rate, bears, 0.01)
	m.InFlight = 0
	m.Timeout, m.Retries = 500*time.Millisecond, 3
	if r := simulate(t, m); r.Rate > bears/2 || r.Timeouts == 0 || r.Failed == 0 {
		t.Errorf("with clients that give up after 500 ms: %.0f logins a second, %d time-outs, %d failed; patient ones had %.0f", r.Rate, r.Timeouts, r.Failed, patient.Rate)
	}
}

// TestRefusedModels: what cannot be is refused, and nothing of it is run.
func TestRefusedModels(t *testing.T) {
	for name, change := range map[string]func(*Model){
		"no instances":      func(m *Model) { m.Instances = 0 },
		"no cores":          func(m *Model) { m.Cores = 0 },
		"a share above one": func(m *Model) { m.Bad = 1.5 },
		"not a number":      func(m *Model) { m.Bad = math.NaN() },
		"no time":           func(m *Model) { m.Duration = 0 },
		"years":             func(m *Model) { m.Duration = 1 << 62 },
		"nobody":            func(m *Model) { m.Arrivals = Flat(0) },
		"negative rate":     func(m *Model) { m.Arrivals.Rates[0] = -1 },
		"no profile":        func(m *Model) { m.Arrivals = Profile{} },
		"permits of nobody": func(m *Model) { m.PerUser = 0 },
		"one batch cost":    func(m *Model) { m.Batching = &Batching{Costs: someCosts[:1]} },
		"negative cost":     func(m *Model) { m.Batching = &Batching{Costs: []BatchCost{{N: 1, Time: -1}, {N: 2, Time: 1}}} },
		"huge batches":      func(m *Model) { m.Batching = &Batching{Batch: 1 << 30, Costs: someCosts} },
		"no look":           func(m *Model) { m.Monitor = -1 },
		"a look of an hour": func(m *Model) { m.Monitor = time.Hour },
		"no rest":           func(m *Model) { m.Rest = -1 },
		"a rest of an hour": func(m *Model) { m.Rest = time.Hour },
		"nothing to do":     func(m *Model) { m.Costs, m.Verify = [stages]Cost{}, Dist{} },
	} {
		m := whole()
		change(m)
		if _, err := m.Run(context.Background()); !errors.Is(err, ErrModel) && !errors.Is(err, ErrProfile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := whole().Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was cancelled: %v", err)
	}
}

// TestDaily: a day's profile has the mean and the peak that were asked for.
func TestDaily(t *testing.T) {
	regions := []Region{{"Europe", 2, 1}, {"America", 1, -6}, {"Asia", 3, 8}}
	for _, peak := range []float64{1, 1.5, 4, 12} {
		p, err := Daily(100, peak, regions)
		if err != nil {
			t.Fatal(err)
		}
		top, _ := p.Peak()
		near(t, "mean", p.Mean(), 100, 1e-9)
		near(t, "peak", top, 100*peak, 1e-6)
	}
	p, err := Daily(100, 0, []Region{{"Tokyo", 1, 9}})
	if err != nil {
		t.Fatal(err)
	}
	if _, at := p.Peak(); at != 0 { // nine o'clock there
		t.Errorf("the peak is at %v UTC", at)
	}
	for _, peak := range []float64{0.5, 25, math.NaN()} {
		if _, err := Daily(100, peak, regions); !errors.Is(err, ErrProfile) {
			t.Errorf("a peak of %v: %v", peak, err)
		}
	}
}

// TestBatchTable: what was measured comes out again, costs rise with the size,
// and bad logins never make a batch cheaper.
func TestBatchTable(t *testing.T) {
	table := (&Batching{Costs: someCosts}).table(256)
	for _, c := range someCosts {
		near(t, "measured cost", float64(table.cost(c.N, c.Bad))/1000, min(c.Time, worst*float64(c.N)*600), 0.001)
	}
	for n := 2; n <= 256; n++ {
		for bad := range n + 1 {
			c := table.cost(n, bad)
			if c < table.cost(n-1, min(bad, n-1)) || bad > 0 && c < table.cost(n, bad-1) {
				t.Fatalf("%d with %d bad: %d ns", n, bad, c)
			}
		}
	}
}

// TestNoAllocations: a simulation's memory does not grow with its length.
func TestNoAllocations(t *testing.T) {
	run := func(d time.Duration) float64 {
		m := inBatches(whole())
		m.Duration = d
		return testing.AllocsPerRun(1, func() { simulate(t, m) })
	}
	short, long := run(4*time.Second), run(16*time.Second)
	if long > short+60 { // rings and slices may double a few times more
		t.Errorf("%v allocations for 6000 logins, %v for four times as many", short, long)
	}
}

// BenchmarkLogins is a login of all four requests, alone and in batches.
func BenchmarkLogins(b *testing.B) {
	for name, m := range map[string]*Model{"verify=single": whole(), "verify=batching": inBatches(whole())} {
		b.Run(name, func(b *testing.B) {
			m.WarmUp, m.Duration = 0, time.Duration(float64(b.N)/1500*float64(time.Second))+1
			b.ReportAllocs()
			r := simulate(b, m)
			b.ReportMetric(float64(r.Events)/float64(b.N), "events/op")
		})
	}
}
