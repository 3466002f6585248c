package result

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The files of a folder.
const (
	RunFile        = "run.json"
	ScenarioFile   = "scenario.yaml"
	TimelineFile   = "timeline.csv"
	ServersFile    = "servers.csv"
	HistogramsFile = "histograms.hlog"
	BenchFile      = "bench.txt"
)

// ErrFormat: a folder that is no load run, or of another version.
var ErrFormat = errors.New("not the result of a load run")

// Write puts a run into a folder, which is made if it is missing. The page is
// not written here.
func (r *Run) Write(folder string) error {
	r.Format = Format
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	var hlog, bench bytes.Buffer
	start := r.Started.UnixMilli()
	end := r.Started.Add(time.Duration(r.Elapsed * float64(time.Second))).UnixMilli()
	if err := WriteHistograms(&hlog, r.Histograms, start, end); err != nil {
		return err
	}
	r.writeBench(&bench)
	for _, f := range []struct {
		name string
		data []byte
	}{
		{ScenarioFile, r.Source}, {TimelineFile, timelineCSV(r.Timeline)}, {ServersFile, serversCSV(r.ServerTimeline)},
		{HistogramsFile, hlog.Bytes()}, {BenchFile, bench.Bytes()}, {RunFile, append(b, '\n')},
	} {
		if err := os.WriteFile(filepath.Join(folder, f.name), f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// maxFile bounds what is read of one file.
const maxFile = 256 << 20

// Read reads a folder. Errors: ErrFormat, and those of the file system.
func Read(folder string) (*Run, error) {
	b, err := readFile(filepath.Join(folder, RunFile))
	if err != nil {
		return nil, err
	}
	var r Run
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFormat, filepath.Join(folder, RunFile), err)
	}
	if r.Format != Format {
		return nil, fmt.Errorf("%w: %s is of format %q, not %q", ErrFormat, filepath.Join(folder, RunFile), r.Format, Format)
	}
	if r.Source, err = readFile(filepath.Join(folder, ScenarioFile)); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		read func([]byte) error
	}{
		{TimelineFile, func(b []byte) (err error) { r.Timeline, err = readTimeline(b); return err }},
		{ServersFile, func(b []byte) (err error) { r.ServerTimeline, err = readServers(b); return err }},
		{HistogramsFile, func(b []byte) (err error) { r.Histograms, err = ReadHistograms(bytes.NewReader(b)); return err }},
	} {
		b, err := readFile(filepath.Join(folder, f.name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = f.read(b)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrFormat, filepath.Join(folder, f.name), err)
		}
	}
	return &r, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%w: %s is over %d bytes", ErrFormat, path, maxFile)
	}
	return b, err
}

// timelineHead are the columns before those of the classes.
var timelineHead = []string{"second", "stage", "faults", "intended", "started", "late", "in_flight", "p50_ms", "p99_ms", "max_ms"}

func timelineCSV(ticks []Tick) []byte {
	rows := [][]string{append(append([]string{}, timelineHead...), Classes()...)}
	for _, t := range ticks {
		row := []string{strconv.Itoa(t.Second), t.Stage, t.Faults, whole(t.Intended), whole(t.Started), whole(t.Late), whole(t.InFlight),
			real(t.P50), real(t.P99), real(t.Max)}
		for _, c := range Classes() {
			row = append(row, whole(t.Outcomes[c]))
		}
		rows = append(rows, row)
	}
	return writeCSV(rows)
}

func readTimeline(b []byte) ([]Tick, error) {
	var ticks []Tick
	err := readCSV(b, len(timelineHead)+len(Classes()), func(row []string, n *numbers) {
		t := Tick{
			Second: int(n.whole(row[0])), Stage: row[1], Faults: row[2], Intended: n.whole(row[3]), Started: n.whole(row[4]),
			Late: n.whole(row[5]), InFlight: n.whole(row[6]), P50: n.real(row[7]), P99: n.real(row[8]), Max: n.real(row[9]),
			Outcomes: map[string]int64{},
		}
		for i, c := range Classes() {
			if v := n.whole(row[len(timelineHead)+i]); v != 0 {
				t.Outcomes[c] = v
			}
		}
		ticks = append(ticks, t)
	})
	return ticks, err
}

