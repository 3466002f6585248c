package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mpinlab/plots/report"
	"mpinlab/sim/load"
	"mpinlab/sim/load/result"
)

func newSim() *cobra.Command {
	c := &cobra.Command{
		Use:   "sim",
		Short: "Put a simulated deployment under load",
		Long: `sim runs load scenarios: users who log in, register and make mistakes, as many a
second as the scenario says, against a deployment that it starts or one that is
there, while parts of it may be broken.`,
		Example: "  mpin sim list\n  mpin sim run quick -o out",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSimList(), newSimRun(), newSimSchema())
	return c
}

func newSimList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the scenarios that are built in",
		Example: "  mpin sim list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := load.Shelf()
			if err != nil {
				return finding(err)
			}
			if asJSON {
				type row struct {
					Name        string  `json:"name"`
					Title       string  `json:"title"`
					Description string  `json:"description"`
					Seconds     float64 `json:"seconds"`
				}
				rows := []row{}
				for _, s := range list {
					rows = append(rows, row{s.Name, s.Title, s.Description, s.Length().Seconds()})
				}
				return writeJSON(cmd.OutOrStdout(), rows)
			}
			var rows [][]string
			for _, s := range list {
				length := "a search"
				if s.Saturation == nil {
					length = s.Length().D().String()
				}
				rows = append(rows, []string{s.Name, length, s.Title})
			}
			return table(cmd.OutOrStdout(), []string{"NAME", "TIME", "WHAT"}, rows)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func newSimSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of scenarios, for editors",
		Long: `schema prints the JSON schema of scenarios, which editors read.

Faults, with the keys that each has besides kind, at and for:

` + faultList(),
		Example: "  mpin sim schema > scenario.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(load.Schema())
			return finding(err)
		},
	}
}

// faultList is the kinds of fault, for the help.
func faultList() string {
	var b strings.Builder
	for _, k := range load.FaultKinds() {
		fmt.Fprintf(&b, "  %s\n", k)
	}
	return b.String()
}

type simFlags struct {
	folder string
	set    []string
	seed   uint64
	scale  float64
	asJSON bool
	show   bool
	log    bool
}

func newSimRun() *cobra.Command {
	var f simFlags
	c := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a load scenario and write its page",
		Long: `run runs a scenario, one that ` + "`mpin sim list`" + ` names or a YAML file, and writes a
folder: a page (index.html) with figures, and what they were drawn from.

The load is open: arrivals come by the clock, whatever became of the earlier ones,
and the response time counts from when an operation was to start. Every verdict
is checked against what the virtual user knew.

An interrupt ends the arrivals, waits for what is under way and writes what there
is, marked as partial. The deployment that the run started always ends with it.

Faults that a scenario can have, and what each needs, are in ` + "`mpin sim schema --help`" + `.

The exit status is 0 if every promise (SLO) of the scenario was kept, 1 if one was
missed or any verdict was wrong, and 2 for a scenario that cannot be.`,
		Example: `  mpin sim run quick -o out
  mpin sim run morning-peak -o out --set stages.0.rate=80 --set deployment.batching=true
  mpin sim run saturation -o out --json
  mpin sim run quick -o out --set deployment.external=https://mpin.example.com --set population.users=20`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	p := c.Flags()
	p.StringVarP(&f.folder, "output", "o", "", "the `FOLDER` to write (default load-SCENARIO)")
	p.StringArrayVar(&f.set, "set", nil, "change a value of the scenario, `KEY=VALUE`, as in stages.0.rate=80; may be given again")
	p.Uint64Var(&f.seed, "seed", 1, "the arrivals, users and mistakes follow from it")
	p.Float64Var(&f.scale, "scale", 1, "make all times of the scenario `FACTOR` times as long; rates stay")
	p.BoolVar(&f.asJSON, "json", false, "write the result as JSON on standard output")
	p.BoolVar(&f.show, "print", false, "print the scenario as it would be run, and do not run it")
	p.BoolVar(&f.log, "log", false, "show the servers' errors")
	return c
}

