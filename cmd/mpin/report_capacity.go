package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/plots/report"
	"mpinlab/sim/capacity"
)

// recordedValidation is the comparison of the capacity model with real runs that
// a checkout keeps.
var recordedValidation = filepath.Join(recordRoot, "capacity.json")

// The example of a plan, and the logins that are simulated for each number of
// instances tried: as many as the command takes, and fewer in the quick form.
var examplePlan = capacity.Request{
	Users: 100e6, LoginsPerDay: 2, PeakFactor: 4, P99: 100 * time.Millisecond, PermitPeriod: 24 * time.Hour, Headroom: 0.25, Spare: 1, Seed: 1,
}

const (
	examplePlanCommand = "mpin capacity plan --users 100M --logins-per-day 2 --peak-factor 4 --p99 100ms"
	fullPlanLogins     = 100_000
	quickPlanLogins    = 20_000
)

// addCapacity reads the recorded validation and makes the example plan, unless
// the folder of an earlier report has one. What fails the page says.
func addCapacity(c *cobra.Command, logins int, folder string, in *report.Input) {
	in.Capacity = &report.Capacity{}
	note := func(err error) {
		fmt.Fprintf(c.ErrOrStderr(), "capacity: %v\n", err)
		in.Capacity.Notes = append(in.Capacity.Notes, err.Error())
	}
	v, err := capacity.ReadValidation(recordedValidation)
	switch {
	case err == nil:
		in.Capacity.Validation = v
	case !errors.Is(err, fs.ErrNotExist):
		note(err)
	}
	if folder != "" {
		p, err := report.ReadPlan(filepath.Join(folder, report.PlanFile))
		if err == nil {
			in.Capacity.Plan = p
			return
		}
		if !errors.Is(err, fs.ErrNotExist) {
			note(err)
		}
	}
	if c.Context().Err() != nil {
		return
	}
	if in.Capacity.Plan, err = makePlan(c, logins); err != nil {
		note(err)
	}
}

// makePlan makes the example plan with the calibration of this release.
func makePlan(c *cobra.Command, logins int) (*report.Plan, error) {
	r := examplePlan
	r.Logins = logins
	var err error
	if r.Calibration, err = capacity.Default(); err != nil {
		return nil, err
	}
	p := &report.Plan{
		Command: examplePlanCommand, Users: r.Users, LoginsPerDay: r.LoginsPerDay, PeakFactor: r.PeakFactor, P99: r.P99.Seconds() * 1000,
		Headroom: r.Headroom, Logins: logins, Calibrated: r.Calibration.Created, CPU: provenance(r.Calibration).CPU, Limits: capacity.Limits(),
	}
	bar := newProgress(c.ErrOrStderr(), "capacity")
	defer bar.finish()
	if p.Sensitivity, err = capacity.Sensitivity(c.Context(), r, bar.update); err != nil {
		return nil, err
	}
	for _, v := range p.Sensitivity {
		if v.Asked && v.Answer != nil {
			p.Answer = v.Answer
			return p, nil
		}
	}
	if p.Answer, err = capacity.Plan(c.Context(), r); err != nil {
		return nil, err
	}
	return p, nil
}
