package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mpinlab/backends/all"
	"mpinlab/bench"
	"mpinlab/bench/cost"
	"mpinlab/plots/report"
	"mpinlab/sim/load/result"
	"mpinlab/sim/pinpad/screens"
)

// readReport reads the raw files of a report, or of a record of one.
func readReport(folder string) (*report.Input, error) {
	results, err := bench.ReadFile(filepath.Join(folder, "bench.txt"))
	if err != nil {
		return nil, err
	}
	in := &report.Input{Results: results, Backends: all.Entries()}
	if in.Sweeps, err = bench.ReadFile(filepath.Join(folder, "sweeps.txt")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if in.Costs, err = cost.ReadFile(filepath.Join(folder, "costs.txt")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if in.Conformance, err = report.ReadConformance(folder); err != nil {
		return nil, err
	}
	in.Excluded = in.Conformance.Excluded()
	return in, nil
}

// reportFrom makes the page of a report anew, with further load runs.
func reportFrom(c *cobra.Command, pdf bool, folder, dir string, runs []*result.Run) error {
	if err := report.Prepare(dir); err != nil {
		return finding(err)
	}
	in, err := readReport(folder)
	if err != nil {
		return finding(err)
	}
	if in.Suites, in.Sizes, err = suiteTables(); err != nil {
		return finding(err)
	}
	in.Command = "mpin report --from " + folder
	addHistory(c, in)
	addEvidence(c, in)
	if in.EndToEnd, err = readLogins(folder); err != nil {
		return finding(err)
	}
	if err := addLoad(c, nil, append(runsIn(c, filepath.Join(folder, report.LoadFolder)), runs...), in); err != nil {
		return finding(err)
	}
	addCapacity(c, quickPlanLogins, folder, in)
	in.PINPad = screens.Files
	for _, name := range []string{"bench.txt", "sweeps.txt", "costs.txt"} {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return finding(fmt.Errorf("the raw files cannot be copied: %w", err))
		}
	}
	return finding(writeReport(c, dir, *in, pdf))
}

// copyFile copies a file, unless it is the same.
func copyFile(to, from string) error {
	a, err := os.Stat(from)
	if err != nil {
		return err
	}
	if b, err := os.Stat(to); err == nil && os.SameFile(a, b) {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