func (f *simFlags) run(cmd *cobra.Command, name string) error {
	s, err := load.Find(name)
	if err != nil {
		return misuse(err)
	}
	for _, assignment := range f.set {
		if err := s.Set(assignment); err != nil {
			return misuse(err)
		}
	}
	if err := s.Scale(f.scale); err != nil {
		return misuse(err)
	}
	if f.show {
		b, err := s.YAML()
		if err == nil {
			_, err = cmd.OutOrStdout().Write(b)
		}
		return finding(err)
	}
	if f.folder == "" {
		f.folder = "load-" + s.Name
	}
	// A folder that cannot be written is found out before the run.
	if err := os.MkdirAll(f.folder, 0o755); err != nil {
		return finding(err)
	}
	bar := newProgress(cmd.ErrOrStderr(), s.Name)
	o := load.Options{Seed: f.seed, Progress: func(p load.Progress) { bar.update(p.Done, p.Total, p.Doing) }}
	if f.log {
		o.Log = cmd.ErrOrStderr()
	}
	r, err := load.Run(cmd.Context(), s, o)
	bar.finish()
	if err != nil {
		if errors.Is(err, load.ErrScenario) {
			return misuse(err)
		}
		return finding(err)
	}
	if err := r.Write(f.folder); err != nil {
		return finding(err)
	}
	if err := report.WriteLoad(f.folder, r, f.command(name)); err != nil {
		return finding(err)
	}
	if f.asJSON {
		if err := writeJSON(cmd.OutOrStdout(), r); err != nil {
			return err
		}
	} else {
		summary(cmd.OutOrStdout(), r, f.folder)
	}
	return judged(cmd.Context(), r)
}

// command is what to type for such a run.
func (f *simFlags) command(name string) string {
	words := []string{"mpin sim run", name}
	for _, s := range f.set {
		words = append(words, "--set '"+s+"'")
	}
	if f.scale != 1 {
		words = append(words, fmt.Sprintf("--scale %g", f.scale))
	}
	return strings.Join(append(words, fmt.Sprintf("--seed %d", f.seed)), " ")
}

// judged is the error of a run that was cut short or missed a promise.
func judged(ctx context.Context, r *result.Run) error {
	switch misses := load.Misses(r); {
	case len(misses) > 0 && !r.Partial:
		return finding(fmt.Errorf("%s missed %s", r.Scenario, strings.Join(misses, "; ")))
	case ctx.Err() != nil:
		return ctx.Err()
	case r.Verdicts.WrongAcceptances+r.Verdicts.WrongRefusals > 0:
		return finding(fmt.Errorf("%s: wrong verdicts", r.Scenario))
	}
	return nil
}

// summary tells what came out in a few lines.
func summary(w io.Writer, r *result.Run, folder string) {
	if r.Partial {
		fmt.Fprintf(w, "partial: %s after %.0f s\n", r.Why, r.Elapsed)
	}
	for _, s := range r.Searches {
		more := ""
		if s.Unreached {
			more = " or more"
		}
		fmt.Fprintf(w, "%-20s %.0f logins/s%s with p99 within %g ms\n", s.Label, s.Knee, more, s.Limit)
	}
	if c := r.Counts; c.Intended > 0 {
		fmt.Fprintf(w, "%d operations in %.0f s: %.1f/s offered, %.1f/s achieved, %d dropped, %d late\n",
			c.Intended, c.Seconds, c.OfferedRate, c.AchievedRate, c.Dropped, c.Late)
		for _, class := range result.Classes() {
			if n := c.Outcomes[class]; n > 0 {
				fmt.Fprintf(w, "  %-17s %d\n", class, n)
			}
		}
	}
	for _, p := range r.Phases {
		l := p.Response
		if l == nil {
			l = p.Service
		}
		fmt.Fprintf(w, "  %-9s p50 %8.2f ms   p99 %8.2f ms   max %8.2f ms\n", p.Name, l.P50, l.P99, l.Max)
	}
	fmt.Fprintf(w, "%d verdicts checked: %d wrong acceptances, %d wrong refusals\n", r.Verdicts.Checked, r.Verdicts.WrongAcceptances, r.Verdicts.WrongRefusals)
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	for _, o := range r.SLOs {
		verdict := "kept  "
		if !o.Met {
			verdict = "MISSED"
		}
		fmt.Fprintf(w, "%s %s\n", verdict, o.Name)
	}
	fmt.Fprintf(w, "page: %s\n", filepath.Join(folder, "index.html"))
}
