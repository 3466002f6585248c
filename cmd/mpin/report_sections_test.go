package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/plots/report"
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
