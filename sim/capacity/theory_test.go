package capacity

import (
	"context"
	"math"
	"testing"
	"time"
)

// queue is a single station: one instance, one request a login.
func queue(cores int, load float64, service Dist, seed uint64) *Model {
	m := &Model{Instances: 1, Cores: cores, InTurn: true, Seed: seed}
	m.Costs[Pass1].Service = service
	rate := load * float64(cores) / service.Mean().Seconds()
	m.Arrivals = Flat(rate)
	m.Duration = time.Duration(1e6 / rate * float64(time.Second)) // a million logins
	m.WarmUp = m.Duration / 50
	return m
}

func simulate(t testing.TB, m *Model) *Result {
	t.Helper()
	r, err := m.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// near checks a figure against theory.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*want {
		t.Errorf("%s: %v, theory says %v (within %v %%)", what, got, want, 100*tolerance)
	}
}

// erlangC is the chance to wait in M/M/c at load rho (of all servers).
func erlangC(c int, rho float64) float64 {
	a := rho * float64(c)
	term, sum := 1.0, 1.0
	for k := 1; k < c; k++ {
		term *= a / float64(k)
		sum += term
	}
	top := term * a / float64(c) / (1 - rho)
	return top / (sum + top)
}

// TestMMc holds mean and percentiles of the response time against M/M/c: a
// response is a service time, and with the chance C(c, a) an exponential wait of
// rate c·mu − lambda on top (Kleinrock, Queueing Systems I, 3.5).
func TestMMc(t *testing.T) {
	t.Parallel()
	const mean = time.Millisecond
	mu := 1 / mean.Seconds()
	cores, loads := []int{1, 2, 4, 16}, []float64{0.3, 0.6, 0.9}
	if testing.Short() { // as under the race detector
		cores, loads = []int{1, 4}, []float64{0.6}
	}
	for _, c := range cores {
		for _, rho := range loads {
			r := simulate(t, queue(c, rho, Exponential(mean), 7))
			wait := erlangC(c, rho)
			theta := float64(c) * mu * (1 - rho)
			near(t, "mean", r.Whole.Mean().Seconds(), 1/mu+wait/theta, 0.012/(1-rho))
			// The tail of a sum of both; c·mu·(1−rho) = mu is a double root.
			tail := func(x float64) float64 {
				if math.Abs(theta-mu) < 1e-9*mu {
					return (1-wait)*math.Exp(-mu*x) + wait*(1+mu*x)*math.Exp(-mu*x)
				}
				return (1-wait)*math.Exp(-mu*x) + wait*(mu*math.Exp(-theta*x)-theta*math.Exp(-mu*x))/(mu-theta)
			}
			for _, q := range []float64{0.5, 0.9, 0.99} {
				lo, hi := 0.0, 10.0
				for range 100 {
					if mid := (lo + hi) / 2; tail(mid) > 1-q {
						lo = mid
					} else {
						hi = mid
					}
				}
				near(t, "percentile", r.Whole.Quantile(q).Seconds(), lo, 0.04/(1-rho)/2.5)
			}
			near(t, "utilization", r.Utilization, rho, 0.01)
			near(t, "rate", r.Rate, rho*float64(c)*mu, 0.01)
		}
	}
}

// TestMD1 holds the mean of M/D/1 against Pollaczek and Khinchine, and two
// percentiles against Erlang's distribution of the wait,
// P(W ≤ x) = (1−rho) Σ_{k≤x/D} (lambda(kD−x))^k/k! · e^{−lambda(kD−x)}.
func TestMD1(t *testing.T) {
	t.Parallel()
	const d = time.Millisecond
	for _, rho := range []float64{0.3, 0.6, 0.8} {
		r := simulate(t, queue(1, rho, Constant(d), 3))
		near(t, "mean", r.Whole.Mean().Seconds(), d.Seconds()*(1+rho/(2*(1-rho))), 0.02)
		below := func(x float64) float64 { // x in units of D
			sum, fact := 0.0, 1.0
			for k := 0; float64(k) <= x; k++ {
				if k > 0 {
					fact *= float64(k)
				}
				y := rho * (float64(k) - x)
				sum += math.Pow(y, float64(k)) / fact * math.Exp(-y)
			}
			return (1 - rho) * sum
		}
		for _, q := range []float64{0.9, 0.99} {
			lo, hi := 0.0, 25.0
			for range 60 {
				if mid := (lo + hi) / 2; below(mid) < q {
					lo = mid
				} else {
					hi = mid
				}
			}
			near(t, "percentile", r.Whole.Quantile(q).Seconds(), d.Seconds()*(1+lo), 0.03)
		}
	}
}

