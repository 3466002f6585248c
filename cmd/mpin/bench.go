package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

The reference backend is left out unless --backend names it: it is written to
be read, not to be fast.

Operations:
` + indent(operationLines()),
		Example: `  mpin bench --op 'ServerVerify$' --samples 10 -o v.txt && benchstat -col /backend v.txt
  mpin bench --op '^Pair' --backend 'bls12-381$' --time 20ms
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
	cpus, err := parseCPUs(f.cpu)
	if err != nil {
		return err
	}
	if f.samples < 1 || f.time <= 0 {
		return misuse(errors.New("--samples and --time must be positive"))
	}
	sel, err := selection(f)
	if err != nil {
		return err
	}
	cases, err := bench.Catalogue(benchBackends(f.backend != ""), sel)
	if err != nil {
		return misuse(err)
	}
	var all *bench.Results
	var failed error
	for _, procs := range cpus {
		p := newProgress(c.ErrOrStderr(), fmt.Sprintf("measuring on %d core(s)", procs))
		r, err := bench.Run(c.Context(), cases, bench.Options{
			Samples: f.samples, Time: f.time, Procs: procs, Seed: f.seed, Progress: p.update,
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
	if errors.Is(failed, context.Canceled) {
		return fmt.Errorf("interrupted; the complete rounds so far were kept: %w", context.Canceled)
	}
	return finding(failed)
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
