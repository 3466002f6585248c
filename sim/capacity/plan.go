package capacity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Request is what a service is to bear.
type Request struct {
	// Users each log in LoginsPerDay times a day on average. The busiest moment
	// has PeakFactor times the mean rate.
	Users        float64
	LoginsPerDay float64
	PeakFactor   float64
	// Regions have clocks of their own; without any all users share UTC.
	Regions []Region
	// P99 is the promise: the time that 99 of 100 accepted logins take at the
	// peak, all requests together, on the servers' network.
	P99 time.Duration

	// Backend and Store are of the calibration. Empty, they are the first
	// backend, and Redis, which several instances need, or else the first store.
	Backend, Store string
	Batching       bool
	// Bad is the share of logins with a wrong PIN.
	Bad float64
	// PermitPeriod is how long time permits are good for, 0 none at all.
	// Published is the share of their second halves in the permit storage.
	PermitPeriod time.Duration
	Published    float64

	// Headroom is the share of more logins with which the promise is kept still:
	// one that is only just kept is broken by the next user.
	Headroom float64
	// Cores of an instance, 4 where 0, and Spare instances beyond those that
	// keep the promise, for failures and releases.
	Cores, Spare int
	// PricePerCoreHour is in whatever currency.
	PricePerCoreHour float64

	Calibration *Calibration
	// Logins are simulated for each number of instances that is tried, 100000
	// where 0.
	Logins int
	Seed   uint64
}

// Answer is what that takes.
type Answer struct {
	Backend  string `json:"backend"`
	Store    string `json:"store"`
	Batching bool   `json:"batching"`

	// Rates of logins a second.
	MeanRate float64       `json:"mean_logins_per_second"`
	PeakRate float64       `json:"peak_logins_per_second"`
	PeakAt   time.Duration `json:"peak_at_ns"` // of the day, UTC

	Instances        int `json:"instances"`
	Spare            int `json:"spare_instances"`
	CoresPerInstance int `json:"cores_per_instance"`
	Cores            int `json:"rps_cores"`
	// At the peak with Instances, without the spare ones, in ms.
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Utilization float64 `json:"utilization"`
	MeanBatch   float64 `json:"mean_batch,omitempty"`

	// Permits of the D-TAs.
	PermitsPerDay float64 `json:"permits_per_day"`
	PeakPermits   float64 `json:"peak_permits_per_second"`
	// IssuerCores are the cores of each of the two D-TAs, at 60 % use at their
	// peak.
	IssuerCores int `json:"dta_cores_each"`

	// Traffic of logins at the peak, in Mbit/s of TCP's payload, and calls of
	// the store a second.
	PeakIn     float64 `json:"peak_in_mbit_s"`
	PeakOut    float64 `json:"peak_out_mbit_s"`
	StoreCalls float64 `json:"peak_store_calls_per_second"`

	CostPerHour          float64 `json:"cost_per_hour"`
	CostPerMonth         float64 `json:"cost_per_month"`
	CostPerMillionLogins float64 `json:"cost_per_million_logins"`
}

// Variation is an answer where one thing is otherwise.
type Variation struct {
	What   string  `json:"what"`
	Value  string  `json:"value"`
	Asked  bool    `json:"as_asked"` // the request itself
	Answer *Answer `json:"answer,omitempty"`
	// Error says why there is none.
	Error string `json:"error,omitempty"`
}

var (
	// ErrRequest: a request that makes no sense.
	ErrRequest = errors.New("impossible request")
	// ErrUnreachable: no number of instances keeps the promise.
	ErrUnreachable = errors.New("no number of instances keeps the promise")
)

const (
	issuerUse   = 0.6
	hoursAMonth = 730.5
	// sliced is how many instances are simulated of a larger number: the
	// balancer gives each its share, and they have nothing else in common.
	sliced       = 8
	maxInstances = 1 << 20
)

