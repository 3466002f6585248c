package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
)

// suiteJSON is a row of `mpin suites --json`. Tools read it: its names do not
// change.
type suiteJSON struct {
	ID          string         `json:"id"`
	Dialect     string         `json:"dialect"`
	Curve       backends.Curve `json:"curve"`
	TimePermits bool           `json:"time_permits"`
	Backends    []string       `json:"backends"`
}

func newSuites() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "suites",
		Short: "List the suites and the backends that serve them",
		Long: `suites lists every suite, a dialect of M-Pin on a curve, with the available
backends that serve it. Every backend of a suite gives the same bytes.

  rfc9380      this project's own: RFC 9380 hashing, canonical encodings
  milagro      byte-compatible with AMCL 2 and 3 and Apache Milagro
  miracl-core  byte-compatible with MIRACL Core; it has no time permits`,
		Example: "  mpin suites\n  mpin suites --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			rows, err := suiteRows()
			if err != nil {
				return finding(err)
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), rows)
			}
			var cells [][]string
			for _, r := range rows {
				permits := "no"
				if r.TimePermits {
					permits = "yes"
				}
				cells = append(cells, []string{r.ID, permits, strings.Join(r.Backends, " ")})
			}
			return table(c.OutOrStdout(), []string{"SUITE", "TIME PERMITS", "BACKENDS"}, cells)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func suiteRows() ([]suiteJSON, error) {
	var rows []suiteJSON
	for _, id := range protocol.SuiteIDs() {
		r := suiteJSON{ID: id.String(), Dialect: id.Dialect.String(), Curve: id.Curve, TimePermits: id.TimePermits(), Backends: []string{}}
		for _, b := range all.Backends() {
			if b.Info().Curve != id.Curve {
				continue
			}
			if _, err := protocol.New(id, b); err != nil {
				return nil, err
			}
			r.Backends = append(r.Backends, b.Info().ID)
		}
		rows = append(rows, r)
	}
	return rows, nil
}
