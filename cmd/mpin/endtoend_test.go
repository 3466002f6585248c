package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mpinlab/plots/report"
	"mpinlab/sim/endtoend"
	"mpinlab/sim/endtoend/result"
)

// TestAddEndToEnd measures little on a deployment of this program, and leaves
// out what cannot run.
func TestAddEndToEnd(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the time on CPUs of another process")
	}
	c := newReport()
	var stderr bytes.Buffer
	c.SetErr(&stderr)
	c.SetContext(t.Context())
	p := endtoend.Plan{
		Subjects:  []endtoend.Subject{gnarkLogins, {Suite: "rfc9380/bls12-381", Backend: "none/bls12-381"}},
		Latencies: 3, Rounds: 1, Single: 8, Few: 2, Batching: 16, Many: 8,
		Command: func(file string) *exec.Cmd { return exec.Command("mpin", "serve", "--config", file) },
	}
	var in report.Input
	if err := addEndToEnd(c, &p, &in); err != nil {
		t.Fatal(err)
	}
	if len(in.EndToEnd.Deployments) != 1 || in.EndToEnd.Deployments[0].Cost(result.Batching) == nil {
		t.Errorf("%+v", in.EndToEnd)
	}
	if notes := strings.Join(in.EndToEnd.Notes, "\n"); !strings.Contains(notes, "none/bls12-381 cannot run here") {
		t.Errorf("notes %q", notes)
	}
	// A report without one, and a plan without one.
	if run, err := readLogins(filepath.Join(t.TempDir(), "none")); run != nil || err != nil {
		t.Errorf("%v, %v", run, err)
	}
	if err := addEndToEnd(c, nil, &in); err != nil {
		t.Error(err)
	}
}
