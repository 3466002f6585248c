package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"

	"mpinlab/bench"
	"mpinlab/bench/cost"
	"mpinlab/plots/report"
)

// TestBeyond measures little of what a full report has beside the catalogue.
func TestBeyond(t *testing.T) {
	dir := t.TempDir()
	c := newReport()
	var stderr bytes.Buffer
	c.SetErr(&stderr)
	c.SetContext(t.Context())
	one := regexp.MustCompile(`^gnark/bn254$`)
	plan := &beyondPlan{swept: one, costed: one, onOneCore: regexp.MustCompile(`^CombineShares$`), samples: 2, time: time.Millisecond}
	var in report.Input
	if err := addBeyond(c, plan, dir, &in); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	sweeps, err := bench.ReadFile(filepath.Join(dir, "sweeps.txt"))
	if err != nil || in.Sweeps == nil || len(sweeps.Rows) != len(in.Sweeps.Rows) {
		t.Fatalf("sweeps: %v, %+v", err, in.Sweeps)
	}
	procs := map[string]map[int]bool{}
	for _, row := range sweeps.Rows {
		if procs[row.Key.Op] == nil {
			procs[row.Key.Op] = map[int]bool{}
		}
		procs[row.Key.Op][row.Key.Procs] = true
	}
	if !procs["CombineShares"][1] || !procs["ServerVerifyParallel"][1] || !procs["ServerVerifyParallel"][runtime.NumCPU()] || !procs["ServerVerifyConcurrent"][runtime.NumCPU()] {
		t.Errorf("measured %v", procs)
	}
	costs, err := cost.ReadFile(filepath.Join(dir, "costs.txt"))
	if err != nil || in.Costs == nil || len(costs.Rows) != len(in.Costs.Rows) {
		t.Errorf("costs: %v, %+v", err, in.Costs)
	}
}
