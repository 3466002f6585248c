// Package report writes what was measured as one self-contained HTML page,
// with its figures and raw data beside it.
//
// The folder that [Write] fills holds:
//
//	index.html          the page; it needs no other file and no network
//	report.md           a summary in Markdown
//	bench.csv           one line a row of measurements
//	conformance.csv     one line a set of known answers and backend
//	figures/NAME.svg    each figure, figures/NAME.png with 300 dots an inch, and
//	                    figures/NAME.csv with the rows that it shows
//	tables/ID.csv       each table of the page
//	bench.txt.html      bench.txt with an anchor for each line
//	load/NAME/          each load run, as package sim/load/result says, with a
//	                    page of its own
//	pinpad/             the PIN pad's screens, and pinpad.txt its figures
//
// The result files bench.txt, sweeps.txt and costs.txt are the caller's, who
// puts them there before. [PDF] prints the page.
package report

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/bench/aa"
	"mpinlab/bench/attack"
	"mpinlab/bench/cost"
	"mpinlab/bench/leak"
	"mpinlab/bench/record"
	"mpinlab/plots"
	"mpinlab/sim/endtoend/result"
)

// Input is what a report is about.
type Input struct {
	Results  *bench.Results
	Backends []backends.Entry
	Suites   []SuiteRow
	Sizes    []plots.SizeRow
	// Quick says that this is the quick form, and LeftOut what it leaves out,
	// in words.
	Quick   bool
	LeftOut []string
	// Command is the command line that made the report, and Elapsed the time
	// it took.
	Command string
	Elapsed time.Duration
	// Conformance is nil where nothing was checked.
	Conformance *Conformance
	// Sweeps are measurements over ranges of sizes, Costs those of other things
	// than time, and History the runs recorded before, oldest first; each may be
	// nil. The files sweeps.txt and costs.txt are the caller's, as bench.txt is.
	Sweeps  *bench.Results
	Costs   *cost.Results
	History []record.Run
	// AA, Leak and Attack are the recorded A/A series, timing test and costs of
	// attacks; each may be nil. Their raw files are written beside the page.
	AA     *aa.File
	Leak   *leak.Results
	Attack *attack.Results
	// EndToEnd is logins on a whole deployment; nil where none was to be
	// measured. Its raw files are written beside the page.
	EndToEnd *result.Run
	// Load is load runs, Capacity the capacity model, and PINPad the files of
	// package screens: pictures and figures.txt. Each may be nil. Their raw files
	// are written beside the page.
	Load     *Load
	Capacity *Capacity
	PINPad   fs.FS
	// Excluded gives, for each backend (by its id) that is shown but takes no
	// part in the ranking, the reason.
	Excluded map[string]string
	// raw are the pages of the result files.
	raw rawFiles
}

// The names of the result files.
const (
	benchFile  = "bench.txt"
	sweepsFile = "sweeps.txt"
	costsFile  = "costs.txt"
)

// SuiteRow is a suite and the backends that serve it.
type SuiteRow struct {
	ID               string
	Backends         []string
	PermitsSupported bool
}

// Summary is what the caller tells about a report that was written.
type Summary struct {
	// Answer is the page's first paragraph.
	Answer string
	// Page is the path of the page.
	Page string
	// Omitted are the figures that the data did not allow.
	Omitted []plots.Omitted
}

// Write writes a report into the folder dir, which it makes if need be. An
// older report there is overwritten. No file is ever seen half written: each
// is completed under another name and then renamed, the page last.
func Write(dir string, in Input) (*Summary, error) {
	if in.Results == nil {
		in.Results = &bench.Results{}
	}
	figures, omitted := plots.All(&plots.Data{Results: in.Results, Sizes: in.Sizes, Excluded: in.Excluded,
		Sweeps: in.Sweeps, History: historyResults(in.History), Leak: in.Leak, Attack: in.Attack, EndToEnd: in.EndToEnd})
	drawn := filepath.Join(dir, "figures")
	if err := os.MkdirAll(drawn, 0o755); err != nil {
		return nil, fmt.Errorf("report: cannot make the folder %s: %w; choose another one", drawn, pathless(err))
	}
	if err := writeFigures(drawn, figures, omitted); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, "bench.csv"), csvRows(in.Results)); err != nil {
		return nil, err
	}
	if err := writeEvidence(dir, &in); err != nil {
		return nil, err
	}
	if err := writeEndToEnd(dir, &in); err != nil {
		return nil, err
	}
	for _, write := range []func(string, *Input) error{writePINPad, writeLoads, writeCapacity} {
		if err := write(dir, &in); err != nil {
			return nil, err
		}
	}
	if err := in.Conformance.write(dir); err != nil {
		return nil, err
	}
	var err error
	if in.raw, err = writeRaw(dir, &in); err != nil {
		return nil, err
	}
	r, err := render(&in, figures, omitted)
	if err != nil {
		return nil, err
	}
	if err := writeTables(dir, r.tables); err != nil {
		return nil, err
	}
	if err := writeFile(filepath.Join(dir, "report.md"), r.summary); err != nil {
		return nil, err
	}
	summary := &Summary{Answer: answer(&in), Page: filepath.Join(dir, "index.html"), Omitted: omitted}
	return summary, writeFile(summary.Page, r.page)
}

// writeFigures writes both forms of every figure and the rows that it shows, and
// takes away those of an older report that are not drawn this time.
func writeFigures(dir string, figures []*plots.Figure, omitted []plots.Omitted) error {
	for _, f := range figures {
		svg, err := f.SVG(plots.Page)
		if err != nil {
			return err
		}
		png, err := f.PNG(plots.Page)
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, f.Name+".svg"), svg); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, f.Name+".png"), png); err != nil {
			return err
		}
		if _, ok := figureTables[f.Name]; ok || len(f.Rows) == 0 {
			continue
		}
		shown := &bench.Results{}
		for _, row := range f.Rows {
			shown.Rows = append(shown.Rows, *row)
		}
		if err := writeFile(filepath.Join(dir, f.Name+".csv"), csvRows(shown)); err != nil {
			return err
		}
	}
	for _, o := range omitted {
		for _, extension := range []string{".svg", ".png", ".csv"} {
			path := filepath.Join(dir, o.Name+extension)
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return fmt.Errorf("report: cannot remove %s, which is of an older report: %w; remove it yourself", path, pathless(err))
			}
		}
	}
	return nil
}
