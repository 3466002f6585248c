// Package aa judges the harness by what it says of work whose difference is
// known: of rows against themselves, which must not be told apart, and against
// copies that are slower by a planted share, which must.
//
// A series is a number of runs of `mpin bench`, each in a process of its own. A
// run's comparisons of one operation are a family: the claims in it are made
// together, with Holm's correction, so that one family in twenty, at most, claims
// anything that is not so. A [File] keeps series as a history.
package aa

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"mpinlab/bench"
	"mpinlab/bench/rawjson"
)

// Correction names what the probabilities of a family were corrected by.
const Correction = "Holm, over the comparisons of an operation in a run"

// Kind is what a row is compared with.
type Kind string

// A row is compared with itself, with the same work without the planted
// slowdown, or with the faster of the backends.
const (
	Itself   Kind = "itself"
	Planted  Kind = "planted"
	Backends Kind = "backends"
)

// Number is one of a claim, null in JSON and NaN here where it is not finite.
type Number float64

// MarshalJSON writes null for what JSON has no number for.
func (n Number) MarshalJSON() ([]byte, error) {
	if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return json.Marshal(v)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads null as NaN.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Row is one comparison of a run; see bench.Claim.
type Row struct {
	Run     int    `json:"run"`
	Op      string `json:"op"`
	Backend string `json:"backend"`
	Base    string `json:"base"`
	Kind    Kind   `json:"kind"`
	Samples int    `json:"samples"`
	Ratio   Number `json:"ratio"`
	Lo      Number `json:"lo"`
	Hi      Number `json:"hi"`
	P       Number `json:"p"`
	Claimed bool   `json:"claimed"`
	Sees    Number `json:"sees"`
}

// Excludes reports whether the plain 95 % interval leaves out 1, however near.
func (r *Row) Excludes() bool { return r.Lo > 1 || r.Hi < 1 }

// Series is what came of a number of runs.
type Series struct {
	Environment rawjson.Settings `json:"environment"`
	// Wanted is the number of runs that were to be made.
	Wanted int `json:"wanted_runs"`
	// Percent is the size of the planted slowdown.
	Percent float64 `json:"planted_percent"`
	// Margin is the least share that is claimed, and Correction the constant.
	Margin     float64 `json:"margin"`
	Correction string  `json:"correction"`
	Rows       []Row   `json:"rows"`
}

// NewSeries begins a series of so many runs with a slowdown of so many per cent.
func NewSeries(runs int, percent float64) *Series {
	return &Series{Environment: rawjson.Environment(), Wanted: runs, Percent: percent, Margin: bench.Margin, Correction: Correction, Rows: []Row{}}
}

// ErrRun: the results are not of a run with controls and a planted slowdown.
var ErrRun = errors.New("no run with controls and planted rows")

// Add adds a run. Error: ErrRun.
func (s *Series) Add(r *bench.Results) error {
	run := s.Runs() + 1
	var rows []Row
	count := make(map[Kind]int)
	for _, c := range bench.Claims(r) {
		kind := Backends
		switch c.Row.Key.Via {
		case bench.ViaControl:
			kind = Itself
		case bench.ViaPlanted:
			kind = Planted
		}
		count[kind]++
		rows = append(rows, Row{run, c.Row.Key.Op, c.Row.Key.BackendID(), c.Base.Key.BackendID(), kind, len(c.Row.Samples),
			Number(c.Ratio), Number(c.Lo), Number(c.Hi), Number(c.P), c.Claimed, Number(c.Sees)})
	}
	if count[Itself] == 0 || count[Planted] != count[Itself] {
		return fmt.Errorf("%w: %d controls and %d planted rows", ErrRun, count[Itself], count[Planted])
	}
	s.Rows = append(s.Rows, rows...)
	return nil
}

// Runs is the number of runs that there are.
func (s *Series) Runs() int {
	if len(s.Rows) == 0 {
		return 0
	}
	return s.Rows[len(s.Rows)-1].Run
}

// Tally sums up a series for one operation.
type Tally struct {
	Op string
	// Runs is the number of runs, and Tests that of the comparisons that are
	// corrected together in one.
	Runs, Tests int
	// Differ counts the runs that claim a difference between any row and itself,
	// and Found those that find the slowdown in every backend.
	Differ, Found int
	// Intervals is the number of comparisons of a row with itself, and Excluding
	// how many of their plain 95 % intervals leave out 1: what a reader of the
	// interval alone would take for a difference. One in twenty is expected.
	Intervals, Excluding int
	// Least and Greatest are those of the ratios between the backends, run by
	// run, relative to their median; NaN of one backend.
	Least, Greatest float64
}

// Tallies sums the series up, one for each operation, in their order.
func (s *Series) Tallies() (list []Tally) {
	type family struct {
		op  string
		run int
	}
	families := make(map[family][]*Row)
	var order []family
	for i := range s.Rows {
		f := family{s.Rows[i].Op, s.Rows[i].Run}
		if families[f] == nil {
			order = append(order, f)
		}
		families[f] = append(families[f], &s.Rows[i])
	}
	ratios := make(map[string][]float64)
	for _, f := range order {
		i := slices.IndexFunc(list, func(t Tally) bool { return t.Op == f.op })
		if i < 0 {
			i, list = len(list), append(list, Tally{Op: f.op})
		}
		t := &list[i]
		t.Runs++
		t.Tests = max(t.Tests, len(families[f]))
		differs, finds := false, true
		for _, r := range families[f] {
			switch r.Kind {
			case Itself:
				t.Intervals++
				differs = differs || r.Claimed
				if r.Excludes() {
					t.Excluding++
				}
			case Planted:
				finds = finds && r.Claimed && r.Ratio > 1
			case Backends:
				ratios[f.op] = append(ratios[f.op], float64(r.Ratio))
			}
		}
		if differs {
			t.Differ++
		}
		if finds {
			t.Found++
		}
	}
	for i := range list {
		list[i].Least, list[i].Greatest = spread(ratios[list[i].Op])
	}
	return list
}

// spread returns the least and the greatest of values as shares of their
// median, from it.
func spread(values []float64) (least, greatest float64) {
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(values)
	middle := (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	return values[0]/middle - 1, values[len(values)-1]/middle - 1
}

// Allowed is how many of so many runs may claim what is not so, and how many may
// miss the slowdown: one in twenty.
func Allowed(runs int) int { return runs / 20 }

// Passes reports whether the harness does: all runs were made, and of each
// operation's no more than allowed differ, or miss the slowdown.
func (s *Series) Passes() bool {
	tallies := s.Tallies()
	for _, t := range tallies {
		if t.Differ > Allowed(t.Runs) || t.Found < t.Runs-Allowed(t.Runs) {
			return false
		}
	}
	return len(tallies) > 0 && s.Runs() >= s.Wanted
}

// Words says what a tally shows, a sentence each.
func (t Tally) Words(s *Series) []string {
	words := []string{
		fmt.Sprintf("%s: %d of %d runs claim a difference between a row and itself (allowed: %d).", t.Op, t.Differ, t.Runs, Allowed(t.Runs)),
		fmt.Sprintf("%s: %d of %d runs find the planted slowdown of %.3g %% in every backend (wanted: %d).", t.Op, t.Found, t.Runs, s.Percent, t.Runs-Allowed(t.Runs)),
		fmt.Sprintf("%s: %d of %d plain 95 %% intervals of a row against itself leave out 1 (about %.2g are expected to). Claims are made at 95 %% for each run's "+
			"%d comparisons together, by Holm's correction, and only beyond %.2g %%.", t.Op, t.Excluding, t.Intervals, float64(t.Intervals)/20, t.Tests, 100*s.Margin),
	}
	if !math.IsNaN(t.Least) && t.Runs > 1 {
		words = append(words, fmt.Sprintf("%s: the ratio between the backends lay from %+.2f to %+.2f %% about its median, run by run.", t.Op, 100*t.Least, 100*t.Greatest))
	}
	return words
}

// File is a history of series, oldest first.
type File struct {
	Series []Series `json:"series"`
}

// maxSeries bounds a file; the oldest go.
const maxSeries = 40

// With returns the history with one more series.
func (f *File) With(s *Series) *File {
	all := append(slices.Clone(f.Series), *s)
	return &File{all[max(0, len(all)-maxSeries):]}
}

// Write writes the history as JSON.
func Write(w io.Writer, f *File) error { return rawjson.Write(w, f) }

// WriteFile writes the history to a file, which is never seen half written.
func WriteFile(path string, f *File) (err error) {
	to, err := os.CreateTemp(filepath.Dir(path), ".aa-*")
	if err != nil {
		return fmt.Errorf("aa: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(to.Name())
			err = fmt.Errorf("aa: %w", err)
		}
	}()
	err = errors.Join(Write(to, f), to.Chmod(0o644), to.Close())
	if err != nil {
		return err
	}
	return os.Rename(to.Name(), path)
}

// ReadFile reads what WriteFile wrote. Errors: rawjson.ErrFile, and those of the
// system.
func ReadFile(path string) (*File, error) {
	b, err := rawjson.Load(path)
	if err != nil {
		return nil, err
	}
	f, err := Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Read reads the content of a file. Error: rawjson.ErrFile.
func Read(b []byte) (*File, error) {
	var f File
	if err := rawjson.Read(b, &f); err != nil {
		return nil, err
	}
	for i := range f.Series {
		last := 1
		for j, r := range f.Series[i].Rows {
			if r.Op == "" || r.Backend == "" || r.Run < last || r.Run > last+1 || j == 0 && r.Run != 1 ||
				!slices.Contains([]Kind{Itself, Planted, Backends}, r.Kind) {
				return nil, fmt.Errorf("%w: series %d, row %d", rawjson.ErrFile, i+1, j+1)
			}
			last = r.Run
		}
	}
	return &f, nil
}
