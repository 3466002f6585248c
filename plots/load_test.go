package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"mpinlab/sim/load/result"
)

// loadRun is a run as it may come out: stages, a fault, a search.
func loadRun() *result.Run {
	random := rand.New(rand.NewPCG(1, 2))
	r := &result.Run{
		Elapsed: 60, WarmUp: 5, Histograms: result.Histograms{},
		Stages: []result.Stage{{Name: "calm", From: 0, To: 20}, {Name: "flood", From: 20, To: 40}, {Name: "after it", From: 40, To: 60}},
		Faults: []result.Fault{
			{Kind: "kill", Target: "dta-1", From: 12, To: 17}, {Kind: "latency", Target: "rps-dta-1", From: 14, To: 30}, {Kind: "cut", Target: "clients-rps", From: 50, To: 50.1},
			{Kind: "pause", Target: "rpa", From: -1, To: -1},
		},
	}
	for _, tag := range []string{"whole.response", "whole.service", "permit.service", "pass1.service", "pass2.service", "redeem.service"} {
		h := result.NewHistogram()
		for range 5000 {
			_ = h.RecordValue(result.Clamp(int64(2000 * math.Exp(random.NormFloat64()))))
		}
		r.Histograms[tag] = h
	}
	for s := range 60 {
		t := result.Tick{Second: s, Intended: 100, Outcomes: map[string]int64{}, P50: 5, P99: 20 + 5*random.Float64(), Max: 30}
		for _, c := range result.Classes() {
			t.Outcomes[c] = random.Int64N(12)
		}
		if s == 33 {
			t = result.Tick{Second: s, Outcomes: map[string]int64{}}
		}
		r.Timeline = append(r.Timeline, t)
		for _, n := range []string{"rps-1", "rpa", "generator"} {
			r.ServerTimeline = append(r.ServerTimeline, result.ServerTick{Second: s, Node: n, CPU: random.Float64(), Memory: 5e7, Goroutines: 50, Files: -1})
		}
	}
	for i, label := range []string{"single", "batching", "batching bad-10", "single bad-10", "single rps-2"} {
		s := result.Search{Label: label, Batching: strings.Contains(label, "batching"), RPS: 1 + i/4, Limit: 100, Knee: 800 * float64(1+i)}
		if strings.Contains(label, "bad") {
			s.Bad = 0.1
		}
		for k := 1; k < 8; k++ {
			rate := s.Knee * float64(k) / 6
			s.Probes = append(s.Probes, result.Probe{Rate: rate, Achieved: rate, Passed: k <= 6, Latency: result.Latency{Count: 100, P99: 3 * math.Pow(2, float64(k))}})
		}
		r.Searches = append(r.Searches, s)
	}
	return r
}

func TestLoadFigures(t *testing.T) {
	figures, omitted := Load(loadRun())
	if len(omitted) > 0 || len(figures) != 7 {
		t.Fatalf("%d figures; omitted %v", len(figures), omitted)
	}
	for _, f := range figures {
		if f.Caption == "" || f.Alt == "" || f.Title == "" {
			t.Errorf("%s: words are missing", f.Name)
		}
		for form, width := range widths {
			svg, err := f.SVG(width)
			if err != nil {
				t.Fatal(err)
			}
			d := xml.NewDecoder(bytes.NewReader(svg))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%s at %s: %v", f.Name, form, err)
				}
			}
			for _, bad := range []string{"NaN", "Inf", "%!", "<nil>"} {
				if bytes.Contains(svg, []byte(bad)) {
					t.Errorf("%s at %s contains %q", f.Name, form, bad)
				}
			}
		}
		b, err := f.PNG(Column)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(b)); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// What a run does not have is omitted with a reason, and nothing panics.
func TestLoadFiguresOfLittle(t *testing.T) {
	for _, r := range []*result.Run{
		{}, {Elapsed: 1, Timeline: []result.Tick{{Second: 0}, {Second: 1}}},
		{Searches: []result.Search{{Label: "single"}}},
		{Searches: []result.Search{{Label: "single", Probes: []result.Probe{{Rate: 5, Achieved: 5, Latency: result.Latency{Count: 1, P99: 2}}}}}},
		{Elapsed: 2, ServerTimeline: []result.ServerTick{{Node: "x", CPU: -1, Memory: -1, Goroutines: -1, Files: -1}}},
	} {
		figures, omitted := Load(r)
		if len(figures)+len(omitted) != 7 {
			t.Errorf("%d and %d", len(figures), len(omitted))
		}
		for _, o := range omitted {
			if o.Reason == "" || o.Title == "" {
				t.Errorf("%+v", o)
			}
		}
		for _, f := range figures {
			if _, err := f.SVG(Page); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := loadBad(&result.Run{}); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
}

func TestPercentileLabels(t *testing.T) {
	for x, want := range map[float64]string{1: "0", 2: "50", 5: "", 10: "90", 100: "99", 1000: "99.9", 10000: "99.99"} {
		if got := percentile(x); got != want {
			t.Errorf("%v: %q, not %q", x, got, want)
		}
	}
}
