package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mpinlab/plots"
	"mpinlab/sim/capacity"
)

func newCapacity() *cobra.Command {
	c := &cobra.Command{
		Use:   "capacity",
		Short: "Predict cores, latency and cost for a population, from measured costs",
		Long: `capacity holds a model of the deployment against what was measured of it, and
asks it what no single machine can show. The model simulates every request of
every login in virtual time; calibrate measures what they cost on this machine,
validate compares model and reality, plan sizes a service.`,
		Example: "  mpin capacity plan --users 100M --logins-per-day 2 --peak-factor 4 --p99 100ms",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCapacityCalibrate(), newCapacityPlan(), newCapacityValidate(), newCapacityPulse())
	return c
}

// costs reads a calibration, or takes the recorded one.
func costs(file string) (*capacity.Calibration, error) {
	if file == "" {
		c, err := capacity.Default()
		return c, finding(err)
	}
	c, err := capacity.ReadCalibration(file)
	switch {
	case errors.Is(err, capacity.ErrCalibration), errors.Is(err, fs.ErrNotExist):
		return nil, misuse(&flagError{"calibration", err})
	}
	return c, finding(err)
}

func newCapacityCalibrate() *cobra.Command {
	var o capacity.Options
	var out resultFile
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Measure what logins cost on this machine (about 8 minutes)",
		Long: `calibrate measures verification alone and in batches, and the CPU time, delay
and bytes of every request of a real deployment whose servers have one core each.
It needs Linux, two cores, and nothing else running.`,
		Example: "  mpin capacity calibrate -o calibration.json\n  mpin capacity plan --users 5M --calibration calibration.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := newProgress(cmd.ErrOrStderr(), "calibrating")
			o.Progress = p.update
			o.Said = "mpin capacity calibrate"
			cmd.Flags().Visit(func(f *pflag.Flag) {
				if f.Name != "output" { // where it went then is of no interest
					o.Said += " --" + f.Name + " " + strings.Trim(f.Value.String(), "[]")
				}
			})
			got, err := capacity.Calibrate(cmd.Context(), o)
			p.finish()
			if errors.Is(err, capacity.ErrRequest) {
				return misuse(err)
			}
			if err != nil {
				return finding(err)
			}
			b, err := got.Encode()
			if err != nil {
				return finding(err)
			}
			if out == "" {
				_, err := cmd.OutOrStdout().Write(b)
				return finding(err)
			}
			if err := out.write(b); err != nil {
				return finding(err)
			}
			return printCosts(cmd, got)
		},
	}
	f := c.Flags()
	f.VarP(&out, "output", "o", "write to `FILE` (default standard output)")
	f.StringSliceVar(&o.Backends, "backend", nil, "backends, `ID`s of `mpin backends` (default gnark and blst on bls12-381, gnark on bn254)")
	f.StringSliceVar(&o.Stores, "store", nil, "stores besides memory, with the first backend: bbolt, redis")
	f.IntVar(&o.Users, "population", 384, "users that log in together")
	f.IntVar(&o.Rounds, "rounds", 8, "logins of each")
	f.IntVar(&o.Samples, "samples", 200, "measurements of the cryptography")
	return c
}

// newCapacityPulse is what calibrate and validate start beside themselves.
func newCapacityPulse() *cobra.Command {
	var cpus []int
	c := &cobra.Command{
		Use:    "pulse",
		Short:  "Tell how fast CPUs are, for calibrate and validate, until standard input ends",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return finding(capacity.Pulse(cmd.InOrStdin(), cmd.OutOrStdout(), cpus))
		},
	}
	c.Flags().IntSliceVar(&cpus, "cpus", nil, "their numbers")
	return c
}

// printCosts is a short table of a calibration.
func printCosts(cmd *cobra.Command, c *capacity.Calibration) error {
	var rows [][]string
	for _, e := range c.Entries {
		batch := ""
		for _, b := range e.Batch {
			if b.N == 64 && b.Bad == 0 {
				batch = fmt.Sprintf("%.0f", b.Time/64)
			}
		}
		for _, mode := range []struct {
			name string
			r    *capacity.Requests
		}{{"single", &e.Single}, {"batching", &e.Batching}} {
			cpu := func(r capacity.RequestCost) string { return fmt.Sprintf("%.0f", r.CPU) }
			rows = append(rows, []string{
				e.Backend, e.Store, mode.name, cpu(mode.r.Pass1), cpu(mode.r.Pass2), cpu(mode.r.Redeem),
				fmt.Sprintf("%.0f", us(e.Verify.Mean())), batch, cpu(mode.r.Permit),
			})
		}
	}
	return table(cmd.OutOrStdout(), []string{"BACKEND", "STORE", "VERIFIER", "PASS 1 µs", "PASS 2", "REDEEM", "VERIFY", "IN A BATCH OF 64", "PERMIT"}, rows)
}

