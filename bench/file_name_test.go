package bench

import "testing"

func TestParseKey(t *testing.T) {
	for _, k := range []Key{
		sampleKey,
		{Op: "A", Procs: 1},
		{Op: "MSM", NName: "n", N: 0, Curve: "bls24-315", Backend: "gnark", Via: "direct", Procs: 128},
		{Op: "CombineThreshold", NName: "t", N: 16, Suite: "x=y", Procs: 2},
		{Op: "G1Mul", Curve: "bls12-381", Procs: 1},
	} {
		have, err := ParseKey(k.String())
		if err != nil || have != k {
			t.Errorf("%v: read as %+v, %v", k, have, err)
		}
	}
	for _, name := range []string{
		"", "Benchmark", "Benchmark-1", "BenchmarkA", "BenchmarkA-", "BenchmarkA-0", "BenchmarkA--1", "BenchmarkA-01",
		"BenchmarkA-99999999999999999999", "benchmarkA-1", "Benchmarka-1", "BenchmarkA_B-1", "BenchmarkÄ-1",
		"BenchmarkA/x-1", "BenchmarkA/-1", "BenchmarkA//via=direct-1", "BenchmarkA/via=-1", "BenchmarkA/=x-1",
		"BenchmarkA/size=big-1", "BenchmarkA/n=-5-1", "BenchmarkA/n=007-1", "BenchmarkA/n=99999999999999999999-1",
		"BenchmarkA/n=1/t=2-1", "BenchmarkA/N=1-1",
		"BenchmarkA/via=direct/via=direct-1", "BenchmarkA/via=a/via=b-1",
		"BenchmarkA/via=direct/curve=bn254-1", "BenchmarkA/via=direct/n=4-1",
		"BenchmarkA/via=a b-1", "BenchmarkA/via=é-1", "BenchmarkA/via=direct-1 ",
	} {
		if k, err := ParseKey(name); err == nil || k != (Key{}) {
			t.Errorf("%q: read as %+v, %v", name, k, err)
		}
	}
}
