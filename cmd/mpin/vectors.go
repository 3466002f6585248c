package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/vectors"
)

func newVectors() *cobra.Command {
	c := &cobra.Command{
		Use:   "vectors",
		Short: "Run and generate known-answer vectors",
		Long: `vectors checks implementations against known answers: files in the project's own
format mpin-vectors/1, and those of Milagro, RFC 9380 and Wycheproof as they are
published. Formats are told apart by themselves.`,
		Example: "  mpin vectors verify vectors/data\n  mpin vectors generate --suite milagro/fp256bn --seed 01",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newVectorsVerify(), newVectorsGenerate())
	return c
}

type verifyFlags struct {
	backend, suite string
	asJSON, quick  bool
}

// quickSample is the share of cases that --quick runs on slow backends: one in
// quickSample.
const quickSample = 8

func newVectorsVerify() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify PATH…",
		Short: "Run vector files, or folders of them, on every backend",
		Long: `verify runs every case of every file on every available backend of its curve and
names the first field that differs. The exit status is 0 if at least one case ran
and none failed, 1 if one failed or none ran, and 2 if a file cannot be read.`,
		Example: `  mpin vectors verify vectors/data
  mpin vectors verify --backend '^gnark/' --json vectors/data
  mpin vectors verify --suite milagro/bn254cx logins.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error { return runVerify(c, &f, paths) },
	}
	c.Flags().StringVar(&f.backend, "backend", "", "backends, a regular expression on IDs like gnark/bls12-381 (default all)")
	c.Flags().StringVar(&f.suite, "suite", "", "run only this suite, and take Milagro files that do not say theirs for it")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&f.quick, "quick", false, fmt.Sprintf("run one case in %d on the reference backend", quickSample))
	return c
}

func runVerify(c *cobra.Command, f *verifyFlags, paths []string) error {
	bs, err := matching(f.backend)
	if err != nil {
		return err
	}
	if f.suite != "" {
		if _, err := protocol.ParseSuiteID(f.suite); err != nil {
			return misuse(&flagError{"suite", err})
		}
	}
	sets, err := vectors.Load(paths, f.suite)
	if err != nil {
		return misuse(err)
	}
	if f.suite != "" {
		var chosen []*vectors.Set
		for _, s := range sets {
			if s.Suite.String() == f.suite {
				chosen = append(chosen, s)
			}
		}
		if sets = chosen; len(sets) == 0 {
			return misuse(fmt.Errorf("none of the files is of suite %s", f.suite))
		}
	}
	opt := vectors.Options{Backends: bs, Slow: isReference}
	if f.quick {
		opt.Sample = quickSample
	}
	p := newProgress(c.ErrOrStderr(), "verifying")
	opt.Progress = p.update
	report, err := vectors.Run(c.Context(), sets, opt)
	p.finish()
	if err != nil {
		return err
	}
	if f.asJSON {
		err = writeJSON(c.OutOrStdout(), report)
	} else {
		err = printVerify(c.OutOrStdout(), report)
	}
	switch {
	case err != nil:
		return err
	case report.Failed > 0:
		return finding(fmt.Errorf("%d of %d cases failed", report.Failed, report.Passed+report.Failed))
	case report.Passed == 0:
		return finding(errors.New("no case ran"))
	}
	return nil
}

func isReference(b backends.Backend) bool { return strings.HasPrefix(b.Info().ID, "reference/") }

// matching returns the available backends whose ID matches.
func matching(re string) ([]backends.Backend, error) {
	expr, err := expression("backend", re)
	if err != nil {
		return nil, err
	}
	var bs []backends.Backend
	var ids []string
	for _, b := range all.Backends() {
		ids = append(ids, b.Info().ID)
		if expr == nil || expr.MatchString(b.Info().ID) {
			bs = append(bs, b)
		}
	}
	if len(bs) == 0 {
		return nil, misuse(fmt.Errorf("no available backend matches %q; there are %s", re, strings.Join(ids, ", ")))
	}
	return bs, nil
}

func printVerify(w io.Writer, r *vectors.Report) error {
	var rows [][]string
	for _, s := range r.Sets {
		rows = append(rows, []string{filepath.Base(s.File), s.Suite, s.Backend,
			fmt.Sprint(s.Cases), fmt.Sprint(s.Passed), fmt.Sprint(s.Failed), fmt.Sprint(s.Skipped), reasons(s.Reasons)})
	}
	if err := table(w, []string{"FILE", "SUITE", "BACKEND", "CASES", "PASSED", "FAILED", "SKIPPED", "BECAUSE"}, rows); err != nil {
		return err
	}
	for _, s := range r.Sets {
		for _, f := range s.Failures {
			fmt.Fprintf(w, "\n%s on %s, %s: %s\n  want %s\n  got  %s\n", filepath.Base(s.File), s.Backend, f.Case, f.Field, f.Want, f.Got)
		}
	}
	_, err := fmt.Fprintf(w, "\n%d passed, %d failed, %d skipped\n", r.Passed, r.Failed, r.Skipped)
	return finding(err)
}

// reasons lists why cases were skipped, the same text each time.
func reasons(m map[string]int) string {
	var parts []string
	for reason, n := range m {
		parts = append(parts, fmt.Sprintf("%s (%d)", reason, n))
	}
	sort.Strings(parts)
	return strings.Join(parts, "; ")
}

type generateFlags struct {
	suite, backend, seed, output string
	protocols                    []string
	cases                        int
}

func newVectorsGenerate() *cobra.Command {
	var f generateFlags
	c := &cobra.Command{
		Use:   "generate --suite SUITE",
		Short: "Write vectors, the same bytes for the same seed",
		Long: `generate writes a file of known answers for a suite. Every backend of the suite
