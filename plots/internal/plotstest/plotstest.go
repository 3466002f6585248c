// Package plotstest makes benchmark results for tests: plausible in size and
// scatter, and the same at every call.
package plotstest

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sort"

	"mpinlab/bench"
)

// library is a backend and its speed: the costs of its parts in microseconds.
type library struct {
	name, curve                            string
	check, fixed, final, pair              float64
	decode, subgroup, hash, mul            float64
	pass1, pass2                           float64
	layer                                  float64 // what the interface costs, in nanoseconds an operation
	noSplit, noSubgroup, noDirect, milagro bool
}

var libraries = []library{
	{name: "gnark", curve: "bls12-381", check: 690, fixed: 554, final: 283, pair: 520, decode: 53, subgroup: 37, hash: 90, mul: 95, pass1: 95, pass2: 73, layer: 60},
	{name: "blst", curve: "bls12-381", check: 726, fixed: 659, final: 300, pair: 540, decode: 60, subgroup: 36, hash: 80, mul: 70, pass1: 109, pass2: 96, layer: 240},
	{name: "kilic", curve: "bls12-381", check: 930, final: 410, pair: 700, decode: 65, subgroup: 40, hash: 120, mul: 90, pass1: 112, pass2: 84, layer: 90, noSplit: true, noSubgroup: true},
	{name: "circl", curve: "bls12-381", check: 1570, final: 640, pair: 1010, decode: 95, subgroup: 60, hash: 180, mul: 150, pass1: 381, pass2: 187, layer: 70, noSplit: true},
	{name: "reference", curve: "bls12-381", check: 61000, final: 29000, pair: 44000, decode: 2400, subgroup: 2100, hash: 3900, mul: 2900, pass1: 6800, pass2: 2950, layer: 50, noDirect: true},
	{name: "gnark", curve: "bn254", check: 450, fixed: 362, final: 180, pair: 330, decode: 17, subgroup: 1.4, hash: 36, mul: 52, pass1: 57, pass2: 40, layer: 60},
	{name: "gnark", curve: "bls12-377", check: 760, fixed: 612, final: 320, pair: 575, decode: 58, subgroup: 40, hash: 101, mul: 99, pass1: 101, pass2: 80, layer: 60},
	{name: "gnark", curve: "bls24-315", check: 1420, fixed: 1260, final: 740, pair: 1180, decode: 41, subgroup: 28, hash: 71, mul: 70, pass1: 77, pass2: 59, layer: 60},
	{name: "gnark", curve: "bls24-317", check: 1390, fixed: 1220, final: 720, pair: 1140, decode: 42, subgroup: 28, hash: 70, mul: 68, pass1: 75, pass2: 58, layer: 60},
	{name: "gnark", curve: "bw6-633", check: 2650, fixed: 2200, final: 1210, pair: 2050, decode: 300, subgroup: 240, hash: 420, mul: 260, pass1: 420, pass2: 280, layer: 60},
	{name: "gnark", curve: "bw6-761", check: 3900, fixed: 3100, final: 1700, pair: 3000, decode: 410, subgroup: 330, hash: 610, mul: 380, pass1: 610, pass2: 400, layer: 60},
	{name: "amcl-core", curve: "fp256bn", check: 7600, final: 3600, pair: 5800, decode: 31, subgroup: 1, hash: 160, mul: 480, pass1: 602, pass2: 485, layer: 110, noSplit: true},
	{name: "amcl", curve: "fp256bn", check: 8700, final: 4000, pair: 6600, decode: 36, subgroup: 1, hash: 130, mul: 590, pass1: 981, pass2: 596, layer: 110, noSplit: true, milagro: true},
	{name: "reference", curve: "bn254cx", check: 33000, final: 15000, pair: 24000, decode: 290, subgroup: 3, hash: 1900, mul: 1500, pass1: 3600, pass2: 1550, layer: 50, noDirect: true, milagro: true},
	{name: "reference", curve: "bn254n", check: 33500, final: 15200, pair: 24100, decode: 300, subgroup: 3, hash: 1800, mul: 1500, pass1: 3500, pass2: 1530, layer: 50, noDirect: true, milagro: true},
}

// Full returns results of every operation that the report shows, for 15
// backends on eight curves, with the given number of samples a row.
func Full(samples int) *bench.Results {
	r := Environment()
	for _, l := range libraries {
		l.rows(r, samples)
	}
	return r
}

// Environment returns results without rows.
func Environment() *bench.Results {
	return &bench.Results{Environment: []bench.Setting{
		{Key: "goos", Value: "linux"}, {Key: "goarch", Value: "amd64"},
		{Key: "cpu", Value: "Intel(R) Xeon(R) Processor @ 2.60GHz"},
		{Key: "go", Value: "go1.26.8"}, {Key: "date", Value: "2026-11-23T09:30:00Z"},
		{Key: "cgo", Value: "true"}, {Key: "governor", Value: "unknown"},
	}}
}

