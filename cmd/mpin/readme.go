package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"mpinlab/bench/record"
	"mpinlab/plots/report"
)

func newReadme() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "readme [README.md]",
		Short: "Fill in a README's numbers from the newest recorded run",
		Long: `readme replaces what stands between the lines

  <!-- begin NAME … -->
  <!-- end NAME -->

of a README by figures, tables and sentences from the newest run under
` + recordRoot + `, in which every measured number links to the line of bench.txt where its
samples begin. What the record does not hold is left out.`,
		Example: "  mpin readme\n  mpin readme --check",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file := "README.md"
			if len(args) == 1 {
				file = args[0]
			}
			old, err := os.ReadFile(file)
			if err != nil {
				return finding(err)
			}
			filled, err := fillReadme(c, old)
			if err != nil {
				return finding(err)
			}
			switch {
			case bytes.Equal(old, filled):
				return nil
			case check:
				return finding(fmt.Errorf("%s does not match the newest record; mpin readme mends it", file))
			}
			return finding(os.WriteFile(file, filled, 0o644))
		},
	}
	c.Flags().BoolVar(&check, "check", false, "change nothing; fail where it does not match")
	return c
}

// fillReadme fills in the blocks of a README from the newest record.
func fillReadme(c *cobra.Command, old []byte) ([]byte, error) {
	runs, err := record.Read(recordRoot)
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		return nil, errors.New("no run is recorded under " + recordRoot + "; make record makes one")
	}
	name := runs[len(runs)-1].Name
	in, err := readReport(filepath.Join(recordRoot, name))
	if err != nil {
		return nil, err
	}
	addEvidence(c, in)
	return report.Readme(old, report.Recorded{Dir: filepath.Join(recordRoot, name), Link: path.Join(filepath.ToSlash(recordRoot), name), Input: *in})
}