writes the same bytes for the same seed; those in vectors/data were made by the
first and reviewed by the agreement of all others.`,
		Example: "  mpin vectors generate --suite rfc9380/bls12-381 --cases 14 --seed 01 -o vectors.json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runGenerate(c, &f) },
	}
	c.Flags().StringVar(&f.suite, "suite", "", "the suite, for example rfc9380/bls12-381 (required)")
	c.Flags().StringSliceVar(&f.protocols, "protocol", vectors.Generated, "protocols, separated by commas")
	c.Flags().IntVar(&f.cases, "cases", 14, "cases of each protocol; decode has one for each way to be wrong")
	c.Flags().StringVar(&f.seed, "seed", "00", "seed, hexadecimal")
	c.Flags().StringVar(&f.backend, "backend", "", "backend that computes (default the suite's first)")
	c.Flags().StringVarP(&f.output, "output", "o", "", "file to write (default standard output)")
	_ = c.MarkFlagRequired("suite")
	return c
}

func runGenerate(c *cobra.Command, f *generateFlags) error {
	id, err := protocol.ParseSuiteID(f.suite)
	if err != nil {
		return misuse(&flagError{"suite", err})
	}
	seed, err := hex.DecodeString(f.seed)
	if err != nil || len(seed) > 64 {
		return misuse(&flagError{"seed", errors.New("expected up to 64 bytes in hexadecimal")})
	}
	b, err := generatingBackend(id, f.backend)
	if err != nil {
		return misuse(err)
	}
	s, err := protocol.New(id, b)
	if err != nil {
		return misuse(err)
	}
	file, err := vectors.Generate(s, f.protocols, f.cases, seed)
	if err != nil {
		return misuse(err)
	}
	data, err := file.Bytes()
	if err != nil {
		return finding(err)
	}
	if f.output == "" {
		_, err = c.OutOrStdout().Write(data)
		return finding(err)
	}
	if err := os.WriteFile(f.output, data, 0o644); err != nil {
		return finding(fmt.Errorf("cannot write the vectors: %w", err))
	}
	fmt.Fprintf(c.ErrOrStderr(), "wrote %s: %d cases\n", f.output, len(file.Cases))
	return nil
}

// generatingBackend returns the named backend, or the first of the curve.
func generatingBackend(id protocol.SuiteID, name string) (backends.Backend, error) {
	if name != "" {
		return all.Get(name)
	}
	for _, b := range all.Backends() {
		if b.Info().Curve == id.Curve {
			return b, nil
		}
	}
	return nil, fmt.Errorf("no available backend serves %s", id)
}