// resultFile is the name of a file that is written after long work: its folder has to be
// there before.
type resultFile string

func (f *resultFile) String() string { return string(*f) }
func (f *resultFile) Type() string   { return "file" }
func (f *resultFile) Set(s string) error {
	folder := filepath.Dir(s)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %s", folder)
	}
	*f = resultFile(s)
	return nil
}

// write writes the file.
func (f resultFile) write(b []byte) error { return os.WriteFile(string(f), b, 0o644) }

// figureFile is that of a figure, whose name tells its form.
type figureFile struct{ resultFile }

func (f *figureFile) Set(s string) error {
	if !strings.HasSuffix(s, ".svg") && !strings.HasSuffix(s, ".png") {
		return errors.New("a figure's name ends in .svg or .png")
	}
	return f.resultFile.Set(s)
}

// writeFigure draws a figure into a file, in the form that its name tells.
func writeFigure(path figureFile, f *plots.Figure, err error) error {
	if err != nil {
		return finding(err)
	}
	var b []byte
	if strings.HasSuffix(path.String(), ".png") {
		b, err = f.PNG(plots.Page)
	} else {
		b, err = f.SVG(plots.Page)
	}
	if err == nil {
		err = path.write(b)
	}
	return finding(err)
}

func us(d time.Duration) float64 { return float64(d) / 1e3 }

// quantity is a number with a suffix k, M, G or B.
type quantity float64

func (q *quantity) String() string {
	x := float64(*q)
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if x >= u.size {
			return strconv.FormatFloat(x/u.size, 'g', -1, 64) + u.name
		}
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

func (q *quantity) Type() string { return "number" }

func (q *quantity) Set(s string) error {
	factor := 1.0
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 'k', 'K':
			factor = 1e3
		case 'm', 'M':
			factor = 1e6
		case 'g', 'G', 'b', 'B':
			factor = 1e9
		}
		if factor > 1 {
			s = s[:n-1]
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0) {
		return errors.New("a number above 0, as in 250000, 80k, 100M or 1.5G")
	}
	*q = quantity(x * factor)
	return nil
}

// share is a number from 0 to 1, or a percentage.
type share float64

func (q *share) String() string { return strconv.FormatFloat(100*float64(*q), 'g', 6, 64) + "%" }
func (q *share) Type() string   { return "share" }

func (q *share) Set(s string) error {
	text, percent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 1) {
		return errors.New("a share, as in 0.02 or 2%")
	}
	*q = share(x)
	return nil
}

// days is a duration that may be given in days.
type days time.Duration

func (d *days) String() string {
	t := time.Duration(*d)
	if t%(24*time.Hour) == 0 {
		return strconv.Itoa(int(t/(24*time.Hour))) + "d"
	}
	return t.String()
}

func (d *days) Type() string { return "days" }

func (d *days) Set(s string) error {
	if text, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0) || n > 366 {
			return errors.New("a number of days, as in 1d; 0 for no permits")
		}
		*d = days(n * float64(24*time.Hour))
		return nil
	}
	if s == "0" {
		*d = 0
		return nil
	}
	t, err := time.ParseDuration(s)
	if err != nil || t < 0 {
		return errors.New("a duration, as in 1d or 12h; 0 for no permits")
	}
	*d = days(t)
	return nil
}

// regions are parts of the population, as in "Europe=3@+1,America=2@-6".
type regions []capacity.Region

func (r *regions) String() string {
	var parts []string
	for _, x := range *r {
		parts = append(parts, fmt.Sprintf("%s=%g@%+g", x.Name, x.Weight, x.Offset))
	}
	return strings.Join(parts, ",")
}

func (r *regions) Type() string { return "regions" }

func (r *regions) Set(s string) error {
	*r = nil
	for part := range strings.SplitSeq(s, ",") {
		name, rest, ok := strings.Cut(part, "=")
		weight, offset, clock := strings.Cut(rest, "@")
		w, err := strconv.ParseFloat(weight, 64)
		o := 0.0
		if err == nil && clock {
			o, err = strconv.ParseFloat(offset, 64)
		}
		if !ok || name == "" || err != nil || !(w >= 0) || !(o >= -14 && o <= 14) {
			return errors.New("regions as name=weight@hours from UTC, as in Europe=3@+1,America=2@-6")
		}
		*r = append(*r, capacity.Region{Name: name, Weight: w, Offset: o})
	}
	return nil
}