func (r *Request) fill() error {
	if r.Calibration == nil {
		c, err := Default()
		if err != nil {
			return err
		}
		r.Calibration = c
	}
	if r.Cores == 0 {
		r.Cores = 4
	}
	if r.Store == "" && slices.Contains(r.Calibration.Stores(), "redis") {
		r.Store = "redis"
	}
	if r.Logins == 0 {
		r.Logins = 100_000
	}
	if r.PeakFactor == 0 {
		r.PeakFactor = 1
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrRequest}, args...)...)
	}
	positive := func(x, most float64) bool { return x > 0 && x <= most }
	switch {
	case !positive(r.Users, 1e11):
		return bad("%v users; more than 0, and 10¹¹ at most", r.Users)
	case !positive(r.LoginsPerDay, 1e4):
		return bad("%v logins a day of a user; more than 0, and 10000 at most", r.LoginsPerDay)
	case r.P99 <= 0:
		return bad("a 99th percentile of %v", r.P99)
	case r.Cores < 1 || r.Cores > 1024:
		return bad("instances of %d cores; 1 to 1024", r.Cores)
	case r.Spare < 0 || r.Spare > maxInstances:
		return bad("%d spare instances", r.Spare)
	case !(r.PricePerCoreHour >= 0) || math.IsInf(r.PricePerCoreHour, 0):
		return bad("a price of %v", r.PricePerCoreHour)
	case !(r.Bad >= 0) || r.Bad > 0.9:
		return bad("a share of bad logins of %v; 0 to 0.9", r.Bad)
	case r.PermitPeriod != 0 && (r.PermitPeriod < time.Hour || r.PermitPeriod > 366*24*time.Hour):
		return bad("permits for %v; an hour to a year, or 0", r.PermitPeriod)
	case !(r.Headroom >= 0) || r.Headroom > 10:
		return bad("a headroom of %v; 0 to 10", r.Headroom)
	case r.Logins < 1000 || r.Logins > 100_000_000:
		return bad("%d simulated logins; 1000 to 10⁸", r.Logins)
	}
	return nil
}

// Plan finds the least number of instances that keeps the promise at the peak
// and, where permits end at midnight, then. Errors: ErrRequest, ErrUnreachable,
// ErrCalibration, ErrProfile.
func Plan(ctx context.Context, r Request) (*Answer, error) {
	if err := r.fill(); err != nil {
		return nil, err
	}
	entry, err := r.Calibration.Find(r.Backend, r.Store)
	if err != nil {
		return nil, err
	}
	day, err := Daily(r.Users*r.LoginsPerDay/86400, r.PeakFactor, r.Regions)
	if err != nil {
		return nil, err
	}
	m := entry.Model(r.Batching)
	entry.contended(m)
	m.Cores, m.Bad, m.Seed = r.Cores, r.Bad, r.Seed
	m.PermitPeriod, m.PerUser, m.Published = r.PermitPeriod, r.LoginsPerDay, r.Published
	m.Timeout, m.Pause, m.Retries = 10*time.Second, time.Second, 2
	m.Arrivals = day

	a := &Answer{Backend: entry.Backend, Store: entry.Store, Batching: r.Batching, Spare: r.Spare, CoresPerInstance: r.Cores}
	a.MeanRate = day.Mean()
	a.PeakRate, a.PeakAt = day.Peak()
	share, busiest := a.permits(m)
	a.IssuerCores = int(math.Ceil(a.PeakPermits * m.Issue.Mean().Seconds() / issuerUse))

	moments := []time.Duration{a.PeakAt}
	if m.PermitPeriod > 0 && busiest != a.PeakAt {
		moments = append(moments, busiest)
	}
	n, at, err := m.least(ctx, &r, a.PeakRate, moments)
	if err != nil {
		return nil, err
	}
	a.Instances, a.Cores = n+r.Spare, (n+r.Spare)*r.Cores
	a.P50, a.P99 = ms(at.Whole.Quantile(0.5)), ms(at.Whole.Quantile(0.99))
	a.Utilization, a.MeanBatch = at.Utilization, at.MeanBatch

	rs := &entry.Single
	if r.Batching {
		rs = &entry.Batching
	}
	const mbit = 8.0 / 1e6
	calls := rs.Pass1.Calls + rs.Pass2.Calls + rs.Redeem.Calls
	in, out := rs.Pass1.In+rs.Pass2.In+rs.Redeem.In, rs.Pass1.Out+rs.Pass2.Out+rs.Redeem.Out
	for _, at := range moments {
		rate, permits := day.At(at), day.At(at)*share(at)
		a.PeakIn = max(a.PeakIn, mbit*(rate*in+permits*rs.Permit.In))
		a.PeakOut = max(a.PeakOut, mbit*(rate*out+permits*rs.Permit.Out))
		a.StoreCalls = max(a.StoreCalls, rate*calls+permits*rs.Permit.Calls)
	}
	cores := float64(a.Cores + 2*a.IssuerCores)
	a.CostPerHour = cores * r.PricePerCoreHour
	a.CostPerMonth = a.CostPerHour * hoursAMonth
	a.CostPerMillionLogins = a.CostPerHour / (a.MeanRate * 3600) * 1e6
	return a, nil
}

