package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/plots"
	"mpinlab/sim/capacity"
)

// errDeviation: the model is further off than its targets.
var errDeviation = errors.New("the model is further off than its targets")

func newCapacityValidate() *cobra.Command {
	var o capacity.ValidateOptions
	var file string
	var out resultFile
	var figure figureFile
	var fresh, asJSON bool
	var within bounds
	c := &cobra.Command{
		Use:   "validate",
		Short: "Hold the model against a real deployment (5 to 7 minutes, 15 to 20 with --calibrate)",
		Long: fmt.Sprintf(`validate runs a deployment whose RPS has one core at saturation and at 30, 60 and
80 %% of it, verifying logins one by one and in batches, and sets what the model
says beside it: for the same arrivals at saturation, and below it for the same share
of its own saturation, since near that a percent of throughput, which is judged by
itself, is many of response time. How far percentiles are off at the same rate is
told too. Everything is run in rounds, the loads of one on the same deployment, each
right after saturation. The arrivals of a load follow the speed of the server's core,
so that it stays the share that it is while others take more and less of the machine.
The model of a round is of the machine as it was in it, and deviations are the medians of
the rounds' own. Near saturation rounds differ by more than the targets: ten say more
than two. The targets are throughput within %.0f %% and the 50th and 99th
percentile within %.0f %%; the exit status is 1 where they, or the --bounds given, are
missed.

Work takes 1.2 to 1.9 times as long whenever others use the other half of a core. So a
thread of real-time priority tells 500 times a second whether the cores of server and
generator are shared, whether they are slow besides, as on some hosts for tens of
milliseconds at a time, and whether they stood still, in calibration and runs, and the
model follows; CPUs without work are kept from sleeping. Both need root.

It needs Linux, two cores, a calibration of this machine (--calibrate measures one
between the rounds), and nothing else running: it tells what share of the machine
others had meanwhile.`, 100*capacity.Targets.Saturation, 100*capacity.Targets.Latency),
		Example: `  mpin capacity validate --calibrate -o validation.json --figure validation.svg
  mpin capacity validate --calibrate --rounds 1 --duration 5s --bounds 20%,50%`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Calibration, err = costs(file); err != nil {
				return err
			}
			if fresh {
				if file != "" {
					return misuse(&flagError{"calibrate", errors.New("it measures what --calibration gives: leave one out")})
				}
				// In each of the rounds more logins than calibrate has, and less cryptography.
				o.Fresh = &capacity.Options{Rounds: 16, Samples: 100, Said: "mpin capacity validate --calibrate"}
			}
			if o.Rounds < 1 || o.Duration <= 0 { // which are the defaults there
				return misuse(errors.New("--rounds and --duration must be positive"))
			}
			if len(within) > 0 {
				o.Bounds = within.bounds()
			}
			p := newProgress(cmd.ErrOrStderr(), "validating")
			defer p.finish()
			o.Progress = p.update
			v, err := capacity.Validate(cmd.Context(), o)
			p.finish()
			if errors.Is(err, capacity.ErrRequest) || errors.Is(err, capacity.ErrCalibration) {
				return misuse(err)
			}
			if err != nil {
				return finding(err)
			}
			if out != "" {
				b, err := v.Encode()
				if err == nil {
					err = out.write(b)
				}
				if err != nil {
					return finding(err)
				}
			}
			if figure.String() != "" {
				f, err := plots.CapacityValidation(v)
				if err := writeFigure(figure, f, err); err != nil {
					return err
				}
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), v)
			} else {
				err = printValidation(cmd, v)
			}
			if err == nil && !v.Met {
				err = finding(errDeviation)
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&file, "calibration", "", "costs, a `FILE` of mpin capacity calibrate (default those recorded with this release)")
	f.BoolVar(&fresh, "calibrate", false, "measure the costs here and now instead")
	f.StringVar(&o.Backend, "backend", "", "backend, an `ID` of the calibration (default its first)")
	f.DurationVar(&o.Duration, "duration", 10*time.Second, "of each run below saturation")
	f.IntVar(&o.Rounds, "rounds", 2, "how often everything is run")
	f.Var(&within, "bounds", "deviations that are let pass, `THROUGHPUT,LATENCY`, as in 20%,50% (default 10%,20%)")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of runs and simulations")
	f.VarP(&out, "output", "o", "write JSON to `FILE`")
	f.Var(&figure, "figure", "draw into `FILE`, SVG or PNG by its name")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printValidation(cmd *cobra.Command, v *capacity.Validation) error {
	var rows [][]string
	// Without a target it is told, and judged by nobody.
	row := func(mode, load, what, unit string, c capacity.Compared, target float64) {
		verdict := ""
		switch {
		case target == 0:
		case c.Within(target):
			verdict = "ok"
		default:
			verdict = fmt.Sprintf("over %.0f %%", 100*target)
		}
		rows = append(rows, []string{
			mode, load, what, fmt.Sprintf("%.4g %s", c.Real, unit), fmt.Sprintf("%.4g–%.4g", c.Low, c.High),
			fmt.Sprintf("%.4g %s", c.Model, unit), fmt.Sprintf("%+.1f %%", 100*c.Deviation()), verdict,
		})
	}
	for _, m := range v.Modes {
		mode := map[bool]string{false: "one by one", true: "in batches"}[m.Batching]
		row(mode, "saturation", "logins", "/s", m.Saturation, v.Bounds.Saturation)
		row(mode, "saturation", "CPU a login", "µs", m.CPU, 0)
		if m.Batching {
			row(mode, "saturation", "mean batch", "", m.MeanBatch, 0)
		}
		for _, p := range m.Points {
			at := fmt.Sprintf("%.0f %% (%.0f/s)", 100*p.Load, p.Rate)
			row(mode, at, "p50", "ms", p.P50, v.Bounds.Latency)
			row(mode, at, "p99", "ms", p.P99, v.Bounds.Latency)
			row(mode, at, "core in use", "", p.CPU, 0)
			if m.Batching {
				row(mode, at, "mean batch", "", p.MeanBatch, 0)
			}
		}
	}
	w := cmd.OutOrStdout()
	if err := table(w, []string{"VERIFIED", "LOAD", "WHAT", "REAL", "RANGE", "MODEL", "DEVIATION", ""}, rows); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nCosts measured %s. Medians of %d rounds of %g s each; deviations are those of the rounds' own.\n", v.Calibrated.Format("2006-01-02 15:04"), v.Rounds, v.Seconds)
	fmt.Fprintf(w, "At the same rate, instead of the same share of its own saturation, the model is off by %+.0f %% at most.\n", 100*v.OffAtSameRate())
	if v.Disturbed > 0.03 {
		fmt.Fprintf(w, "Others had up to %.0f %% of the machine meanwhile: run it again when they have ended.\n", 100*v.Disturbed)
	}
	return nil
}

// bounds are two shares: of throughput and of latency.
type bounds []share

func (b *bounds) String() string {
	if len(*b) != 2 {
		return ""
	}
	return (*b)[0].String() + "," + (*b)[1].String()
}

func (b *bounds) Type() string { return "shares" }

func (b *bounds) Set(s string) error {
	first, second, ok := strings.Cut(s, ",")
	var x, y share
	if !ok || x.Set(first) != nil || y.Set(second) != nil || x == 0 || y == 0 {
		return errors.New("two shares above 0, of throughput and of latency, as in 20%,50%")
	}
	*b = bounds{x, y}
	return nil
}

func (b bounds) bounds() capacity.Bounds {
	return capacity.Bounds{Saturation: float64(b[0]), Latency: float64(b[1])}
}
