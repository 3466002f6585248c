package capacity

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Stage is one of the requests of a login.
type Stage uint8

// The stages of a login, in their order.
const (
	Permit Stage = iota
	Pass1
	Pass2
	Redeem
	stages
)

var stageNames = [stages]string{"permit", "pass1", "pass2", "redeem"}

func (s Stage) String() string { return stageNames[s] }

// Stages lists the stages in their order.
func Stages() []Stage { return []Stage{Permit, Pass1, Pass2, Redeem} }

// Cost is what one request costs.
type Cost struct {
	// Service is the time that it holds a core; Wake is added where the core
	// was idle before. A pass without a service time needs no core.
	Service Dist
	Wake    Wake
	// Delay is the rest of what the client waits: network, kernel, store.
	Delay Dist
	// Think is the client's time from the request before to this one.
	Think Dist
}

// Wake is what a core that was idle takes more, by how long it was: the CPU sleeps
// deeper, and its caches become others'. Idle ascends. Between its points, and from
// nothing at once, it is a line; beyond the last it stays.
type Wake []WakeCost

// WakeCost is the additional time in µs after so many µs without work.
type WakeCost struct {
	Idle float64 `json:"idle_us"`
	Time float64 `json:"us"`
}

// after is the additional time of a core that was idle for so long, both in ns.
func (w Wake) after(idle int64) int64 {
	var from WakeCost
	at := float64(idle) / 1000
	for _, to := range w {
		if at < to.Idle {
			return int64(1000 * (from.Time + (to.Time-from.Time)*(at-from.Idle)/(to.Idle-from.Idle)))
		}
		from = to
	}
	return int64(1000 * from.Time)
}

func (w Wake) check() error {
	var from WakeCost
	for _, to := range w {
		if !(to.Idle > from.Idle) || !(to.Time >= 0) || to.Idle > 1e9 || to.Time > 1e9 {
			return fmt.Errorf("%w: %v µs to wake after %v", ErrModel, to.Time, to.Idle)
		}
		from = to
	}
	return nil
}

// Model is a deployment and its load.
type Model struct {
	// Instances of the RPS with Cores each. A balancer gives requests to them
	// in turn.
	Instances, Cores int
	// Monitor is what a look of Go's monitor thread takes, and leaves behind in caches. It
	// sleeps while a process has nothing to do and looks every 20 µs once it has,
	// fifty times before it looks more and more seldom. An instance of one core has no
	// other for it.
	Monitor time.Duration
	// Rest is the CPU time for which a core that finds nothing to do looks for it and
	// comes to rest. What arrives meanwhile waits for that.
	Rest time.Duration
	// Collect is the CPU time of a collection of garbage, of which there is one after so
	// many Logins to an instance; none where these are 0.
	Collect time.Duration
	Logins  float64
	// Warm is what requests take of their costs while fewer logins are under way for an
	// instance than are for one that is busy.
	Warm Warmth
	// InTurn serves requests in the order in which they come, instead of Go's.
	InTurn bool
	// Costs are those of the stages, in Redeem without verification. A stage
	// without costs is not there: it takes no time.
	Costs [stages]Cost
	// Verify is the time that verifying one login takes, without Batching.
	Verify Dist
	// Batching, if not nil, verifies in batches.
	Batching *Batching
	// Bad is the share of logins with a wrong PIN, and FindPIN the time to find
	// out how wrong a PIN was, which a failure costs besides.
	Bad     float64
	FindPIN Dist

	// IssuerCores are the cores of each of the two D-TAs that a permit is asked
	// of; 0 is no bound. Issue is the time that issuing holds one of them.
	// Published is the share of second halves that lie in the permit storage.
	IssuerCores int
	Issue       Dist
	Published   float64
	// PermitPeriod is how long a permit is good for; permits end at whole
	// periods since the epoch of the profile, its beginning, at the same time
	// for all. 0 is no permits. PerUser is the logins of an active user in a
	// period of 24 hours: the fewer, the more of the logins are a user's first.
	PermitPeriod time.Duration
	PerUser      float64

	// ClientCores, if not 0, are the cores that all clients share, as those of a
	// load generator do, a process with Go's scheduler: Think, and Finish after the
	// last answer, hold one of them, and so do Begin before the first Think and End
	// after Finish. A login is then from the end of Begin to the end of Finish, and a
	// request until its client has a core to read the answer.
	ClientCores        int
	Begin, Finish, End Dist

	// Arrivals are of logins. Trace, if not nil, takes their place: the times of
	// arrivals after From, in ascending order.
	Arrivals Profile
	Trace    []time.Duration
	// From is the time of the profile at which the simulation starts, and
	// WarmUp and Duration how long it goes on: what begins in the warm-up is
	// not counted.
	From, WarmUp, Duration time.Duration
	// Drain goes on without arrivals until every login has ended.
	Drain bool

	// Timeout is how long a client waits for an answer, 0 for ever. It begins
	// anew up to Retries times, each after Pause.
	Timeout, Pause time.Duration
	Retries        int
	// Speeds are those of the instances' cores, and ClientSpeeds those of the clients'
	// (see ClientCores), by the time after From, in ascending order; 1 before the first.
	Speeds, ClientSpeeds []Speed
	// InFlight bounds the logins under way, as a load generator does; what comes
	// beyond is dropped. 0 is no bound.
	InFlight int

	Seed uint64
}

