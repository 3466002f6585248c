package service_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"mpinlab/sim/service"
)

// TestExposition: what handles count is what Prometheus reads, whoever asked for
// the handle first.
func TestExposition(t *testing.T) {
	s := newService(t, service.Options{})
	r := s.Registry()
	r.Counter("b_total", "B.", "x", "1").Add(3)
	r.Counter("b_total", "", "x", "1").Inc()
	r.Counter("b_total", "B.", "x", "a\"b\\c\nd").Inc()
	r.Gauge("a", "A.").Set(-2)
	r.Gauge("a", "A.").Add(-1)
	for i := range 2 { // the first stays
		r.GaugeFunc("f", "F.", func() float64 { return 0.5 + float64(i) }, "of", "f")
	}
	h := r.Histogram("c_seconds", "C.", []float64{1, 2}, "y", "2", "x", "1")
	for _, v := range []float64{0, 1, 1.5, 2, 100} {
		h.Observe(v)
	}
	if h := r.Histogram("c_seconds", "C.", nil, "x", "1", "y", "2"); h.Count() != 5 {
		t.Errorf("in another order: %d", h.Count())
	}
	if n := r.Counter("b_total", "B.", "x", "1").Value(); n != 4 {
		t.Errorf("counter: %d", n)
	}
	if n := r.Gauge("a", "A.").Value(); n != -3 {
		t.Errorf("gauge: %d", n)
	}
	text := do(s.Handler(), func(r *http.Request) { r.RemoteAddr = "127.0.0.1:1" }, "GET", "/metrics", "").Body.String()
	for _, want := range []string{
		"# HELP a A.", "# TYPE a gauge", "a -3", `f{of="f"} 0.5`, "# TYPE b_total counter", `b_total{x="1"} 4`,
		`b_total{x="a\"b\\c\nd"} 1`, `c_seconds_bucket{x="1",y="2",le="2"} 4`, `c_seconds_bucket{x="1",y="2",le="+Inf"} 5`,
		`c_seconds_sum{x="1",y="2"} 104.5`, `c_seconds_count{x="1",y="2"} 5`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if !strings.Contains(text, "go_goroutines ") {
		t.Error("nothing of the runtime")
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Error(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "mpin_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestCountsExactly: concurrent requests are all counted, once.
func TestCountsExactly(t *testing.T) {
	s := newService(t, service.Options{})
	s.Handle("GET /x/{id}", func(w http.ResponseWriter, r *http.Request) error {
		if r.PathValue("id") == "0" {
			return service.Refuse(404, "none")
		}
		return service.WriteJSON(w, 200, message{})
	})
	h := s.Handler()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				do(h, nil, "GET", "/x/"+string(rune('0'+i%2)), "")
			}
		})
	}
	all.Wait()
	r := s.Registry()
	for _, status := range []string{"200", "404"} {
		if n := r.Counter("mpin_requests_total", "", "server", "test", "route", "GET /x/{id}", "status", status).Value(); n != 400 {
			t.Errorf("%s: %d", status, n)
		}
	}
	if n := r.Histogram("mpin_request_seconds", "", nil, "server", "test", "route", "GET /x/{id}").Count(); n != 800 {
		t.Errorf("times: %d", n)
	}
	if n := r.Gauge("mpin_requests_in_flight", "", "server", "test").Value(); n != 0 {
		t.Errorf("in flight: %d", n)
	}
}

func TestRegistryMisuse(t *testing.T) {
	for name, f := range map[string]func(*service.Registry){
		"two kinds":    func(r *service.Registry) { r.Counter("a", ""); r.Gauge("a", "") },
		"two sorts":    func(r *service.Registry) { r.Gauge("a", ""); r.GaugeFunc("a", "x", func() float64 { return 0 }) },
		"odd":          func(r *service.Registry) { r.Counter("a", "", strings.Fields("label")...) },
		"other labels": func(r *service.Registry) { r.Counter("a", "", "x", "1"); r.Counter("a", "", "y", "1") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f(service.NewRegistry())
		}()
	}
}
