package plots

import (
	"errors"
	"strings"
	"testing"

	"mpinlab/bench"
	"mpinlab/plots/internal/plotstest"
)

func TestSaturatedTellsBothEnds(t *testing.T) {
	results := plotstest.Full(6)
	// A control repeats a row under another name and is not drawn.
	control := *results.Find(bench.Key{Op: "BatchingVerifier", N: 5, NName: "bad", Suite: "rfc9380", Curve: "bls12-381", Backend: "gnark", Via: "protocol"})
	control.Key.Via = "control"
	results.Rows = append([]bench.Row{control}, results.Rows...)
	f, err := Saturated(&Data{Results: results})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"from 0 to 50 %, on gnark/bls12-381.", "Verified in batches: ", "Verified one by one: ", " logins a second at 0 %, "} {
		if !strings.Contains(f.Alt, want) {
			t.Errorf("%q does not say %q", f.Alt, want)
		}
	}
	count := map[string]int{}
	for _, row := range f.Rows {
		count[row.Key.Op+" "+row.Key.Via]++
	}
	if len(count) != 4 || count["BatchingVerifier protocol"] != 7 || count["BatchingVerifierP99 protocol"] != 7 || count["SingleVerifier protocol"] != 2 || count["SingleVerifierP99 protocol"] != 2 {
		t.Errorf("rows: %v", count)
	}
}

// TestSaturatedInPart draws what there is: without percentiles one field, and
// nothing where there is nothing to compare.
func TestSaturatedInPart(t *testing.T) {
	full := plotstest.Full(6)
	whole, err := Saturated(&Data{Results: full})
	if err != nil {
		t.Fatal(err)
	}
	part, err := Saturated(&Data{Results: plotstest.Keep(full, func(k bench.Key) bool { return !strings.HasSuffix(k.Op, "P99") })})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := whole.layout(Page).height(), part.layout(Page).height(); b >= a-100 {
		t.Errorf("one field is %v high, two are %v", b, a)
	}
	for _, missing := range []string{"BatchingVerifier", "SingleVerifier"} {
		_, err := Saturated(&Data{Results: plotstest.Keep(full, func(k bench.Key) bool { return k.Op != missing })})
		if !errors.Is(err, ErrNoData) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}
