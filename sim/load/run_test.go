package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mpinlab/sim/deploy"
	"mpinlab/sim/load/result"
)

// childVariable names the configuration file of a server that this test binary
// is to be.
const childVariable = "MPIN_TEST_NODE"

// children are what this test binary can be besides, by the variable of the
// environment whose value they get.
var children = map[string]func(value string) error{childVariable: serveNode}

func TestMain(m *testing.M) {
	for variable, child := range children {
		if value := os.Getenv(variable); value != "" {
			if err := child(value); err != nil {
				fmt.Fprintln(os.Stderr, "mpin:", err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func serveNode(file string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	var c deploy.Config
	if err := deploy.ReadConfig(file, &c); err != nil {
		return err
	}
	return deploy.Serve(ctx, c, os.Stdout, os.Stderr)
}

// asChild makes servers of this test binary.
func asChild(file string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+file)
	return cmd
}

// runScenario runs a scenario of the shelf, changed and scaled, beside other
// tests, and expects nothing but right verdicts and no process or folder left.
func runScenario(t *testing.T, name string, scale float64, set ...string) *result.Run {
	t.Helper()
	t.Parallel() // they wait most of the time
	return runOnce(t, name, scale, set...)
}

// runUntil is runScenario, and expect of classes. On a machine that is too busy
// for so short a run to come to all of them it runs longer.
func runUntil(t *testing.T, classes []string, name string, scale float64, set ...string) *result.Run {
	t.Helper()
	t.Parallel()
	for longer := 1.0; ; longer *= 4 {
		r := runOnce(t, name, scale*longer, set...)
		if longer == 16 || !slices.ContainsFunc(classes, func(c string) bool { return r.Counts.Outcomes[c] == 0 }) {
			expect(t, r, classes...)
			return r
		}
	}
}

func runOnce(t *testing.T, name string, scale float64, set ...string) *result.Run {
	t.Helper()
	s, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, assignment := range set {
		if err := s.Set(assignment); err != nil {
			t.Fatal(err)
		}
	}
	return run(t, t.Context(), s, scale, Options{})
}

func run(t *testing.T, ctx context.Context, s *Scenario, scale float64, o Options) *result.Run {
	t.Helper()
	if err := s.Scale(scale); err != nil {
		t.Fatal(err)
	}
	o.Seed, o.Command, o.Temp = 5, asChild, t.TempDir()
	r, err := Run(ctx, s, o)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Verdicts.WrongAcceptances + r.Verdicts.WrongRefusals; n != 0 {
		t.Errorf("%d wrong verdicts: %v", n, r.Verdicts.Examples)
	}
	if left, err := os.ReadDir(o.Temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if left := servers(t, o.Temp); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	return r
}

// servers are the children of this process, on Linux, that serve data in a
// folder, or whose configuration is gone.
func servers(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) < 2 || fields[1] != fmt.Sprint(os.Getpid()) || fields[0] == "Z" {
			continue
		}
		environment, err := os.ReadFile(filepath.Join(filepath.Dir(f), "environ"))
		if err != nil {
			continue
		}
		_, config, found := strings.Cut(string(environment), childVariable+"=")
		config, _, _ = strings.Cut(config, "\x00")
		if text, err := os.ReadFile(config); found && (err != nil || strings.Contains(string(text), folder)) {
			list = append(list, f)
		}
	}
	return list
}

// expect checks what every run has in common.
func expect(t *testing.T, r *result.Run, classes ...string) {
	t.Helper()
	var sum int64
	for _, n := range r.Counts.Outcomes {
		sum += n
	}
	if sum != r.Counts.Intended || r.Counts.Started+r.Counts.Dropped != r.Counts.Intended {
		t.Errorf("the outcomes of %d operations are %d: %+v", r.Counts.Intended, sum, r.Counts)
	}
	for _, c := range classes {
		if r.Counts.Outcomes[c] == 0 {
			t.Errorf("nothing was %s: %v; %v", c, r.Counts.Outcomes, r.Failures)
		}
	}
	if r.Verdicts.Checked == 0 {
		t.Error("no verdict was checked")
	}
	again := t.TempDir()
	if err := r.Write(again); err != nil {
		t.Fatal(err)
	}
	if _, err := result.Read(again); err != nil {
		t.Error(err)
	}
}

func TestQuick(t *testing.T) {
	r := runUntil(t, []string{result.Accepted, result.Refused, result.Abandoned, result.Replayed}, "quick", 0.1,
		"stages.0.rate=40", "mix.access-number=10", "population.users=60", "behaviour.replays=10%", "behaviour.abandoned=10%", "behaviour.wrong-pins=15%")
	for _, phase := range []string{result.Whole, result.Permit, result.Pass1, result.Pass2, result.Redeem} {
		if r.Histograms[result.Tag(phase, result.Service)] == nil {
			t.Errorf("no %s was measured", phase)
		}
	}
	if len(r.Servers) == 0 || r.Deployment.Backend == "" || len(r.Stages) != 3 {
		t.Errorf("%+v %+v %+v", r.Servers, r.Deployment, r.Stages)
	}
	if strings.Contains(string(r.Source), "rate: 30") && !strings.Contains(string(r.Source), "rate: 40") {
		t.Errorf("the scenario is not the one that was run:\n%s", r.Source)
	}
}

// Proofs that are made ahead bring the same verdicts, with the RPS's private
// listener and with the relying party.
func TestPrecomputed(t *testing.T) {
	for _, redeem := range []string{"rps", "rpa"} {
		t.Run(redeem, func(t *testing.T) {
			r := runUntil(t, []string{result.Accepted, result.Refused, result.Abandoned, result.Replayed}, "quick", 0.1,
				"deployment.run=in-process", "mix={login: 1}", "client.cost=precomputed", "client.redeem="+redeem,
				"deployment.batching=true", "population.users=40", "behaviour.wrong-pins=25%", "behaviour.replays=10%", "behaviour.abandoned=10%")
			if r.Generator.Prepared == 0 || r.Generator.Unprepared > r.Counts.Started/2+10 {
				t.Errorf("%+v", r.Generator)
			}
		})
	}
}

// The blocked are blocked, and register again.
func TestWrongPINs(t *testing.T) {
	runUntil(t, []string{result.Accepted, result.Refused, result.Blocked}, "wrong-pin-flood", 0.06,
		"deployment.run=in-process", "population.prepare=0", "population.users=6", "client.timeout=20s", "stages.1.peak=30", "behaviour.wrong-pins=60%")
}

func TestRegisteredOverWebSocketsWithTLS(t *testing.T) {
	runUntil(t, []string{result.Accepted}, "quick", 0.08, "deployment.run=in-process", "deployment.tls=true", "client.transport=websocket",
		"population.users=5", "population.enrol=registered", "mix={login: 1}", "client.timeout=20s")
}

// At midnight all permits are new, and nobody is refused.
func TestMidnight(t *testing.T) {
	runUntil(t, []string{result.Accepted}, "midnight-permits", 0.08, "deployment.clock=23:59:58", "population.users=30", "client.timeout=20s")
}

// A D-TA that lies is found out by every client that fetches from it; nobody is
// let in who must not be, or kept out without being told why.
func TestLyingDTA(t *testing.T) {
	path := filepath.Join(t.TempDir(), "liar.yaml")
	scenario := `name: liar
deployment: {run: in-process}
population: {users: 300}
client: {timeout: 20s}
mix: {login: 50, register: 50}
stages:
  - {kind: constant, rate: 20, duration: 3s}
faults:
  - {kind: lying-dta, node: dta-2, at: 1s, for: 1s}
  - {kind: clock-skew, node: rpa, skew: 3s, at: 0s, for: 1s}
`
	if err := os.WriteFile(path, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runUntil(t, []string{result.Accepted, result.Failed}, path, 1)
	for _, f := range r.Faults {
		if f.Error != "" || f.To <= f.From {
			t.Errorf("%+v", f)
		}
	}
}

// Servers that are killed, cut off, slow: the run goes on, says so, and no
// verdict is wrong.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("starts eight processes")
	}
	path := filepath.Join(t.TempDir(), "faults.yaml")
	scenario := `name: faults
deployment:
  run: processes
  store: bbolt
  links:
    - {between: clients-rpa, delay: 5ms, jitter: 2ms}
    - {between: rpa-rps, delay: 1ms}
population: {users: 40}
client: {timeout: 20s}
behaviour: {wrong-pins: 10%}
stages:
  - {kind: poisson, rate: 15, duration: 8s}
faults:
  - {kind: latency, between: rps-dta-1, delay: 50ms, at: 500ms, for: 1s}
  - {kind: cut, between: clients-rps, at: 2s, for: 500ms}
  - {kind: kill, node: rps-1, at: 3500ms, for: 500ms}
  - {kind: pause, node: rpa, at: 5s, for: 500ms}
  - {kind: restart, node: dta-2, at: 6s}
`
	if err := os.WriteFile(path, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runUntil(t, []string{result.Accepted, result.Refused}, path, 1)
	if len(r.Faults) != 5 {
		t.Fatalf("%+v", r.Faults)
	}
	for _, f := range r.Faults {
		if f.Error != "" || f.From < 0 {
			t.Errorf("%+v", f)
		}
	}
	if good, all := good(r.Counts.Outcomes), r.Counts.Intended; 2*good < all {
		t.Errorf("only %d of %d came to a good end: %v", good, all, r.Failures)
	}
}

// An interrupt leaves a partial result and no deployment.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s, err := Find("quick")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Set("deployment.run=in-process"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := run(t, ctx, s, 0.3, Options{Progress: func(p Progress) {
		if p.Doing == "calm" && p.Done >= 20 {
			cancel()
		}
	}})
	if !r.Partial || r.Why == "" || r.Counts.Intended == 0 {
		t.Errorf("partial %v (%s), %d operations in %v s", r.Partial, r.Why, r.Counts.Intended, r.Elapsed)
	}
}

