package measured

import (
	"math"
	"slices"
	"testing"

	"mpinlab/bench"
)

// verify makes a row of ServerVerify with a cost, its interval and samples that
// go to and fro between its ends.
func verify(backend, curve, suite string, procs int, lo, median, hi float64) bench.Row {
	row := bench.Row{Key: bench.Key{Op: "ServerVerify", Suite: suite, Curve: curve, Backend: backend, Via: Protocol, Procs: procs},
		Median: median, Lo: lo, Hi: hi}
	for i := range 40 {
		row.Samples, row.Counts = append(row.Samples, []float64{lo, hi}[i%2]), append(row.Counts, 1)
	}
	return row
}

func TestLeaders(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name string
		rows []bench.Row
		want []string
	}{
		{"one", []bench.Row{verify("a", "bls12-381", "rfc9380", 1, 99, 100, 101), verify("b", "bls12-381", "rfc9380", 1, 102, 103, 104)}, []string{"a/bls12-381"}},
		{"level", []bench.Row{verify("b", "bls12-381", "rfc9380", 1, 98, 100.4, 103), verify("a", "bls12-381", "rfc9380", 1, 99, 100, 101)}, []string{"a/bls12-381", "b/bls12-381"}},
		{"weak curves aside", []bench.Row{verify("a", "bn254", "rfc9380", 1, 9, 10, 11), verify("b", "bls12-377", "rfc9380", 1, 99, 100, 101)}, []string{"b/bls12-377"}},
		{"excluded", []bench.Row{verify("out", "bls12-381", "rfc9380", 1, 9, 10, 11), verify("b", "bls12-381", "rfc9380", 1, 99, 100, 101)}, []string{"b/bls12-381"}},
		{"no interval", []bench.Row{verify("a", "bls12-381", "rfc9380", 1, -inf, 100, inf), verify("b", "bls12-381", "rfc9380", 1, 102, 103, 104)}, nil},
		{"none", nil, nil},
	} {
		set, excluded := New(&bench.Results{Rows: c.rows}), map[string]string{"out/bls12-381": ""}
		ranking := Ranking(set.Verifiers(), excluded, Strong, 0)
		lead := Leaders(ranking, set.Claims(ranking, excluded))
		if len(lead) != len(c.want) {
			t.Errorf("%s: %v", c.name, lead)
			continue
		}
		for i, r := range lead {
			if r.Backend.ID() != c.want[i] {
				t.Errorf("%s: %s, not %s", c.name, r.Backend.ID(), c.want[i])
			}
		}
	}
}

func TestSetChooses(t *testing.T) {
	nan := verify("a", "bn254", "rfc9380", 1, 1, math.NaN(), 1)
	s := New(&bench.Results{Rows: []bench.Row{
		nan,
		verify("a", "bls12-381", "milagro", 1, 0, 1, 2),
		verify("a", "bls12-381", "rfc9380", 2, 0, 5, 9),
		verify("a", "bls12-381", "rfc9380", 1, 0, 3, 9),
		verify("b", "fp256bn", "miracl-core", 1, 0, 4, 9),
		verify("b", "fp256bn", "milagro", 1, 0, 6, 9),
		verify("c", "no-such-curve", "rfc9380", 1, 0, 7, 9),
	}})
	for i, want := range []struct {
		id, dialect string
		bits        int
		cost        float64
	}{{"a/bls12-381", "rfc9380", 120, 3}, {"b/fp256bn", "milagro", 100, 6}, {"c/no-such-curve", "rfc9380", 0, 7}} {
		b := s.Backends()[i]
		row := s.Protocol("ServerVerify", b)
		if b.ID() != want.id || s.Dialect(b) != want.dialect || b.Bits != want.bits || row == nil || row.Median != want.cost {
			t.Errorf("%v in %s: %v", b, s.Dialect(b), row)
		}
	}
	if n := len(s.Backends()); n != 3 {
		t.Errorf("%d backends", n)
	}
}

func TestSized(t *testing.T) {
	row := func(n int, name, suite, via string) bench.Row {
		return bench.Row{Key: bench.Key{Op: "ServerVerifyBatch", N: n, NName: name, Suite: suite, Curve: "bn254", Backend: "a", Via: via, Procs: 1}, Median: float64(n)}
	}
	s := New(&bench.Results{Rows: []bench.Row{
		row(64, "n", "rfc9380", Protocol), row(8, "n", "rfc9380", Protocol), row(1024, "n", "rfc9380", Protocol),
		row(16, "n", "milagro", Protocol), row(32, "t", "rfc9380", Protocol), row(128, "n", "rfc9380", Direct),
	}})
	var sizes []int
	for _, r := range s.Sized("ServerVerifyBatch", s.Backends()[0]) {
		sizes = append(sizes, r.Key.N)
	}
	if !slices.Equal(sizes, []int{8, 64, 1024}) {
		t.Errorf("sizes %v", sizes)
	}
	if list := s.Sized("ServerVerify", s.Backends()[0]); len(list) != 0 {
		t.Errorf("%v", list)
	}
}

func TestPriced(t *testing.T) {
	row := func(op, suite, via string, samples ...float64) bench.Row {
		return bench.Row{Key: bench.Key{Op: op, Suite: suite, Curve: "bn254", Backend: "a", Via: via, Procs: 1}, Median: samples[0], Samples: samples}
	}
	list := New(&bench.Results{Rows: []bench.Row{
		row("G1Add", "", Direct, 100, 110, 120, 130, 140, 150),
		row("G1Add", "", Interface, 103, 113.3, 123.6, 133.9, 144.2, 154.5),
		row("G1Mul", "", Direct, 100),
		row("ServerVerify", "rfc9380", Direct, 100, 100),
		row("ServerVerify", "rfc9380", Protocol, 103),
	}}).Priced()
	if len(list) != 2 || list[0].Name != "G1Add" || list[1].Name != "ServerVerify" {
		t.Fatalf("%+v", list)
	}
	// Samples of one round are compared: the machine's drift cancels.
	if e := list[0].Extra(); !e.HasInterval() || math.Abs(e.Mid-0.03) > 1e-9 || e.Hi-e.Lo > 1e-9 {
		t.Errorf("%+v", e)
	}
	if e := list[1].Extra(); !math.IsNaN(e.Mid) {
		t.Errorf("rows of different runs: %+v", e)
	}
}

func TestRates(t *testing.T) {
	rate := Estimate{Mid: 1e6, Lo: 8e5, Hi: 2e6}.PerSecond()
	if rate != (Estimate{Mid: 1000, Lo: 500, Hi: 1250}) {
		t.Errorf("%+v", rate)
	}
	none := Estimate{Mid: 1e6, Lo: math.Inf(-1), Hi: math.Inf(1)}.PerSecond()
	if none.HasInterval() || none.Mid != 1000 {
		t.Errorf("%+v", none)
	}
}