func ms(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e3 }

// permits fills in what the D-TAs have to do, and returns the share of logins
// that need a permit at a time, and when most are needed. Where permits outlive
// the day it is the last day's end of a period that counts: its first day.
func (a *Answer) permits(m *Model) (share func(time.Duration) float64, busiest time.Duration) {
	if m.PermitPeriod == 0 {
		return func(time.Duration) float64 { return 0 }, 0
	}
	day := m.Arrivals.Mean() * 86400
	share = func(t time.Duration) float64 {
		return math.Exp(-m.Arrivals.since(t, m.PermitPeriod) / day * m.PerUser)
	}
	sum, n := 0.0, 0
	for t := time.Duration(0); t < m.PermitPeriod; t += time.Minute {
		rate := m.Arrivals.At(t) * share(t)
		sum += rate
		n++
		if rate > a.PeakPermits {
			a.PeakPermits, busiest = rate, t
		}
	}
	a.PermitsPerDay = sum / float64(n) * 86400
	return share, busiest
}

// least searches the number of instances and returns it with the busiest
// moment's result.
func (m *Model) least(ctx context.Context, r *Request, peak float64, moments []time.Duration) (int, *Result, error) {
	kept := func(n int, more float64) (*Result, bool, error) {
		var worst *Result
		for _, at := range moments {
			w := *m
			w.window(n, at, r.Logins, more)
			got, err := w.Run(ctx)
			if err != nil {
				return nil, false, err
			}
			if worst == nil || got.Whole.Quantile(0.99) > worst.Whole.Quantile(0.99) {
				worst = got
			}
			// Nobody fails, and what comes in goes out.
			lost := got.Failed + got.Overloaded + got.Timeouts
			if got.Accepted == 0 || lost > 0 || float64(got.Unfinished) > 0.05*float64(got.Arrived) || got.Whole.Quantile(0.99) > r.P99 {
				return got, false, nil
			}
		}
		return worst, true, nil
	}
	// What a login costs at least bounds the number from below; from there up
	// in growing steps, then between the last two.
	lo := max(0, int(peak*(1+r.Headroom)*m.cheapest().Seconds()/float64(m.Cores))-1)
	step := max(1, lo/16)
	hi := lo + 1
	for {
		got, ok, err := kept(hi, 1+r.Headroom)
		if err != nil {
			return 0, nil, err
		}
		if ok {
			break
		}
		// Below what an idle server takes, more servers do not help.
		if got.Utilization < 0.02 && got.Accepted > 0 || hi >= maxInstances {
			return 0, nil, fmt.Errorf("%w: the 99th percentile stays at %v", ErrUnreachable, got.Whole.Quantile(0.99).Round(10*time.Microsecond))
		}
		lo = hi
		hi = min(maxInstances, hi+step)
		step *= 2
	}
	for hi-lo > 1 && float64(hi-lo) > 0.005*float64(hi) { // half a percent is more than the model is worth
		mid := (lo + hi) / 2
		_, ok, err := kept(mid, 1+r.Headroom)
		if err != nil {
			return 0, nil, err
		}
		if ok {
			hi = mid
		} else {
			lo = mid
		}
	}
	at, _, err := kept(hi, 1) // what is to be expected, without the headroom
	return hi, at, err
}

