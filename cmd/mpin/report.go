package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench"
	"mpinlab/plots/report"
)

// plan is how much a report does.
type plan struct {
	samples int
	time    time.Duration
	// budget bounds the measuring.
	budget time.Duration
	// ops are the operations measured.
	ops *regexp.Regexp
	// sample is the share of vectors that run on the reference backend: one
	// in sample.
	sample int
	// beyond is what is measured beside the catalogue, and may be nil.
	beyond  *beyondPlan
	leftOut []string
}

// quickOps are the operations that the quick form's figures are drawn from.
const quickOps = `^(ServerVerify|ServerVerifyCached|ServerVerifyPlain|ClientPass1|ClientPass2|IssueClientShare|` +
	`ServerVerifyBatch|Pair|PairCheck2|PairCheck2Fixed|MillerLoop|FinalExp|G1Mul|G2Mul|HashToG1|G1Decode|G1InSubgroup)$`

var (
	fullPlan  = plan{samples: 20, time: 30 * time.Millisecond, budget: 15 * time.Minute, sample: 1, beyond: fullBeyond}
	quickPlan = plan{samples: 10, time: 8 * time.Millisecond, budget: 120 * time.Second, sample: quickSample,
		ops: regexp.MustCompile(quickOps),
		leftOut: []string{
			"the rest of the M-Pin family (one-pass, Full, PIN error, signatures) and its figure",
			"the saturated server with shares of bad logins, and its figure",
			"growth with cores, batches, messages, sessions, D-TAs and users, and its figure",
			"costs beyond time: memory, collector, code, counts of field operations",
			"operations that no figure is drawn from (GT, compressed points, multi-scalar multiplication, the non-uniform hash, PIN setting, the other shares, threshold combining, binding proofs)",
			fmt.Sprintf("vectors: the slow reference backend runs one case in %d", quickSample),
			"samples: 10 short ones of each row instead of 20 longer ones",
		}}
)

func newReport() *cobra.Command {
	var output string
	var quick bool
	c := &cobra.Command{
		Use:   "report",
		Short: "Check, measure and draw: one HTML page with its raw data",
		Long: `report runs the known-answer vectors on every backend, measures the operations of
the catalogue in interleaved rounds, draws the figures, and writes one
self-contained page with its raw data beside it:

  index.html   the page
  bench.txt    the measurements, in the Go benchmark format
  bench.csv    the same, summarised
  sweeps.txt   how costs grow (full form)
  costs.txt    costs beyond time (full form)
  figures/     every figure as SVG and PNG

A backend that fails a vector is shown but not ranked. The full form takes up to
20 minutes on two cores, the quick form up to 3; the quick form says on the page
what it leaves out and how wide its intervals are.`,
		Example: "  mpin report --quick\n  mpin report -o out",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p := fullPlan
			if quick {
				p = quickPlan
			}
			return runReport(c, p, quick, output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "report", "folder to write")
	c.Flags().BoolVar(&quick, "quick", false, "the quick form: fewer operations and samples, wider intervals")
	return c
}

func runReport(c *cobra.Command, p plan, quick bool, dir string) error {
	start := time.Now()
	if err := report.Prepare(dir); err != nil {
		return finding(err)
	}
	conformance, excluded, err := conform(c, p.sample)
	if err != nil {
		return err
	}
	results, failed := measure(c, p)
	if results == nil || len(results.Rows) == 0 {
		return finding(errors.Join(errors.New("nothing was measured; no report was written"), failed))
	}
	if err := saveResults(filepath.Join(dir, "bench.txt"), results); err != nil {
		return finding(errors.Join(failed, err))
	}
	suites, sizes, err := suiteTables()
	if err != nil {
		return finding(err)
	}
	in := report.Input{
		Results: results, Backends: all.Entries(), Suites: suites, Sizes: sizes,
		Quick: quick, LeftOut: p.leftOut, Command: commandLine(quick),
		Conformance: conformance, Excluded: excluded,
	}
	if p.beyond != nil && c.Context().Err() == nil {
		failed = errors.Join(failed, addBeyond(c, p.beyond, dir, &in))
	}
	addHistory(c, &in)
	in.Elapsed = time.Since(start)
	summary, err := report.Write(dir, in)
	if err != nil {
		return finding(errors.Join(failed, err))
	}
	for _, o := range summary.Omitted {
		fmt.Fprintf(c.ErrOrStderr(), "figure %s left out: %s\n", o.Name, o.Reason)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s\n\nThe report is in %s\n", summary.Answer, summary.Page)
	if errors.Is(failed, context.Canceled) {
		return fmt.Errorf("interrupted; the report holds what was measured so far: %w", context.Canceled)
	}
	if failed == nil && len(excluded) > 0 {
		failed = fmt.Errorf("%d backend(s) fail known answers and are not ranked; see the page", len(excluded))
	}
	return finding(failed)
}

// commandLine is what to type to get such a report again.
func commandLine(quick bool) string {
	if quick {
		return "mpin report --quick"
	}
	return "mpin report"
}

// measure runs the plan's part of the catalogue. The reference backend is left
// out: it is a judge.
func measure(c *cobra.Command, p plan) (*bench.Results, error) {
	var racers []backends.Backend
	for _, b := range all.Backends() {
		if !isReference(b) {
			racers = append(racers, b)
		}
	}
	cases, err := bench.Catalogue(racers, bench.Selection{Op: p.ops})
	if err != nil {
		return nil, err
	}
	cases = bench.WithControls(cases, false)
	fmt.Fprintf(c.ErrOrStderr(), "measuring %d rows, %d samples each\n", len(cases), p.samples)
	progress := newProgress(c.ErrOrStderr(), "measuring")
	defer progress.finish()
	return bench.Run(c.Context(), cases, bench.Options{
		Samples: p.samples, Time: p.time, Budget: p.budget, Progress: progress.update,
	})
}

// setName is how the page calls a file of vectors.
func setName(file string) string {
	name := filepath.Base(file)
	name = strings.TrimSuffix(name, ".gz")
	return strings.TrimSuffix(name, ".json")
}
