package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench"
	"mpinlab/protocol"
)

type benchFlags struct {
	op, backend, via string
	dialects         []string
	samples          int
	time             time.Duration
	cpu              string
	seed             uint64
	precision        float64
	budget           time.Duration
	controls         string
	planted          float64
	sweeps, costs    bool
	output           string
}

func newBench() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure operations of the backends and of the protocol",
		Long: `bench measures operations in interleaved rounds, checks every result, and prints
the Go benchmark format, which benchstat reads.

Rows are via=direct (the library called as its users call it), via=interface
(through package backends) and via=protocol (through package protocol).

Each operation has an A/A control, a row against itself under a second name
(via=control), and the file tells beside every row what follows from it: its
ratio to the least row of that operation on curves of the same level of security
(120 bits or more, or less), whether a difference is claimed, what the control
says, and the smallest difference that the run could have seen. A difference is
claimed where a sign test over the rounds, with Holm's correction for all rows of
the operation, puts the ratio beyond 1 ± 0.5 % with 95 %.

With --precision, --samples is the least number of samples, and every operation
is sampled until its ratios are known so precisely or the budget ends.

The reference backend is left out unless --backend names it: it is written to
be read, not to be fast.

Operations:
` + indent(operationLines()),
		Example: `  mpin bench --op 'ServerVerify$' --samples 10 -o v.txt && benchstat -col /backend v.txt
  mpin bench --op '^Pair' --backend 'bls12-381$' --time 20ms
  mpin bench --op 'ServerVerify$' --precision 1 --budget 2m
  mpin bench --op 'MSM' --cpu 1,2`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runBench(c, &f) },
	}
	c.Flags().StringVar(&f.op, "op", "", "operations, a regular expression (default all)")
	c.Flags().StringVar(&f.backend, "backend", "", "backends, a regular expression on IDs like gnark/bls12-381 (default all but reference)")
	c.Flags().StringVar(&f.via, "via", "", "ways of calling, a regular expression: direct, interface, protocol (default all)")
	c.Flags().StringSliceVar(&f.dialects, "dialect", nil, "dialects of the protocol operations (default each curve's first)")
	c.Flags().IntVar(&f.samples, "samples", 10, "samples of each row; at least 6 for a 95 % interval")
	c.Flags().DurationVar(&f.time, "time", 50*time.Millisecond, "how long one sample is meant to take")
	c.Flags().StringVar(&f.cpu, "cpu", "1", "values of GOMAXPROCS to measure under, separated by commas")
	c.Flags().Uint64Var(&f.seed, "seed", 0, "seed of the order of measurements (default random; it is recorded)")
	c.Flags().Float64Var(&f.precision, "precision", 0, "sample until the 95 % interval of every ratio is within this many per cent of it (default: do not)")
	c.Flags().DurationVar(&f.budget, "budget", 0, "time for everything; needed parts are shortened first, then left out (default no limit)")
	c.Flags().StringVar(&f.controls, "controls", "one", "A/A controls: one for each operation, each (one for each of its backends), or none")
	c.Flags().BoolVar(&f.sweeps, "sweeps", false, "measure how costs grow with cores, batches, messages, sessions, D-TAs and users")
	c.Flags().BoolVar(&f.costs, "costs", false, "measure what operations cost beyond time: memory, collector, counters of the processor, code")
	c.Flags().Float64Var(&f.planted, "planted", 0, "add rows via=planted that are slower by so many per cent, to see whether that is found")
	_ = c.Flags().MarkHidden("planted")
	c.Flags().StringVarP(&f.output, "output", "o", "", "file to write (default standard output)")
	return c
}

func operationLines() []string {
	var lines []string
	for _, o := range bench.Operations() {
		lines = append(lines, fmt.Sprintf("%-20s %s", o.Name, o.Doc))
	}
	return lines
}