// A deployment that is elsewhere is loaded as it is.
func TestExternal(t *testing.T) {
	d, err := deploy.Start(t.Context(), deploy.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Store: "memory", LogLevel: "error"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r := runUntil(t, []string{result.Accepted}, "quick", 0.07, "population.users=8", "deployment.external="+d.Ready().RPA, "mix={login: 1}", "client.timeout=20s")
	if r.Deployment.External == "" || r.Client.Enrol != "registered" {
		t.Errorf("%+v %+v", r.Deployment, r.Client)
	}
	if d.Node("rpa").PID() == 0 {
		t.Error("the deployment that was not the run's was ended")
	}
}

// A search finds a knee, of both verifiers.
func TestSaturation(t *testing.T) {
	r := runScenario(t, "saturation", 0.1, "deployment.cores=0", "deployment.run=in-process", "saturation.from=5", "saturation.to=20",
		"saturation.precision=50%", "population.users=50", "saturation.limit=60s", "client.timeout=60s", "saturation.compare=[single, batching bad-10]")
	if len(r.Searches) != 2 {
		t.Fatalf("%+v", r.Searches)
	}
	for _, s := range r.Searches {
		if s.Knee != 20 || !s.Unreached || len(s.Probes) < 4 {
			t.Errorf("%+v", s)
		}
	}
	if r.Searches[1].Bad != 0.1 || !r.Searches[1].Batching {
		t.Errorf("%+v", r.Searches[1])
	}
}

func TestRunRefuses(t *testing.T) {
	s, err := Find("quick")
	if err != nil {
		t.Fatal(err)
	}
	s.Deployment.Suite = "none"
	if _, err := Run(t.Context(), s, Options{}); !errors.Is(err, ErrScenario) {
		t.Errorf("%v", err)
	}
	s, _ = Find("quick")
	s.Deployment.External = "http://127.0.0.1:1"
	s.Population.Enrol = "registered"
	began := time.Now()
	if _, err := Run(t.Context(), s, Options{}); err == nil || time.Since(began) > time.Minute {
		t.Errorf("nobody is there: %v", err)
	}
}
