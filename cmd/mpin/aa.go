package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/bench"
)

type aaFlags struct {
	op, backend string
	runs        int
	planted     float64
	samples     int
	time        time.Duration
	precision   float64
	budget      time.Duration
	output      string
}

func newAA() *cobra.Command {
	var f aaFlags
	c := &cobra.Command{
		Use:   "aa",
		Short: "Check the harness on itself: A/A runs, and a planted slowdown",
		Long: `aa starts "mpin bench" again and again, each time on two backends with a control of
each (the same work under a second name) and a copy of each that is slower by a
known share (a busy loop after every run). It counts the runs that claim a
difference where there is none, and those that find the planted one, in every
backend. Samples are short and many, so that rows that are compared see the same
moments of a machine that has other work, too.

The harness passes if no more than one run in twenty claims a difference between
a row and itself, and at least nineteen in twenty find the slowdown.`,
		Example: "  mpin aa\n  mpin aa --runs 5 --planted 5 -o raw",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runAA(c, &f) },
	}
	c.Flags().StringVar(&f.op, "op", "^ServerVerify$", "operation, a regular expression")
	c.Flags().StringVar(&f.backend, "backend", "^(gnark|circl)/bls12-381$", "backends, a regular expression on IDs")
	c.Flags().IntVar(&f.runs, "runs", 20, "runs of mpin bench")
	c.Flags().Float64Var(&f.planted, "planted", 3, "size of the planted slowdown in per cent")
	c.Flags().IntVar(&f.samples, "samples", 200, "least number of samples of each row")
	c.Flags().DurationVar(&f.time, "time", 5*time.Millisecond, "how long one sample is meant to take")
	c.Flags().Float64Var(&f.precision, "precision", 0.6, "sample until every ratio is known to so many per cent")
	c.Flags().DurationVar(&f.budget, "budget", 28*time.Second, "time for each run")
	c.Flags().StringVarP(&f.output, "output", "o", "", "folder that keeps the result files (default: they are not kept)")
	return c
}

// aaRun is what one run showed.
type aaRun struct {
	samples  int
	controls []bench.Claim
	planted  []bench.Claim
}

// differs reports whether a row is claimed to differ from itself.
func (r *aaRun) differs() bool {
	for _, c := range r.controls {
		if c.Claimed {
			return true
		}
	}
	return false
}

// excludes reports whether the plain 95 % interval of a control leaves out 1,
// however near: what a reader of the interval alone would take for a
// difference.
func (r *aaRun) excludes() bool {
	for _, c := range r.controls {
		if c.Lo > 1 || c.Hi < 1 {
			return true
		}
	}
	return false
}

// finds reports whether the slowdown was found in every backend.
func (r *aaRun) finds() bool {
	for _, c := range r.planted {
		if !c.Claimed || c.Ratio < 1 {
			return false
		}
	}
	return len(r.planted) > 0
}

func runAA(c *cobra.Command, f *aaFlags) error {
	if f.runs < 1 || f.planted <= 0 {
		return misuse(errors.New("--runs and --planted must be positive"))
	}
	dir := f.output
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "mpin-aa-*"); err != nil {
			return finding(err)
		}
		defer os.RemoveAll(dir)
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return finding(err)
	}
	began := time.Now()
	var rows [][]string
	differ, exclude, find := 0, 0, 0
	for i := range f.runs {
		run, err := f.run(c, filepath.Join(dir, fmt.Sprintf("run-%02d.txt", i+1)))
		if err != nil {
			return err
		}
		differ += btoi(run.differs())
		exclude += btoi(run.excludes())
		find += btoi(run.finds())
		rows = append(rows, run.cells(i+1)...)
		fmt.Fprintf(c.ErrOrStderr(), "run %d of %d, %s: %d claim a difference of a row and itself, %d find the slowdown\n",
			i+1, f.runs, time.Since(began).Round(time.Second), differ, find)
	}
	heading := []string{"run", "backend", "samples", "itself", "95 % interval", "claimed", "planted", "95 % interval", "found"}
	if err := table(c.OutOrStdout(), heading, rows); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), `
%d of %d runs claim a difference between a row and itself (allowed: %d).
%d of %d runs find the planted slowdown of %.3g %% in every backend (wanted: %d).
For comparison: in %d runs the 95 %% interval of a row against itself leaves out 1, before the correction for several
tests and with no regard to the margin of %.1f %%.
`, differ, f.runs, f.runs/20, find, f.runs, f.planted, f.runs-f.runs/20, exclude, 100*bench.Margin)
	if differ > f.runs/20 || find < f.runs-f.runs/20 {
		return finding(errors.New("the harness does not pass"))
	}
	return nil
}

// run starts mpin bench and judges its result file.
func (f *aaFlags) run(c *cobra.Command, path string) (*aaRun, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, finding(err)
	}
	cmd := exec.CommandContext(c.Context(), program, "bench",
		"--op", f.op, "--backend", f.backend, "--via", "^protocol$", "--controls", "each",
		"--planted", strconv.FormatFloat(f.planted, 'g', -1, 64),
		"--samples", strconv.Itoa(f.samples), "--time", f.time.String(),
		"--precision", strconv.FormatFloat(f.precision, 'g', -1, 64), "--budget", f.budget.String(), "-o", path)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if c.Context().Err() != nil {
			return nil, c.Context().Err()
		}
		err = fmt.Errorf("mpin bench: %w\n%s", err, said.Bytes())
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == exitMisuse {
			return nil, misuse(err)
		}
		return nil, finding(err)
	}
	results, err := bench.ReadFile(path)
	if err != nil {
		return nil, finding(err)
	}
	run := &aaRun{}
	for _, claim := range bench.Claims(results) {
		run.samples = len(claim.Row.Samples)
		switch claim.Row.Key.Via {
		case bench.ViaControl:
			run.controls = append(run.controls, claim)
		case bench.ViaPlanted:
			run.planted = append(run.planted, claim)
		}
	}
	if len(run.controls) == 0 || len(run.planted) != len(run.controls) {
		return nil, finding(fmt.Errorf("%s: %d controls and %d planted rows", path, len(run.controls), len(run.planted)))
	}
	return run, nil
}

// cells makes the run's lines of the table, one a backend.
func (r *aaRun) cells(number int) (rows [][]string) {
	for i, c := range r.controls {
		row := []string{strconv.Itoa(number), c.Row.Key.BackendID(), strconv.Itoa(r.samples)}
		for _, claim := range []bench.Claim{c, r.planted[i]} {
			claimed := "no"
			if claim.Claimed {
				claimed = "yes"
			}
			row = append(row, fmt.Sprintf("%+.2f %%", 100*(claim.Ratio-1)),
				fmt.Sprintf("%+.2f to %+.2f %%", 100*(claim.Lo-1), 100*(claim.Hi-1)), claimed)
		}
		rows = append(rows, row)
	}
	return rows
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
