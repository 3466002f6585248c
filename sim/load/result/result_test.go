package result

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sample() *Run {
	h := Histograms{}
	for _, phase := range []string{Whole, Pass1} {
		for _, m := range []string{Response, Service} {
			g := NewHistogram()
			for range 1000 {
				_ = g.RecordValue(Clamp(int64(rand.ExpFloat64() * 5000)))
			}
			h[Tag(phase, m)] = g
		}
	}
	return &Run{
		Scenario: "x", Title: "X", Seed: 3, Scale: 1, Started: time.Now().UTC().Truncate(time.Millisecond), Elapsed: 3, Histograms: h, Source: []byte("name: x\n"),
		Environment: []Setting{{"cpu", "a CPU"}}, Counts: Counts{Intended: 4, Outcomes: map[string]int64{Accepted: 3, Dropped: 1}},
		Timeline: []Tick{
			{Second: 0, Stage: "a, b", Faults: "kill", Intended: 3, Started: 2, Late: 1, InFlight: 2, Outcomes: map[string]int64{Accepted: 2, Dropped: 1}, P50: 1.5, P99: 2, Max: 2},
			{Second: 1, Outcomes: map[string]int64{}},
		},
		ServerTimeline: []ServerTick{{Second: 0, Node: "rps-1", CPU: 0.5, Memory: 1 << 20, Heap: -1, Goroutines: 7, Files: 9, GC: 0.01, Requests: 8, Store: -1, Batch: 2.5}},
		Phases:         []Phase{{Name: Whole, Response: Summary(h[Tag(Whole, Response)])}, {Name: Pass1, Service: Summary(h[Tag(Pass1, Service)])}},
		Searches:       []Search{{Label: "batching", Batching: true, RPS: 1, Knee: 1234, Probes: []Probe{{Rate: 1000}}}},
		SLOs:           []SLO{{Name: "p99", Met: true}}, Met: true,
	}
}

func TestRoundTrip(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	r := sample()
	if err := r.Write(folder); err != nil {
		t.Fatal(err)
	}
	again, err := Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	for tag, h := range r.Histograms {
		if g := again.Histograms[tag]; g == nil || !g.Equals(h) {
			t.Errorf("histogram %s differs", tag)
		}
	}
	r.Histograms, again.Histograms = nil, nil
	if !reflect.DeepEqual(r, again) {
		t.Errorf("\n%+v\n%+v", r, again)
	}
	b, err := os.ReadFile(filepath.Join(folder, BenchFile))
	if err != nil || !strings.Contains(string(b), "BenchmarkSaturation/verifier=batching/rps=1/bad=0 1 1234 logins/s") {
		t.Errorf("%v\n%s", err, b)
	}
}

// Histograms of parts, merged, are the histogram of the whole: every count.
func TestMergingIsExact(t *testing.T) {
	all, parts := NewHistogram(), []Histograms{{}, {}, {}}
	for i := range 10_000 {
		v := Clamp(int64(rand.ExpFloat64() * 1e5))
		_ = all.RecordValue(v)
		p := parts[i%3]
		if p["x"] == nil {
			p["x"] = NewHistogram()
		}
		_ = p["x"].RecordValue(v)
	}
	sum := Histograms{}
	for _, p := range parts {
		if err := sum.Merge(p); err != nil {
			t.Fatal(err)
		}
	}
	if !sum["x"].Equals(all) {
		t.Error("the merged histogram is not that of all values")
	}
	for _, p := range []float64{50, 99, 99.9} {
		if a, b := sum["x"].ValueAtPercentile(p), all.ValueAtPercentile(p); a != b {
			t.Errorf("p%v: %d and %d", p, a, b)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	folder := t.TempDir()
	if _, err := Read(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := sample().Write(folder); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		TimelineFile: "second\nx\n", ServersFile: strings.Join(serversHead, ",") + "\nx,y,1,1,1,1,1,1,1,1,1\n",
		HistogramsFile: "[StartTime: x]\n0,0,0,nonsense\n", RunFile: `{"format":"mpin-load/0"}`,
	} {
		path := filepath.Join(folder, name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(folder); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzReadHistograms(f *testing.F) {
	var b bytes.Buffer
	if err := WriteHistograms(&b, sample().Histograms, 1, 2); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("#[x\n\"StartTimestamp\"\nTag=a,0,1,2,HISTFAAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ReadHistograms(bytes.NewReader(b))
	})
}
