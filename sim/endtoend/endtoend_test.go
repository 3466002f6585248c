package endtoend

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"time"

	"mpinlab/sim/deploy"
	"mpinlab/sim/endtoend/result"
)

// serverVariable names the configuration file of the servers' process that this
// test binary is to be.
const serverVariable = "MPIN_TEST_SERVERS"

func TestMain(m *testing.M) {
	if file := os.Getenv(serverVariable); file != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		var c deploy.Config
		err := deploy.ReadConfig(file, &c)
		if err == nil {
			err = deploy.Serve(ctx, c, os.Stdout, os.Stderr)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// asServers makes the servers' process of this test binary.
func asServers(file string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serverVariable+"="+file)
	return cmd
}

var gnark = Subject{"rfc9380/bls12-381", "gnark/bls12-381"}

// TestMeasure measures little, and checks that it is whole and adds up.
func TestMeasure(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the time on CPUs of another process")
	}
	var steps, total int
	p := Plan{Subjects: []Subject{gnark}, Latencies: 5, Rounds: 2, Single: 20, Few: 4, Batching: 64, Many: 32,
		Profile: time.Second, Command: asServers, Progress: func(d, n int, _ string) { steps, total = d, n }}
	if testing.Short() {
		p.Profile = 0
	}
	run, err := Measure(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Deployments) != 1 || steps != total {
		t.Fatalf("%d deployments, %d of %d steps", len(run.Deployments), steps, total)
	}
	d := run.Deployments[0]
	if d.Ready <= 0 || d.Store != "bbolt" {
		t.Errorf("%+v", d)
	}
	for _, transport := range []string{result.HTTP, result.WebSocket} {
		sum := 0.0
		for _, phase := range result.Phases() {
			l := d.Latency(transport, phase)
			if l == nil || l.Count != p.Latencies || l.Median <= 0 || l.P95 < l.Median || l.P99 < l.P95 {
				t.Errorf("%s over %s: %+v", phase, transport, l)
			} else if phase != result.Whole {
				sum += l.Median
			}
		}
		if whole := d.Latency(transport, result.Whole); whole != nil && whole.P99 < sum/2 {
			t.Errorf("over %s the phases take %v µs, the whole %v", transport, sum, whole.P99)
		}
	}
	for _, verifier := range []string{result.Single, result.Batching} {
		c := d.Cost(verifier)
		if c == nil || len(c.Samples) != p.Rounds || c.Memory < 1<<20 {
			t.Fatalf("%s: %+v", verifier, c)
		}
		if c.Server() <= 0 || c.Verify() <= 0 || c.Verifications() <= 0 || c.Client() <= 0 || c.Rate() <= 0 {
			t.Errorf("%s: %+v", verifier, c.Samples)
		}
		if verifier == result.Single && (c.Verifications() < 0.8 || c.Batch() != 0) || verifier == result.Batching && c.Batch() < 1 {
			t.Errorf("%s: %v verifications a login, batches of %v", verifier, c.Verifications(), c.Batch())
		}
		if p.Profile > 0 {
			sum := 0.0
			for _, part := range result.Parts() {
				sum += c.Parts[part]
			}
			if c.Parts != nil && (math.Abs(sum-1) > 1e-9 || c.Parts[result.Cryptography] <= 0 || c.Profiled <= 0) {
				t.Errorf("%s: parts %v of %v s", verifier, c.Parts, c.Profiled)
			}
		}
	}
	if g := d.Gain(); !(g > 0) {
		t.Errorf("gain %v", g)
	}
}

// TestMeasureEnds ends early with what is wrong.
func TestMeasureEnds(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the time on CPUs of another process")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Measure(ctx, Plan{Subjects: []Subject{gnark}, Command: asServers}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, s := range []Subject{{"rfc9380/bls12-381", "none/bls12-381"}, {"no suite", "gnark/bls12-381"}, {"rfc9380/bn254", "gnark/bls12-381"}} {
		if run, err := Measure(t.Context(), Plan{Subjects: []Subject{s}, Command: asServers}); err == nil || len(run.Deployments) != 0 {
			t.Errorf("%v: %v", s, err)
		}
	}
}

// BenchmarkLogin reports what issue and README promise: run it with -benchtime 1x.
func BenchmarkLogin(b *testing.B) {
	for b.Loop() {
		p := Quick(gnark)
		if os.Getenv("MPIN_TORTURE") == "1" {
			p = Full(gnark)
		}
		p.Command, p.Store = asServers, os.Getenv("MPIN_TEST_STORE")
		run, err := Measure(b.Context(), p)
		if err != nil {
			b.Fatal(err)
		}
		d := run.Deployments[0]
		for _, l := range d.Latencies {
			b.Logf("%-10s %-8s median %6.0f µs, p95 %6.0f, p99 %6.0f", l.Transport, l.Phase, l.Median, l.P95, l.P99)
		}
		for _, c := range d.Costs {
			b.Logf("%-9s %4d clients: server %5.0f µs, client %4.0f, verify %4.0f, ratio %.3f, batch %.0f, %.0f logins/s, %d MB, parts %v of %.1f s",
				c.Verifier, c.Clients, c.Server(), c.Client(), c.Verify(), c.Verifications(), c.Batch(), c.Rate(), c.Memory>>20, c.Parts, c.Profiled)
			for _, s := range c.Samples {
				b.Logf("    %.0f / %.0f = %.3f", s.Server, s.Verify, s.Server/s.Verify)
			}
		}
		b.ReportMetric(d.Cost(result.Single).Verifications(), "verifications/login")
		b.ReportMetric(d.Gain(), "gain")
		b.ReportMetric(d.Ready, "ready-s")
		b.ReportMetric(run.Elapsed, "elapsed-s")
	}
}
