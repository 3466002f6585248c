package bench

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A result file is in the Go benchmark format, one line a sample:
//
//	goos: linux
//	cpu: Intel(R) Xeon(R) Processor
//	# commit: 3265ae8…
//	# warning: busy: the load average was 1.52 on 2 cores before the run
//
//	# warning BenchmarkPair/curve=bn254/backend=gnark/via=direct-1: drift: …
//	BenchmarkPair/curve=bn254/backend=gnark/via=direct-1 64 402113.5 ns/op 5120 B/op 12 allocs/op
//
// The machine and the toolchain are configuration lines. benchstat makes a
// table of its own for every configuration, so what tells one run from the
// next on the same machine (see perRunKey) is in comments, which it skips:
// otherwise it would never compare two runs. So are the claims that follow from
// the samples (see Claims), for those who read the file as text:
//
//	# claim BenchmarkPair/curve=bn254/…: 1.30 × …, 95 % 1.29–1.31, …

// Limits on the files that are read; those that are written stay far below.
const (
	maxFile   = 32 << 20 // bytes
	maxLine   = 32 << 10 // bytes
	maxRows   = 10_000
	maxConfig = 500
	maxCount  = 1e12 // units in a sample
	maxCost   = 1e15 // nanoseconds, bytes or allocations a unit
)

// units are the columns of a result line.
var units = [...]string{"ns/op", "B/op", "allocs/op"}

// perRunKeys are the settings that differ from run to run. Those of modules
// do where two versions are compared.
var perRunKeys = []string{
	"commit", "modified", "commit-source", "date", "load-before", "load-after",
	"seed", "samples", "sample-time", "budget", "precision",
}

// perRunKey reports whether a setting differs between two runs that one wants
// to compare: perRunKeys, and keys that begin with "module/" or "run-".
func perRunKey(key string) bool {
	return slices.Contains(perRunKeys, key) || strings.HasPrefix(key, "module/") || strings.HasPrefix(key, "run-")
}

// Write writes r as a result file. It refuses what Read would not give back:
// keys and settings that the format has no room for, and samples that are not
// finite or lack their counts.
func Write(w io.Writer, r *Results) error {
	if err := writable(r); err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	out := bufio.NewWriter(w)
	for _, s := range r.Environment {
		if perRunKey(s.Key) {
			out.WriteString("# ")
		}
		fmt.Fprintf(out, "%s: %s\n", s.Key, s.Value)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(out, "# warning: %s\n", oneLine(warning))
	}
	claims := claimLines(r)
	for i, row := range r.Rows {
		out.WriteString("\n")
		if claims[i] != "" {
			fmt.Fprintf(out, "# claim %v: %s\n", row.Key, claims[i])
		}
		for _, warning := range row.Warnings {
			fmt.Fprintf(out, "# warning %v: %s\n", row.Key, oneLine(warning))
		}
		for i, ns := range row.Samples {
			fmt.Fprintf(out, "%v %d %v %s", row.Key, row.Counts[i], ns, units[0])
			if len(row.BytesSamples) > 0 {
				fmt.Fprintf(out, " %v %s %v %s", row.BytesSamples[i], units[1], row.AllocsSamples[i], units[2])
			}
			out.WriteString("\n")
		}
	}
	return out.Flush()
}

func writable(r *Results) error {
	settings := make(map[string]bool)
	for _, s := range r.Environment {
		if err := s.valid(); err != nil {
			return err
		}
		if settings[s.Key] {
			return fmt.Errorf("setting %s is there twice", s.Key)
		}
		settings[s.Key] = true
	}
	if len(r.Rows) == 0 {
		return errors.New("there are none")
	}
	rows := make(map[Key]bool)
	for _, row := range r.Rows {
		if err := row.writable(); err != nil {
			return fmt.Errorf("%v: %w", row.Key, err)
		}
		if rows[row.Key] {
			return fmt.Errorf("%v is there twice", row.Key)
		}
		rows[row.Key] = true
	}
	return nil
}

func (r *Row) writable() error {
	if err := r.Key.valid(); err != nil {
		return err
	}
	n := len(r.Samples)
	switch {
	case n == 0:
		return errors.New("no samples")
	case len(r.Counts) != n:
		return fmt.Errorf("%d samples with %d counts", n, len(r.Counts))
	case len(r.BytesSamples) != len(r.AllocsSamples), len(r.BytesSamples) != 0 && len(r.BytesSamples) != n:
		return fmt.Errorf("%d samples with %d of bytes and %d of allocations", n, len(r.BytesSamples), len(r.AllocsSamples))
	}
	for _, c := range r.Counts {
		if c < 1 || float64(c) > maxCount {
			return fmt.Errorf("count %d is out of range", c)
		}
	}
	for _, values := range [][]float64{r.Samples, r.BytesSamples, r.AllocsSamples} {
		for _, v := range values {
			if !plausible(v) {
				return fmt.Errorf("value %v is out of range", v)
			}
		}
	}
	return nil
}

// plausible reports whether v can be a cost: not negative, finite, not NaN.
func plausible(v float64) bool { return v >= 0 && v <= maxCost && !math.Signbit(v) }

// WriteFile writes r to a file, which is either complete or untouched: the
// lines go into a temporary file beside it that then takes its place. A path to
// something that is not a file, such as a terminal or a pipe, is written to.
func WriteFile(path string, r *Results) error {
	if err := writeFile(path, r); err != nil {
		return fmt.Errorf("writing results to %s: %w", path, reason(err))
	}
	return nil
}

// reason takes the names of calls and temporary files out of an error.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}

func writeFile(path string, r *Results) (err error) {
	mode := fs.FileMode(0o644)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // replace what a link points to, not the link
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return errors.New("it is a folder")
		case !info.Mode().IsRegular():
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			return cmp.Or(Write(f, r), f.Close())
		}
		mode = info.Mode().Perm()
	}
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := Write(f, r); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	// The new name reaches the disk with the folder. Not every system can do
	// that, and the contents are safe without.
	if d, err := os.Open(folder); err == nil {
		d.Sync()
		d.Close()
	}
	return nil
}
