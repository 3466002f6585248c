package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/bench/aa"
	"mpinlab/bench/attack"
	"mpinlab/bench/leak"
	"mpinlab/bench/rawjson"
	"mpinlab/bench/upstream"
	"mpinlab/plots/internal/number"
)

// evidenceInput is a report with recorded evidence.
func evidenceInput() Input {
	in := Input{Backends: fullInput().Backends}
	env := rawjson.Settings{{Key: "cpu", Value: "A <1>"}, {Key: "date", Value: "2026-11-23T09:30:00Z"}}
	in.AA = aaHistory()
	in.Leak = &leak.Results{Environment: env, Samples: 10_000, Rows: []leak.Row{
		{Op: leak.EarlyExit, Backend: leak.Planted, Fixed: leak.Drawn, T: 812, Verdict: leak.Leaks},
		{Op: leak.ConstantTime, Backend: leak.Planted, Fixed: leak.Drawn, T: -1.1, Verdict: leak.NotSeen},
	}, Warnings: []string{"one <row> was not tested"}}
	for _, o := range leak.Operations() {
		in.Leak.Rows = append(in.Leak.Rows,
			leak.Row{Op: o.Name, Backend: "gnark/bls12-381", Fixed: leak.Drawn, T: -55.5, Crop: 90, Difference: -1234, Visible: 56.7, Median: 98765, FixedSamples: 5011, RandomSamples: 4989, Verdict: leak.Leaks},
			leak.Row{Op: o.Name, Backend: "blst/bls12-381", Fixed: leak.Drawn, T: 2.25, Crop: 50, Verdict: leak.NotSeen})
	}
	in.Attack = &attack.Results{Environment: env,
		Search: []attack.SearchRow{
			{Backend: "gnark/bls12-381", Method: attack.ByPairing, Digits: 6, Seconds: 612, Guesses: 400},
			{Backend: "gnark/bls12-381", Method: attack.BySquareRoot, Digits: 6, Seconds: 0.0312, Measured: true},
			{Backend: "gnark/bls12-381", Method: attack.BySquareRoot, Digits: 12, Seconds: 5e8},
		},
		Alone:     &attack.Alone{PINs: 10000, Fit: 9999, Logins: 101, Accepted: 100, Elsewhere: 1},
		Threshold: []attack.ThresholdRow{{Threshold: 3, Members: 5, Compromised: 2, Candidates: 1000, Fit: 1000}, {Threshold: 3, Members: 5, Compromised: 3, Candidates: 1000, Fit: 1, Forged: true}},
		PINError:  []attack.PINErrorRow{{Logins: 2, Users: 100, PINs: 10000, Left: 4321.5, Bits: 1.25, Fit: 100}},
	}
	return in
}

func TestEvidence(t *testing.T) {
	page, dir, _ := write(t, evidenceInput())
	checkPage(t, page)
	page = strings.ReplaceAll(page, number.Thin, " ")
	for _, want := range []string{
		`<a href="#leakage">Timing leakage</a>`, `<section id="leakage">`, "use blst/bls12-381: meant to be constant-time", `<td class="fail">✗ 55.5</td>`, `<td class="pass">· 2.2</td>`,
		"−55.5", "5 011 / 4 989", "−1 234", "What “not seen” does not prove", "A &lt;1&gt;; 23 November 2026, 09:30 UTC", `data-v="612"`, "one &lt;row&gt; was not tested",
		`<a href="#attacks">Attack costs</a>`, "≈ 10.2 min", "31.2 ms", "≈ 15.8 years", "the token fitted 9999", "<td>yes</td>", "4 322",
		`<a href="#upstream">Upstream findings</a>`, `id="upstream-gnark-line-table-overwritten"`, "gnark-crypto v0.22.0",
		`href="leak.json"`, `href="attack.json"`, `href="aa.json"`, `<section id="aa">`, `<td class="num">1 of 4</td>`, "2 of 2 runs, 3 % planted: passed", `id="figure-leak"`, `id="figure-attack"`,
		`href="tables/leakage-matrix.csv"`, `href="tables/attack-search-table.csv"`, `<h3 id="method-control">`, "what a test of times could see of it",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []string{"NaN", "%!", "does not test it"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if back, err := leak.ReadFile(filepath.Join(dir, "leak.json")); err != nil || len(back.Rows) != 14 {
		t.Errorf("leak.json: %v", err)
	}
	if back, err := attack.ReadFile(filepath.Join(dir, "attack.json")); err != nil || len(back.Search) != 3 {
		t.Errorf("attack.json: %v", err)
	}

	if back, err := aa.ReadFile(filepath.Join(dir, "aa.json")); err != nil || back.Series[0].Runs() != 2 {
		t.Errorf("aa.json: %v", err)
	}

	// Without records the findings remain, and what the page says of constant
	// time is that nothing was tested.
	page, dir, _ = write(t, Input{Backends: fullInput().Backends})
	for _, bad := range []string{`id="aa"`, `id="leakage"`, `id="attacks"`, "aa.json", "leak.json", "attack.json"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page without records has %q", bad)
		}
	}
	if !strings.Contains(page, "This page does not test it") || strings.Count(page, `<dt id="upstream-`) != len(upstream.Findings()) {
		t.Error("the page without records lacks the findings or the caveat")
	}
	if _, err := os.Stat(filepath.Join(dir, "leak.json")); err == nil {
		t.Error("a raw file of nothing")
	}
}

// aaHistory is a series of two runs on two backends; the interval of one
// comparison of a row with itself leaves out 1.
func aaHistory() *aa.File {
	s := aa.NewSeries(2, 3)
	for run := 1; run <= 2; run++ {
		for _, backend := range []string{"a/bls12-381", "b/bls12-381"} {
			low := aa.Number(0.999)
			if run == 2 && backend == "b/bls12-381" {
				low = 1.0004
			}
			s.Rows = append(s.Rows,
				aa.Row{Run: run, Op: "ServerVerify", Backend: backend, Base: backend, Kind: aa.Itself, Samples: 200, Ratio: 1.0005, Lo: low, Hi: 1.001, P: 1, Sees: 0.004},
				aa.Row{Run: run, Op: "ServerVerify", Backend: backend, Base: backend, Kind: aa.Planted, Samples: 200, Ratio: 1.03, Lo: 1.029, Hi: 1.031, Claimed: true, Sees: 0.004})
		}
	}
	return &aa.File{Series: []aa.Series{*s}}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{4.2e-5: "42.0 µs", 0.0312: "31.2 ms", 59: "59.0 s", 600: "10.0 min", 7200: "2.00 h", 86400: "1.00 days", 3.2e9: "101 years"} {
		if got := strings.ReplaceAll(duration(seconds), number.Thin, " "); got != want {
			t.Errorf("%g is %q, not %q", seconds, got, want)
		}
	}
}

// TestMethodHasAnchors looks for headings without a stable address, and for
// text that the environment did not fill.
func TestMethodHasAnchors(t *testing.T) {
	in := fullInput()
	seen := map[string]bool{}
	for _, p := range method(&in) {
		if !strings.HasPrefix(p.Anchor, "method-") || seen[p.Anchor] || p.Heading == "" || len(p.Paragraphs) == 0 {
			t.Errorf("%+v", p)
		}
		seen[p.Anchor] = true
		for _, words := range p.Paragraphs {
			if strings.Contains(words, "%!") || strings.Contains(words, "  ") || !strings.HasSuffix(words, ".") {
				t.Errorf("%s: %q", p.Anchor, words)
			}
		}
	}
}
