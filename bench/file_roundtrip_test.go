package bench

import (
	"bytes"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// genResults draws results of every shape that can be written, edges often.
func genResults() gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		r := new(Results)
		for range p.Rng.Intn(6) {
			r.set(pick(p.Rng, "goos", "date", "module/a.b/c", "run-x", "é9", "a#b", "load-before"),
				pick(p.Rng, "x", "a: b", "# c", "é – 5 %", "Benchmark", "warning: x"))
		}
		r.Warnings = genWarnings(p.Rng)
		keys := make(map[Key]bool)
		for range 1 + p.Rng.Intn(4) {
			if row := genRow(p.Rng); !keys[row.Key] {
				keys[row.Key] = true
				r.Rows = append(r.Rows, row)
			}
		}
		Summarise(r)
		return gopter.NewGenResult(r, gopter.NoShrinker)
	}
}

func genRow(rng *rand.Rand) Row {
	k := Key{
		Op:      pick(rng, "A", "G1Mul", "ServerVerify"),
		Suite:   pick(rng, "", "rfc9380", "a-1"),
		Curve:   pick(rng, "", "bls12-381", "bn254"),
		Backend: pick(rng, "", "gnark", "x:y"),
		Via:     pick(rng, "", "direct", "a=b"),
		Procs:   pick(rng, 1, 2, 1<<20),
	}
	if rng.Intn(2) == 0 {
		k.NName, k.N = pick(rng, "n", "t", "size"), pick(rng, 0, 1, 1<<30)
	}
	row := Row{Key: k, Warnings: genWarnings(rng)}
	memory := rng.Intn(2) == 0
	for range 1 + rng.Intn(25) {
		row.Samples = append(row.Samples, genCost(rng))
		row.Counts = append(row.Counts, pick(rng, 1, 64, 1<<30, 1+rng.Intn(1e9)))
		if memory {
			row.BytesSamples = append(row.BytesSamples, genCost(rng))
			row.AllocsSamples = append(row.AllocsSamples, genCost(rng))
		}
	}
	return row
}

func genCost(rng *rand.Rand) float64 {
	return pick(rng, 0, 1, 0.001, 1e-300, 1.0/3, maxCost, 1e6*rng.Float64(), 5000+rng.Float64())
}

func genWarnings(rng *rand.Rand) []string {
	var w []string
	for range rng.Intn(3) {
		w = append(w, pick(rng, "memory: tight", "inputs: 3", "BenchmarkA-1: x", ": ", "#"))
	}
	for i := range w {
		w[i] = oneLine(w[i])
	}
	return w
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.Intn(len(from))] }

func TestRoundTripLaws(t *testing.T) {
	laws := gopter.NewProperties(nil)
	laws.Property("Read(Write(r)) = r", prop.ForAll(
		func(r *Results) string {
			var b bytes.Buffer
			if err := Write(&b, r); err != nil {
				return err.Error()
			}
			text := b.String()
			back, err := Read(&b, "x.txt")
			if err != nil {
				return err.Error() + "\n" + text
			}
			if !reflect.DeepEqual(back, r) {
				return text
			}
			return ""
		}, genResults()))
	laws.Property("ParseKey(k.String()) = k or an error", prop.ForAll(
		func(op, value string, n int) bool {
			k := Key{Op: op, NName: "n", N: n, Curve: value, Via: value, Procs: 1}
			have, err := ParseKey(k.String())
			return err != nil || have == k
		}, gen.AnyString(), gen.AnyString(), gen.Int()))
	laws.TestingRun(t)
}

// Whatever Read accepts, Write writes, and Read reads the same again.
func FuzzRead(f *testing.F) {
	f.Add(sampleFile)
	f.Add("# date: x\n# warning: y\ncpu: a\n# warning BenchmarkA-1: z\nBenchmarkA-1 1 5 ns/op 3 B/op 4 allocs/op\n")
	f.Add("goos: x\ngoos:\nBenchmarkA/n=1/curve=bn254-1 1 5 ns/op\nBenchmarkA/n=1/curve=bn254-1 1 7 ns/op\n")
	f.Add("Unit ns/op better=lower\nBenchmarkA-1 1 NaN ns/op\n")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := Read(strings.NewReader(in), "x.txt")
		if err != nil {
			if r != nil {
				t.Fatal("results beside an error")
			}
			return
		}
		var b bytes.Buffer
		if err := Write(&b, r); err != nil {
			t.Fatalf("accepted but not written: %v", err)
		}
		back, err := Read(&b, "x.txt")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, r) {
			t.Fatalf("read %+v, then %+v", r, back)
		}
	})
}
