package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"mpinlab/sim/deploy"
	"mpinlab/sim/load/result"
)

// sampler reads every second what the servers say of themselves, and what the
// system says of their processes and of this one.
type sampler struct {
	target *target
	client *http.Client
	start  time.Time
	every  time.Duration // 0 is when measuring begins

	mu     sync.Mutex
	ticks  []result.ServerTick
	before map[string]sample // by node, the last
	base   map[string]sample // by node, when measuring began
	last   map[string]sample
	peak   map[string]int64
}

// sample is one reading of one node; what could not be had is NaN.
type sample struct {
	at     time.Time
	cpu    float64
	memory int64
	values map[string]float64
}

// generatorNode names this process among the servers.
const generatorNode = "generator"

func newSampler(t *target, transport http.RoundTripper, sparing bool) *sampler {
	s := &sampler{
		target: t, client: &http.Client{Transport: transport, Timeout: 2 * time.Second}, every: time.Second,
		before: map[string]sample{}, base: map[string]sample{}, last: map[string]sample{}, peak: map[string]int64{},
	}
	if sparing {
		s.every = 0
	}
	return s
}

// run samples until ctx ends, at least at the start and when the warm-up is over.
func (s *sampler) run(ctx context.Context, start time.Time, warmUp time.Duration) {
	s.start = start
	s.sample(ctx, warmUp)
	next := start.Add(warmUp)
	if s.every > 0 {
		next = start.Add(s.every)
	}
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			s.sample(ctx, warmUp)
			if s.every == 0 {
				return
			}
			for next = next.Add(s.every); time.Until(next) < 0; next = next.Add(s.every) {
			}
			timer.Reset(time.Until(next))
		}
	}
}

// sample reads all nodes once.
func (s *sampler) sample(ctx context.Context, warmUp time.Duration) {
	nodes := append(s.target.nodes(), nodeInfo{name: generatorNode, pid: os.Getpid()})
	seen := map[int]bool{}
	for _, n := range nodes {
		if n.pid == 0 {
			continue
		}
		now := sample{at: time.Now(), cpu: math.NaN(), memory: -1}
		if !seen[n.pid] || n.name == generatorNode { // nodes in one process share its time
			if d, err := deploy.CPU(n.pid); err == nil {
				now.cpu = d.Seconds()
			}
			if m, err := deploy.Memory(n.pid); err == nil {
				now.memory = m
			}
			seen[n.pid] = true
		}
		if n.metrics != "" {
			now.values = s.scrape(ctx, n.metrics)
		}
		s.add(n.name, now, warmUp)
	}
}

func (s *sampler) add(name string, now sample, warmUp time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, any := s.before[name]
	tick := result.ServerTick{
		Second: int(now.at.Sub(s.start) / time.Second), Node: name, CPU: -1, Memory: now.memory, Heap: -1, Goroutines: -1, Files: -1,
		GC: -1, Requests: -1, Store: -1, Batch: -1,
	}
	if any && !math.IsNaN(now.cpu) && now.cpu >= before.cpu {
		tick.CPU = (now.cpu - before.cpu) / now.at.Sub(before.at).Seconds()
	}
	if v := now.values; v != nil {
		whole := func(name string) int64 {
			if x, ok := v[name]; ok {
				return int64(x)
			}
			return -1
		}
		tick.Heap, tick.Goroutines, tick.Files = whole("go_memstats_heap_inuse_bytes"), whole("go_goroutines"), whole("process_open_fds")
		tick.GC, tick.Requests = orMinus(v, "go_gc_duration_seconds_sum"), orMinus(v, "mpin_requests_total")
		if any {
			tick.Store = 1000 * ratio(v, before.values, "mpin_store_seconds_sum", "mpin_store_seconds_count")
			tick.Batch = ratio(v, before.values, "mpin_batched_logins", "mpin_batches")
			if tick.Store < 0 {
				tick.Store = -1
			}
		}
	}
	if name == generatorNode {
		tick.Goroutines = int64(runtime.NumGoroutine())
		if files, err := os.ReadDir("/proc/self/fd"); err == nil {
			tick.Files = int64(len(files))
		}
	}
	s.ticks = append(s.ticks, tick)
	s.before[name] = now
	if _, ok := s.base[name]; !ok && now.at.Sub(s.start) >= warmUp || now.cpu < s.last[name].cpu {
		s.base[name] = now // also after a process was started anew
	}
	s.last[name] = now
	s.peak[name] = max(s.peak[name], now.memory)
}