// ErrModel: a model that cannot be.
var ErrModel = errors.New("impossible model")

func (m *Model) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrModel}, args...)...)
	}
	share := func(x float64) bool { return x >= 0 && x <= 1 }
	switch {
	case m.Instances < 1 || m.Instances > 100_000 || m.Cores < 1 || m.Cores > 1024:
		return bad("%d instances of %d cores", m.Instances, m.Cores)
	case !share(m.Bad) || !share(m.Published):
		return bad("shares of %v and %v", m.Bad, m.Published)
	case m.IssuerCores < 0 || m.IssuerCores > 1<<20:
		return bad("%d cores of a D-TA", m.IssuerCores)
	case m.Duration <= 0 || m.WarmUp < 0 || m.From < 0 || m.From > 1<<61 || m.Duration > 366*24*time.Hour || m.WarmUp > 366*24*time.Hour:
		return bad("%v from %v after %v", m.Duration, m.From, m.WarmUp)
	case m.PermitPeriod < 0 || m.PermitPeriod > 0 && !(m.PerUser > 0) || math.IsInf(m.PerUser, 0):
		return bad("permits for %v at %v logins of a user a day", m.PermitPeriod, m.PerUser)
	case m.ClientCores < 0 || m.ClientCores > 1<<20:
		return bad("%d cores of the clients", m.ClientCores)
	case m.Trace != nil && !slices.IsSorted(m.Trace) || len(m.Trace) > 0 && m.Trace[0] < 0:
		return bad("arrivals that are not in order")
	case !checkSpeeds(m.Speeds) || !checkSpeeds(m.ClientSpeeds):
		return bad("speeds that are not in order, or not 0 or of 1/%d to %d, or 0 for ever", maxSpeed, maxSpeed)
	case m.Trace != nil && m.PermitPeriod > 0:
		return bad("permits follow from a profile of arrivals")
	case m.Timeout < 0 || m.Pause < 0 || m.Retries < 0 || m.Retries > 1000 || m.InFlight < 0:
		return bad("%d retries after %v and %v", m.Retries, m.Timeout, m.Pause)
	}
	nothing := m.Verify.mean == 0 && m.Batching == nil
	for _, s := range []Stage{Pass1, Pass2, Redeem} {
		nothing = nothing && m.Costs[s].Service.mean+m.Costs[s].Delay.mean == 0
	}
	if nothing {
		return bad("a login takes no time")
	}
	if m.Collect < 0 || m.Collect > time.Minute || !(m.Logins >= 0) || m.Collect > 0 && m.Logins > 0 && m.Logins < 1 {
		return bad("%v to collect the garbage of %v logins", m.Collect, m.Logins)
	}
	if err := m.Warm.check(); err != nil {
		return err
	}
	if m.Monitor < 0 || m.Monitor > time.Second {
		return bad("%v for a look of the monitor", m.Monitor)
	}
	if m.Rest < 0 || m.Rest > time.Second {
		return bad("%v to come to rest", m.Rest)
	}
	for _, c := range m.Costs {
		if err := c.Wake.check(); err != nil {
			return err
		}
	}
	if m.Batching != nil {
		if err := m.Batching.check(); err != nil {
			return err
		}
	}
	if m.Trace != nil {
		return nil
	}
	return m.Arrivals.check()
}

// Result is what came out of a simulation. Counts are of logins that arrived
// after the warm-up, rates of what happened after it.
type Result struct {
	Arrived, Accepted, Refused int64
	// Failed gave up after their last retry; Unfinished were under way at the
	// end, and Dropped never started. Arrived is the sum of Accepted, Refused,
	// Failed, Unfinished and Dropped.
	Failed, Unfinished, Dropped int64
	// Timeouts and Overloaded are what made logins begin anew: no answer in
	// time, and the queue of the batching verifier full.
	Timeouts, Overloaded int64
	// Permits is the number of permits that were fetched.
	Permits int64
	// Rate is the logins a second that ended with a verdict after the warm-up,
	// whenever they arrived.
	Rate float64
	// Whole is the response time of accepted logins, all their requests
	// together without the client's own time unless that holds cores (see
	// Model.ClientCores), and Stages those of the requests.
	Whole  *Histogram
	Stages [stages]*Histogram
	// Utilization is the mean share of the RPS's cores in use, IssuerUse that of
	// the D-TAs' cores, 0 where those have no bound.
	Utilization, IssuerUse float64
	// Batches and their mean size.
	Batches   int64
	MeanBatch float64
	// InFlight is the greatest number of logins under way.
	InFlight int
	// Events is how many were worked off.
	Events int64
}
