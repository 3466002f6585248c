package report

import (
	"fmt"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/bench/leak"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
	"mpinlab/plots/internal/plotstest"
)

// verifying makes the row of a backend that verifies so many logins a second,
// with samples that scatter by so many percent on either side; without scatter
// there are too few for an interval.
func verifying(library, curve string, rate, percent float64) bench.Row {
	row := bench.Row{Key: bench.Key{Op: "ServerVerify", Suite: "rfc9380", Curve: curve, Backend: library, Via: "protocol", Procs: 1}}
	samples := 20
	if percent == 0 {
		samples = 4
	}
	for i := range samples {
		// Each backend has its own order, so that ratios scatter, too.
		place := i * []int{1, 3, 7, 9}[int(library[0])%4] % samples
		row.Samples = append(row.Samples, 1e9/rate*(1+percent/100*(2*float64(place)/float64(samples-1)-1)))
	}
	r := &bench.Results{Rows: []bench.Row{row}}
	bench.Summarise(r)
	return r.Rows[0]
}

// again is a row under the name of one that repeats another.
func again(row bench.Row) bench.Row {
	row.Key.Via = bench.ViaControl
	return row
}

// fewer takes a round away.
func fewer(row bench.Row) bench.Row {
	row.Samples = row.Samples[1:]
	r := &bench.Results{Rows: []bench.Row{row}}
	bench.Summarise(r)
	return r.Rows[0]
}

func TestAnswer(t *testing.T) {
	claimed := []backends.Entry{
		{Info: backends.Info{ID: "blst/bls12-381", Curve: backends.BLS12381, ConstantTime: backends.ConstantTimeClaimed}},
		{Info: backends.Info{ID: "circl/bls12-381", Curve: backends.BLS12381, ConstantTime: backends.ConstantTimeClaimed}},
	}
	for _, c := range []struct {
		name string
		in   Input
		want string
		full string
	}{
		{"all", Input{Results: plotstest.Full(12), Backends: claimed, Excluded: map[string]string{"reference/bls12-381": "slow"}},
			"On this machine gnark/bls12-381 verifies the most M-Pin logins at 120 bits of security or more: 1 168 a second on one core " +
				"(95 % interval 1 161–1 171), 1.099 times as many as blst, 1.507 times kilic and 2.48 times circl. " +
				"Below that level, gnark/bn254 verifies 2 098 a second (2 082–2 107) at an estimated 100 bits; " +
				"for clients and D-TAs, whose scalars are secret, blst/bls12-381 is the fastest at 120 bits or more whose authors claim constant time, " +
				"with 207 µs for a client’s two passes, where circl/bls12-381 takes 2.77 times as long.",
			"gnark/bls12-381 verifies 1.099 times as many as blst (1.097–1.102), 1.507 times kilic (1.503–1.509) and 2.48 times circl (2.47–2.49)."},
		{"level", Input{Results: &bench.Results{Rows: []bench.Row{
			verifying("a", "bls12-381", 1000, 1), verifying("b", "bls12-381", 1005, 1), verifying("c", "bls12-377", 500, 1)}}},
			"On this machine b/bls12-381 (1 005 a second on one core, 95 % interval 1 000–1 010) and a/bls12-381 (1 000) " +
				"verify the most M-Pin logins at 120 bits of security or more and are level; b/bls12-381 verifies 2.01 times as many as c/bls12-377.",
			"b/bls12-381 verifies 1.005 times as many as a/bls12-381 (1.001–1.009; this run could have seen 1.3 %) and " +
				"2.01 times as many as c/bls12-377 (2.00–2.02)."},
		// The intervals of a and e overlap, but in every round a is faster.
		{"overlapping", Input{Results: &bench.Results{Rows: []bench.Row{
			verifying("a", "bls12-381", 1020, 5), verifying("e", "bls12-381", 1000, 5), again(verifying("a", "bls12-381", 1020, 5))}}},
			"On this machine a/bls12-381 verifies the most M-Pin logins at 120 bits of security or more: 1 020 a second on one core " +
				"(95 % interval 996–1 045), 1.020 times as many as e.",
			"a/bls12-381 verifies 1.020 times as many as e (1.020–1.020); against itself, as a control, a/bls12-381 comes to 1.000 (1.000–1.000)."},
		{"other rounds", Input{Results: &bench.Results{Rows: []bench.Row{verifying("a", "bls12-381", 1000, 1), fewer(verifying("b", "bls12-381", 500, 1))}}},
			"On this machine a/bls12-381 (1 000 a second on one core, 95 % interval 995–1 005) and b/bls12-381 (500) " +
				"verify the most M-Pin logins at 120 bits of security or more and are level.",
			"a/bls12-381 verifies an unknown number of times as many as b/bls12-381, whose samples are not of the same rounds."},
		{"no interval", Input{Results: &bench.Results{Rows: []bench.Row{verifying("a", "bls12-381", 1000, 0), verifying("b", "bls12-381", 900, 0)}}},
			"On this machine a/bls12-381 came first among M-Pin verifiers at 120 bits of security or more, with 1 000 logins a second on one core, " +
				"but 4 samples give no 95 % interval, so that the order is not established.", ""},
		{"weak only", Input{Results: &bench.Results{Rows: []bench.Row{verifying("a", "bn254", 1700, 1)}}},
			"No ranked backend was measured at 120 bits of security or more. Below that level, a/bn254 verifies 1 700 a second (1 692–1 708) at an estimated 100 bits.", ""},
		{"alone", Input{Results: &bench.Results{Rows: []bench.Row{verifying("a", "bls12-381", 1000, 1)}}},
			"On this machine a/bls12-381 verifies the most M-Pin logins at 120 bits of security or more: 1 000 a second on one core (95 % interval 995–1 005).", ""},
		{"nothing", Input{Results: &bench.Results{}}, "No server verification was measured, so this report ranks no backend.", ""},
	} {
		if got := strings.ReplaceAll(answer(&c.in), number.Thin, " "); got != c.want {
			t.Errorf("%s:\n%s\nnot\n%s", c.name, got, c.want)
		}
		if got := strings.ReplaceAll(plain(particulars(&c.in)), number.Thin, " "); got != c.full {
			t.Errorf("%s, in full:\n%s\nnot\n%s", c.name, got, c.full)
		}
	}
}

