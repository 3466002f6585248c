package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mpinlab/plots/report"
	"mpinlab/sim/load"
	"mpinlab/sim/load/result"
)

// loadPlan is what load a report runs: a scenario of the shelf, with some of its
// values changed.
type loadPlan struct {
	scenario string
	set      []string
}

var (
	quickLoad = []loadPlan{{scenario: "quick"}}
	// The full form's search has shorter tries than the shelf's, and a wider bracket.
	fullLoad = []loadPlan{{scenario: "quick"}, {scenario: "saturation", set: []string{"saturation.probe=2s", "saturation.precision=8%"}}}
)

// recordedRuns is where a checkout keeps load runs that every report shows.
var recordedRuns = filepath.Join(recordRoot, report.LoadFolder)

// errVerdicts: a deployment gave wrong verdicts under load.
var errVerdicts = errors.New("wrong verdicts under load")

// addLoad runs the plans' scenarios and completes the input with them and with
// the runs in the folders. What fails is told on the page and in the error.
func addLoad(c *cobra.Command, plans []loadPlan, given []*result.Run, in *report.Input) error {
	in.Load = &report.Load{}
	var failed error
	for _, p := range plans {
		if c.Context().Err() != nil {
			break
		}
		run, err := p.run(c)
		if err != nil {
			in.Load.Notes = append(in.Load.Notes, p.scenario+": "+err.Error())
			failed = errors.Join(failed, fmt.Errorf("load: %s: %w", p.scenario, err))
			continue
		}
		in.Load.Runs = append(in.Load.Runs, run)
		if misses := load.Misses(run); len(misses) > 0 && !run.Partial {
			fmt.Fprintf(c.ErrOrStderr(), "load: %s missed %s\n", p.scenario, strings.Join(misses, "; "))
		}
		if run.Verdicts.WrongAcceptances+run.Verdicts.WrongRefusals > 0 {
			failed = errors.Join(failed, fmt.Errorf("%w: %s; see the page", errVerdicts, p.scenario))
		}
	}
	for _, run := range append(slices.Clone(given), runsIn(c, recordedRuns)...) {
		if !slices.ContainsFunc(in.Load.Runs, func(r *result.Run) bool { return r.Scenario == run.Scenario && r.Started.Equal(run.Started) }) {
			in.Load.Runs = append(in.Load.Runs, run)
		}
	}
	return failed
}

func (p *loadPlan) run(c *cobra.Command) (*result.Run, error) {
	s, err := load.Find(p.scenario)
	if err != nil {
		return nil, err
	}
	for _, assignment := range p.set {
		if err := s.Set(assignment); err != nil {
			return nil, err
		}
	}
	bar := newProgress(c.ErrOrStderr(), "load: "+s.Name)
	defer bar.finish()
	return load.Run(c.Context(), s, load.Options{Progress: func(p load.Progress) { bar.update(p.Done, p.Total, p.Doing) }})
}

// readRuns reads the folders given with --load.
func readRuns(folders []string) (runs []*result.Run, err error) {
	for _, folder := range folders {
		r, err := result.Read(folder)
		if err != nil {
			return nil, misuse(&flagError{"load", err})
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// runsIn reads the load runs in a folder of such. What cannot be read is left
// out.
func runsIn(c *cobra.Command, root string) (runs []*result.Run) {
	files, err := filepath.Glob(filepath.Join(root, "*", result.RunFile))
	for _, file := range files {
		r, failed := result.Read(filepath.Dir(file))
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		runs = append(runs, r)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(c.ErrOrStderr(), "a load run is left out: %v\n", err)
	}
	return runs
}
