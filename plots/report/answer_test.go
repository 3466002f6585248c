package report

import (
	"math"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/plots/internal/number"
	"mpinlab/plots/internal/plotstest"
)

// verifying makes the row of a backend that verifies so many logins a second,
// with an interval of so many percent on either side.
func verifying(library, curve string, rate, percent float64) bench.Row {
	cost := 1e9 / rate
	row := bench.Row{Key: bench.Key{Op: "ServerVerify", Suite: "rfc9380", Curve: curve, Backend: library, Via: "protocol", Procs: 1},
		Samples: make([]float64, 10), Median: cost, Lo: 1e9 / (rate * (1 + percent/100)), Hi: 1e9 / (rate * (1 - percent/100))}
	if percent == 0 {
		row.Samples, row.Lo, row.Hi = make([]float64, 4), math.Inf(-1), math.Inf(1)
	}
	return row
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
	}{
		{"all", Input{Results: plotstest.Full(12), Backends: claimed, Excluded: map[string]string{"reference/bls12-381": "slow"}},
			"On this machine gnark/bls12-381 verifies the most M-Pin logins at 120 bits of security or more: 1 168 a second on one core " +
				"(95 % interval 1 161–1 171), 1.1 times blst, 1.5 times kilic and 2.5 times circl. " +
				"Below that level, gnark/bn254 verifies 2 098 a second (2 082–2 107) at an estimated 100 bits; " +
				"for clients and D-TAs, whose scalars are secret, blst/bls12-381 is the fastest at 120 bits or more whose authors claim constant time, " +
				"with 207 µs for a client's two passes."},
		{"level", Input{Results: &bench.Results{Rows: []bench.Row{
			verifying("a", "bls12-381", 1000, 1), verifying("b", "bls12-381", 1005, 1), verifying("c", "bls12-377", 500, 1)}}},
			"On this machine b/bls12-381 (1 005 a second on one core, 95 % interval 995–1 015) and " +
				"a/bls12-381 (1 000, 990–1 010) verify the most M-Pin logins at 120 bits of security or more " +
				"and are level, as their intervals overlap; b/bls12-381 verifies 2.0 times as many as c/bls12-377."},
		{"no interval", Input{Results: &bench.Results{Rows: []bench.Row{verifying("a", "bls12-381", 1000, 0), verifying("b", "bls12-381", 900, 0)}}},
			"On this machine a/bls12-381 came first among M-Pin verifiers at 120 bits of security or more, with 1 000 logins a second on one core, " +
				"but 4 samples give no 95 % interval, so that the order is not established."},
		{"weak only", Input{Results: &bench.Results{Rows: []bench.Row{verifying("a", "bn254", 1700, 1)}}},
			"No ranked backend was measured at 120 bits of security or more. Below that level, a/bn254 verifies 1 700 a second (1 683–1 717) at an estimated 100 bits."},
		{"alone", Input{Results: &bench.Results{Rows: []bench.Row{verifying("a", "bls12-381", 1000, 1)}}},
			"On this machine a/bls12-381 verifies the most M-Pin logins at 120 bits of security or more: 1 000 a second on one core (95 % interval 990–1 010)."},
		{"nothing", Input{Results: &bench.Results{}}, "No server verification was measured, so this report ranks no backend."},
	} {
		if got := strings.ReplaceAll(answer(&c.in), number.Thin, " "); got != c.want {
			t.Errorf("%s:\n%s\nnot\n%s", c.name, got, c.want)
		}
	}
}