func runBench(c *cobra.Command, f *benchFlags) error {
	if f.costs {
		return runCosts(c, f)
	}
	cpus, err := parseCPUs(f.cpu)
	if err != nil {
		return err
	}
	if f.samples < 1 || f.time <= 0 {
		return misuse(errors.New("--samples and --time must be positive"))
	}
	if !(f.precision >= 0 && f.precision <= 100 && f.planted >= 0 && f.planted <= 1000) || f.budget < 0 {
		return misuse(errors.New("--precision must be from 0 to 100, and --budget not negative"))
	}
	sel, err := selection(f)
	if err != nil {
		return err
	}
	cases, err := bench.Catalogue(benchBackends(f.backend != ""), sel)
	if err != nil {
		return misuse(err)
	}
	if cases, err = f.repeated(cases); err != nil {
		return misuse(err)
	}
	var all *bench.Results
	var failed error
	for _, procs := range cpus {
		p := newProgress(c.ErrOrStderr(), fmt.Sprintf("measuring on %d core(s)", procs))
		r, err := bench.Run(c.Context(), cases, bench.Options{
			Samples: f.samples, Time: f.time, Procs: procs, Seed: f.seed,
			Precision: f.precision / 100, Budget: f.budget, Progress: p.update,
		})
		p.finish()
		failed = errors.Join(failed, err)
		if r == nil {
			return finding(failed)
		}
		if all == nil {
			all = r
		} else {
			all.Rows = append(all.Rows, r.Rows...)
			all.Warnings = append(all.Warnings, r.Warnings...)
		}
		if c.Context().Err() != nil {
			break
		}
	}
	if err := writeResults(c, f.output, all); err != nil {
		return finding(errors.Join(failed, err))
	}
	if sense := bench.Sense(bench.Claims(all)); sense.Claims+sense.Controls > 0 {
		fmt.Fprintln(c.ErrOrStderr(), sense)
	}
	for _, w := range all.Warnings {
		fmt.Fprintln(c.ErrOrStderr(), "warning:", w)
	}
	if errors.Is(failed, context.Canceled) {
		return fmt.Errorf("interrupted; the complete rounds so far were kept: %w", context.Canceled)
	}
	return finding(failed)
}

// repeated adds the rows that do another's work under a second name.
func (f *benchFlags) repeated(cases []bench.Case) ([]bench.Case, error) {
	if f.planted > 0 {
		for _, c := range slices.Clone(cases) {
			cases = append(cases, bench.Planted(c, f.planted/100))
		}
	}
	switch f.controls {
	case "one", "each":
		return bench.WithControls(cases, f.controls == "each"), nil
	case "none":
		return cases, nil
	}
	return nil, &flagError{"controls", fmt.Errorf("%q is not one, each or none", f.controls)}
}

// writeResults writes the rows, if there are any, to a file or to standard
// output.
func writeResults(c *cobra.Command, path string, r *bench.Results) error {
	switch {
	case len(r.Rows) == 0:
		return errors.New("no complete round was measured; nothing was written")
	case path == "":
		return bench.Write(c.OutOrStdout(), r)
	}
	if err := saveResults(path, r); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "wrote %s\n", path)
	return nil
}

// saveResults writes a result file. Where it cannot, it keeps what was
// measured in the folder for temporary files and says so in the error.
func saveResults(path string, r *bench.Results) error {
	err := bench.WriteFile(path, r)
	if err == nil {
		return nil
	}
	elsewhere := filepath.Join(os.TempDir(), fmt.Sprintf("mpin-bench-%s.txt", time.Now().UTC().Format("20060102-150405")))
	if other := bench.WriteFile(elsewhere, r); other != nil {
		return errors.Join(err, other)
	}
	return fmt.Errorf("%w; what was measured is in %s", err, elsewhere)
}

func selection(f *benchFlags) (sel bench.Selection, err error) {
	sel.Sweeps = f.sweeps
	if sel.Op, err = expression("op", f.op); err != nil {
		return sel, err
	}
	if sel.Backend, err = expression("backend", f.backend); err != nil {
		return sel, err
	}
	if sel.Via, err = expression("via", f.via); err != nil {
		return sel, err
	}
	for _, name := range f.dialects {
		d, err := protocol.ParseDialect(name)
		if err != nil {
			return sel, misuse(&flagError{"dialect", err})
		}
		sel.Suites = append(sel.Suites, d)
	}
	return sel, nil
}

// benchBackends lists the backends to choose from.
func benchBackends(withReference bool) []backends.Backend {
	var bs []backends.Backend
	for _, b := range all.Backends() {
		if withReference || !strings.HasPrefix(b.Info().ID, "reference/") {
			bs = append(bs, b)
		}
	}
	return bs
}

func parseCPUs(s string) ([]int, error) {
	var cpus []int
	for _, part := range strings.Split(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > 1024 {
			return nil, misuse(fmt.Errorf("--cpu: %q is not a number of cores from 1 to 1024", part))
		}
		cpus = append(cpus, n)
	}
	return cpus, nil
}
