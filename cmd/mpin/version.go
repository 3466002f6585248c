package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mpinlab/bench"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the commit, the toolchain and the versions of the libraries",
		Example: "  mpin version",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, s := range bench.Environment() {
				if _, err := fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", s.Key, s.Value); err != nil {
					return finding(err)
				}
			}
			return nil
		},
	}
}
