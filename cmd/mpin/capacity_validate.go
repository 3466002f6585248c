package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"mpinlab/plots"
	"mpinlab/sim/capacity"
)

// errDeviation: the model is further off than its targets.
var errDeviation = errors.New("the model is further off than its targets")

func newCapacityValidate() *cobra.Command {
	var o capacity.ValidateOptions
	var file, out, figure string
	var fresh, asJSON bool
	c := &cobra.Command{
		Use:   "validate",
		Short: "Hold the model against a real deployment (about 4 minutes)",
		Long: fmt.Sprintf(`validate runs a deployment whose RPS has one core at saturation and at 30, 60 and
80 %% of it, verifying logins one by one and in batches, and sets what the model
says beside it. The targets are throughput within %.0f %% and the 50th and 99th
percentile within %.0f %%; the exit status is 1 where they are missed. It needs
Linux, two cores, a calibration of this machine, and nothing else running.`, 100*capacity.SaturationTarget, 100*capacity.LatencyTarget),
		Example: "  mpin capacity validate --calibrate -o validation.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Calibration, err = costs(file); err != nil {
				return err
			}
			p := newProgress(cmd.ErrOrStderr(), "validating")
			defer p.finish()
			o.Progress = p.update
			if fresh {
				backend := o.Backend
				if backend == "" {
					backend = o.Calibration.Entries[0].Backend
				}
				if o.Calibration, err = capacity.Calibrate(cmd.Context(), capacity.Options{Backends: []string{backend}, Progress: p.update}); err != nil {
					return finding(err)
				}
			}
			v, err := capacity.Validate(cmd.Context(), o)
			p.finish()
			if errors.Is(err, capacity.ErrRequest) || errors.Is(err, capacity.ErrCalibration) {
				return misuse(err)
			}
			if err != nil {
				return finding(err)
			}
			if out != "" {
				b, err := json.MarshalIndent(v, "", " ")
				if err == nil {
					err = os.WriteFile(out, append(b, '\n'), 0o644)
				}
				if err != nil {
					return finding(err)
				}
			}
			if figure != "" {
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
	f.DurationVar(&o.Duration, "duration", 0, "of each of the eight runs (default 20s)")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of runs and simulations")
	f.StringVarP(&out, "output", "o", "", "write JSON to `FILE`")
	f.StringVar(&figure, "figure", "", "draw into `FILE`, SVG or PNG by its name")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printValidation(cmd *cobra.Command, v *capacity.Validation) error {
	var rows [][]string
	row := func(mode, load, what, unit string, c capacity.Compared, target float64) {
		verdict := "ok"
		if d := c.Deviation(); !(d <= target && d >= -target) {
			verdict = fmt.Sprintf("over %.0f %%", 100*target)
		}
		rows = append(rows, []string{mode, load, what, fmt.Sprintf("%.4g %s", c.Real, unit), fmt.Sprintf("%.4g %s", c.Model, unit), fmt.Sprintf("%+.1f %%", 100*c.Deviation()), verdict})
	}
	for _, m := range v.Modes {
		mode := map[bool]string{false: "one by one", true: "in batches"}[m.Batching]
		row(mode, "saturation", "logins", "/s", m.Saturation, capacity.SaturationTarget)
		row(mode, "saturation", "CPU a login", "µs", m.CPU, capacity.SaturationTarget)
		for _, p := range m.Points {
			at := fmt.Sprintf("%.0f %% (%.0f/s)", 100*p.Load, p.Rate)
			row(mode, at, "p50", "ms", p.P50, capacity.LatencyTarget)
			row(mode, at, "p99", "ms", p.P99, capacity.LatencyTarget)
		}
	}
	return table(cmd.OutOrStdout(), []string{"VERIFIED", "LOAD", "WHAT", "REAL", "MODEL", "DEVIATION", ""}, rows)
}
