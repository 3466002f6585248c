package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"

	"github.com/spf13/cobra"

	"mpinlab/bench"
)

// compareRatios is compare --ratios: the ratios between backends in two runs.
func compareRatios(c *cobra.Command, op string, gate float64, gated, asJSON bool, paths []string) error {
	headline := bench.Headline
	if op != "" {
		var err error
		if headline, err = expression("op", op); err != nil {
			return err
		}
	}
	var runs []*bench.Results
	for _, path := range paths {
		r, err := bench.ReadFile(path)
		if err != nil {
			return misuse(err)
		}
		runs = append(runs, r)
	}
	list := bench.Repeats(runs[0], runs[1], headline)
	if len(list) == 0 {
		return misuse(fmt.Errorf("no ratio between backends of an operation that matches %s is in both files", headline))
	}
	median, greatest := bench.Differences(list)
	var err error
	if asJSON {
		err = writeJSON(c.OutOrStdout(), ratiosJSON(list, median, greatest, headline))
	} else {
		err = printRatios(c.OutOrStdout(), list, median, greatest)
	}
	if err != nil || !gated {
		return err
	}
	if median >= gate/100 {
		return finding(fmt.Errorf("the median difference of the ratios is %.2f %%, not below %g %%", 100*median, gate))
	}
	return nil
}

func printRatios(w io.Writer, list []bench.Repeated, median, greatest float64) error {
	var rows [][]string
	for _, r := range list {
		op := r.Row.Op
		if r.Row.NName != "" {
			op += fmt.Sprintf("/%s=%d", r.Row.NName, r.Row.N)
		}
		if r.Row.Via == "direct" {
			op += " (direct)"
		}
		rows = append(rows, []string{op, r.Row.BackendID(), r.Base.BackendID(), ratio(r.Old), ratio(r.New), fmt.Sprintf("%+.2f %%", 100*r.Difference)})
	}
	if err := table(w, []string{"operation", "backend", "against", "old", "new", "difference"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d ratios between backends: they differ by %.2f %% at the median, by %.2f %% at most.\n", len(list), 100*median, 100*greatest)
	return err
}

// ratio writes one with its interval: "1.087 (1.079–1.095)".
func ratio(i bench.Interval) string {
	if math.IsInf(i.Hi, 0) || math.IsNaN(i.Hi) {
		return fmt.Sprintf("%.3f (no interval)", i.Mid)
	}
	return fmt.Sprintf("%.3f (%.3f–%.3f)", i.Mid, i.Lo, i.Hi)
}

type ratioJSON struct {
	Row        string       `json:"row"`
	Base       string       `json:"base"`
	Old        intervalJSON `json:"old"`
	New        intervalJSON `json:"new"`
	Difference float64      `json:"difference"`
}

type intervalJSON struct {
	Ratio float64  `json:"ratio"`
	Lo    *float64 `json:"lo"`
	Hi    *float64 `json:"hi"`
}

type repeatedJSON struct {
	Operations string      `json:"operations"`
	Ratios     []ratioJSON `json:"ratios"`
	Median     float64     `json:"median_difference"`
	Greatest   float64     `json:"greatest_difference"`
}

func ratiosJSON(list []bench.Repeated, median, greatest float64, op *regexp.Regexp) repeatedJSON {
	out := repeatedJSON{Operations: op.String(), Median: median, Greatest: greatest}
	for _, r := range list {
		out.Ratios = append(out.Ratios, ratioJSON{r.Row.String(), r.Base.String(),
			intervalJSON{r.Old.Mid, finite(r.Old.Lo), finite(r.Old.Hi)}, intervalJSON{r.New.Mid, finite(r.New.Lo), finite(r.New.Hi)}, r.Difference})
	}
	return out
}

var errOpOfRatios = errors.New("--op goes with --ratios")
