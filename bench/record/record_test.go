package record

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/bench"
)

// results makes a report's folder with results of a date.
func results(t *testing.T, date string, cost float64) string {
	t.Helper()
	dir := t.TempDir()
	r := &bench.Results{
		Environment: []bench.Setting{{Key: "cpu", Value: "A 1"}, {Key: "date", Value: date}},
		Rows: []bench.Row{{
			Key:     bench.Key{Op: "ServerVerify", Suite: "rfc9380", Curve: "bn254", Backend: "gnark", Via: "protocol", Procs: 1},
			Samples: []float64{cost, cost, cost, cost, cost, cost}, Counts: []int{1, 1, 1, 1, 1, 1},
		}},
	}
	if err := bench.WriteFile(filepath.Join(dir, "bench.txt"), r); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"bench.csv": "op\n", "index.html": "<p>", "figures/throughput.svg": "<svg>", "figures/other.svg": "<svg>",
		"load/quick/run.json": "{}", "load/quick/timeline.csv": "second\n", "load/quick/bench.txt": "no record's", "load/quick/index.html": "<p>",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStoreAndRead(t *testing.T) {
	root := filepath.Join(t.TempDir(), "record")
	if runs, err := Read(root); err != nil || len(runs) != 0 {
		t.Fatalf("%v, %v", runs, err)
	}
	later, earlier, again := results(t, "2026-11-24T00:10:00Z", 5), results(t, "2026-11-23T23:50:00Z", 7), results(t, "2026-11-24T20:00:00+02:00", 6)
	for _, c := range []struct{ from, want string }{
		{later, "2026-11-24"}, {earlier, "2026-11-23"}, {again, "2026-11-24-2"}, {later, "2026-11-24"}, {again, "2026-11-24-2"},
	} {
		dir, err := Store(root, c.from)
		if err != nil || filepath.Base(dir) != c.want {
			t.Errorf("stored in %s, %v; expected %s", dir, err, c.want)
		}
	}
	runs, err := Read(root)
	if err != nil || len(runs) != 3 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	for i, want := range []float64{7, 5, 6} {
		if runs[i].Results.Rows[0].Median != want {
			t.Errorf("run %d is %s", i, runs[i].Name)
		}
	}
	var names []string
	folder := os.DirFS(filepath.Join(root, "2026-11-23"))
	if err := fs.WalkDir(folder, ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if have := strings.Join(names, " "); have != "bench.csv bench.txt environment.txt load/quick/run.json load/quick/timeline.csv throughput.svg" {
		t.Errorf("the folder has %s", have)
	}
	if env, _ := os.ReadFile(filepath.Join(root, "2026-11-23", "environment.txt")); string(env) != "cpu: A 1\ndate: 2026-11-23T23:50:00Z\n" && !strings.Contains(string(env), "cpu: A 1\n") {
		t.Errorf("environment %q", env)
	}
}

func TestNotARecord(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"notes", "2026-1-2", "2026-11-23-100"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if runs, err := Read(root); err != nil || len(runs) != 0 {
		t.Errorf("%v, %v", runs, err)
	}
	if err := os.Mkdir(filepath.Join(root, "2026-11-23"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(root); err == nil || !strings.Contains(err.Error(), "bench.txt") {
		t.Errorf("a record without results: %v", err)
	}
	if _, err := Store(root, t.TempDir()); err == nil {
		t.Error("stored nothing")
	}
	if _, err := Store(root, results(t, "yesterday", 1)); err == nil || !strings.Contains(err.Error(), "when it was measured") {
		t.Errorf("a run without a date: %v", err)
	}
}

// TestHugeFile is not kept, and its folder is no record.
func TestHugeFile(t *testing.T) {
	root, report := t.TempDir(), results(t, "2026-11-23T10:00:00Z", 1)
	if err := os.Truncate(filepath.Join(report, "load", "quick", "timeline.csv"), maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Store(root, report); err == nil || !strings.Contains(err.Error(), "timeline.csv") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "2026-11-23", "bench.txt")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is a record: %v", err)
	}
}

// TestOwnRecords reads what is in the repository.
func TestOwnRecords(t *testing.T) {
	runs, err := Read(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) == 0 {
		t.Error("there are no records")
	}
}
