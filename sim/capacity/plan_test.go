package capacity

import (
	"errors"
	"math"
	"testing"
	"time"
)

// asked is the request of the manual, with fewer logins simulated.
func asked() Request {
	return Request{
		Users: 10e6, LoginsPerDay: 2, PeakFactor: 4, P99: 100 * time.Millisecond, PermitPeriod: 24 * time.Hour,
		Cores: 2, Spare: 1, PricePerCoreHour: 0.05, Logins: 5000, Seed: 1,
	}
}

// TestPlan: a plan keeps its promise, says what follows from it by arithmetic,
// and is the same for the same seed.
func TestPlan(t *testing.T) {
	t.Parallel()
	r := asked()
	a, err := Plan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *a)
	near(t, "mean rate", a.MeanRate, 10e6*2/86400, 1e-9)
	near(t, "peak rate", a.PeakRate, 4*a.MeanRate, 1e-6)
	if a.P99 > 100 || a.P50 > a.P99 || a.Utilization > 0.99 {
		t.Errorf("p50 %v ms, p99 %v ms, %v of the cores", a.P50, a.P99, a.Utilization)
	}
	if a.Cores != a.Instances*2 || a.Spare != 1 {
		t.Errorf("%d cores, %d instances, %d spare", a.Cores, a.Instances, a.Spare)
	}
	near(t, "permits a day", a.PermitsPerDay, 10e6*(1-math.Exp(-2)), 0.01)
	near(t, "cost", a.CostPerHour, float64(a.Cores+2*a.IssuerCores)*0.05, 1e-9)
	b, err := Plan(t.Context(), r)
	if err != nil || *a != *b {
		t.Errorf("again, it is %+v, %v", b, err)
	}
}

// TestPlanGrows: more users, wrong PINs and more headroom never take fewer cores
// than less, and a promise below an idle server's time cannot be kept.
func TestPlanGrows(t *testing.T) {
	t.Parallel()
	cores := func(change func(*Request)) int {
		r := asked()
		r.Users *= 4 // so many instances that a few percent more take another one
		change(&r)
		a, err := Plan(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return a.Cores
	}
	base := cores(func(*Request) {})
	for what, c := range map[string]func(*Request){
		"ten times the users":    func(r *Request) { r.Users *= 10 },
		"a tenth of wrong PINs":  func(r *Request) { r.Bad = 0.1 },
		"room for twice as many": func(r *Request) { r.Headroom = 1 },
	} {
		if n := cores(c); n <= base {
			t.Errorf("%s: %d cores, and %d without", what, n, base)
		}
	}
	if n := cores(func(r *Request) { r.Batching = true }); n > base {
		t.Errorf("in batches: %d cores, one by one %d", n, base)
	}
	r := asked()
	r.P99 = 10 * time.Microsecond
	if _, err := Plan(t.Context(), r); !errors.Is(err, ErrUnreachable) {
		t.Errorf("10 µs: %v", err)
	}
}

// TestRefusedPlans: what makes no sense is said to.
func TestRefusedPlans(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"no users":       func(r *Request) { r.Users = 0 },
		"not a number":   func(r *Request) { r.Users = math.NaN() },
		"no logins":      func(r *Request) { r.LoginsPerDay = -1 },
		"no promise":     func(r *Request) { r.P99 = 0 },
		"all bad":        func(r *Request) { r.Bad = 1 },
		"peak below one": func(r *Request) { r.PeakFactor = 0.5 },
		"permit seconds": func(r *Request) { r.PermitPeriod = time.Second },
		"who":            func(r *Request) { r.Backend = "nobody/curve" },
		"where":          func(r *Request) { r.Store = "a shoebox" },
		"negative price": func(r *Request) { r.PricePerCoreHour = -1 },
		"negative room":  func(r *Request) { r.Headroom = -1 },
	} {
		r := asked()
		change(&r)
		_, err := Plan(t.Context(), r)
		if !errors.Is(err, ErrRequest) && !errors.Is(err, ErrCalibration) && !errors.Is(err, ErrProfile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
