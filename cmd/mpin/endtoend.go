package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"mpinlab/plots/report"
	"mpinlab/sim/endtoend"
	"mpinlab/sim/endtoend/result"
)

// The deployments whose logins a report measures: the first in the quick form.
var (
	gnarkLogins = endtoend.Subject{Suite: "rfc9380/bls12-381", Backend: "gnark/bls12-381"}
	otherLogins = []endtoend.Subject{
		{Suite: "rfc9380/bls12-381", Backend: "blst/bls12-381"},
		{Suite: "rfc9380/bn254", Backend: "gnark/bn254"},
	}
)

// addEndToEnd measures logins on whole deployments, which run as `mpin serve`
// does. What cannot be measured here the page says; a failure is also returned.
func addEndToEnd(c *cobra.Command, plan *endtoend.Plan, in *report.Input) error {
	if plan == nil || c.Context().Err() != nil {
		return nil
	}
	p := *plan
	p.Subjects = nil
	in.EndToEnd = &result.Run{}
	for _, s := range plan.Subjects {
		if available(s.Backend) {
			p.Subjects = append(p.Subjects, s)
			continue
		}
		in.EndToEnd.Notes = append(in.EndToEnd.Notes, s.Backend+" cannot run here (see the table of backends)")
	}
	progress := newProgress(c.ErrOrStderr(), "logins on a whole deployment")
	defer progress.finish()
	p.Progress = progress.update
	run, err := endtoend.Measure(c.Context(), p)
	if run != nil {
		run.Notes = append(run.Notes, in.EndToEnd.Notes...)
		in.EndToEnd = run
	}
	if err != nil {
		in.EndToEnd.Notes = append(in.EndToEnd.Notes, err.Error())
	}
	if errors.Is(err, endtoend.ErrUnsupported) {
		fmt.Fprintln(c.ErrOrStderr(), err)
		return nil
	}
	return err
}

// available tells whether a backend can run here.
func available(id string) bool {
	for _, b := range benchBackends(false) {
		if b.Info().ID == id {
			return true
		}
	}
	return false
}

var (
	quickLogins = endtoend.Quick(gnarkLogins)
	fullLogins  = fullEndToEnd()
)

// fullEndToEnd is the full plan for all deployments, with as many rounds as the
// report has time for: a minute for each.
func fullEndToEnd() endtoend.Plan {
	p := endtoend.Full(append([]endtoend.Subject{gnarkLogins}, otherLogins...)...)
	p.Rounds = 6
	return p
}

// readLogins reads those of an earlier report, nil where it has none.
func readLogins(folder string) (*result.Run, error) {
	run, err := result.ReadFile(filepath.Join(folder, report.EndToEndFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return run, err
}
