package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mpinlab/bench/record"
)

// recordRoot is where a checkout keeps its records.
const recordRoot = "bench/record"

func newRecord() *cobra.Command {
	var root string
	c := &cobra.Command{
		Use:   "record [REPORT]",
		Short: "Keep a report's raw results in a dated folder",
		Long: `record copies the raw files and the environment of a report into a folder named
after the day of its measurements. Later reports made in the same place show the
history of such records.`,
		Example: "  mpin report -o report && mpin record report",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			from := "report"
			if len(args) == 1 {
				from = args[0]
			}
			dir, err := record.Store(root, from)
			if err != nil {
				return finding(err)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), dir)
			return finding(err)
		},
	}
	c.Flags().StringVarP(&root, "output", "o", recordRoot, "folder of the records")
	return c
}
