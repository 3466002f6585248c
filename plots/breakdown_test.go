package plots

import (
	"math"
	"strings"
	"testing"

	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
)

// resultsOf makes exact rows: costs in nanoseconds by operation.
func resultsOf(costs map[string]float64) *bench.Results {
	r := &bench.Results{}
	for op, cost := range costs {
		k := bench.Key{Op: op, Curve: "bls12-381", Backend: "lib", Via: "interface", Procs: 1}
		if op == "ServerVerify" {
			k.Via, k.Suite = "protocol", "rfc9380"
		}
		r.Rows = append(r.Rows, bench.Row{Key: k, Samples: []float64{cost}, Median: cost, Lo: math.Inf(-1), Hi: math.Inf(1)})
	}
	return r
}

func TestTakeApart(t *testing.T) {
	for _, c := range []struct {
		name  string
		costs map[string]float64
		want  map[int]float64
	}{
		{"prepared", map[string]float64{"ServerVerify": 1000, "G1Decode": 50, "G1InSubgroup": 40, "HashToG1": 90, "G1Mul": 100,
			"PairCheck2": 900, "PairCheck2Fixed": 600, "MillerLoop": 620, "FinalExp": 280},
			map[int]float64{partDecode: 20, partSubgroup: 80, partHash: 90, partMul: 100, partMiller: 320, partFinalExp: 280, partRest: 110}},
		{"not prepared", map[string]float64{"ServerVerify": 1000, "G1Decode": 50, "G1InSubgroup": 40, "HashToG1": 90, "G1Mul": 100,
			"PairCheck2": 700, "MillerLoop": 410, "FinalExp": 280},
			map[int]float64{partDecode: 20, partSubgroup: 80, partHash: 90, partMul: 100, partMiller: 410, partFinalExp: 280, partRest: 20}},
		{"not separable, longer alone", map[string]float64{"ServerVerify": 900, "G1Decode": 50, "HashToG1": 90, "G1Mul": 100, "PairCheck2": 700},
			map[int]float64{partDecodeAll: 100, partHash: 90, partMul: 100, partCheck: 700, partRest: -90}},
		{"subgroup check dearer than decoding", map[string]float64{"ServerVerify": 1000, "G1Decode": 40, "G1InSubgroup": 41, "HashToG1": 90, "G1Mul": 100, "PairCheck2": 700},
			map[int]float64{partSubgroup: 80, partHash: 90, partMul: 100, partCheck: 700, partRest: 30}},
	} {
		s := measured.New(resultsOf(c.costs))
		split, missing := takeApart(s, s.Verifiers()[0])
		if split == nil {
			t.Errorf("%s: %s", c.name, missing)
			continue
		}
		for k, v := range split.part {
			if math.Abs(v-c.want[k]) > 1e-9 {
				t.Errorf("%s: %s is %v, not %v", c.name, partLooks[k].meaning, v, c.want[k])
			}
		}
		if math.Abs(split.sum()+split.part[partRest]-split.whole) > 1e-9 {
			t.Errorf("%s: the parts and the rest are not the whole", c.name)
		}
	}
	s := measured.New(resultsOf(map[string]float64{"ServerVerify": 1000, "G1Decode": 50, "HashToG1": 90, "G1Mul": 100}))
	if _, missing := takeApart(s, s.Verifiers()[0]); !strings.Contains(missing, "PairCheck2") {
		t.Errorf("missing: %q", missing)
	}
}
