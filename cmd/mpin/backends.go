package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/backends/all"
)

// backendJSON is a row of `mpin backends --json`. Tools read it: its names do
// not change.
type backendJSON struct {
	ID             string         `json:"id"`
	Library        string         `json:"library"`
	Curve          backends.Curve `json:"curve"`
	Version        string         `json:"version"`
	Available      bool           `json:"available"`
	Reason         string         `json:"reason"`
	SecurityBits   int            `json:"security_bits"`
	Implementation string         `json:"implementation"`
	ConstantTime   string         `json:"constant_time"`
	Capabilities   []string       `json:"capabilities"`
}

func newBackends() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "backends",
		Short: "List the pairing libraries that are built in",
		Long: `backends lists every backend, a pairing library on one curve, with its version,
estimated security level, constant-time standing as its authors state it, and
optional capabilities. Backends that cannot run here are listed with the reason.`,
		Example: "  mpin backends\n  mpin backends --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var rows []backendJSON
			for _, e := range all.Entries() {
				rows = append(rows, describe(e))
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), rows)
			}
			var cells [][]string
			for _, r := range rows {
				state := strings.Join(r.Capabilities, " ")
				if !r.Available {
					state = "unavailable: " + r.Reason
				}
				cells = append(cells, []string{r.ID, r.Version, strconv.Itoa(r.SecurityBits), r.Implementation, r.ConstantTime, state})
			}
			return table(c.OutOrStdout(), []string{"BACKEND", "VERSION", "BITS", "WRITTEN IN", "CONSTANT-TIME", "CAPABILITIES"}, cells)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func describe(e backends.Entry) backendJSON {
	r := backendJSON{
		ID: e.Info.ID, Library: e.Info.Library, Curve: e.Info.Curve, Version: e.Info.Version,
		Available: e.Backend != nil, Reason: e.Reason, SecurityBits: e.Info.Curve.Params().SecurityBits,
		Implementation: e.Info.Implementation, ConstantTime: string(e.Info.ConstantTime), Capabilities: []string{},
	}
	if e.Backend != nil {
		r.Capabilities = backends.Capabilities(e.Backend)
	}
	return r
}
