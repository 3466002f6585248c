package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"mpinlab/backends/all"
	"mpinlab/plots"
	"mpinlab/plots/report"
	"mpinlab/protocol"
	"mpinlab/vectors"
)

// conform runs the project's own vectors, and those of others that are found
// on this machine, on every backend. excluded gives the backends that failed
// one, with the first failure.
func conform(c *cobra.Command, sample int) (*report.Conformance, map[string]string, error) {
	sets, err := vectors.Own()
	if err != nil {
		return nil, nil, finding(err)
	}
	paths, missing := thirdParty(c.Context())
	for _, m := range missing {
		fmt.Fprintf(c.ErrOrStderr(), "vectors not found, left out: %s\n", m)
	}
	others, err := vectors.Load(paths, "")
	if err != nil {
		return nil, nil, finding(err)
	}
	progress := newProgress(c.ErrOrStderr(), "verifying")
	r, err := vectors.Run(c.Context(), append(sets, others...), vectors.Options{
		Backends: all.Backends(), Sample: sample, Slow: isReference, Progress: progress.update,
	})
	progress.finish()
	if err != nil {
		return nil, nil, fmt.Errorf("while verifying vectors, before anything was measured: %w", err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "vectors: %d passed, %d failed, %d skipped\n", r.Passed, r.Failed, r.Skipped)
	conformance, excluded := &report.Conformance{}, map[string]string{}
	for _, s := range r.Sets {
		row := report.ConformanceRow{Set: setName(s.File), Suite: s.Suite, Backend: s.Backend,
			Passed: s.Passed, Failed: s.Failed, Skipped: s.Skipped, Reason: reasons(s.Reasons)}
		if s.Failed > 0 {
			f := s.Failures[0]
			row.Reason = fmt.Sprintf("%s, %s: want %.24s, got %.24s", f.Case, f.Field, f.Want, f.Got)
			excluded[s.Backend] = fmt.Sprintf("fails %d of %d known answers of %s (%s)", s.Failed, s.Cases, row.Set, s.Suite)
		}
		conformance.Rows = append(conformance.Rows, row)
	}
	return conformance, excluded, nil
}

// thirdParty finds the vectors that other projects publish, in the modules
// that this one is built with and in the package that `make setup` installs.
func thirdParty(ctx context.Context) (paths, missing []string) {
	for _, source := range []struct{ what, root, pattern string }{
		{"RFC 9380, in the module of circl", moduleDir(ctx, "github.com/cloudflare/circl"), "ecc/bls12381/testdata/BLS12381G1_*.json.gz"},
		{"Wycheproof", moduleDir(ctx, "github.com/c2sp/wycheproof"), "testvectors_v1/bls_sig_*.json"},
		{"Milagro, in the npm package milagro-crypto-js", ".cache/npm/node_modules/milagro-crypto-js", "testVectors/mpin/*BN254*.json"},
	} {
		var found []string
		if source.root != "" {
			found, _ = filepath.Glob(filepath.Join(source.root, filepath.FromSlash(source.pattern)))
		}
		if len(found) == 0 {
			missing = append(missing, source.what)
		}
		sort.Strings(found)
		paths = append(paths, found...)
	}
	return paths, missing
}

// moduleDir returns where a required module lies, or "".
func moduleDir(ctx context.Context, module string) string {
	if _, err := os.Stat("go.mod"); err != nil {
		return "" // not in a checkout
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// suiteTables describes the suites for the page.
func suiteTables() ([]report.SuiteRow, []plots.SizeRow, error) {
	rows, err := suiteRows()
	if err != nil {
		return nil, nil, err
	}
	var suites []report.SuiteRow
	var sizes []plots.SizeRow
	for _, r := range rows {
		suites = append(suites, report.SuiteRow{ID: r.ID, Backends: r.Backends, PermitsSupported: r.TimePermits})
		sizes = append(sizes, sizeRow(r))
	}
	return suites, sizes, nil
}

// sizeRow gives the sizes of a suite's keys and messages. Pass 1 is U, pass 2
// is V; identities and framing come on top.
func sizeRow(r suiteJSON) plots.SizeRow {
	id, err := protocol.ParseSuiteID(r.ID)
	if err != nil {
		panic(err) // suiteRows made it
	}
	g1, g2, _ := id.Sizes()
	row := plots.SizeRow{Suite: r.Dialect, Curve: r.Curve.String(),
		Full: plots.ByteSizes{Token: g1, ClientSecret: g1, ServerSecret: g2, U: g1, V: g1}}
	if id.Dialect == protocol.RFC9380 {
		p := r.Curve.Params()
		c1, c2 := p.G1CompressedBytes, p.G2CompressedBytes
		row.Compressed = plots.ByteSizes{Token: c1, ClientSecret: c1, ServerSecret: c2, U: c1, V: c1}
	}
	return row
}
