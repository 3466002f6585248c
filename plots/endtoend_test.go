package plots

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mpinlab/plots/internal/plotstest"
	"mpinlab/sim/endtoend/result"
)

// logins is a plausible measurement on two deployments.
func logins() *result.Run {
	r := &result.Run{Started: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), CPUs: 2}
	for i, where := range [][2]string{{"rfc9380/bls12-381", "gnark/bls12-381"}, {"rfc9380/bn254", "gnark/bn254"}} {
		slower := 1 - 0.3*float64(i)
		d := &result.Deployment{Suite: where[0], Backend: where[1], Ready: 0.2}
		for k, transport := range []string{result.HTTP, result.WebSocket} {
			for j, phase := range result.Phases() {
				m := slower * (700 - 150*float64(k)) * []float64{1, 0.9, 0.6, 2.5, 6}[j]
				d.Latencies = append(d.Latencies, &result.Latency{Transport: transport, Phase: phase, Count: 120, Median: m, P95: 1.7 * m, P99: 4 * m})
			}
		}
		for _, verifier := range []string{result.Single, result.Batching} {
			c := &result.Cost{Verifier: verifier, Clients: 16, Memory: 60 << 20,
				Parts: map[string]float64{result.Cryptography: 0.7, result.Net: 0.2, result.Store: 0.03, result.JSON: 0.03, result.Collector: 0.01, result.Other: 0.03}}
			server := 1200.0 * slower
			if verifier == result.Batching {
				c.Clients, server = 512, 480*slower
				c.Parts = map[string]float64{result.Cryptography: 0.3, result.Net: 0.5, result.Store: 0.07, result.JSON: 0.05, result.Collector: 0.04, result.Other: 0.04}
			}
			for k := range 4 {
				wobble := 1 + 0.03*float64(k)
				c.Samples = append(c.Samples, result.Sample{Logins: 200, Server: server * wobble, Client: 400, Elapsed: 3e5, Verify: 800 * slower * wobble})
			}
			d.Costs = append(d.Costs, c)
		}
		r.Deployments = append(r.Deployments, d)
	}
	return r
}

// TestEndToEnd draws both figures at both widths, with and without profiles.
func TestEndToEnd(t *testing.T) {
	plain := logins()
	for _, d := range plain.Deployments {
		for _, c := range d.Costs {
			c.Parts = nil
		}
	}
	for name, run := range map[string]*result.Run{"profiled": logins(), "plain": plain} {
		figures, omitted := All(&Data{Results: plotstest.Full(6), EndToEnd: run, Sizes: sizes()})
		if len(omitted) != 0 {
			t.Errorf("%s: omitted %v", name, omitted)
		}
		for _, f := range figures[len(figures)-2:] {
			if !strings.Contains(f.Alt, "gnark/bls12-381") || !strings.Contains(f.Source, "23 November 2026") || strings.Contains(f.Caption+f.Alt, "NaN") {
				t.Errorf("%s: %s: %q %q", name, f.Name, f.Alt, f.Source)
			}
			for form, width := range widths {
				boxes, height := textBoxes(f, width)
				sheet := box(0, 0, width, height)
				for i, a := range boxes {
					if outside(a.at, sheet) > 0 {
						t.Errorf("%s %s %s: %q leaves the sheet", name, f.Name, form, a.text)
					}
					for _, b := range boxes[:i] {
						if shared(a.at, b.at) > 1 {
							t.Errorf("%s %s %s: %q lies on %q", name, f.Name, form, a.text, b.text)
						}
					}
				}
				if svg, err := f.SVG(width); err != nil || strings.Contains(string(svg), "NaN") {
					t.Errorf("%s %s %s: %v", name, f.Name, form, err)
				}
			}
		}
	}
	for _, make := range []func(*Data) (*Figure, error){Phases, LoginCost} {
		if _, err := make(&Data{EndToEnd: &result.Run{}}); !errors.Is(err, ErrNoData) {
			t.Errorf("nothing measured: %v", err)
		}
	}
}
