package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench"
	"mpinlab/plots/report"
	"mpinlab/sim/endtoend"
	"mpinlab/sim/load/result"
	"mpinlab/sim/pinpad/screens"
)

// plan is how much a report does.
type plan struct {
	// parts are measured one after the other, each in rounds of its own.
	parts []measuring
	// time is how long a sample is meant to take.
	time time.Duration
	// sample is the share of vectors that run on the reference backend: one
	// in sample.
	sample int
	// beyond is what is measured beside the catalogue, and may be nil.
	beyond *beyondPlan
	// logins are those measured on whole deployments, and may be nil.
	logins *endtoend.Plan
	// load is the scenarios that are run, and planned the logins simulated for
	// each try of the capacity plan, 0 for no plan.
	load    []loadPlan
	planned int
	leftOut []string
	// pdf says that the page is printed, too.
	pdf bool
}

// measuring is a part of the catalogue with its number of samples, and the time
// for them.
type measuring struct {
	// ops are the operations, without those of a part before; nil means all.
	ops     *regexp.Regexp
	samples int
	budget  time.Duration
	// name tells in notices which part it is; the first has none.
	name string
}

// quickOps are the operations that the quick form's figures are drawn from.
const quickOps = `^(ServerVerify|ServerVerifyCached|ServerVerifyPlain|ClientPass1|ClientPass2|IssueClientShare|` +
	`ServerVerifyBatch|Pair|PairCheck2|PairCheck2Fixed|MillerLoop|FinalExp|G1Mul|G2Mul|HashToG1|G1Decode|G1InSubgroup)$`

var (
	// Of 20 minutes, the measuring has twelve, known answers two, and the
	// rest is for what the other plans measure. The ratios that a run is quoted
	// for get the most samples: they are to come out the same an hour later.
	fullPlan = plan{time: 25 * time.Millisecond, parts: []measuring{
		{ops: bench.Headline, samples: 60, budget: 330 * time.Second},
		{ops: regexp.MustCompile(quickOps), samples: 12, budget: 120 * time.Second, name: "the other operations of the quick form"},
		{samples: 8, budget: 280 * time.Second, name: "the operations outside the quick form"},
	}, sample: 1, beyond: fullBeyond, logins: &fullLogins,
		load: fullLoad, planned: fullPlanLogins}
	quickPlan = plan{time: 8 * time.Millisecond, parts: []measuring{{ops: regexp.MustCompile(quickOps), samples: 10, budget: 110 * time.Second}}, sample: quickSample, logins: &quickLogins, load: quickLoad, planned: quickPlanLogins,
		leftOut: []string{
			"the rest of the M-Pin family (one-pass, Full, PIN error, signatures) and its figure",
			"the saturated server with shares of bad logins, and its figure",
			"growth with cores, batches, messages, sessions, D-TAs and users, and its figure",
			"costs beyond time: memory, collector, code, counts of field operations",
			"operations that no figure is drawn from (GT, compressed points, multi-scalar multiplication, the non-uniform hash, PIN setting, the other shares, threshold combining, binding proofs)",
			"load: the search for saturation, one by one against batches",
			"logins on whole deployments: other backends and curves than gnark/bls12-381, longer profiles, more rounds",
			fmt.Sprintf("vectors: the slow reference backend runs one case in %d", quickSample),
			"samples: 10 short ones of each row instead of 60, 12 or 8",
		}}
)

