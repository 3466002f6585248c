package leak

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench/rawjson"
)

// TestPlanted is the test of the test: it runs what every run begins with. The
// early exit saves more than a microsecond in four kilobytes. Of equal times |t|
// is above 4.5 by chance once in some thousand runs, being the greatest of many,
// and what a busy machine adds can hide the early exit from one run; a statistic
// or a target that is wrong is wrong in all of them.
func TestPlanted(t *testing.T) {
	targets, err := Targets(nil, Selection{})
	if err != nil || len(targets) != 2 {
		t.Fatalf("%d targets, %v", len(targets), err)
	}
	samples := 20_000
	if testing.Short() {
		samples = 4_000
	}
	for seed := range uint64(5) {
		r, err := Run(context.Background(), targets, Options{Samples: samples, Seed: seed + 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Rows {
			t.Logf("%s: t = %.2f at %g %%, %.1f ns, visible %.1f ns", row.Op, row.T, row.Crop, row.Difference, row.Visible)
			if n := row.FixedSamples + row.RandomSamples; n != samples || 5*row.FixedSamples < 2*n || 5*row.RandomSamples < 2*n {
				t.Errorf("%s: %d and %d samples", row.Op, row.FixedSamples, row.RandomSamples)
			}
		}
		if err = r.Valid(); err == nil {
			return
		}
		t.Log(err)
	}
	t.Error("none of the runs is valid")
}

// TestTargets runs every operation on backends of each kind.
func TestTargets(t *testing.T) {
	var bs []backends.Backend
	for _, id := range []string{"gnark/bls12-381", "gnark/bn254"} {
		b, err := all.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		bs = append(bs, b)
	}
	if !testing.Short() {
		bs = append(bs, all.Backends()...)
	}
	targets, err := Targets(bs, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	want := 2
	for _, o := range operations {
		want += len(o.fixed) * len(bs)
	}
	if len(targets) != want {
		t.Errorf("%d targets, not %d", len(targets), want)
	}
	for i, target := range targets {
		trial, err := target.setup(source(3, uint64(i)))
		if err != nil {
			t.Fatalf("%s on %s: %v", target.Op, target.Backend, err)
		}
		for k, fixed := range []bool{true, false, true} {
			if err := errors.Join(trial.prepare(k, fixed), trial.run(k)); err != nil {
				t.Errorf("%s on %s: %v", target.Op, target.Backend, err)
			}
		}
	}
}

// TestFixedSecretsAreFixed looks at what the classes get to see.
func TestFixedSecretsAreFixed(t *testing.T) {
	b, err := all.Get("gnark/bls12-381")
	if err != nil {
		t.Fatal(err)
	}
	s, err := firstSuite(b)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorld(s, source(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.scalar(w.fixedWide(Extreme)); new(big.Int).SetBytes(got).Cmp(w.extreme()) != 0 {
		t.Errorf("the extreme scalar is %x", got)
	}
	if got := string(w.digits(Extreme)); got != "0000" {
		t.Errorf("the extreme PIN is %s", got)
	}
	seen := map[string]bool{}
	for range 50 {
		seen[string(w.digits(Drawn))] = true
		if d := w.digits(Drawn); len(d) != 4 {
			t.Errorf("a PIN of %d digits", len(d))
		}
	}
	if len(seen) < 40 {
		t.Errorf("of 50 drawn PINs %d differ", len(seen))
	}
	fixed, drawn, to := []byte{1, 2}, []byte{3, 4}, make([]byte, 2)
	for _, isFixed := range []bool{true, false} {
		choose(to, fixed, drawn, isFixed)
		if want := map[bool][]byte{true: fixed, false: drawn}[isFixed]; !bytes.Equal(to, want) {
			t.Errorf("%t: %v", isFixed, to)
		}
	}
}

func TestCompare(t *testing.T) {
	// Times as a busy machine gives them: skewed, with outliers of a thousand
	// times the size.
	noisy := func(rng *rand.Rand, mean float64) float64 {
		v := mean + 20*math.Abs(rng.NormFloat64())
		if rng.IntN(50) == 0 {
			v += 1000 * mean * rng.Float64()
		}
		return math.Round(v)
	}
	seeds := uint64(40)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		same, apart := &times{}, &times{}
		for range 5000 {
			same.fixed, same.random = append(same.fixed, noisy(rng, 500)), append(same.random, noisy(rng, 500))
			apart.fixed, apart.random = append(apart.fixed, noisy(rng, 510)), append(apart.random, noisy(rng, 500))
		}
		if c := compare(same); math.Abs(c.t) >= Noise {
			t.Errorf("seed %d: |t| of nothing is %.1f", seed, c.t)
		}
		c := compare(apart)
		if full := welch(apart.fixed, apart.random); c.visible >= Noise*full.se || c.visible > 10 {
			t.Errorf("seed %d: visible are %.1f ns", seed, c.visible)
		}
		if c.t < Certain || c.crop == 100 {
			t.Errorf("seed %d: t of 10 ns in 500 is %.1f at %g %%", seed, c.t, c.crop)
		}
		if all := welch(apart.fixed, apart.random); math.Abs(all.t) >= Certain {
			t.Errorf("seed %d: the outliers hide nothing: %.1f", seed, all.t)
		}
	}
	// Constant times: the variance is that of the clock.
	equal := &times{}
	for range 100 {
		equal.fixed, equal.random = append(equal.fixed, 30), append(equal.random, 30)
	}
	if c := compare(equal); c.t != 0 || math.IsNaN(c.se) || c.se == 0 {
		t.Errorf("of equal times: %+v", c)
	}
	// Welch's t of a small sample, by hand: means 2 and 5, variances 1 and 4,
	// three of each.
	if c := welch([]float64{1, 2, 3}, []float64{3, 5, 7}); math.Abs(c.t- -3/math.Sqrt(5.0/3)) > 1e-12 || c.difference != -3 {
		t.Errorf("t is %v", c.t)
	}
}

func TestVerdicts(t *testing.T) {
	for v, want := range map[float64]Verdict{0: NotSeen, 4.49: NotSeen, 4.5: Suspected, 9.99: Suspected, 10: Leaks, 1e6: Leaks} {
		if got := VerdictOf(v); got != want {
			t.Errorf("%g is %s", v, got)
		}
	}
	row := func(op string, v float64) Row { return Row{Op: op, Backend: Planted, T: v} }
	for _, c := range []struct {
		early, constant float64
		valid           bool
	}{{-300, 2, true}, {300, -4.4, true}, {300, 4.5, false}, {10, 1, false}, {300, -7, false}} {
		r := &Results{Rows: []Row{row(EarlyExit, c.early), row(ConstantTime, c.constant)}}
		if err := r.Valid(); (err == nil) != c.valid || err != nil && !errors.Is(err, ErrPlanted) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := (&Results{}).Valid(); !errors.Is(err, ErrPlanted) {
		t.Errorf("without rows: %v", err)
	}
}

func TestMisuse(t *testing.T) {
	if _, err := Run(context.Background(), nil, Options{Samples: 10}); !errors.Is(err, ErrSamples) {
		t.Errorf("ten samples: %v", err)
	}
	if _, err := Targets(all.Backends(), Selection{Op: regexp.MustCompile("^Pair$")}); err == nil || !strings.Contains(err.Error(), "ClientPass1") {
		t.Errorf("an unknown operation: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := Run(ctx, planted(), Options{}); !errors.Is(err, context.Canceled) || r == nil {
		t.Errorf("cancelled: %v", err)
	}
	bad := Target{Op: "x", Backend: "y", setup: func(*rand.ChaCha8) (*trial, error) { return nil, errors.New("no <such> thing") }}
	r, err := Run(context.Background(), []Target{bad}, Options{})
	if err != nil || len(r.Rows) != 0 || len(r.Warnings) != 1 {
		t.Errorf("a target that fails: %+v, %v", r, err)
	}
}

func TestFiles(t *testing.T) {
	r := results()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "leak.json")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	back, err := ReadFile(path)
	if err != nil || len(back.Rows) != len(r.Rows) || back.Rows[3] != r.Rows[3] || back.Environment.Get("cpu") != "A 1" || back.Environment.Get("x") != "" {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []string{"", "null x", "[]", `{"rows":[{}]}`, `{"rows":[{"op":"a","backend":"b","crop":200}]}`, `{"unknown":1}`, "{}{}", "{} x"} {
		if _, err := Read([]byte(bad)); !errors.Is(err, rawjson.ErrFile) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := Read(make([]byte, rawjson.MaxBytes+1)); !errors.Is(err, rawjson.ErrFile) {
		t.Errorf("a long file: %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, results()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"rows":[{"op":"a","backend":"b","t":1e308}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Read(b)
		if err != nil {
			if !errors.Is(err, rawjson.ErrFile) {
				t.Errorf("error %v", err)
			}
			return
		}
		_ = r.Valid()
		Markdown(&bytes.Buffer{}, r, nil)
	})
}

// results are a run of two backends, one of which leaks.
func results() *Results {
	r := &Results{Environment: rawjson.Settings{{Key: "cpu", Value: "A 1"}}, Samples: 10_000, Seed: 1, Rows: []Row{
		{Op: EarlyExit, Backend: Planted, Fixed: Drawn, T: 900, Crop: 90},
		{Op: ConstantTime, Backend: Planted, Fixed: Drawn, T: -1.2, Crop: 100},
	}}
	for _, id := range []string{"blst/bls12-381", "gnark/bls12-381", "circl/bls12-381"} {
		for _, o := range operations {
			for i, fixed := range o.fixed {
				row := Row{Op: o.Name, Backend: id, Fixed: fixed, T: float64(i) + 1, Crop: 50}
				if id == "gnark/bls12-381" && fixed == Extreme {
					row.T = -55
				}
				if id == "circl/bls12-381" && o.Name == "SetPIN" && fixed == Extreme {
					row.T = 5
				}
				r.Rows = append(r.Rows, row)
			}
		}
	}
	for i := range r.Rows {
		r.Rows[i].Verdict = VerdictOf(math.Abs(r.Rows[i].T))
	}
	return r
}

func infos() []backends.Info {
	return []backends.Info{
		{ID: "blst/bls12-381", ConstantTime: backends.ConstantTimeClaimed}, {ID: "gnark/bls12-381", ConstantTime: backends.ConstantTimeNo},
		{ID: "circl/bls12-381", ConstantTime: backends.ConstantTimeClaimed},
	}
}

func TestAdvice(t *testing.T) {
	r := results()
	s := Standings(r, infos())
	if len(s) != 3 || !s[0].Suited() || s[1].Suited() || s[2].Suited() || len(s[1].Leaking) != 5 || s[1].Worst.T != -55 || len(s[2].Suspect) != 1 {
		t.Errorf("%+v", s)
	}
	words := Advice(r, s)
	for _, want := range []string{"use blst/bls12-381: meant", "circl/bls12-381 (SetPIN)"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q does not say %q", words, want)
		}
	}
	if strings.Contains(words, "gnark") {
		t.Errorf("%q advises what leaks", words)
	}
	var b bytes.Buffer
	Markdown(&b, r, infos())
	for _, want := range []string{"| blst/bls12-381 | claimed | · 2.0 |", "| gnark/bls12-381 | no | ✗ 55.0 |", "✗ 55.0 | · 1.0 |\n", "? 5.0", "| planted | EarlyExit | drawn |", "What this does not prove"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page does not say %q:\n%s", want, b.String())
		}
	}

	// An operation that was not tested is not one without a difference.
	var part Results
	for _, row := range r.Rows {
		if row.Op != "SetPIN" {
			part.Rows = append(part.Rows, row)
		}
	}
	if s := Standings(&part, infos()); s[0].Suited() || !strings.HasPrefix(Advice(&part, s), "No backend") {
		t.Errorf("on a part: %+v", s[0])
	}
	part.Rows = part.Rows[2:]
	if words := Advice(&part, Standings(&part, infos())); !strings.HasPrefix(words, "This run proves nothing") {
		t.Errorf("without plants: %s", words)
	}
}

// TestRecordedPage holds the page of the documentation against the record that
// it is made from.
func TestRecordedPage(t *testing.T) {
	r, err := ReadFile(filepath.Join("..", "record", "leak.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Valid(); err != nil {
		t.Error(err)
	}
	var infos []backends.Info
	for _, e := range all.Entries() {
		infos = append(infos, e.Info)
	}
	var want bytes.Buffer
	Markdown(&want, r, infos)
	have, err := os.ReadFile(filepath.Join("..", "record", "leak.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Error("leak.md is not what leak.json says; run: mpin leak --read bench/record/leak.json --markdown > bench/record/leak.md")
	}
	for _, id := range r.Backends() {
		for _, o := range operations {
			if r.Find(o.Name, id) == nil {
				t.Errorf("%s on %s is not in the record", o.Name, id)
			}
		}
	}
}