var serversHead = []string{"second", "node", "cpu_cores", "memory", "heap", "goroutines", "files", "gc_seconds", "requests", "store_ms", "batch"}

func serversCSV(ticks []ServerTick) []byte {
	rows := [][]string{serversHead}
	for _, t := range ticks {
		rows = append(rows, []string{strconv.Itoa(t.Second), t.Node, real(t.CPU), whole(t.Memory), whole(t.Heap), whole(t.Goroutines),
			whole(t.Files), real(t.GC), real(t.Requests), real(t.Store), real(t.Batch)})
	}
	return writeCSV(rows)
}

func readServers(b []byte) ([]ServerTick, error) {
	var ticks []ServerTick
	err := readCSV(b, len(serversHead), func(row []string, n *numbers) {
		ticks = append(ticks, ServerTick{
			Second: int(n.whole(row[0])), Node: row[1], CPU: n.real(row[2]), Memory: n.whole(row[3]), Heap: n.whole(row[4]),
			Goroutines: n.whole(row[5]), Files: n.whole(row[6]), GC: n.real(row[7]), Requests: n.real(row[8]), Store: n.real(row[9]), Batch: n.real(row[10]),
		})
	})
	return ticks, err
}

func whole(v int64) string  { return strconv.FormatInt(v, 10) }
func real(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

func writeCSV(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(rows) // into memory
	return b.Bytes()
}

// numbers reads numbers and remembers the first that is none.
type numbers struct{ err error }

func (n *numbers) whole(s string) int64 {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil && n.err == nil {
		n.err = err
	}
	return v
}

func (n *numbers) real(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && n.err == nil {
		n.err = err
	}
	return v
}

// readCSV reads lines of so many fields after the first, which has the names.
func readCSV(b []byte, fields int, f func([]string, *numbers)) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = fields
	var n numbers
	for line := 0; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return n.err
		}
		if err != nil {
			return err
		}
		if line == 0 {
			continue
		}
		if f(row, &n); n.err != nil {
			return fmt.Errorf("line %d: %w", line+1, n.err)
		}
	}
}

// writeBench writes the rows that are compared between runs. Each is one
// sample: several runs into one file make an interval.
func (r *Run) writeBench(w io.Writer) {
	for _, s := range r.Environment {
		switch s.Key {
		case "goos", "goarch", "cpu", "cores":
			fmt.Fprintf(w, "%s: %s\n", s.Key, s.Value)
		}
	}
	fmt.Fprintf(w, "# date: %s\n# seed: %d\n\nUnit logins/s better=higher\nUnit p50-ns better=lower\nUnit p99-ns better=lower\n\n",
		r.Started.UTC().Format(time.RFC3339), r.Seed)
	name := "BenchmarkLoad/scenario=" + strings.NewReplacer(" ", "_", "/", "_").Replace(r.Scenario)
	for _, p := range r.Phases {
		l := p.Response
		if l == nil {
			l = p.Service
		}
		if l == nil {
			continue
		}
		fmt.Fprintf(w, "%s/phase=%s %d %.0f p50-ns %.0f p99-ns", name, p.Name, l.Count, l.P50*1e6, l.P99*1e6)
		if p.Name == Whole {
			fmt.Fprintf(w, " %.6g logins/s", r.Counts.AchievedRate)
		}
		fmt.Fprintln(w)
	}
	for _, s := range r.Searches {
		verifier := "single"
		if s.Batching {
			verifier = "batching"
		}
		fmt.Fprintf(w, "BenchmarkSaturation/verifier=%s/rps=%d/bad=%g %d %.6g logins/s\n", verifier, s.RPS, s.Bad*100, max(1, len(s.Probes)), s.Knee)
	}
}