func orMinus(v map[string]float64, name string) float64 {
	if x, ok := v[name]; ok {
		return x
	}
	return -1
}

// ratio is the mean between two readings of a sum and a count, -1 without any.
func ratio(now, before map[string]float64, sum, count string) float64 {
	n := now[count] - before[count]
	if n <= 0 {
		return -1
	}
	return (now[sum] - before[sum]) / n
}

// maxMetrics bounds a page of metrics in bytes.
const maxMetrics = 4 << 20

// scrape reads a server's metrics: sums over the labels of each name, of
// histograms and summaries under name_sum and name_count. nil where it does not
// answer.
func (s *sampler) scrape(ctx context.Context, url string) map[string]float64 {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil
	}
	v, err := readMetrics(io.LimitReader(answer.Body, maxMetrics))
	if err != nil {
		return nil
	}
	return v
}

// readMetrics reads Prometheus' text format.
func readMetrics(r io.Reader) (map[string]float64, error) {
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	out := make(map[string]float64, len(families))
	for name, f := range families {
		for _, m := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				out[name] += m.GetCounter().GetValue()
			case dto.MetricType_GAUGE:
				out[name] += m.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				out[name+"_sum"] += m.GetHistogram().GetSampleSum()
				out[name+"_count"] += float64(m.GetHistogram().GetSampleCount())
			case dto.MetricType_SUMMARY:
				out[name+"_sum"] += m.GetSummary().GetSampleSum()
				out[name+"_count"] += float64(m.GetSummary().GetSampleCount())
			case dto.MetricType_UNTYPED:
				out[name] += m.GetUntyped().GetValue()
			}
		}
	}
	return out, nil
}

// counters are the server's own that a result keeps the growth of.
var counters = []string{
	"mpin_requests_total", "mpin_logins_total", "mpin_batches", "mpin_batched_logins", "mpin_batch_overloaded", "mpin_verify_seconds_sum",
	"mpin_verify_seconds_count", "mpin_store_seconds_sum", "mpin_store_seconds_count", "go_gc_duration_seconds_sum", "go_gc_duration_seconds_count",
	"mpin_blocks_total", "mpin_pin_error_seconds_count", "mpin_pin_error_seconds_sum",
}

// report fills in what the servers spent since the end of the warm-up.
func (s *sampler) report(r *result.Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.ServerTimeline = s.ticks
	for _, name := range slices.Sorted(maps.Keys(s.last)) {
		base, last := s.base[name], s.last[name]
		took := last.at.Sub(base.at).Seconds()
		if base.at.IsZero() || took <= 0 {
			continue
		}
		cpu := last.cpu - base.cpu
		if name == generatorNode {
			r.Generator.CPU, r.Generator.Memory = cpu, s.peak[name]
			if n := r.Counts.Started; n > 0 {
				r.Generator.CPUPerOp = cpu / float64(n) * 1e6
			}
			continue
		}
		v := result.Server{Node: name, Memory: s.peak[name], Values: map[string]float64{}}
		if !math.IsNaN(cpu) {
			v.CPU, v.Share = cpu, cpu/took
		}
		for _, c := range counters {
			if now, ok := last.values[c]; ok {
				v.Values[c] = now - base.values[c]
			}
		}
		r.Servers = append(r.Servers, v)
	}
}

var errNoServers = errors.New("no server to be sampled")

// serverCPU is the CPU seconds of all servers' processes up to now.
func (t *target) serverCPU() (float64, error) {
	seen, sum := map[int]bool{os.Getpid(): true}, 0.0
	for _, n := range t.nodes() {
		if n.pid == 0 || seen[n.pid] {
			continue
		}
		seen[n.pid] = true
		d, err := deploy.CPU(n.pid)
		if err != nil {
			return 0, err
		}
		sum += d.Seconds()
	}
	if len(seen) == 1 {
		return 0, errNoServers
	}
	return sum, nil
}
