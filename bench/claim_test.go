package bench

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// noisy makes a run of rows whose costs share the noise of a round, as rows on
// one machine do, and have some of their own.
func noisy(seed uint64, rounds int, costs map[Key]float64, order ...Key) *Results {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := &Results{}
	for _, k := range order {
		r.Rows = append(r.Rows, Row{Key: k})
	}
	for range rounds {
		round := 1 + math.Abs(rng.NormFloat64())
		for i := range r.Rows {
			row := &r.Rows[i]
			row.Samples = append(row.Samples, 1e6*costs[row.Key]*round*(1+0.01*rng.NormFloat64()))
			row.Counts = append(row.Counts, 1)
		}
	}
	Summarise(r)
	return r
}

func verifyKey(backend, via string) Key {
	return Key{Op: "ServerVerify", Suite: "rfc9380", Curve: "bn254", Backend: backend, Via: via, Procs: 1}
}

func TestClaims(t *testing.T) {
	fast, slow, same := verifyKey("fast", "protocol"), verifyKey("slow", "protocol"), verifyKey("same", "protocol")
	direct, control, planted := verifyKey("slow", "direct"), verifyKey("slow", ViaControl), verifyKey("fast", ViaPlanted)
	r := noisy(1, 200, map[Key]float64{fast: 1, slow: 1.5, same: 1.003, direct: 0.9, control: 1.5, planted: 1.03},
		direct, slow, fast, control, same, planted)
	list := Claims(r)
	want := []struct {
		row, base Key
		ratio     float64
		claimed   bool
	}{{slow, fast, 1.5, true}, {control, slow, 1, false}, {same, fast, 1, false}, {planted, fast, 1.03, true}}
	if len(list) != len(want) {
		t.Fatalf("%d claims: %+v", len(list), list)
	}
	for i, w := range want {
		c := list[i]
		if c.Row.Key != w.row || c.Base.Key != w.base || c.Claimed != w.claimed || math.Abs(c.Ratio/w.ratio-1) > 0.01 {
			t.Errorf("%s", c.String())
		}
		if !(c.Lo <= c.Ratio && c.Ratio <= c.Hi) || c.Sees < Margin || c.Sees > 0.03 {
			t.Errorf("interval or sensitivity: %+v", c)
		}
		if isControl := w.row.Via == ViaControl; (c.Control == nil) != isControl || !isControl && c.Control.Row.Key != control {
			t.Errorf("%v: control %+v", c.Row.Key, c.Control)
		}
	}
	s := Sense(list)
	if s.Claims != 3 || s.Claimed != 2 || s.Controls != 1 || s.Differ != 0 || !(s.Median <= s.Worst) || math.IsInf(s.Worst, 0) {
		t.Errorf("%+v", s)
	}

	var file bytes.Buffer
	if err := Write(&file, r); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(file.String(), "\n# claim Benchmark"); n != len(want) {
		t.Errorf("%d claims in the file", n)
	}
}

// TestFalseClaims draws many runs in which nothing differs, and many in which
// one row is slower by 3 %. The draws are the same every time.
func TestFalseClaims(t *testing.T) {
	a, b, again, planted := verifyKey("a", "protocol"), verifyKey("b", "protocol"), verifyKey("a", ViaControl), verifyKey("a", ViaPlanted)
	const runs = 400
	wrong, found := 0, 0
	for seed := range uint64(runs) {
		for _, c := range Claims(noisy(seed, 30, map[Key]float64{a: 1, b: 1, again: 1, planted: 1.03}, a, b, again, planted)) {
			switch {
			case c.Row.Key == planted:
				if c.Claimed && c.Ratio > 1 {
					found++
				}
			case c.Claimed:
				wrong++
			}
		}
	}
	if wrong > runs/20 || found < runs*19/20 {
		t.Errorf("of %d runs %d claim what is not so and %d find what is", runs, wrong, found)
	}
}

func TestTooFewToClaim(t *testing.T) {
	a, b := verifyKey("a", "protocol"), verifyKey("b", "protocol")
	list := Claims(noisy(3, 5, map[Key]float64{a: 1, b: 9}, a, b))
	if len(list) != 1 || list[0].Claimed || !math.IsInf(list[0].Sees, 1) {
		t.Errorf("%+v", list)
	}
	if s := Sense(list).String(); !strings.Contains(s, "too few samples") {
		t.Error(s)
	}
	uneven := noisy(3, 9, map[Key]float64{a: 1, b: 9}, a, b)
	uneven.Rows[0].Samples = uneven.Rows[0].Samples[1:]
	if list := Claims(uneven); len(list) != 1 || list[0].Claimed || list[0].P != 1 {
		t.Errorf("rows of different rounds: %+v", list)
	}
}

func TestHolm(t *testing.T) {
	have := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if math.Abs(have[i]-want) > 1e-12 {
			t.Errorf("%v", have)
		}
	}
	laws := gopter.NewProperties(nil)
	laws.Property("p ≤ Holm(p) ≤ 1, in the same order, and the least is n·p", prop.ForAll(func(p []float64) bool {
		out := Holm(p)
		for i := range p {
			if out[i] < p[i] || out[i] > 1 {
				return false
			}
			for j := range p {
				if p[i] < p[j] && out[i] > out[j] {
					return false
				}
			}
		}
		return len(p) == 0 || slices.Min(out) == min(1, float64(len(p))*slices.Min(p))
	}, gen.SliceOf(gen.Float64Range(0, 1))))
	laws.TestingRun(t)
}

func TestSignTest(t *testing.T) {
	for _, c := range []struct {
		ratios []float64
		want   float64
	}{
		{[]float64{2, 2, 2, 2, 2, 2}, 2.0 / 64},
		{[]float64{0.5, 0.5, 0.5, 0.5, 0.5, 2}, 14.0 / 64},
		{[]float64{1.004, 1.004, 0.996, 1, 1, 1.004}, 1}, // all within the margin
	} {
		if p := signTest(c.ratios, Margin); math.Abs(p-c.want) > 1e-9 {
			t.Errorf("%v: p = %v, expected %v", c.ratios, p, c.want)
		}
	}
}