func (l library) rows(r *bench.Results, samples int) {
	direct := func(op string, micros float64) {
		if !l.noDirect {
			l.add(r, samples, op, bench.Key{Via: "direct"}, 1e3*micros)
		}
	}
	group := func(op string, micros float64) {
		if micros <= 0 {
			return
		}
		direct(op, micros)
		l.add(r, samples, op, bench.Key{Via: "interface"}, 1e3*micros+l.layer)
	}
	group("G1Add", 0.6+l.mul/800)
	group("G1Mul", l.mul)
	group("G2Mul", 2.2*l.mul)
	group("HashToG1", l.hash)
	group("G1Decode", l.decode)
	if !l.noSubgroup {
		group("G1InSubgroup", l.subgroup)
	}
	group("Pair", l.pair)
	group("PairCheck2", l.check)
	group("PairCheck2Fixed", l.fixed)
	if !l.noSplit {
		group("FinalExp", l.final)
		group("MillerLoop", l.check-l.final)
	}
	suite := "rfc9380"
	if l.milagro {
		suite = "milagro"
	}
	check := l.check
	if l.fixed > 0 {
		check = l.fixed
	}
	verify := 2*l.decode + l.hash + l.mul + check + 0.01*check
	if l.name == "gnark" && l.curve == "bn254" {
		verify *= 0.97 // the parts alone take longer than within the whole
	}
	direct("ServerVerify", verify*0.996)
	protocol := func(op string, micros float64) {
		l.add(r, samples, op, bench.Key{Suite: suite, Via: "protocol"}, 1e3*micros)
	}
	protocol("ServerVerify", verify)
	protocol("ServerVerifyCached", verify-l.hash)
	for _, n := range []int{8, 64, 256, 1024} {
		if n > l.greatestBatch() {
			continue
		}
		// A batch shares one check; its sums take fewer additions a term the
		// longer they are.
		sum := 5 * l.mul / math.Log2(float64(n)+2)
		each := 2*l.decode + sum + check/float64(n)
		l.add(r, samples, "ServerVerifyBatch", bench.Key{Suite: suite, Via: "protocol", N: n, NName: "n"}, 1e3*each)
	}
	if l.name == "gnark" && l.curve == "bls12-381" {
		l.saturated(r, samples, suite, verify-l.hash)
	}
	if !l.milagro {
		protocol("OnePassProve", l.pass1+l.pass2)
		protocol("OnePassVerify", 1.01*verify)
		protocol("FullClientKey", l.pass1+l.pass2+1.4*l.pair)
		protocol("FullServerKey", verify+l.pair)
		protocol("Sign", 1.02*(l.pass1+l.pass2))
		protocol("VerifySignature", 1.02*verify)
	}
	if l.name == "gnark" {
		protocol("PINError", verify+30*l.pair)
	}
	protocol("ClientPass1", l.pass1)
	protocol("ClientPass2", l.pass2)
}

// saturated adds the rows of verifiers with more logins than they bear.
func (l library) saturated(r *bench.Results, samples int, suite string, single float64) {
	for _, bad := range []int{0, 1, 2, 5, 10, 20, 50} {
		key := bench.Key{Suite: suite, Via: "protocol", N: bad, NName: "bad"}
		each := single * math.Min(1.02, 0.12+0.3*math.Sqrt(float64(bad)))
		l.add(r, samples, "BatchingVerifier", key, 1e3*each)
		l.add(r, samples, "BatchingVerifierP99", key, 270e3*each)
		if bad == 0 || bad == 50 {
			l.add(r, samples, "SingleVerifier", key, 1e3*single)
			l.add(r, samples, "SingleVerifierP99", key, 270e3*single)
		}
	}
}

// greatestBatch is smaller for slow libraries.
func (l library) greatestBatch() int {
	switch {
	case l.check > 10000 || l.curve == "bw6-633":
		return 8
	case l.check > 3000 || l.curve == "bls24-315" || l.curve == "bls24-317":
		return 64
	}
	return 1024
}

// add makes a row of noisy samples around a cost in nanoseconds. The noise of
// a round is shared by all rows, as the state of a machine is.
func (l library) add(r *bench.Results, samples int, op string, key bench.Key, nanos float64) {
	key.Op, key.Curve, key.Backend, key.Procs = op, l.curve, l.name, 1
	h := fnv.New64a()
	h.Write([]byte(key.String()))
	noise := rand.New(rand.NewPCG(h.Sum64(), 1))
	round := rand.New(rand.NewPCG(7, 7))
	row := bench.Row{Key: key, Bytes: math.Round(nanos / 900), Allocs: math.Round(nanos/40000) + 2}
	for range samples {
		row.Samples = append(row.Samples, nanos*(1+0.008*math.Abs(round.NormFloat64())+0.004*math.Abs(noise.NormFloat64())))
	}
	sorted := append([]float64(nil), row.Samples...)
	sort.Float64s(sorted)
	row.Median = (sorted[(samples-1)/2] + sorted[samples/2]) / 2
	row.Lo, row.Hi = math.Inf(-1), math.Inf(1)
	if samples >= 6 {
		k := (samples - 6) / 3
		row.Lo, row.Hi = sorted[k], sorted[samples-1-k]
	}
	if op == "G2Mul" && l.name == "circl" {
		row.Warnings = []string{"two of the samples are more than 20 % above the median"}
	}
	r.Rows = append(r.Rows, row)
}
