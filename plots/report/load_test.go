package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/load/result"
)

func TestWriteLoad(t *testing.T) {
	h := result.NewHistogram()
	for i := range int64(1000) {
		_ = h.RecordValue(1000 + i)
	}
	r := &result.Run{
		Scenario: "x", Title: "A <b>title</b>", Description: "words", Started: time.Now(), Elapsed: 3, Seed: 1, Source: []byte("name: <x>\n"),
		Partial: true, Why: "interrupted", Warnings: []string{"a warning"},
		Environment: []result.Setting{{Key: "cpu", Value: "a CPU"}, {Key: "goos", Value: "linux"}},
		Counts:      result.Counts{Intended: 10, Started: 9, Dropped: 1, Outcomes: map[string]int64{result.Accepted: 9, result.Dropped: 1}},
		Operations:  []result.Operation{{Name: "login", Intended: 10, Outcomes: map[string]int64{result.Accepted: 9, result.Dropped: 1}}},
		Histograms:  result.Histograms{"whole.response": h},
		Phases:      []result.Phase{{Name: result.Whole, Response: result.Summary(h), Service: result.Summary(h)}},
		ClosedLoop:  result.Summary(h), Failures: []result.Failure{{Text: "failed: pass1: status 500", Count: 2}},
		SLOs:   []result.SLO{{Name: "p99 of whole ≤ 1 ms", Value: 1.99, Limit: 1, Unit: "ms"}, {Name: "errors ≤ 1 %", Value: 0.002, Limit: 0.01, Unit: "%", Met: true}},
		Client: result.Client{Cost: "precomputed"}, Deployment: result.Deployment{Suite: "rfc9380/bls12-381", Threshold: 2},
		Searches: []result.Search{{Label: "single", Limit: 100, Knee: 10, Probes: []result.Probe{{Rate: 10, Achieved: 10, Latency: *result.Summary(h), Passed: true}}}},
	}
	folder := t.TempDir()
	if err := WriteLoad(folder, r, "mpin sim run x"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(folder, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{
		"A &lt;b&gt;title", "This run is partial", "a warning", `<span class="fail">missed</span>`, `<span class="pass">kept</span>`, "name: &lt;x&gt;", "<svg",
		"was one multiplication", "failed: pass1: status 500", "A closed loop, one client", "of which 2 issue", "Single: 10.0 logins a second",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []string{"<no value>", "NaN", "%!", "http://", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "figures", "load-percentiles.png")); err != nil {
		t.Error(err)
	}
}
