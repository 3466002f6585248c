package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench/aa"
	"mpinlab/bench/attack"
	"mpinlab/bench/leak"
	"mpinlab/bench/rawjson"
	"mpinlab/plots/report"
)

// recordedLeaks is where the evidence of the documentation lies.
var recordedLeaks = filepath.Join(recordRoot, "leak.json")

type leakFlags struct {
	op, backend, output, read string
	samples                   int
	seed                      uint64
	asJSON, markdown          bool
}

func newLeak() *cobra.Command {
	var f leakFlags
	c := &cobra.Command{
		Use:   "leak",
		Short: "Test whether the time of operations depends on secrets",
		Long: `leak times operations on secrets with a fixed secret and with random ones, in
random order, and compares the two classes by Welch's t on several crops of the
times (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", 2017).
The fixed secret is a drawn one, or an extreme one: the scalar 2^(n/2), or the
PIN 0000. Operations:

` + indent(leakOperations()) + `

|t| below 4.5 is "not seen", below 10 "suspected", beyond that the time depends
on the secret. In the whole run, of about 130 rows with seven crops each, chance
reaches 4.5 anywhere once in 150. A row ends early, after 2000 times or more,
where |t| is beyond 20. "Not seen" is not "constant time": the column "visible" has the
least difference that would have stood out, and caches, power and other machines
are not tested.

Every run begins with two planted comparisons; if it does not tell the one with
an early exit from the one in constant time, it proves nothing and the exit
status is 1. The whole takes four to seven minutes. Nothing else should run. When
it is interrupted, the rows so far are written.`,
		Example: "  mpin leak --backend bls12-381 --samples 50000\n  mpin leak -o leak.json\n  mpin leak --read leak.json --markdown",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runLeak(c, &f) },
	}
	c.Flags().StringVar(&f.op, "op", "", "regular expression for operations")
	c.Flags().StringVar(&f.backend, "backend", "", "regular expression for backends; the reference backend must be asked for")
	c.Flags().IntVar(&f.samples, "samples", leak.DefaultSamples, "times to take for each row, both classes together")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "what secrets and order are made from")
	c.Flags().StringVarP(&f.output, "output", "o", "", "also write the results, as JSON, to this file")
	c.Flags().StringVar(&f.read, "read", "", "measure nothing and show this result file")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	c.Flags().BoolVar(&f.markdown, "markdown", false, "print a Markdown page")
	c.MarkFlagsMutuallyExclusive("json", "markdown")
	for _, flag := range []string{"op", "backend", "samples", "seed", "output"} {
		c.MarkFlagsMutuallyExclusive("read", flag)
	}
	return c
}

func leakOperations() (lines []string) {
	for _, o := range leak.Operations() {
		lines = append(lines, fmt.Sprintf("%-17s %s (secret: %s)", o.Name, o.Doc, o.Secret))
	}
	return lines
}

func runLeak(c *cobra.Command, f *leakFlags) error {
	r, failed := leakResults(c, f)
	if r == nil {
		return failed
	}
	if f.output != "" {
		if err := writeJSONFile(f.output, func(w io.Writer) error { return leak.Write(w, r) }); err != nil {
			return finding(errors.Join(failed, err))
		}
		fmt.Fprintf(c.ErrOrStderr(), "wrote %s\n", f.output)
	}
	var err error
	switch {
	case f.asJSON:
		err = leak.Write(c.OutOrStdout(), r)
	case f.markdown:
		leak.Markdown(c.OutOrStdout(), r, allInfos())
	default:
		err = printLeaks(c.OutOrStdout(), r)
	}
	if errors.Is(failed, context.Canceled) {
		return fmt.Errorf("interrupted; the rows so far are there: %w", context.Canceled)
	}
	return finding(errors.Join(failed, err, r.Valid()))
}

// leakResults measures, or reads a file. There are results beside an error if
// a run was interrupted.
func leakResults(c *cobra.Command, f *leakFlags) (*leak.Results, error) {
	if f.read != "" {
		r, err := leak.ReadFile(f.read)
		return r, misuse(err)
	}
	op, err := expression("op", f.op)
	if err != nil {
		return nil, err
	}
	re, err := expression("backend", f.backend)
	if err != nil {
		return nil, err
	}
	targets, err := leak.Targets(benchBackends(f.backend != ""), leak.Selection{Op: op, Backend: re})
	if err != nil {
		return nil, misuse(err)
	}
	progress := newProgress(c.ErrOrStderr(), "testing")
	defer progress.finish()
	r, err := leak.Run(c.Context(), targets, leak.Options{Samples: f.samples, Seed: f.seed, Progress: progress.update})
	if errors.Is(err, leak.ErrSamples) {
		return nil, misuse(fmt.Errorf("--samples: %w", err))
	}
	r.Environment = rawjson.Environment()
	return r, err
}

func printLeaks(w io.Writer, r *leak.Results) error {
	var rows [][]string
	for _, row := range r.Rows {
		rows = append(rows, []string{row.Backend, row.Op, row.Fixed, strconv.Itoa(row.FixedSamples + row.RandomSamples),
			leak.Amount(row.T), strconv.FormatFloat(row.Crop, 'g', -1, 64), fmt.Sprintf("%.1f", row.Difference),
			fmt.Sprintf("%.1f", row.Visible), fmt.Sprintf("%.0f", row.Median), string(row.Verdict)})
	}
	if err := table(w, []string{"BACKEND", "OPERATION", "FIXED", "SAMPLES", "|T|", "CROP %", "DIFFERENCE NS", "VISIBLE NS", "MEDIAN NS", "DIFFERENCE"}, rows); err != nil {
		return err
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
	standings := leak.Standings(r, allInfos())
	if len(standings) > 0 {
		fmt.Fprintf(w, "\n%s\n", leak.Advice(r, standings))
	}
	fmt.Fprintf(w, "\n%s\n", leak.Chance(r))
	for _, p := range leak.Limits() {
		fmt.Fprintf(w, "\n%s\n", p)
	}
	return nil
}

// addEvidence reads the A/A series, the timing test and the costs of attacks
// that are recorded in the checkout that mpin runs in, if it does and if they are.
func addEvidence(c *cobra.Command, in *report.Input) {
	var err error
	leftOut := func(what string) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(c.ErrOrStderr(), "%s: left out: %v\n", what, err)
		}
	}
	in.AA, err = aa.ReadFile(recordedSeries)
	leftOut("the A/A series")
	in.Leak, err = leak.ReadFile(recordedLeaks)
	leftOut("the timing test")
	in.Attack, err = attack.ReadFile(recordedAttacks)
	leftOut("the costs of attacks")
}

// allInfos describes every backend, also those that cannot run here.
func allInfos() (infos []backends.Info) {
	for _, e := range all.Entries() {
		infos = append(infos, e.Info)
	}
	return infos
}

// writeJSONFile writes a file in one go.
func writeJSONFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