// TestMG1 holds a measured distribution against Pollaczek and Khinchine:
// W = lambda·E[S²]/(2(1−rho)).
func TestMG1(t *testing.T) {
	t.Parallel()
	sample := make([]time.Duration, 0, 2000)
	for i := range 2000 {
		d := time.Duration(500+i/4) * time.Microsecond
		if i >= 1900 {
			d = 4 * time.Millisecond
		}
		sample = append(sample, d)
	}
	s, err := Measured(sample)
	if err != nil {
		t.Fatal(err)
	}
	square := 0.0 // of the table's steps, uniform in between
	for i := 1; i < len(s.table); i++ {
		a, b := s.table[i-1]*1e-9, s.table[i]*1e-9
		square += (a*a + a*b + b*b) / 3 / float64(len(s.table)-1)
	}
	for _, rho := range []float64{0.4, 0.8} {
		m := queue(1, rho, s, 5)
		r := simulate(t, m)
		near(t, "mean", r.Whole.Mean().Seconds(), s.Mean().Seconds()+m.Arrivals.Rates[0]*square/(2*(1-rho)), 0.03)
	}
}

// TestDelays adds what holds no core to a queue.
func TestDelays(t *testing.T) {
	t.Parallel()
	m := queue(1, 0.5, Exponential(time.Millisecond), 11)
	m.Costs[Pass1].Delay = Constant(3 * time.Millisecond)
	m.Costs[Pass2].Delay = Exponential(5 * time.Millisecond)
	m.Costs[Pass2].Think = Constant(time.Second) // not part of the response
	r := simulate(t, m)
	near(t, "mean", r.Whole.Mean().Seconds(), 0.002+0.003+0.005, 0.03)
	near(t, "pass 1", r.Stages[Pass1].Mean().Seconds(), 0.005, 0.03)
	near(t, "pass 2", r.Stages[Pass2].Mean().Seconds(), 0.005, 0.03)
}

// TestSetup holds the cost of waking a core against M/G/1 with set-up times
// (Takagi, Queueing Analysis I, 2.2): W = lambda·E[S²]/(2(1−rho)) +
// (2E[D] + lambda·E[D²])/(2(1 + lambda·E[D])).
func TestSetup(t *testing.T) {
	t.Parallel()
	const service, wake = time.Millisecond, 400 * time.Microsecond
	m := queue(1, 0.4, Constant(service), 13)
	m.Costs[Pass1].Wake = Wake{{0.001, float64(wake.Microseconds())}}
	lambda, s, d := m.Arrivals.Rates[0], service.Seconds(), wake.Seconds()
	rho := lambda * s
	want := s + lambda*s*s/(2*(1-rho)) + (2*d+lambda*d*d)/(2*(1+lambda*d))
	near(t, "mean", simulate(t, m).Whole.Mean().Seconds(), want, 0.02)
}

// TestBatchingThroughput holds a saturated batching verifier against the only
// rate it can have: the requests come first, those that are turned away too, and
// what they leave of the core goes to batches of the greatest size.
func TestBatchingThroughput(t *testing.T) {
	t.Parallel()
	m := &Model{Instances: 1, Cores: 1, InTurn: true, WarmUp: 5 * time.Second, Duration: 20 * time.Second, Arrivals: Flat(20_000), Seed: 1}
	m.Costs[Redeem].Service = Constant(20 * time.Microsecond)
	costs := []BatchCost{{N: 1, Time: 800}, {N: 64, Time: 6400}, {N: 256, Time: 20000}}
	m.Batching = &Batching{Batch: 64, Costs: costs}
	r := simulate(t, m)
	near(t, "rate", r.Rate, (1-20_000*20e-6)/6.4e-3*64, 0.01)
	near(t, "mean batch", r.MeanBatch, 64, 0.001)
	near(t, "utilization", r.Utilization, 1, 0.001)

	m.Batching, m.Arrivals = &Batching{Costs: costs}, Flat(100)
	r = simulate(t, m)
	near(t, "mean batch of an idle server", r.MeanBatch, 1, 0.05)
	near(t, "time of an idle server", r.Whole.Quantile(0.5).Seconds(), 0.00082, 0.02)
}

// TestPermits holds the permits fetched against the users who come: of users
// with Poisson logins, perUser a day, a share 1 − e^−perUser comes on a day, and
// each fetches one permit, the first time.
func TestPermits(t *testing.T) {
	t.Parallel()
	const perDay, perUser = 2_000_000, 2.0
	day, err := Daily(perDay/86400.0, 4, []Region{{Name: "a", Weight: 2, Offset: 1}, {Name: "b", Weight: 1, Offset: -5}})
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{
		Instances: 1, Cores: 1, Arrivals: day, Duration: 24 * time.Hour, PermitPeriod: 24 * time.Hour, PerUser: perUser,
		Issue: Constant(100 * time.Microsecond), IssuerCores: 1, Seed: 2, Drain: true,
	}
	m.Costs[Pass1].Service = Constant(time.Microsecond)
	r := simulate(t, m)
	near(t, "logins", float64(r.Accepted), perDay, 0.005)
	near(t, "permits", float64(r.Permits), perDay/perUser*(1-math.Exp(-perUser)), 0.005)
	near(t, "D-TAs' work", r.IssuerUse*86400*2, 2*float64(r.Permits)*1e-4, 0.005)
}
