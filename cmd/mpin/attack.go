package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"mpinlab/bench/attack"
	"mpinlab/bench/rawjson"
)

// recordedAttacks is where the costs that the report shows lie.
var recordedAttacks = filepath.Join(recordRoot, "attack.json")

type attackFlags struct {
	backend, output, read string
	seed                  uint64
	quick, asJSON         bool
}

func newAttack() *cobra.Command {
	var f attackFlags
	c := &cobra.Command{
		Use:   "attack",
		Short: "Carry out attacks on M-Pin and measure what they cost",
		Long: `attack searches for PINs with a stolen token and the server secret on every
backend, in three ways; shows that the token alone fits every PIN; compromises
D-TAs of thresholds, up to the threshold and below; and counts what a server
learns that computes the errors of PINs. About five minutes.`,
		Example: "  mpin attack --backend 'bls12-381$'\n  mpin attack -o attack.json\n  mpin attack --read attack.json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runAttack(c, &f) },
	}
	c.Flags().StringVar(&f.backend, "backend", "", "regular expression for backends; the reference backend must be asked for")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "what secrets, PINs and candidates are made from")
	c.Flags().BoolVar(&f.quick, "quick", false, "less of everything: shorter times, fewer PINs")
	c.Flags().StringVarP(&f.output, "output", "o", "", "also write the results, as JSON, to this file")
	c.Flags().StringVar(&f.read, "read", "", "measure nothing and show this result file")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	for _, flag := range []string{"backend", "seed", "quick", "output"} {
		c.MarkFlagsMutuallyExclusive("read", flag)
	}
	return c
}

func runAttack(c *cobra.Command, f *attackFlags) error {
	r, failed := attackResults(c, f)
	if r == nil {
		return failed
	}
	if f.output != "" {
		if err := writeJSONFile(f.output, func(w io.Writer) error { return attack.Write(w, r) }); err != nil {
			return finding(errors.Join(failed, err))
		}
		fmt.Fprintf(c.ErrOrStderr(), "wrote %s\n", f.output)
	}
	var err error
	if f.asJSON {
		err = attack.Write(c.OutOrStdout(), r)
	} else {
		err = printAttacks(c.OutOrStdout(), r)
	}
	if errors.Is(failed, context.Canceled) {
		return fmt.Errorf("interrupted; the parts so far are there: %w", context.Canceled)
	}
	return finding(errors.Join(failed, err))
}

func attackResults(c *cobra.Command, f *attackFlags) (*attack.Results, error) {
	if f.read != "" {
		r, err := attack.ReadFile(f.read)
		return r, misuse(err)
	}
	re, err := expression("backend", f.backend)
	if err != nil {
		return nil, err
	}
	chosen := chosenBackends(re, f.backend != "")
	if len(chosen) == 0 {
		return nil, misuse(fmt.Errorf("no available backend matches %q", f.backend))
	}
	progress := newProgress(c.ErrOrStderr(), "attacking")
	defer progress.finish()
	r, err := attack.Run(c.Context(), chosen, attack.Options{Seed: f.seed, Quick: f.quick, Progress: progress.update})
	r.Environment = rawjson.Environment()
	return r, err
}

func printAttacks(w io.Writer, r *attack.Results) error {
	var rows [][]string
	for _, row := range r.Search {
		how := "computed"
		if row.Measured {
			how = "measured"
		}
		rows = append(rows, []string{row.Backend, row.Method, strconv.Itoa(row.Digits), fmt.Sprintf("%.3g", row.Seconds), how})
	}
	err := table(w, []string{"BACKEND", "SEARCH BY", "DIGITS", "SECONDS", ""}, rows)
	if a := r.Alone; a != nil {
		fmt.Fprintf(w, "\nThe token alone fits %d of %d PINs; %d of %d logins with other PINs hold under another master secret, %d under the real one.\n", a.Fit, a.PINs, a.Accepted, a.Logins, a.Elsewhere)
	}
	if len(r.Threshold) > 0 {
		fmt.Fprintln(w)
		rows = nil
		for _, row := range r.Threshold {
			rows = append(rows, []string{fmt.Sprintf("%d of %d", row.Threshold, row.Members), strconv.Itoa(row.Compromised),
				fmt.Sprintf("%d of %d", row.Fit, row.Candidates), strconv.FormatBool(row.Forged)})
		}
		err = errors.Join(err, table(w, []string{"THRESHOLD", "COMPROMISED", "S THAT FIT", "FORGED"}, rows))
	}
	if len(r.PINError) > 0 {
		fmt.Fprintln(w)
		rows = nil
		for _, row := range r.PINError {
			rows = append(rows, []string{strconv.Itoa(row.Logins), fmt.Sprintf("%.0f of %d", row.Left, row.PINs), fmt.Sprintf("%.2f", row.Bits)})
		}
		err = errors.Join(err, table(w, []string{"FAILED LOGINS", "PINS THAT FIT", "BITS LEARNT"}, rows))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(w, "warning:", warning)
	}
	return err
}
