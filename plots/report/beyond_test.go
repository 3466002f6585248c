package report

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mpinlab/bench"
	"mpinlab/bench/cost"
	"mpinlab/bench/record"
	"mpinlab/plots/internal/number"
	"mpinlab/plots/internal/plotstest"
)

// withControl adds a control of ServerVerify on gnark/bls12-381.
func withControl(r *bench.Results) *bench.Results {
	out := &bench.Results{Environment: r.Environment}
	for _, row := range r.Rows {
		out.Rows = append(out.Rows, row)
		if k := row.Key; k.Op == "ServerVerify" && k.Via == "protocol" && k.BackendID() == "gnark/bls12-381" {
			row.Key.Via = bench.ViaControl
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

// sweeps has one sweep of linear growth.
func sweeps() *bench.Results {
	r := plotstest.Environment()
	for _, n := range []int{2, 4, 8, 16} {
		row := bench.Row{Key: bench.Key{Op: "CombineShares", N: n, NName: "dtas", Suite: "rfc9380", Curve: "bls12-381", Backend: "gnark", Via: "protocol", Procs: 1}}
		for i := range 7 {
			row.Samples = append(row.Samples, 1000*(20+40*float64(n))*(1+0.001*math.Sin(float64(3*i))))
			row.Counts = append(row.Counts, 1)
		}
		r.Rows = append(r.Rows, row)
	}
	bench.Summarise(r)
	return r
}

func TestBeyond(t *testing.T) {
	dir := t.TempDir()
	in := Input{
		Results: withControl(plotstest.Full(30)), Sweeps: sweeps(),
		Costs: &cost.Results{Notes: []string{"cycles: <no counter>"}, Rows: []cost.Row{
			{Key: bench.Key{Op: "ServerVerify", Suite: "rfc9380", Curve: "bls12-381", Backend: "gnark", Via: "protocol", Procs: 1}, Values: map[string]float64{cost.Peak: 70400, cost.Allocated: 7952}},
			{Key: bench.Key{Op: cost.Identities, Suite: "rfc9380", Curve: "bls12-381", Backend: "gnark", Procs: 1}, Values: map[string]float64{cost.Resident: 400}},
			{Key: bench.Key{Op: cost.Code, Curve: "bls12-381", Backend: "gnark", Procs: 1}, Values: map[string]float64{cost.Text: 464896}},
		}},
		History: []record.Run{{Name: "2026-01-02", Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Results: plotstest.Full(8)}},
	}
	if _, err := Write(dir, in); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(content), number.Thin, " ")
	for _, want := range []string{
		`<a href="#comparison">Comparison</a>`, `<section id="comparison">`, "differences are claimed at 95 %; 0 of 1 controls (a row against itself) differ",
		"1.000 (1.000–1.000)", `<section id="growth">`, "linear (fit ±0", "· n</td>", `<section id="costs">`, "70 400", ">454<", "cycles: &lt;no counter&gt;",
		"Operations in the prime field", `<section id="history">`, "2026-01-02", "this run", `href="sweeps.txt"`, `href="costs.txt"`,
		`id="figure-scaling"`, `id="figure-history"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []string{"NaN", "%!", "Inf<"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}

	// Without any of it, the sections are not there.
	bare := t.TempDir()
	if _, err := Write(bare, Input{}); err != nil {
		t.Fatal(err)
	}
	content, err = os.ReadFile(filepath.Join(bare, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"comparison", "growth", "costs", "history"} {
		if strings.Contains(string(content), `"`+id+`"`) || strings.Contains(string(content), "#"+id) {
			t.Errorf("an empty section %s", id)
		}
	}
}
