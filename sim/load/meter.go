package load

import (
	"maps"
	"slices"
	"sync"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"mpinlab/sim/load/result"
)

// meter counts outcomes and keeps latencies. What it holds does not grow with
// the number of operations, and with time only by a line a second.
type meter struct {
	warmUp time.Duration
	// measured counts operations whose intended start lies in [warmUp, until).

	mu         sync.Mutex
	start      time.Time
	counts     result.Counts
	operations map[string]*result.Operation
	whole      [len(wholeMeasures)]*hdr.Histogram
	parts      [len(phaseNames)]*hdr.Histogram // service times
	seconds    map[int]*second
	line       []result.Tick // of seconds that are over
	first      int           // the first second still in seconds
	flying     int64
	trace      trace
}

// second is a line of the timeline that may still change.
type second struct {
	tick result.Tick
	rt   *hdr.Histogram
}

func newMeter(warmUp time.Duration) *meter {
	m := &meter{
		warmUp: warmUp, operations: map[string]*result.Operation{}, seconds: map[int]*second{},
	}
	m.counts.Outcomes = map[string]int64{}
	return m
}

func (m *meter) begin(start time.Time) {
	m.mu.Lock()
	m.start = start
	m.mu.Unlock()
}

// settled is after how many seconds nothing more is expected of a second: its
// histogram is folded into a line then.
const settled = 90

// at returns the second of an intended start, with the lock held.
func (m *meter) at(a arrival) *second {
	i := int(a.at / time.Second)
	if i < m.first { // later than anybody waits
		i = m.first
	}
	s := m.seconds[i]
	if s == nil {
		s = &second{tick: result.Tick{Second: i, Outcomes: map[string]int64{}}, rt: hdr.New(1, 600_000_000, 2)}
		m.seconds[i] = s
		for m.first < i-settled {
			m.fold(m.first)
			m.first++
		}
	}
	return s
}

// fold makes a line of a second that is over.
func (m *meter) fold(i int) {
	s := m.seconds[i]
	if s == nil {
		return
	}
	delete(m.seconds, i)
	if s.rt.TotalCount() > 0 {
		s.tick.P50, s.tick.P99 = float64(s.rt.ValueAtPercentile(50))/1000, float64(s.rt.ValueAtPercentile(99))/1000
		s.tick.Max = float64(s.rt.Max()) / 1000
	}
	m.line = append(m.line, s.tick)
}

func (m *meter) measured(a arrival) bool { return a.at >= m.warmUp }

func (m *meter) intended(a arrival) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at(a).tick.Intended++
	if m.measured(a) {
		m.counts.Intended++
	}
}

func (m *meter) started(a arrival, late bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flying++
	s := m.at(a)
	s.tick.Started++
	s.tick.InFlight = max(s.tick.InFlight, m.flying)
	if late {
		s.tick.Late++
	}
	if m.measured(a) {
		m.counts.Started++
		if late {
			m.counts.Late++
		}
	}
}

func (m *meter) done(a arrival, d done, due, began, ended time.Time) {
	response, service, queue := ended.Sub(due), ended.Sub(began), began.Sub(due)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.at(a)
	s.tick.Outcomes[d.class]++
	dropped := d.class == result.Dropped
	if d.nobody { // not started after all
		m.flying--
		s.tick.Started--
		late := int64(0)
		if d.late {
			late = 1
		}
		s.tick.Late -= late
		if m.measured(a) {
			m.counts.Started--
			m.counts.Late -= late
		}
	}
	if !dropped {
		m.flying--
		if timed(d) {
			_ = s.rt.RecordValue(result.Clamp(response.Microseconds()))
		}
	}
	if !m.measured(a) {
		return
	}
	op := m.operations[d.op]
	if op == nil {
		op = &result.Operation{Name: d.op, Outcomes: map[string]int64{}}
		m.operations[d.op] = op
	}
	op.Intended++
	op.Outcomes[d.class]++
	m.counts.Outcomes[d.class]++
	if dropped {
		m.counts.Dropped++
		return
	}
	if timed(d) {
		for i, took := range [len(wholeMeasures)]time.Duration{response, service, queue} {
			record(&m.whole[i], took)
		}
		m.trace.add(a.at, service)
	}
	for i, took := range d.phases {
		if took > 0 {
			record(&m.parts[i], took)
		}
	}
}

// timed tells which operations make the latency of the whole: logins that went
// to their end, good or bad, and those that were given up after a time. What was
// abandoned was not waited for, replays are more than a login, and other
// operations have phases of their own.
func timed(d done) bool {
	return (d.op == opLogin || d.op == opAccessNumber) && d.class != result.Abandoned && d.class != result.Replayed
}

// wholeMeasures are the measures of the whole operation.
var wholeMeasures = [...]string{result.Response, result.Service, result.Queue}

func record(h **hdr.Histogram, d time.Duration) {
	if *h == nil {
		*h = result.NewHistogram()
	}
	_ = (*h).RecordValue(result.Clamp(d.Microseconds())) // within range
}

// histograms are those that hold anything, by their tags.
func (m *meter) histograms() result.Histograms {
	list := result.Histograms{}
	for i, h := range m.whole {
		if h != nil {
			list[result.Tag(result.Whole, wholeMeasures[i])] = h
		}
	}
	for i, h := range m.parts {
		if h != nil {
			list[result.Tag(phaseNames[i], result.Service)] = h
		}
	}
	return list
}

// report fills in what was measured.
func (m *meter) report(r *result.Run, elapsed time.Duration, stages []Stage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range slices.Sorted(maps.Keys(m.seconds)) {
		m.fold(i)
	}
	r.Counts = m.counts
	r.Counts.Outcomes = maps.Clone(m.counts.Outcomes)
	r.Counts.Seconds = max(0, (elapsed - m.warmUp).Seconds())
	if s := r.Counts.Seconds; s > 0 {
		r.Counts.OfferedRate = float64(r.Counts.Intended) / s
		r.Counts.AchievedRate = float64(good(r.Counts.Outcomes)) / s
	}
	for _, name := range slices.Sorted(maps.Keys(m.operations)) {
		r.Operations = append(r.Operations, *m.operations[name])
	}
	r.Histograms = m.histograms()
	for _, name := range result.Phases() {
		p := result.Phase{
			Name:     name,
			Response: result.Summary(r.Histograms[result.Tag(name, result.Response)]),
			Service:  result.Summary(r.Histograms[result.Tag(name, result.Service)]),
			Queue:    result.Summary(r.Histograms[result.Tag(name, result.Queue)]),
		}
		if p.Response != nil || p.Service != nil {
			r.Phases = append(r.Phases, p)
		}
	}
	r.Timeline = m.line
	for i := range r.Timeline {
		r.Timeline[i].Stage = stageAt(stages, r.Timeline[i].Second)
	}
	r.ClosedLoop = m.trace.closed(m.warmUp, elapsed)
}

// stageAt is the stage that a second begins in.
func stageAt(stages []Stage, s int) string {
	var end Duration
	for i := range stages {
		if end += stages[i].Duration; Duration(s)*Duration(time.Second) < end {
			return stages[i].Name
		}
	}
	return ""
}

func good(outcomes map[string]int64) (n int64) {
	for class, count := range outcomes {
		if result.Good(class) {
			n += count
		}
	}
	return n
}
