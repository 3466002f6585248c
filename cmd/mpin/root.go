package main

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mpin",
		Short: "Measure, check and simulate M-Pin over real pairing libraries",
		Long: `mpin is the command of mpinlab, a research and benchmarking harness for M-Pin,
the pairing-based zero-knowledge PIN authentication.`,
		Example:       "  mpin report\n  mpin backends\n  mpin bench --op 'ServerVerify$'",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(newBackends(), newSuites(), newBench(), newAA(), newCompare(), newRecord(), newReadme(), newLeak(), newAttack(), newVectors(), newReport(), newServe(), newUser(), newSim(), newCapacity(), newVersion())
	return root
}

// writeJSON prints v as one JSON document.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return finding(e.Encode(v))
}

// table prints rows under a heading, in columns.
func table(w io.Writer, heading []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		for i, cell := range row {
			if i > 0 {
				io.WriteString(t, "\t")
			}
			io.WriteString(t, cell)
		}
		io.WriteString(t, "\n")
	}
	return finding(t.Flush())
}

// expression compiles a regular expression given by a flag; empty is nil,
// which selects everything.
func expression(flag, s string) (*regexp.Regexp, error) {
	if s == "" {
		return nil, nil
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, misuse(&flagError{flag, err})
	}
	return re, nil
}

// flagError says which flag a value was wrong for.
type flagError struct {
	flag string
	err  error
}

func (e *flagError) Error() string { return "--" + e.flag + ": " + e.err.Error() }
func (e *flagError) Unwrap() error { return e.err }

// indent sets a list of lines apart in a help text.
func indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }
