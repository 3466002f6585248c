package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mpinlab/plots/internal/number"
	"mpinlab/plots/internal/plotstest"
	"mpinlab/sim/endtoend/result"
)

func loginRun() *result.Run {
	d := &result.Deployment{Suite: "rfc9380/bls12-381", Backend: "gnark/bls12-381", Ready: 0.4}
	for _, phase := range result.Phases() {
		d.Latencies = append(d.Latencies, &result.Latency{Transport: result.HTTP, Phase: phase, Count: 100, Median: 1500, P95: 2500, P99: 4500})
	}
	for verifier, server := range map[string]float64{result.Single: 1250, result.Batching: 625} {
		d.Costs = append(d.Costs, &result.Cost{Verifier: verifier, Clients: 16, Parts: map[string]float64{result.Cryptography: 0.71, result.Net: 0.29},
			Samples: []result.Sample{{Logins: 100, Server: server, Client: 300, Elapsed: 1e5, Verify: 1000, Batch: 20}}})
	}
	return &result.Run{Started: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), CPUs: 2, Deployments: []*result.Deployment{d},
		Notes: []string{"blst/bls12-381 <cannot> run here"}}
}

func TestEndToEndSection(t *testing.T) {
	dir := t.TempDir()
	page := func(in Input) string {
		if _, err := Write(dir, in); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(content), number.Thin, " ")
	}
	text := page(Input{Results: plotstest.Full(8), EndToEnd: loginRun()})
	for _, want := range []string{
		`<a href="#deployment">Whole deployment</a>`, `<section id="deployment">`, "takes 1.50 ms", "1 250 µs of CPU, 1.25 times", "71 % of it is cryptography",
		"2.00 times the logins", `class="pass">met`, `class="fail">missed`, "blst/bls12-381 &lt;cannot&gt; run here", `id="login-phases"`, `id="login-cost"`,
		`id="figure-login-phases"`, `id="figure-login-cost"`, `href="endtoend.json"`, "Measured 23 November 2026",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []string{"NaN", "%!", "Inf<"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, name := range []string{EndToEndFile, endToEndText, endToEndCSV, "figures/login-cost.svg", "tables/login-cost.csv"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if r, err := result.ReadFile(filepath.Join(dir, EndToEndFile)); err != nil || len(r.Deployments) != 1 {
		t.Errorf("read back: %v", err)
	}

	// A machine that cannot: the page says so, and figures say why not.
	if text := page(Input{EndToEnd: &result.Run{Notes: []string{"not measurable here"}}}); !strings.Contains(text, "not measurable here") || !strings.Contains(text, `id="deployment"`) {
		t.Error("the page does not say that it was not measurable")
	}
	// None: no section, and no file of the report before.
	if text := page(Input{}); strings.Contains(text, `id="deployment"`) {
		t.Error("an empty section")
	}
	if _, err := os.Stat(filepath.Join(dir, EndToEndFile)); !os.IsNotExist(err) {
		t.Errorf("an old report's file: %v", err)
	}
}
