// Package record keeps the results of runs in dated folders and reads them back
// as a history.
//
// A folder is named after the day of its run, in UTC: 2026-11-23, and
// 2026-11-23-2 for another run of the same day. It holds the raw result file
// bench.txt, environment.txt with one setting a line, and what else the report
// it is from had beside its page, the raw files of its load runs under load/.
package record

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mpinlab/bench"
)

// Run is a recorded run.
type Run struct {
	// Name is the folder's name.
	Name string
	// Date is when the run began.
	Date    time.Time
	Results *bench.Results
}

const (
	// maxPerDay bounds the runs that are kept of one day.
	maxPerDay = 99
	// maxFiles bounds the files that are copied, and maxFile each in bytes.
	maxFiles = 1000
	maxFile  = 64 << 20
)

var (
	folderName = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(-[1-9]\d?)?$`)
	// kept are the files of a report that are copied, if there are any: figures
	// beside the others, a load run's where they are. A run's page is made of them.
	kept = []string{"*.txt", "*.csv", "*.json", "*.md", "figures/throughput.svg", "figures/throughput.png",
		"load/*/run.json", "load/*/scenario.yaml", "load/*/timeline.csv", "load/*/servers.csv", "load/*/histograms.hlog"}
)

// Read reads the recorded runs under root, oldest first. A folder without a
// date for a name is not a record; one with a name but no readable bench.txt is
// an error. There are none where root does not exist.
func Read(root string) ([]Run, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	var runs []Run
	for _, e := range entries {
		if !e.IsDir() || !folderName.MatchString(e.Name()) {
			continue
		}
		run, err := read(filepath.Join(root, e.Name(), "bench.txt"))
		if err != nil {
			return nil, err
		}
		run.Name = e.Name()
		runs = append(runs, *run)
	}
	slices.SortStableFunc(runs, func(a, b Run) int { return a.Date.Compare(b.Date) })
	return runs, nil
}

func read(path string) (*Run, error) {
	results, err := bench.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	date, err := time.Parse(time.RFC3339, results.Get("date"))
	if err != nil {
		return nil, fmt.Errorf("record: %s: it does not say when it was measured", path)
	}
	return &Run{Date: date.UTC(), Results: results}, nil
}

// Store copies the results in the folder of a report into a dated folder under
// root and returns its path. A run that is there already is not stored again.
func Store(root, report string) (string, error) {
	raw := filepath.Join(report, "bench.txt")
	run, err := read(raw)
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(raw)
	if err != nil {
		return "", fmt.Errorf("record: %w", err)
	}
	day := run.Date.Format("2006-01-02")
	for n := 1; n <= maxPerDay; n++ {
		dir := filepath.Join(root, day)
		if n > 1 {
			dir += "-" + strconv.Itoa(n)
		}
		have, err := os.ReadFile(filepath.Join(dir, "bench.txt"))
		switch {
		case err == nil && bytes.Equal(have, content):
			return dir, nil
		case err == nil:
			continue
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("record: %w", err)
		}
		return dir, fill(dir, report, run.Results)
	}
	return "", fmt.Errorf("record: %s has %d runs already", day, maxPerDay)
}

// fill writes a new folder, bench.txt last: without it the folder is no record.
func fill(dir, report string, r *bench.Results) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	var env strings.Builder
	for _, s := range r.Environment {
		fmt.Fprintf(&env, "%s: %s\n", s.Key, s.Value)
	}
	if err := os.WriteFile(filepath.Join(dir, "environment.txt"), []byte(env.String()), 0o644); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	var files []string
	for _, pattern := range kept {
		found, err := filepath.Glob(filepath.Join(report, filepath.FromSlash(pattern)))
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		files = append(files, found...)
	}
	if len(files) > maxFiles {
		return fmt.Errorf("record: %s has %d raw files, over %d", report, len(files), maxFiles)
	}
	slices.SortFunc(files, func(a, b string) int { // bench.txt last
		return strings.Compare(last(a)+a, last(b)+b)
	})
	for _, path := range files {
		name, err := filepath.Rel(report, path)
		if err == nil && name != "environment.txt" {
			err = copyFile(filepath.Join(dir, strings.TrimPrefix(name, "figures"+string(filepath.Separator))), path)
		}
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	return nil
}

// copyFile makes the folder of the copy, too.
func copyFile(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return fmt.Errorf("%s is no file of at most %d bytes", from, maxFile)
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

func last(path string) string {
	if filepath.Base(path) == "bench.txt" {
		return "1"
	}
	return "0"
}