// window makes m a simulation of n instances around a moment, or of some of
// them with their share of the load, times more.
func (m *Model) window(n int, at time.Duration, logins int, more float64) {
	m.Instances = min(n, sliced)
	part := more * float64(m.Instances) / float64(n)
	rate := m.Arrivals.At(at) * part
	m.Arrivals.Rates = append([]float64(nil), m.Arrivals.Rates...)
	m.Arrivals.scale(part)
	m.WarmUp = 2 * time.Second
	m.Duration = min(max(4*time.Second, time.Duration(float64(logins)/max(rate, 1e-3)*float64(time.Second))), time.Hour)
	m.From = at
	if whole := m.Arrivals.length(); at+m.WarmUp/2 >= whole {
		m.From = at - whole
	}
	// The moment lies in the middle, unless it is the beginning of a period.
	if lead := m.WarmUp + m.Duration/2; m.PermitPeriod == 0 || m.From%m.PermitPeriod >= lead {
		m.From = max(0, m.From-lead)
	}
}

// cheapest is a lower bound of the time on a core that a login takes.
func (m *Model) cheapest() time.Duration {
	var sum float64
	for _, s := range []Stage{Pass1, Pass2, Redeem} {
		sum += m.Costs[s].Service.mean
	}
	verify := m.Verify.mean
	if m.Batching != nil {
		t := m.Batching.table(256)
		verify = math.Inf(1)
		for n := 1; n <= 256; n++ {
			verify = min(verify, t.good[n]/float64(n))
		}
	}
	if m.Logins > 0 {
		sum += float64(m.Collect) / m.Logins
	}
	return time.Duration(sum + verify)
}

// Sensitivity answers the request again with one thing changed at a time: the
// backend, batching, the share of bad logins, the permits' period. Progress, if
// not nil, is told before each.
func Sensitivity(ctx context.Context, r Request, progress func(done, total int, what string)) ([]Variation, error) {
	if err := r.fill(); err != nil {
		return nil, err
	}
	type change struct {
		what, value string
		asked       bool
		set         func(*Request)
	}
	var changes []change
	first := r.Backend
	if first == "" {
		first = r.Calibration.Entries[0].Backend
	}
	for _, b := range r.Calibration.Backends() {
		changes = append(changes, change{"backend", b, b == first, func(q *Request) { q.Backend = b }})
	}
	for _, b := range []bool{false, true} {
		value := map[bool]string{false: "one by one", true: "in batches"}[b]
		changes = append(changes, change{"verification", value, b == r.Batching, func(q *Request) { q.Batching = b }})
	}
	for _, bad := range []float64{0, 0.01, 0.02, 0.05, 0.1, 0.2} {
		changes = append(changes, change{"bad logins", fmt.Sprintf("%g %%", 100*bad), bad == r.Bad, func(q *Request) { q.Bad = bad }})
	}
	for _, days := range []int{0, 1, 7, 30} {
		p := time.Duration(days) * 24 * time.Hour
		value := map[int]string{0: "none", 1: "1 day"}[days]
		if value == "" {
			value = fmt.Sprintf("%d days", days)
		}
		changes = append(changes, change{"permit period", value, p == r.PermitPeriod, func(q *Request) { q.PermitPeriod = p }})
	}
	var list []Variation
	var asked *Answer
	for i, c := range changes {
		if progress != nil {
			progress(i, len(changes), c.what+" "+c.value)
		}
		v := Variation{What: c.what, Value: c.value, Asked: c.asked}
		if c.asked && asked != nil {
			v.Answer = asked // the same request once more
			list = append(list, v)
			continue
		}
		q := r
		c.set(&q)
		a, err := Plan(ctx, q)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			v.Error = err.Error()
		case c.asked:
			asked = a
		}
		v.Answer = a
		list = append(list, v)
	}
	return list, nil
}

// Limits are what the model leaves out, to be told with every answer.
func Limits() []string {
	return []string{
		"Costs are those of the calibration's machine; another one needs its own (mpin capacity calibrate).",
		"All cores of an instance count the same, though they share caches, memory and a garbage collector: validated for one core an instance.",
		"The store is a delay and a CPU cost of its callers, not a queue: it must bear the calls a second that are told.",
		"The 99th percentile is of accepted logins on the servers' network: no internet, no TLS, no client's own time.",
		"Arrivals are a Poisson process of independent users. A crowd that acts together, as after an outage, is a peak of its own.",
		"Registrations, pages, access numbers, the relying party's own work, D-TA storage, and machines that fail are not counted; spare instances are as many as you ask for.",
	}
}
