package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/perf/benchunit"

	"mpinlab/bench/compare"
)

func newCompare() *cobra.Command {
	var gate float64
	var op string
	var ratios, asJSON bool
	c := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two result files, with significance",
		Long: `compare reads two files in the Go benchmark format, those of "mpin bench" or any
others, and compares the rows that are in both: medians with 95 % intervals, the
change, p by Mann-Whitney as benchstat has it, and p after Holm's correction for
all rows of the same unit. What differs between the environments comes first.
Geometric means are over matched rows only.

Verdicts: faster, slower, less or more where the difference stands after the
correction; the same with a question mark where it is significant (p < 0.05)
only if one looks at that row alone; ~ where it is neither.

With --gate, the exit status is 1 if a row is slower by more than PCT per cent
and the difference stands.

With --ratios the files are two runs of "mpin bench" or "mpin report", and what
is compared is the ratios between backends of the headline operations (or those
that --op names): in each run the median, over its rounds, of a backend's cost
against that of the one that was cheapest in OLD. --gate then makes the exit
status 1 unless the median difference is below PCT per cent.`,
		Example: "  mpin compare old.txt new.txt\n  mpin compare --gate 5 old.txt new.txt\n  mpin compare --ratios --gate 2 first/bench.txt second/bench.txt",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			gated := c.Flags().Changed("gate")
			if gated && !(gate >= 0) {
				return misuse(errors.New("--gate must not be negative"))
			}
			if ratios {
				return compareRatios(c, op, gate, gated, asJSON, args)
			}
			if op != "" {
				return misuse(errOpOfRatios)
			}
			result, err := compare.Files(args[0], args[1])
			if err != nil {
				return misuse(err)
			}
			if asJSON {
				err = writeJSON(c.OutOrStdout(), comparisonJSON(result))
			} else {
				err = printComparison(c.OutOrStdout(), result)
			}
			if err != nil || !gated {
				return err
			}
			if slow := result.Slower(gate / 100); len(slow) > 0 {
				return finding(fmt.Errorf("slower by more than %g %%: %s", gate, strings.Join(slow, "; ")))
			}
			return nil
		},
	}
	c.Flags().Float64Var(&gate, "gate", 0, "exit with 1 on a significant slowdown beyond this many per cent")
	c.Flags().BoolVar(&ratios, "ratios", false, "compare the ratios between backends in two runs")
	c.Flags().StringVar(&op, "op", "", "with --ratios: operations, a regular expression (default the headline ones)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return c
}

func printComparison(w io.Writer, c *compare.Comparison) error {
	if len(c.Environment) == 0 {
		fmt.Fprintln(w, "The environments are the same.")
	} else {
		var rows [][]string
		for _, d := range c.Environment {
			rows = append(rows, []string{d.Key, orNone(d.Old), orNone(d.New)})
		}
		if err := table(w, []string{"environment", "old", "new"}, rows); err != nil {
			return err
		}
	}
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	for i := range c.Tables {
		t := &c.Tables[i]
		var rows [][]string
		for j := range t.Rows {
			r := &t.Rows[j]
			rows = append(rows, []string{r.Name, median(r.Old, t.Unit), median(r.New, t.Unit), change(r.Change),
				fmt.Sprintf("%.3f", r.P), fmt.Sprintf("%.3f", r.Adjusted), verdictWord(t, r)})
		}
		fmt.Fprintln(w)
		if err := table(w, []string{t.Unit, "old", "new", "change", "p", "p (Holm)", "verdict"}, rows); err != nil {
			return err
		}
		if !math.IsNaN(t.Ratio) {
			fmt.Fprintf(w, "geometric mean over the %d matched rows: %s\n", len(t.Rows), change(t.Ratio-1))
		}
	}
	for _, only := range []struct {
		side  string
		names []string
	}{{"old", c.OnlyOld}, {"new", c.OnlyNew}} {
		if len(only.names) > 0 {
			fmt.Fprintf(w, "\nonly in the %s file, compared with nothing: %s\n", only.side, strings.Join(only.names, ", "))
		}
	}
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// median writes a median with its interval: "402µ ± 1 %".
func median(s compare.Summary, unit string) string {
	text := benchunit.Scale(s.Median, benchunit.ClassOf(unit))
	switch {
	case math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0):
		return text + " ± ∞"
	case s.Median == 0:
		return text
	}
	return fmt.Sprintf("%s ± %.0f %%", text, 100*max(s.Hi-s.Median, s.Median-s.Lo)/s.Median)
}

func change(share float64) string {
	if math.IsInf(share, 0) {
		return "from 0"
	}
	return fmt.Sprintf("%+.2f %%", 100*share)
}

// verdictWord names what was found about a row.
func verdictWord(t *compare.Table, r *compare.Row) string {
	if !r.Differs {
		return "~"
	}
	word := "more"
	switch slower := t.Slowdown(r) > 0; {
	case t.Speed() && slower:
		word = "slower"
	case t.Speed():
		word = "faster"
	case r.Change < 0:
		word = "less"
	}
	if !r.Stands {
		word += "?"
	}
	return word
}

type compareJSON struct {
	Alpha       float64          `json:"alpha"`
	Correction  string           `json:"correction"`
	Environment []differenceJSON `json:"environment"`
	Tables      []tableJSON      `json:"tables"`
	OnlyOld     []string         `json:"only_old"`
	OnlyNew     []string         `json:"only_new"`
	Warnings    []string         `json:"warnings"`
}

type differenceJSON struct {
	Key string `json:"key"`
	Old string `json:"old"`
	New string `json:"new"`
}

type tableJSON struct {
	Unit         string           `json:"unit"`
	Rows         []comparisonLine `json:"rows"`
	GeomeanRatio *float64         `json:"geomean_ratio"`
}

type comparisonLine struct {
	Name    string      `json:"name"`
	Old     summaryJSON `json:"old"`
	New     summaryJSON `json:"new"`
	Change  *float64    `json:"change"`
	P       float64     `json:"p"`
	PHolm   float64     `json:"p_holm"`
	Verdict string      `json:"verdict"`
}

type summaryJSON struct {
	Median  float64  `json:"median"`
	Lo      *float64 `json:"lo"`
	Hi      *float64 `json:"hi"`
	Samples int      `json:"samples"`
}

func comparisonJSON(c *compare.Comparison) compareJSON {
	out := compareJSON{Alpha: compare.Alpha, Correction: "Holm, over the rows of a unit",
		Environment: []differenceJSON{}, OnlyOld: emptyNotNull(c.OnlyOld), OnlyNew: emptyNotNull(c.OnlyNew), Warnings: emptyNotNull(c.Warnings)}
	for _, d := range c.Environment {
		out.Environment = append(out.Environment, differenceJSON(d))
	}
	for i := range c.Tables {
		t := &c.Tables[i]
		list := tableJSON{Unit: t.Unit, GeomeanRatio: finite(t.Ratio)}
		for j := range t.Rows {
			r := &t.Rows[j]
			list.Rows = append(list.Rows, comparisonLine{r.Name, sideJSON(r.Old), sideJSON(r.New),
				finite(r.Change), r.P, r.Adjusted, verdictWord(t, r)})
		}
		out.Tables = append(out.Tables, list)
	}
	return out
}

func sideJSON(s compare.Summary) summaryJSON {
	return summaryJSON{s.Median, finite(s.Lo), finite(s.Hi), s.N}
}

// finite is null where there is no number.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func emptyNotNull(list []string) []string { return append([]string{}, list...) }
