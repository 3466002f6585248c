package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"mpinlab/bench"
)

// tiny is a plan that takes seconds.
var tiny = plan{time: time.Millisecond, parts: []measuring{{ops: regexp.MustCompile(`^(ServerVerify|PairCheck2)$`), samples: 2}}, sample: 50}

// TestReport makes a whole report, with vectors, measurements and figures.
func TestReport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	c := newReport()
	var stdout, stderr bytes.Buffer
	c.SetOut(&stdout)
	c.SetErr(&stderr)
	c.SetContext(t.Context())
	if err := runReport(c, tiny, true, dir, nil); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	page, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"gnark", "blst", "Conformance", "bench.txt", "<svg"} {
		if want == "blst" && !hasBLST() {
			continue
		}
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not mention %s", want)
		}
	}
	if r, err := bench.ReadFile(filepath.Join(dir, "bench.txt")); err != nil || len(r.Rows) < 15 {
		t.Errorf("bench.txt: %v", err)
	}
	for _, name := range []string{"bench.csv", "figures/throughput.svg", "figures/throughput.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if s := stdout.String(); !strings.Contains(s, "verifies") || !strings.Contains(s, filepath.Join(dir, "index.html")) {
		t.Errorf("printed %q", s)
	}
}

// TestReportNeedsAFolder refuses a folder that cannot be made before it
// measures anything.
func TestReportNeedsAFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := run([]string{"report", "--quick", "-o", filepath.Join(file, "out")}, &bytes.Buffer{}, &stderr); code != exitFinding {
		t.Errorf("exit status %d", code)
	}
	if !strings.Contains(stderr.String(), "choose another one") || strings.Contains(stderr.String(), "measuring") {
		t.Errorf("said %q", &stderr)
	}
}

// TestInterruptKeepsRounds interrupts a measurement that would take hours, and
// reads what it kept.
func TestInterruptKeepsRounds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "v.txt")
	cmd := exec.Command("mpin", "bench", "--op", "^G1Mul$", "--backend", "^gnark/bn254$", "--controls", "none", "--samples", "100000", "-o", file)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The first line of progress comes after some rounds.
	said := make([]byte, 1)
	if _, err := stderr.Read(said); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest := new(bytes.Buffer)
	if _, err := rest.ReadFrom(stderr); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("ended with %v", err)
	}
	if !strings.Contains(rest.String(), "interrupted; the complete rounds so far were kept") {
		t.Errorf("said %q", rest)
	}
	r, err := bench.ReadFile(file)
	if err != nil || len(r.Rows) != 2 || len(r.Rows[0].Samples) == 0 {
		t.Errorf("%v: %+v", err, r)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
