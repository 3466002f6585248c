package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"mpinlab/sim/deploy"
)

// What this test binary can be besides: a server of the deployment under test,
// and k6.
const (
	nodeVariable = "MPIN_TEST_NODE"
	k6Variable   = "MPIN_TEST_K6"
)

func TestMain(m *testing.M) {
	if os.Getenv(k6Variable) != "" {
		main()
		os.Exit(0)
	}
	if file := os.Getenv(nodeVariable); file != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		var c deploy.Config
		err := deploy.ReadConfig(file, &c)
		if err == nil {
			err = deploy.Serve(ctx, c, os.Stdout, os.Stderr)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "mpin:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serve starts what `mpin serve` is, and returns where its relying party is.
func serve(t *testing.T) string {
	t.Helper()
	w, err := deploy.StartWhole(t.Context(), deploy.Config{
		Listen: "127.0.0.1:0", Data: t.TempDir(), Store: "memory", Rate: -1, LogLevel: "error",
		Command: func(file string) *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), nodeVariable+"="+file)
			return cmd
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w.Addresses().RPA
}

// point is a line of k6's JSON output that we want.
type point struct {
	Type   string `json:"type"`
	Metric string `json:"metric"`
	Data   struct {
		Time  time.Time         `json:"time"`
		Value float64           `json:"value"`
		Tags  map[string]string `json:"tags"`
	} `json:"data"`
}

// run is what a run of k6 came to.
type run struct {
	status int
	output string
	points []point // setup's left out
}

// k6 runs an example.
func k6(ctx context.Context, t *testing.T, script, url string, env map[string]string, args ...string) *run {
	t.Helper()
	r, err := try(ctx, t.TempDir(), script, url, env, args...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// try is k6 for other goroutines than the test's.
func try(ctx context.Context, folder, script, url string, env map[string]string, args ...string) (*run, error) {
	out := filepath.Join(folder, "points.json")
	args = append([]string{"run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0", "--out", "json=" + out, "-e", "MPIN_URL=" + url}, args...)
	for name, value := range env {
		args = append(args, "-e", name+"="+value)
	}
	b, err := command(ctx, append(args, filepath.Join("examples", script))...).CombinedOutput()
	return ended(b, err, out)
}

// command is k6's, with the arguments given.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), k6Variable+"=1", "K6_NO_COLOR=true")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

// ended reads what a run of k6 left behind: what it printed, how it ended, and
// its points.
func ended(output []byte, err error, points string) (*run, error) {
	r := &run{output: string(output)}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.status = exit.ExitCode()
	} else if err != nil {
		return nil, err
	}
	f, err := os.Open(points)
	if err != nil {
		return nil, fmt.Errorf("no points: %w\n%s", err, output)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p point
		if err := json.NewDecoder(bytes.NewReader(lines.Bytes())).Decode(&p); err != nil {
			return nil, err
		}
		if p.Type == "Point" && p.Data.Tags["group"] != "::setup" {
			r.points = append(r.points, p)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return r, nil
}

// values are a metric's, ascending; outcomes are counted by name.
func (r *run) values(metric string) []float64 {
	var list []float64
	for _, p := range r.points {
		if p.Metric == metric {
			list = append(list, p.Data.Value)
		}
	}
	slices.Sort(list)
	return list
}

func (r *run) outcomes() map[string]int {
	counts := map[string]int{}
	for _, p := range r.points {
		if p.Metric == "mpin_outcomes" {
			counts[p.Data.Tags["operation"]+" "+p.Data.Tags["outcome"]]++
		}
	}
	return counts
}

// quantile is the least of the sorted values that a share q of them does not exceed.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// TestLogins runs the example for 10 s against a deployment of its own: its
// thresholds hold, wrong PINs are refused, and every request has its trend.
func TestLogins(t *testing.T) {
	url := serve(t)
	r := k6(t.Context(), t, "login.js", url, map[string]string{"MPIN_DURATION": "10s", "MPIN_P99": "30000", "MPIN_WRONG": "0.05"})
	if r.status != 0 {
		t.Fatalf("exit status %d\n%s", r.status, r.output)
	}
	o := r.outcomes()
	if o["login accepted"] < 80 || o["login refused"] < 3 || o["login accepted"]+o["login refused"] != len(r.values("iterations")) {
		t.Errorf("outcomes: %v of %d iterations", o, len(r.values("iterations")))
	}
	for _, metric := range []string{"pass1", "pass2", "redeem"} {
		if n := len(r.values("mpin_" + metric + "_duration")); n < o["login accepted"] {
			t.Errorf("%s: %d values for %d logins", metric, n, o["login accepted"])
		}
	}
	// Thresholds that cannot be kept, and PINs that are not what they are said
	// to be, end with k6's own status for that.
	const crossed = 99
	if r := k6(t.Context(), t, "login.js", url, map[string]string{"MPIN_DURATION": "1s", "MPIN_P99": "0.001", "MPIN_USERS": "2"}); r.status != crossed {
		t.Errorf("a promise of 1 µs: exit status %d\n%s", r.status, r.output)
	}
}

// TestSegments: two processes with complementary execution segments, as
// k6-operator starts them, make together the load of one, and their results are
// those of one.
func TestSegments(t *testing.T) {
	url := serve(t)
	env := map[string]string{"MPIN_RATE": "20", "MPIN_DURATION": "6s", "MPIN_USERS": "10"}
	whole := k6(t.Context(), t, "steady.js", url, env)
	parts, errs := make([]*run, 2), make([]error, 2)
	var both sync.WaitGroup
	for i, segment := range []string{"0:1/2", "1/2:1"} {
		folder := t.TempDir()
		both.Go(func() {
			parts[i], errs[i] = try(t.Context(), folder, "steady.js", url, env, "--execution-segment", segment, "--execution-segment-sequence", "0,1/2,1")
		})
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	merged := &run{points: slices.Concat(parts[0].points, parts[1].points)}
	for _, r := range append(parts, whole) {
		if r.status != 0 {
			t.Fatalf("exit status %d\n%s", r.status, r.output)
		}
	}
	n := len(whole.values("iterations"))
	if n < 6*20-1 {
		t.Errorf("%d iterations of one process", n)
	}
	for i, p := range parts {
		if half := len(p.values("iterations")); half < n/2-1 || half > n/2+1 {
			t.Errorf("process %d: %d iterations of %d", i+1, half, n)
		}
	}
	// The last arrival falls on the end and may be left out.
	for name, count := range whole.outcomes() {
		if got := merged.outcomes()[name]; got < count-1 || got > count+1 {
			t.Errorf("%s: %d in two processes, %d in one", name, got, count)
		}
	}
	for _, metric := range []string{"mpin_login_duration", "mpin_pass1_duration", "mpin_redeem_duration"} {
		one, two := whole.values(metric), merged.values(metric)
		t.Logf("%s: p50 %.2f ms in one process, %.2f in two; p95 %.2f, %.2f", metric, quantile(one, 0.5), quantile(two, 0.5), quantile(one, 0.95), quantile(two, 0.95))
		if d := len(one) - len(two); d < -1 || d > 1 {
			t.Errorf("%s: %d values in two processes, %d in one", metric, len(two), len(one))
		}
	}
}
