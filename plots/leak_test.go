package plots

import (
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench/attack"
	"mpinlab/bench/leak"
	"mpinlab/bench/rawjson"
)

var someEnvironment = rawjson.Settings{{Key: "cpu", Value: "A 1"}, {Key: "cores", Value: "2"}, {Key: "date", Value: "2026-11-23T09:30:00Z"}, {Key: "go", Value: "go1.26.8"}}

var someBackends = []string{"gnark/bls12-381", "gnark/bn254", "gnark/bw6-633", "circl/bls12-381", "blst/bls12-381", "kilic/bls12-381", "miracl/fp256bn", "amcl/fp256bn"}

// leakResults have every verdict.
func leakResults() *leak.Results {
	r := &leak.Results{Environment: someEnvironment, Samples: 10_000, Rows: []leak.Row{
		{Op: leak.EarlyExit, Backend: leak.Planted, T: -1234567}, {Op: leak.ConstantTime, Backend: leak.Planted, T: 1.3},
	}}
	for i, id := range someBackends {
		for k, o := range leak.Operations() {
			if i == 7 && k == 5 {
				continue // was not tested
			}
			t := []float64{0.4, -3.2, 7.7, 12, -431, 123456}[(i+k)%6]
			r.Rows = append(r.Rows, leak.Row{Op: o.Name, Backend: id, Fixed: leak.Drawn, T: t, Verdict: leak.VerdictOf(max(t, -t))})
		}
	}
	return r
}

func attackResults() *attack.Results {
	r := &attack.Results{Environment: someEnvironment}
	for i, id := range someBackends {
		for k, method := range []string{attack.ByPairing, attack.ByPowers, attack.BySquareRoot} {
			if i == 3 && k > 0 {
				continue
			}
			for digits := 4; digits <= 8; digits += 2 {
				seconds := []float64{4000, 4.3, 0.03}[k] * (1 + 0.3*float64(i))
				r.Search = append(r.Search, attack.SearchRow{Backend: id, Method: method, Digits: digits, Seconds: seconds})
			}
		}
	}
	return r
}

// TestEvidence draws the figures of what is recorded apart from the
// benchmarks, and looks for text on text.
func TestEvidence(t *testing.T) {
	figures, _ := All(&Data{Leak: leakResults(), Attack: attackResults()})
	if len(figures) != 2 {
		t.Fatalf("%d figures", len(figures))
	}
	want := map[string][]string{
		leakName:   {"gnark", "bls12-381", "fp256bn", "issue", "1.2e+05", "431", "0.4", "–", "not seen (below 4.5)"},
		attackName: {"blst", "8\u202f800", "4.30", "0.0300", "–"},
	}
	for _, f := range figures {
		if !strings.Contains(f.Source, "A 1, 2 cores; 23 November 2026, 09:30 UTC") || strings.Contains(f.Caption+f.Alt+f.Source, "%!") {
			t.Errorf("%s: %q, %q, %q", f.Name, f.Caption, f.Alt, f.Source)
		}
		for form, width := range widths {
			boxes, height := textBoxes(f, width)
			sheet := box(0, 0, width, height)
			var words []string
			for i, a := range boxes {
				words = append(words, a.text)
				if outside(a.at, sheet) > 0 {
					t.Errorf("%s, %s: %q leaves the sheet", f.Name, form, a.text)
				}
				for _, b := range boxes[:i] {
					if shared(a.at, b.at) > 0 {
						t.Errorf("%s, %s: %q lies on %q", f.Name, form, a.text, b.text)
					}
				}
			}
			if form == "page" {
				for _, w := range want[f.Name] {
					if !strings.Contains("\n"+strings.Join(words, "\n")+"\n", "\n"+w+"\n") {
						t.Errorf("%s has no %q in %q", f.Name, w, words)
					}
				}
			}
		}
	}
	for name, d := range map[string]*Data{
		"empty": {Leak: &leak.Results{}, Attack: &attack.Results{}},
		"void":  {Leak: &leak.Results{Rows: leakResults().Rows[2:]}, Attack: &attack.Results{Search: attackResults().Search[:1]}},
	} {
		drawn, omitted := All(d)
		if len(drawn) != 0 || len(omitted) != 12 {
			t.Errorf("%s: %d figures, %d omitted", name, len(drawn), len(omitted))
		}
	}
}

// TestLeakWidths looks at the narrow form: six columns must remain.
func TestLeakWidths(t *testing.T) {
	f, err := Leak(&Data{Leak: leakResults()})
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []vg.Length{Page, Column} {
		if boxes, _ := textBoxes(f, width); len(boxes) < 8*6 {
			t.Errorf("%d pieces of text at %v", len(boxes), width)
		}
	}
}
