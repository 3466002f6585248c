package report

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"mpinlab/backends"
	"mpinlab/bench/leak"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// ErrReadme is wrapped by the errors about a README whose blocks cannot be
// filled in.
var ErrReadme = errors.New("README's generated blocks")

// Recorded is a run in a folder of records, for [Readme].
type Recorded struct {
	// Dir is the folder, and Link its path from the README, with slashes.
	Dir, Link string
	Input
}

// readmeBlocks make the text of each block of the README. What the record does
// not allow is left out; a block can be empty.
var readmeBlocks = map[string]func(*readmeRun) string{
	"figure":      (*readmeRun).figure,
	"answer":      (*readmeRun).answer,
	"run":         (*readmeRun).run,
	"ranking":     (*readmeRun).ranking,
	"batch":       (*readmeRun).batch,
	"conformance": (*readmeRun).conformance,
	"leakage":     (*readmeRun).leakage,
}

var readmeBlock = regexp.MustCompile(`(?s)(<!-- begin ([a-z]+) [^\n]*-->\n)(.*?)(<!-- end ([a-z]+) -->)`)

// Readme fills in the blocks of a README from a record: every line between
//
//	<!-- begin NAME … -->
//	<!-- end NAME -->
//
// is replaced. Every measured number in them links to the line of bench.txt
// where the samples of its row begin. Error: [ErrReadme].
func Readme(old []byte, in Recorded) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(in.Dir, benchFile))
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	run := &readmeRun{Recorded: in, lines: firstLines(content), set: measured.New(in.Results)}
	marks := strings.Count(string(old), "<!-- begin ") + strings.Count(string(old), "<!-- end ")
	found := readmeBlock.FindAllStringSubmatch(string(old), -1)
	if marks != 2*len(found) || len(found) == 0 {
		return nil, fmt.Errorf("report: %w: %d marks, but %d whole blocks", ErrReadme, marks, len(found))
	}
	for _, b := range found {
		if b[2] != b[5] || readmeBlocks[b[2]] == nil {
			return nil, fmt.Errorf("report: %w: no block is called %s … %s", ErrReadme, b[2], b[5])
		}
	}
	return readmeBlock.ReplaceAllFunc(old, func(block []byte) []byte {
		b := readmeBlock.FindSubmatch(block)
		text := readmeBlocks[string(b[2])](run)
		if text != "" {
			text += "\n"
		}
		return []byte(string(b[1]) + text + string(b[4]))
	}), nil
}

type readmeRun struct {
	Recorded
	lines map[string]int
	set   *measured.Set
}

// text makes links to lines of bench.txt of the citations.
func (r *readmeRun) text(s string) string {
	return markdown(s, func(anchor string) string {
		if line := r.lines[anchor]; line > 0 {
			return path.Join(r.Link, benchFile) + "#L" + strconv.Itoa(line)
		}
		return ""
	})
}

func (r *readmeRun) figure() string {
	const name = "throughput.png"
	if _, err := os.Stat(filepath.Join(r.Dir, name)); err != nil {
		return ""
	}
	return fmt.Sprintf("![Server verifications a second on one core, by backend and curve](%s)", path.Join(r.Link, name))
}

func (r *readmeRun) answer() string { return "> " + r.text(citedAnswer(&r.Input)) }

func (r *readmeRun) run() string {
	words := fmt.Sprintf("Recorded in [`%[1]s`](%[1]s): %[2]s", r.Link, joinNonEmpty([]string{machine(r.Results), date(r.Results),
		joinNonEmpty([]string{"Go", strings.TrimPrefix(r.Results.Get("go"), "go")}, " ")}, "; "))
	return words + ". Each number links to the line of the raw file where its samples begin."
}

// ranking is the table of the backends, fastest first, the ranked ones before
// those on weaker curves.
func (r *readmeRun) ranking() string {
	standings := map[string]string{}
	var infos []backends.Info
	for _, e := range r.Backends {
		infos = append(infos, e.Info)
		if e.Info.ConstantTime == backends.ConstantTimeClaimed {
			standings[e.Info.ID] = "claimed"
		}
	}
	if r.Leak != nil {
		for _, s := range leak.Standings(r.Leak, infos) {
			if len(s.Leaking) > 0 && standings[s.Backend] != "" {
				standings[s.Backend] += ", but leaks"
			}
		}
	}
	var b strings.Builder
	b.WriteString("| backend | bits | logins a second on one core | 95" + number.Thin + "% interval | µs for a client's passes 1 and 2 | constant time |\n|---|--:|--:|--:|--:|---|\n")
	all := r.set.Verifiers()
	list := append(measured.Ranking(all, r.Excluded, measured.Strong, 0), measured.Ranking(all, r.Excluded, 1, measured.Strong)...)
	if len(list) == 0 {
		return ""
	}
	for _, v := range list {
		span := number.None
		if v.Rate.HasInterval() {
			span = cite(v.Row, number.Interval(v.Rate.Lo, v.Rate.Hi))
		}
		passes := number.None
		if one, two := r.set.Protocol("ClientPass1", v.Backend), r.set.Protocol("ClientPass2", v.Backend); one != nil && two != nil {
			passes = cite(one, number.Plain(one.Median/1e3)) + " + " + cite(two, number.Plain(two.Median/1e3))
		}
		standing := "no"
		if s := standings[v.Backend.ID()]; s != "" {
			standing = s
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", v.Backend.ID(), v.Backend.Bits, cite(v.Row, number.Plain(v.Rate.Mid)), span, passes, standing)
	}
	return strings.TrimSuffix(r.text(b.String()), "\n")
}

// batch compares a login of the largest batch with one alone.
func (r *readmeRun) batch() string {
	var parts []string
	size := 0
	for _, v := range measured.Ranking(r.set.Verifiers(), r.Excluded, measured.Strong, 0) {
		rows, alone := r.set.Sized("ServerVerifyBatch", v.Backend), r.set.Protocol("ServerVerifyCached", v.Backend)
		if len(rows) == 0 || alone == nil || v.Backend.Curve != "bls12-381" {
			continue
		}
		last := rows[len(rows)-1]
		if size == 0 {
			size = last.Key.N
		}
		if last.Key.N == size {
			parts = append(parts, fmt.Sprintf("%s %s%sµs instead of %s", v.Backend.Library, cite(last, number.Plain(last.Median/1e3)), number.Thin, cite(alone, number.Plain(alone.Median/1e3))))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return r.text(fmt.Sprintf("In batches of %s on bls12-381, with the identities' points at hand, a login costs %s.", number.Int(size), number.List(parts)))
}

func (r *readmeRun) conformance() string {
	if r.Conformance == nil {
		return ""
	}
	words := r.Conformance.headline()
	if cut := strings.Index(words, "; "); cut > 0 {
		words = words[:cut] + "."
	}
	return words + " (" + r.link(ConformanceFile) + ")"
}

func (r *readmeRun) leakage() string {
	if r.Leak == nil {
		return ""
	}
	var infos []backends.Info
	for _, e := range r.Backends {
		infos = append(infos, e.Info)
	}
	words := leak.Advice(r.Leak, leak.Standings(r.Leak, infos))
	// The test is recorded beside the runs.
	if _, err := os.Stat(filepath.Join(filepath.Dir(r.Dir), leakFile)); err == nil {
		words += " ([" + leakFile + "](" + path.Join(path.Dir(r.Link), leakFile) + "))"
	}
	return words
}

func (r *readmeRun) link(name string) string {
	return "[" + name + "](" + path.Join(r.Link, name) + ")"
}