func newReport() *cobra.Command {
	var output, from, format string
	var quick bool
	var loads []string
	c := &cobra.Command{
		Use:   "report",
		Short: "Check, measure and draw: one HTML page with its raw data",
		Long: `report runs the known-answer vectors on every backend, measures the operations of
the catalogue in interleaved rounds, puts a whole deployment under load, plans a
service, draws the figures, and writes one self-contained page with its raw data
beside it:

  index.html   the page
  report.md    a summary in Markdown
  report.pdf   the page, printed (--format pdf; needs Chromium)
  bench.txt    the measurements, in the Go benchmark format
  bench.csv    the same, summarised
  load/        every load run with a page of its own
  sweeps.txt   how costs grow (full form)
  costs.txt    costs beyond time (full form)
  figures/     every figure as SVG and PNG, with the rows that it shows
  tables/      every table as CSV
  *.txt.html   the raw files with an anchor for each line

With --from nothing is checked or measured: the page is made anew from the raw
files of an earlier report, or of a record of one. --load adds load runs that
mpin sim run has made before. What a checkout keeps under ` + recordRoot + ` every report
made there shows: the timing test, the capacity model against real runs, load runs.

A backend that fails a vector is shown but not ranked. The full form takes up to
20 minutes on two cores, the quick form about 4; the quick form says on the page
what it leaves out and how wide its intervals are.`,
		Example: "  mpin report --quick\n  mpin report -o out --format pdf\n  mpin report --from bench/record/2026-11-23 -o out\n  mpin sim run soak -o soak && mpin report --load soak",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p := fullPlan
			if quick {
				p = quickPlan
			}
			switch format {
			case "html":
			case "pdf":
				// A missing browser is found out before anything is measured.
				if _, err := report.Browser(); err != nil {
					return finding(err)
				}
				p.pdf = true
			default:
				return misuse(fmt.Errorf("--format %q: it is html or pdf", format))
			}
			runs, err := readRuns(loads)
			if err != nil {
				return err
			}
			if from != "" {
				return reportFrom(c, p.pdf, from, output, runs)
			}
			return runReport(c, p, quick, output, runs)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "report", "folder to write")
	c.Flags().StringVar(&format, "format", "html", "html, or pdf for both")
	c.Flags().StringVar(&from, "from", "", "measure nothing: the folder of an earlier report's raw files")
	c.Flags().StringArrayVar(&loads, "load", nil, "also show the load run in `FOLDER`, made by mpin sim run -o; may be given again")
	c.Flags().BoolVar(&quick, "quick", false, "the quick form: fewer operations and samples, wider intervals")
	c.MarkFlagsMutuallyExclusive("quick", "from")
	return c
}

func runReport(c *cobra.Command, p plan, quick bool, dir string, runs []*result.Run) error {
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
	failed = errors.Join(failed, addEndToEnd(c, p.logins, &in), addLoad(c, p.load, runs, &in))
	if p.planned > 0 {
		addCapacity(c, p.planned, "", &in)
	}
	in.PINPad = screens.Files
	addHistory(c, &in)
	addEvidence(c, &in)
	in.Elapsed = time.Since(start)
	if err := writeReport(c, dir, in, p.pdf); err != nil {
		return finding(errors.Join(failed, err))
	}
	if errors.Is(failed, context.Canceled) {
		return fmt.Errorf("interrupted; the report holds what was measured so far: %w", context.Canceled)
	}
	if failed == nil && len(excluded) > 0 {
		failed = fmt.Errorf("%d backend(s) fail known answers and are not ranked; see the page", len(excluded))
	}
	return finding(failed)
}

// writeReport writes the page and tells about it.
func writeReport(c *cobra.Command, dir string, in report.Input, pdf bool) error {
	summary, err := report.Write(dir, in)
	if err != nil {
		return err
	}
	for _, o := range summary.Omitted {
		fmt.Fprintf(c.ErrOrStderr(), "figure %s left out: %s\n", o.Name, o.Reason)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s\n\nThe report is in %s\n", summary.Answer, summary.Page)
	if !pdf || c.Context().Err() != nil {
		return nil
	}
	path, err := report.PDF(c.Context(), dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "Printed, it is in %s\n", path)
	return nil
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
	cases, err := bench.Catalogue(racers, bench.Selection{})
	if err != nil {
		return nil, err
	}
	cases = bench.WithControls(cases, false)
	var all *bench.Results
	var failed error
	for _, part := range p.parts {
		// What is compared with each other has one operation, and stays together.
		var its []bench.Case
		cases = slices.DeleteFunc(cases, func(k bench.Case) bool {
			if part.ops != nil && !part.ops.MatchString(k.Key.Op) {
				return false
			}
			its = append(its, k)
			return true
		})
		fmt.Fprintf(c.ErrOrStderr(), "measuring %d rows, %d samples each\n", len(its), part.samples)
		progress := newProgress(c.ErrOrStderr(), "measuring")
		r, err := bench.Run(c.Context(), its, bench.Options{
			Samples: part.samples, Time: p.time, Budget: part.budget, Progress: progress.update,
		})
		progress.finish()
		failed = errors.Join(failed, err)
		switch {
		case r == nil:
		case all == nil:
			all = r
		default:
			all.Rows = append(all.Rows, r.Rows...)
			for _, w := range r.Warnings {
				if !strings.HasPrefix(w, "busy: ") { // with the part before
					all.Warnings = append(all.Warnings, w+" ("+part.name+")")
				}
			}
		}
		if c.Context().Err() != nil {
			break
		}
	}
	return all, failed
}

// setName is how the page calls a file of vectors.
func setName(file string) string {
	name := filepath.Base(file)
	name = strings.TrimSuffix(name, ".gz")
	return strings.TrimSuffix(name, ".json")
}
