package bench

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// What a setting says where there is nothing to be said.
const (
	notReadable = "not readable" // this system does not show it
	unknown     = "unknown"      // nobody recorded it
)

// Environment describes the machine, the toolchain and the moment of a run:
//
//   - goos, goarch, pkg, cpu: as package testing writes them
//   - cpu-features: of those that pairing libraries choose code by
//   - cores, governor, turbo, hypervisor, memory, os, kernel
//   - go, goamd64 (goarm64, …), cgo; build-… for flags; race if it is on
//   - module/<path>: the versions of all modules in the program, upper-case
//     letters written as the module cache does ("!h" for "H")
//   - commit, modified, commit-source: see commit
//   - date, load-before (load averages over 1, 5 and 15 minutes)
//
// A value that the system does not show is "not readable": no setting is ever
// left out because of that. Settings given as extra are added, or replace the
// value of one of the same key. Run adds its options and load-after.
func Environment(extra ...Setting) []Setting {
	var r Results
	for _, s := range slices.Concat(
		machine(os.DirFS("/"), runtime.GOOS, runtime.GOARCH),
		toolchain(),
		[]Setting{
			{"date", time.Now().UTC().Format(time.RFC3339)},
			{"load-before", loadAverage()},
		},
		extra,
	) {
		r.set(s.Key, s.Value)
	}
	return r.Environment
}

// orElse returns the first of the texts that says something, on one line.
func orElse(texts ...string) string {
	for _, s := range texts {
		if s = oneLine(s); s != "" {
			return s
		}
	}
	return notReadable
}

// yesNo is the value of a setting that is one or the other.
func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// loadAverage returns the averages over 1, 5 and 15 minutes.
func loadAverage() string {
	fields := strings.Fields(contents(os.DirFS("/"), "proc/loadavg"))
	return orElse(strings.Join(fields[:min(3, len(fields))], " "))
}
