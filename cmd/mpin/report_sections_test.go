package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mpinlab/bench"
	"mpinlab/plots/report"
	"mpinlab/sim/capacity"
	"mpinlab/sim/load/result"
)

// TestAddLoad runs a little load, shows recorded runs once each, and says what
// cannot be run.
func TestAddLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	c := newReport()
	var stderr bytes.Buffer
	c.SetErr(&stderr)
	c.SetContext(t.Context())
	little := loadPlan{"quick", []string{"deployment.run=in-process", "population.users=5", "warm-up=100ms", "stages.0.duration=600ms", "stages.1.duration=300ms", "stages.2.duration=300ms"}}
	var in report.Input
	err := addLoad(c, []loadPlan{little, {scenario: "nothing"}}, nil, &in)
	if err == nil || !strings.Contains(err.Error(), "nothing on the shelf") && !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("%v", err)
	}
	if len(in.Load.Runs) != 1 || len(in.Load.Notes) != 1 {
		t.Fatalf("%d runs, notes %q\n%s", len(in.Load.Runs), in.Load.Notes, &stderr)
	}
	run := in.Load.Runs[0]
	if run.Counts.Intended == 0 || run.Verdicts.Checked == 0 || run.Verdicts.WrongAcceptances+run.Verdicts.WrongRefusals != 0 {
		t.Errorf("%+v, %+v", run.Counts, run.Verdicts)
	}

	// A checkout keeps the same run and another one; one of them is given, too.
	for _, name := range []string{"same", "other"} {
		if name == "other" {
			run.Started = run.Started.Add(1)
		}
		if err := run.Write(filepath.Join(recordedRuns, name)); err != nil {
			t.Fatal(err)
		}
	}
	given, err := readRuns([]string{filepath.Join(recordedRuns, "other")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(recordedRuns, "broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(recordedRuns, "broken", result.RunFile), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := addLoad(c, nil, given, &in); err != nil || len(in.Load.Runs) != 2 {
		t.Errorf("%v, %d runs", err, len(in.Load.Runs))
	}
	if s := stderr.String(); !strings.Contains(s, "a load run is left out") {
		t.Errorf("said %q", s)
	}
	if _, err := readRuns([]string{"nosuch"}); err == nil {
		t.Error("a run that is not there")
	}
}

// TestRecordKeepsLoad makes the page of a record, which shows the report's load.
func TestRecordKeepsLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	h := result.NewHistogram()
	if err := h.RecordValue(7000); err != nil {
		t.Fatal(err)
	}
	little := &result.Run{
		Scenario: "little", Title: "Little", Started: time.Now().UTC(), Elapsed: 2, Source: []byte("name: little\n"), Counts: result.Counts{Intended: 1, Started: 1},
		Timeline: []result.Tick{{Intended: 1, P50: 7, P99: 7}, {Second: 1}}, Histograms: result.Histograms{result.Tag(result.Whole, "response"): h},
		Phases: []result.Phase{{Name: result.Whole, Response: result.Summary(h)}}, SLOs: []result.SLO{{Name: "p99 of whole ≤ 1 ms", Value: 7, Limit: 1, Unit: "ms"}},
	}
	if err := little.Write(filepath.Join("report", report.LoadFolder, little.Scenario)); err != nil {
		t.Fatal(err)
	}
	rows := &bench.Results{Environment: []bench.Setting{{Key: "date", Value: time.Now().UTC().Format(time.RFC3339)}}, Rows: []bench.Row{{
		Key:     bench.Key{Op: "ServerVerify", Suite: "rfc9380", Curve: "bn254", Backend: "gnark", Via: "protocol", Procs: 1},
		Samples: []float64{5, 5, 5, 5, 5, 5}, Counts: []int{1, 1, 1, 1, 1, 1},
	}}}
	if err := bench.WriteFile(filepath.Join("report", "bench.txt"), rows); err != nil {
		t.Fatal(err)
	}
	plan, err := json.Marshal(report.Plan{Answer: &capacity.Answer{Backend: "gnark/bls12-381", Cores: 4321}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("report", report.PlanFile), plan, 0o644); err != nil { // making one takes seconds
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"record", "report", "-o", "kept"}, &stdout, &stderr); code != exitOK {
		t.Fatalf("%d\n%s", code, &stderr)
	}
	if code := run([]string{"report", "--from", strings.TrimSpace(stdout.String()), "-o", "again"}, &stdout, &stderr); code != exitOK {
		t.Fatalf("%d\n%s", code, &stderr)
	}
	page, err := os.ReadFile(filepath.Join("again", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`id="load-little"`, "1 of 1 missed", `id="figure-load-little-percentiles"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if again, err := result.Read(filepath.Join("again", report.LoadFolder, little.Scenario)); err != nil || len(again.Histograms) != 1 || len(again.Timeline) != 2 {
		t.Errorf("%v: %+v", err, again)
	}
	if p, err := report.ReadPlan(filepath.Join("again", report.PlanFile)); err != nil || p.Answer.Cores != 4321 {
		t.Errorf("another plan: %v", err)
	}
}

// TestAddCapacity takes an earlier report's plan, and makes one.
func TestAddCapacity(t *testing.T) {
	t.Chdir(t.TempDir())
	c := newReport()
	var stderr bytes.Buffer
	c.SetErr(&stderr)
	c.SetContext(t.Context())
	var in report.Input
	addCapacity(c, 1000, ".", &in)
	p := in.Capacity.Plan
	if p == nil || p.Answer == nil || p.Answer.Cores < 4 || len(p.Sensitivity) < 10 || in.Capacity.Validation != nil || len(in.Capacity.Notes) > 0 {
		t.Fatalf("%+v\n%s", in.Capacity, &stderr)
	}
	if _, err := report.Write("out", in); err != nil {
		t.Fatal(err)
	}
	p.Answer.Cores = 4321
	if _, err := report.Write("out", in); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(recordedValidation), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recordedValidation, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	addCapacity(c, 1000, "out", &in)
	if in.Capacity.Plan.Answer.Cores != 4321 || len(in.Capacity.Notes) != 1 {
		t.Errorf("%+v", in.Capacity)
	}
}