// TestAnswerAgreesWithClaims looks up the answer's ratios in the claims of the
// same results, which are those in the result file.
func TestAnswerAgreesWithClaims(t *testing.T) {
	if measured.Strong != bench.Strong {
		t.Fatalf("ranked from %d bits, compared from %d", measured.Strong, bench.Strong)
	}
	results := plotstest.Full(20)
	text := plain(rule(&Input{Results: results}))
	found := 0
	for _, c := range bench.Claims(results) {
		k := c.Row.Key
		if k.Op != "ServerVerify" || k.Via != "protocol" || k.Curve != "bls12-381" || k.Backend == "reference" {
			continue
		}
		found++
		if c.Base.Key.BackendID() != "gnark/bls12-381" || !c.Claimed {
			t.Errorf("%v", c.String())
		}
		if want := fmt.Sprintf("%s (%s–%s)", k.Backend, times(c.Lo), times(c.Hi)); !strings.Contains(text, want) || !strings.Contains(text, times(c.Ratio)) {
			t.Errorf("no %s at %s in\n%s", want, times(c.Ratio), text)
		}
	}
	if found != 3 {
		t.Errorf("%d claims", found)
	}
}

// TestAnswerUsesTheTimingTest has a backend that claims constant time and is
// faster, but leaks.
func TestAnswerUsesTheTimingTest(t *testing.T) {
	infos := []backends.Entry{
		{Info: backends.Info{ID: "blst/bls12-381", Curve: backends.BLS12381, ConstantTime: backends.ConstantTimeClaimed}},
		{Info: backends.Info{ID: "circl/bls12-381", Curve: backends.BLS12381, ConstantTime: backends.ConstantTimeClaimed}},
	}
	test := &leak.Results{Rows: []leak.Row{
		{Op: leak.EarlyExit, Backend: leak.Planted, T: 200, Verdict: leak.Leaks},
		{Op: leak.ConstantTime, Backend: leak.Planted, T: 1, Verdict: leak.NotSeen},
	}}
	for _, o := range leak.Operations() {
		test.Rows = append(test.Rows,
			leak.Row{Op: o.Name, Backend: "blst/bls12-381", T: 50, Verdict: leak.Leaks},
			leak.Row{Op: o.Name, Backend: "circl/bls12-381", T: 1, Verdict: leak.NotSeen})
	}
	text := citedAnswer(&Input{Results: plotstest.Full(20), Backends: infos, Leak: test})
	for _, want := range []string{"circl/bls12-381 is the only one measured at 120 bits or more whose authors claim constant time",
		citeOpen + "leakage-matrix" + citeMiddle + "the recorded test"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "blst/bls12-381 is") {
		t.Error(text)
	}
}
