package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/bench/cost"
	"mpinlab/bench/record"
	"mpinlab/plots/report"
)

// beyondPlan is how much a report measures beside the catalogue.
type beyondPlan struct {
	// swept and costed are the backends of the sweeps and of the costs; nil is
	// all of them.
	swept, costed *regexp.Regexp
	// onOneCore are the sweeps that are measured on one core. The others are
	// about cores, and about sessions on all of them.
	onOneCore *regexp.Regexp
	samples   int
	time      time.Duration
	// budget bounds each of the parts.
	budget time.Duration
}

var (
	overCores  = regexp.MustCompile(`^ServerVerifyParallel$`)
	onAllCores = regexp.MustCompile(`^ServerVerifyConcurrent$`)

	fullBeyond = &beyondPlan{
		swept:     regexp.MustCompile(`^(gnark|blst)/bls12-381$`),
		onOneCore: regexp.MustCompile(`^(ServerVerifyBatch|SignMessage|CombineShares|CombineThreshold|IdentityLookup|IdentityLookupFull)$`),
		samples:   20, time: 8 * time.Millisecond, budget: 35 * time.Second,
	}
)

// addBeyond measures what the full report has beside the catalogue, writes the
// raw files into its folder and completes its input. What fails is left out and
// told in the error.
func addBeyond(c *cobra.Command, plan *beyondPlan, dir string, in *report.Input) error {
	sweeps, failed := measureSweeps(c, plan)
	if sweeps != nil && len(sweeps.Rows) > 0 {
		if err := saveResults(filepath.Join(dir, "sweeps.txt"), sweeps); err != nil {
			failed = errors.Join(failed, err)
		} else {
			in.Sweeps = sweeps
		}
	}
	if c.Context().Err() != nil {
		return errors.Join(failed, c.Context().Err())
	}
	progress := newProgress(c.ErrOrStderr(), "costs beyond time")
	costs, err := cost.Measure(c.Context(), chosenBackends(plan.costed, false), progress.update)
	progress.finish()
	if err == nil {
		err = saveCosts(filepath.Join(dir, "costs.txt"), costs)
	}
	if err == nil {
		in.Costs = costs
	}
	return errors.Join(failed, err)
}

// addHistory reads the records of the checkout that mpin runs in, if it does.
func addHistory(c *cobra.Command, in *report.Input) {
	history, err := record.Read(recordRoot)
	if err != nil {
		fmt.Fprintf(c.ErrOrStderr(), "the history is left out: %v\n", err)
		return
	}
	// A report that is made anew may be one of them.
	in.History = slices.DeleteFunc(history, func(r record.Run) bool { return r.Results.Get("date") == in.Results.Get("date") })
}

// measureSweeps takes the sweeps one after the other.
func measureSweeps(c *cobra.Command, plan *beyondPlan) (*bench.Results, error) {
	type part struct {
		ops   *regexp.Regexp
		procs int
	}
	parts := []part{{plan.onOneCore, 1}}
	for procs := 1; procs < runtime.NumCPU(); procs *= 2 {
		parts = append(parts, part{overCores, procs})
	}
	parts = append(parts, part{overCores, runtime.NumCPU()}, part{onAllCores, runtime.NumCPU()})
	var all *bench.Results
	var failed error
	for _, p := range parts {
		cases, err := bench.Catalogue(benchBackends(false), bench.Selection{
			Sweeps: true, Op: p.ops, Backend: plan.swept})
		if err != nil {
			return all, err
		}
		progress := newProgress(c.ErrOrStderr(), fmt.Sprintf("sweeps on %d core(s)", p.procs))
		r, err := bench.Run(c.Context(), cases, bench.Options{
			Samples: plan.samples, Time: plan.time, Budget: plan.budget, Procs: p.procs, Progress: progress.update,
		})
		progress.finish()
		failed = errors.Join(failed, err)
		switch {
		case r == nil:
		case all == nil:
			all = r
		default:
			all.Rows = append(all.Rows, r.Rows...)
			all.Warnings = append(all.Warnings, r.Warnings...)
		}
		if c.Context().Err() != nil {
			break
		}
	}
	return all, failed
}

// saveCosts writes the costs with the environment of now.
func saveCosts(path string, costs *cost.Results) error {
	var b bytes.Buffer
	if err := cost.Write(&b, costs, bench.Environment()); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// chosenBackends lists the backends that match; nil matches all.
func chosenBackends(re *regexp.Regexp, withReference bool) (chosen []backends.Backend) {
	for _, b := range benchBackends(withReference) {
		if re == nil || re.MatchString(b.Info().ID) {
			chosen = append(chosen, b)
		}
	}
	return chosen
}

// runCosts is bench --costs.
func runCosts(c *cobra.Command, f *benchFlags) error {
	re, err := expression("backend", f.backend)
	if err != nil {
		return err
	}
	chosen := chosenBackends(re, f.backend != "")
	if len(chosen) == 0 {
		return misuse(fmt.Errorf("no available backend matches %q", f.backend))
	}
	progress := newProgress(c.ErrOrStderr(), "costs beyond time")
	costs, err := cost.Measure(c.Context(), chosen, progress.update)
	progress.finish()
	if err != nil {
		return finding(err)
	}
	for _, note := range costs.Notes {
		fmt.Fprintln(c.ErrOrStderr(), "not measured:", note)
	}
	if f.output == "" {
		return finding(cost.Write(c.OutOrStdout(), costs, bench.Environment()))
	}
	if err := saveCosts(f.output, costs); err != nil {
		return finding(err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "wrote %s\n", f.output)
	return nil
}
