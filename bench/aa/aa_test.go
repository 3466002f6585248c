package aa

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mpinlab/bench"
	"mpinlab/bench/rawjson"
)

// run makes the results of a run in which a control and a planted row cost so
// many times as much as the row that they are copies of.
func run(seed uint64, control, planted float64) *bench.Results {
	rng := rand.New(rand.NewPCG(seed, 7))
	r := &bench.Results{}
	for _, row := range []struct {
		backend, via string
		cost         float64
	}{{"a", "protocol", 1}, {"b", "protocol", 1.5}, {"a", bench.ViaControl, control}, {"a", bench.ViaPlanted, planted}} {
		out := bench.Row{Key: bench.Key{Op: "ServerVerify", Suite: "rfc9380", Curve: "bls12-381", Backend: row.backend, Via: row.via, Procs: 1}}
		for range 60 {
			out.Samples = append(out.Samples, 1e6*row.cost*(1+0.01*rng.NormFloat64()))
		}
		r.Rows = append(r.Rows, out)
	}
	bench.Summarise(r)
	return r
}

func series(t *testing.T, wanted int, runs ...*bench.Results) *Series {
	t.Helper()
	s := NewSeries(wanted, 3)
	for _, r := range runs {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestSeries(t *testing.T) {
	for _, c := range []struct {
		name          string
		s             *Series
		differ, found int
		passes        bool
	}{
		{"sound", series(t, 3, run(1, 1, 1.03), run(2, 1, 1.03), run(3, 1, 1.03)), 0, 3, true},
		{"sees what is not there", series(t, 2, run(1, 1.05, 1.03), run(2, 1, 1.03)), 1, 2, false},
		{"misses what is there", series(t, 2, run(1, 1, 1), run(2, 1, 1.03)), 0, 1, false},
		{"finds the opposite", series(t, 1, run(1, 1, 0.9)), 0, 0, false},
		{"interrupted", series(t, 3, run(1, 1, 1.03), run(2, 1, 1.03)), 0, 2, false},
	} {
		tallies := c.s.Tallies()
		if len(tallies) != 1 {
			t.Errorf("%s: %+v", c.name, tallies)
			continue
		}
		got := tallies[0]
		if got.Differ != c.differ || got.Found != c.found || c.s.Passes() != c.passes || got.Tests != 3 || got.Intervals != got.Runs || !(got.Least <= 0 && got.Greatest >= 0) {
			t.Errorf("%s: %+v, passes %t", c.name, got, c.s.Passes())
		}
	}
	if NewSeries(0, 3).Passes() {
		t.Error("no run passes")
	}
	s := NewSeries(1, 3)
	if err := s.Add(&bench.Results{}); !errors.Is(err, ErrRun) || s.Runs() != 0 {
		t.Errorf("no rows: %v", err)
	}
	if words := strings.Join(series(t, 1, run(1, 1.05, 1.03)).Tallies()[0].Words(s), "\n"); !strings.Contains(words, "1 of 1 runs claim") ||
		!strings.Contains(words, "1 of 1 plain 95 % intervals") || !strings.Contains(words, "3 comparisons together, by Holm's") {
		t.Error(words)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aa.json")
	few := run(1, 1, 1.03)
	for i := range few.Rows {
		few.Rows[i].Samples = few.Rows[i].Samples[:5] // no interval
	}
	bench.Summarise(few)
	f := (&File{}).With(series(t, 1, few)).With(series(t, 2, run(1, 1, 1.03), run(2, 1, 1.03)))
	if err := WriteFile(path, f); err != nil {
		t.Fatal(err)
	}
	back, err := ReadFile(path)
	if err != nil || len(back.Series) != 2 || back.Series[1].Runs() != 2 || !reflect.DeepEqual(back.Series[1], f.Series[1]) {
		t.Fatalf("%+v, %v", back, err)
	}
	if r := back.Series[0].Rows[0]; !math.IsNaN(float64(r.Hi)) || r.Excludes() {
		t.Errorf("without an interval: %+v", r)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".aa-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for range maxSeries {
		f = f.With(&Series{})
	}
	if len(f.Series) != maxSeries || len(f.Series[0].Rows) != 0 {
		t.Errorf("%d series", len(f.Series))
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := WriteFile(filepath.Join(path, "under-a-file"), f); err == nil {
		t.Error("written under a file")
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	s := NewSeries(1, 3)
	if err := s.Add(run(1, 1, 1.03)); err != nil {
		f.Fatal(err)
	}
	if err := Write(&b, (&File{}).With(s)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"series":[{"rows":[{"run":2,"op":"a","backend":"b","kind":"itself"}]}]}`))
	f.Add([]byte(`{"series":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Read(b)
		if err != nil {
			if !errors.Is(err, rawjson.ErrFile) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		for i := range file.Series {
			for _, tally := range file.Series[i].Tallies() {
				tally.Words(&file.Series[i])
			}
			file.Series[i].Passes()
		}
	})
}
