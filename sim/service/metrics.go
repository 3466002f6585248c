package service

import (
	"net/http"
	"net/http/pprof"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// Registry is a Prometheus registry that gives out handles: asked for a metric
// that is there it returns that one, so that several servers of a process can
// share it. The first call for a name settles its help, its kind and the names
// of its labels; a later one that contradicts them panics, since all of these
// are written in the program.
type Registry struct {
	prometheus *prometheus.Registry
	mu         sync.Mutex
	families   map[string]any // by name
}

// NewRegistry makes a registry with the metrics of the Go runtime and the
// process.
func NewRegistry() *Registry {
	r := &Registry{prometheus: prometheus.NewRegistry(), families: map[string]any{}}
	r.prometheus.MustRegister(collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collections)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Prometheus returns the registry of the library, for collectors of one's own.
func (r *Registry) Prometheus() *prometheus.Registry { return r.prometheus }

// Counter is a number that grows. It is safe for concurrent use, as are all
// metrics.
type Counter struct{ c prometheus.Counter }

// Inc adds one.
func (c *Counter) Inc() { c.c.Inc() }

// Add adds n.
func (c *Counter) Add(n uint64) { c.c.Add(float64(n)) }

// Value returns the count.
func (c *Counter) Value() uint64 { return uint64(read(c.c).GetCounter().GetValue()) }

// Gauge is a number that goes up and down.
type Gauge struct{ g prometheus.Gauge }

// Add adds n, which may be negative.
func (g *Gauge) Add(n int64) { g.g.Add(float64(n)) }

// Set sets the value.
func (g *Gauge) Set(n int64) { g.g.Set(float64(n)) }

// Value returns the value.
func (g *Gauge) Value() int64 { return int64(read(g.g).GetGauge().GetValue()) }

// Histogram counts values by size.
type Histogram struct{ h prometheus.Histogram }

// Seconds are bounds for latencies: 100 µs to 30 s. Sizes are bounds for
// batches and the like: 1 to 1024, two to an octave where there is room.
var (
	Seconds = []float64{1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30}
	Sizes   = []float64{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024}
)

// Observe counts a value.
func (h *Histogram) Observe(v float64) { h.h.Observe(v) }

// Since counts the seconds since start.
func (h *Histogram) Since(start time.Time) { h.h.Observe(time.Since(start).Seconds()) }

// Count returns how many values were counted.
func (h *Histogram) Count() uint64 { return read(h.h).GetHistogram().GetSampleCount() }

func read(m prometheus.Metric) *dto.Metric {
	var d dto.Metric
	if err := m.Write(&d); err != nil {
		panic("metrics: " + err.Error())
	}
	return &d
}

// Counter returns the counter of a name, which ends in _total, and labels: name,
// value, name, value.
func (r *Registry) Counter(name, help string, labels ...string) *Counter {
	names, values := split(labels)
	v := family(r, name, func() *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, names)
	})
	return &Counter{v.With(values)}
}

// Gauge returns the gauge of a name and labels.
func (r *Registry) Gauge(name, help string, labels ...string) *Gauge {
	names, values := split(labels)
	v := family(r, name, func() *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, names)
	})
	return &Gauge{v.With(values)}
}

// Histogram returns the histogram of a name and labels; bounds are those of the
// first of the name.
func (r *Registry) Histogram(name, help string, bounds []float64, labels ...string) *Histogram {
	names, values := split(labels)
	v := family(r, name, func() *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}, names)
	})
	h, ok := v.With(values).(prometheus.Histogram)
	if !ok {
		panic("metrics: " + name + " is no histogram")
	}
	return &Histogram{h}
}

// GaugeFunc adds a gauge whose value is asked for when it is read. One that is
// there already stays.
func (r *Registry) GaugeFunc(name, help string, f func() float64, labels ...string) {
	_, values := split(labels)
	g := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: values}, f)
	if err := r.prometheus.Register(g); err != nil {
		if _, there := err.(prometheus.AlreadyRegisteredError); !there {
			panic("metrics: " + name + ": " + err.Error())
		}
	}
}

// family returns the family of a name, made and registered if it is not there.
func family[F prometheus.Collector](r *Registry, name string, make func() F) F {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.families[name]; ok {
		f, ok := old.(F)
		if !ok {
			panic("metrics: " + name + " is of another kind")
		}
		return f
	}
	f := make()
	r.prometheus.MustRegister(f)
	r.families[name] = f
	return f
}

func split(labels []string) (names []string, values prometheus.Labels) {
	if len(labels)%2 != 0 {
		panic("metrics: a label without a value")
	}
	values = prometheus.Labels{}
	for i := 0; i < len(labels); i += 2 {
		names = append(names, labels[i])
		values[labels[i]] = labels[i+1]
	}
	return names, values
}

// serviceMetrics are those that every service has.
type serviceMetrics struct {
	registry *Registry
	server   string
	inFlight *Gauge
}

func newServiceMetrics(r *Registry, server string) serviceMetrics {
	return serviceMetrics{r, server, r.Gauge("mpin_requests_in_flight", "Requests being answered.", "server", server)}
}

// route is one route: what answers, and its handles.
type route struct {
	name    string
	f       Func
	seconds *Histogram
	m       serviceMetrics
	status  [600]atomic.Pointer[Counter]
}

func (m serviceMetrics) route(name string) *route {
	return &route{name: name, m: m, seconds: m.registry.Histogram("mpin_request_seconds",
		"Time to answer a request.", Seconds, "server", m.server, "route", name)}
}

func (rt *route) observe(status int, took time.Duration) {
	rt.seconds.Observe(took.Seconds())
	if status < 0 || status >= len(rt.status) {
		status = 0
	}
	c := rt.status[status].Load()
	if c == nil {
		c = rt.m.registry.Counter("mpin_requests_total", "Requests answered; 499: the client had left.",
			"server", rt.m.server, "route", rt.name, "status", strconv.Itoa(status))
		rt.status[status].Store(c)
	}
	c.Inc()
}

// exposition answers /metrics.
func (s *Service) exposition() Func {
	h := promhttp.HandlerFor(s.o.Registry.prometheus, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return func(w http.ResponseWriter, r *http.Request) error {
		if !s.o.Private && !loopback(r) {
			return Refuse(http.StatusNotFound, "no such path")
		}
		h.ServeHTTP(w, r)
		return nil
	}
}

func (s *Service) profiles() {
	for path, f := range map[string]http.HandlerFunc{
		"/debug/pprof/{name...}": pprof.Index,
		"/debug/pprof/profile":   pprof.Profile,
		"/debug/pprof/trace":     pprof.Trace,
		"/debug/pprof/symbol":    pprof.Symbol,
	} {
		s.Handle("GET "+path, func(w http.ResponseWriter, r *http.Request) error {
			if !loopback(r) {
				return Refuse(http.StatusNotFound, "no such path")
			}
			f(w, r)
			return nil
		})
	}
}

// collections are what the garbage collector did: go_gc_cycles_total_gc_cycles_total and
// go_cpu_classes_gc_total_cpu_seconds_total.
var collections = collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/(gc/cycles/total:gc-cycles|cpu/classes/gc/total:cpu-seconds)$`)}
