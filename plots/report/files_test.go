package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/plots"
	"mpinlab/plots/internal/plotstest"
)

func TestWriteFileLeavesNothingHalf(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, content := range []string{"old", "new"} {
		if err := writeFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("%q", got)
	}
	// A folder in the file's place makes the renaming fail.
	blocked := filepath.Join(dir, "blocked")
	if err := os.MkdirAll(filepath.Join(blocked, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := writeFile(blocked, []byte("text"))
	if err == nil || strings.Count(err.Error(), blocked) != 1 || !strings.Contains(err.Error(), "choose another folder") {
		t.Errorf("error %v", err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestFolderInTheWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	if _, err := Write(file, Input{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v", err)
	}
}

// TestOlderReport writes a report over one with more figures.
func TestOlderReport(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "bench.txt")
	os.WriteFile(other, []byte("kept"), 0o644)
	for _, in := range []Input{{Results: plotstest.Full(6)}, {Sizes: []plots.SizeRow{{Suite: "rfc9380", Curve: "bn254", Full: plots.ByteSizes{U: 64}}}}} {
		if _, err := Write(dir, in); err != nil {
			t.Fatal(err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "figures", "*"))
	if len(left) != 2 || !strings.Contains(left[0], "sizes") {
		t.Errorf("figures %v", left)
	}
	if kept, _ := os.ReadFile(other); string(kept) != "kept" {
		t.Error("bench.txt is gone")
	}
}
