package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/bench"
	"mpinlab/bench/aa"
)

// recordedSeries is where the A/A series that the report shows lie.
var recordedSeries = filepath.Join(recordRoot, "aa.json")

type aaFlags struct {
	op, backend       string
	runs              int
	planted           float64
	samples           int
	time              time.Duration
	precision         float64
	budget            time.Duration
	output, keep, get string
	asJSON            bool
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
backend; and, to compare, the plain 95 % intervals of a row against itself that
leave out 1. Samples are short and many, so that rows that are compared see the
same moments of a machine that has other work, too. Twenty runs take up to ten
minutes.

The harness passes if, of each operation's runs, no more than one in twenty
claims a difference between a row and itself, and at least nineteen in twenty
find the slowdown. Otherwise the exit status is 1. Each run's comparisons of an
operation are claimed together at 95 %, by Holm's correction.

With -o the series is added to a JSON file after every run, so that what is
complete is kept when aa is interrupted.`,
		Example: "  mpin aa\n  mpin aa --runs 5 --planted 5 --keep raw\n  mpin aa -o bench/record/aa.json\n  mpin aa --read bench/record/aa.json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runAA(c, &f) },
	}
	c.Flags().StringVar(&f.op, "op", "^ServerVerify$", "operations, a regular expression")
	c.Flags().StringVar(&f.backend, "backend", "^(gnark|circl)/bls12-381$", "backends, a regular expression on IDs")
	c.Flags().IntVar(&f.runs, "runs", 20, "runs of mpin bench")
	c.Flags().Float64Var(&f.planted, "planted", 3, "size of the planted slowdown in per cent")
	c.Flags().IntVar(&f.samples, "samples", 200, "least number of samples of each row")
	c.Flags().DurationVar(&f.time, "time", 5*time.Millisecond, "how long one sample is meant to take")
	c.Flags().Float64Var(&f.precision, "precision", 0.6, "sample until every ratio is known to so many per cent")
	c.Flags().DurationVar(&f.budget, "budget", 28*time.Second, "time for each run")
	c.Flags().StringVarP(&f.output, "output", "o", "", "add the series to this JSON file")
	c.Flags().StringVar(&f.keep, "keep", "", "folder that keeps the runs' result files (default: they are not kept)")
	c.Flags().StringVar(&f.get, "read", "", "measure nothing and show the last series of this file")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	for _, flag := range []string{"op", "backend", "runs", "planted", "samples", "time", "precision", "budget", "output", "keep"} {
		c.MarkFlagsMutuallyExclusive("read", flag)
	}
	return c
}

func runAA(c *cobra.Command, f *aaFlags) error {
	if f.runs < 1 || f.planted <= 0 {
		return misuse(errors.New("--runs and --planted must be positive"))
	}
	s, failed := f.series(c)
	if s == nil {
		return failed
	}
	var err error
	if f.asJSON {
		err = aa.Write(c.OutOrStdout(), &aa.File{Series: []aa.Series{*s}})
	} else {
		err = printSeries(c.OutOrStdout(), s)
	}
	switch {
	case errors.Is(failed, context.Canceled):
		return fmt.Errorf("interrupted after %d of %d runs: %w", s.Runs(), s.Wanted, context.Canceled)
	case failed != nil || err != nil:
		return errors.Join(failed, finding(err))
	case !s.Passes():
		return finding(errors.New("the harness does not pass"))
	}
	return nil
}

// series measures, or reads a file. There is one beside an error if runs were
// made before it.
func (f *aaFlags) series(c *cobra.Command) (*aa.Series, error) {
	if f.get != "" {
		file, err := aa.ReadFile(f.get)
		if err == nil && len(file.Series) == 0 {
			err = fmt.Errorf("%s holds no series", f.get)
		}
		if err != nil {
			return nil, misuse(err)
		}
		return &file.Series[len(file.Series)-1], nil
	}
	history := &aa.File{}
	if f.output != "" {
		// Neither a file that cannot be read nor one that cannot be written is
		// found out after ten minutes.
		have, err := aa.ReadFile(f.output)
		switch {
		case err == nil:
			history = have
		case !errors.Is(err, fs.ErrNotExist):
			return nil, misuse(err)
		}
		if err := aa.WriteFile(f.output, history); err != nil {
			return nil, misuse(err)
		}
	}
	dir := f.keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "mpin-aa-*"); err != nil {
			return nil, finding(err)
		}
		defer os.RemoveAll(dir)
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, finding(err)
	}
	began := time.Now()
	s := aa.NewSeries(f.runs, f.planted)
	for i := range f.runs {
		results, err := f.run(c, filepath.Join(dir, fmt.Sprintf("run-%02d.txt", i+1)))
		if err == nil {
			err = finding(s.Add(results))
		}
		if err == nil && f.output != "" {
			err = finding(aa.WriteFile(f.output, history.With(s)))
		}
		if err != nil {
			if s.Runs() == 0 {
				return nil, err
			}
			return s, err
		}
		differ, found := 0, 0
		for _, t := range s.Tallies() {
			differ, found = differ+t.Differ, found+t.Found
		}
		fmt.Fprintf(c.ErrOrStderr(), "run %d of %d, %s: %d claim a difference of a row and itself, %d find the slowdown\n",
			i+1, f.runs, time.Since(began).Round(time.Second), differ, found)
	}
	return s, nil
}

// run starts mpin bench and reads its result file.
func (f *aaFlags) run(c *cobra.Command, path string) (*bench.Results, error) {
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
	return results, finding(err)
}

// printSeries prints a line for each row and itself, with its planted copy
// beside it, and what follows.
func printSeries(w io.Writer, s *aa.Series) error {
	var rows [][]string
	for i := range s.Rows {
		control := &s.Rows[i]
		if control.Kind != aa.Itself {
			continue
		}
		cells := []string{strconv.Itoa(control.Run), control.Op, control.Backend, strconv.Itoa(control.Samples)}
		cells = append(cells, seriesCells(control)...)
		for j := range s.Rows {
			r := &s.Rows[j]
			if r.Kind == aa.Planted && r.Run == control.Run && r.Op == control.Op && r.Backend == control.Backend {
				cells = append(cells, seriesCells(r)...)
			}
		}
		rows = append(rows, cells)
	}
	heading := []string{"run", "operation", "backend", "samples", "itself", "95 % interval", "claimed", "planted", "95 % interval", "found"}
	if err := table(w, heading, rows); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, t := range s.Tallies() {
		for _, words := range t.Words(s) {
			fmt.Fprintln(w, words)
		}
	}
	if s.Runs() < s.Wanted {
		fmt.Fprintf(w, "Only %d of %d runs were made.\n", s.Runs(), s.Wanted)
	}
	return nil
}

func seriesCells(r *aa.Row) []string {
	claimed := "no"
	if r.Claimed {
		claimed = "yes"
	}
	percent := func(n aa.Number) float64 { return 100 * (float64(n) - 1) }
	interval := "none"
	if hi := float64(r.Hi); !math.IsInf(hi, 0) && !math.IsNaN(hi) {
		interval = fmt.Sprintf("%+.2f to %+.2f %%", percent(r.Lo), percent(r.Hi))
	}
	return []string{fmt.Sprintf("%+.2f %%", percent(r.Ratio)), interval, claimed}
}
