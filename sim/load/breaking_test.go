package load

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/deploy"
	"mpinlab/sim/fault"
	"mpinlab/sim/load/result"
)

// rig is a deployment that a scenario started, with its faults in hand.
type rig struct {
	*testing.T
	target *target
	faults []fault.Fault
	// patient waits for answers, hasty does not.
	patient, hasty *client.Client
	pin            *client.PIN
}

// newRig starts what a scenario says. Lines are YAML of deployment and faults.
func newRig(t *testing.T, deployment string, faults ...string) *rig {
	t.Helper()
	t.Parallel()
	text := "name: rig\ndeployment: " + deployment + "\nstages:\n  - {kind: constant, rate: 1, duration: 1h}\n"
	if len(faults) > 0 {
		text += "faults:\n"
	}
	for _, f := range faults {
		text += "  - {at: 0s, for: 1s, " + f + "}\n"
	}
	s, err := Read("rig.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	g, err := startTarget(t.Context(), s, Options{Command: asChild, Temp: temp})
	if errors.Is(err, fault.ErrUnsupported) && (os.Geteuid() != 0 || os.Getenv("CI") != "true") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, target: g}
	t.Cleanup(func() {
		if err := g.close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
		if left := servers(t, temp); len(left) > 0 {
			t.Errorf("processes left: %v", left)
		}
	})
	for _, e := range g.events(s, func() {}) {
		r.faults = append(r.faults, e.Fault)
	}
	if r.pin, err = client.NewPIN([]byte("1234")); err != nil {
		t.Fatal(err)
	}
	r.patient, r.hasty = r.open(30*time.Second), r.open(400*time.Millisecond)
	return r
}

// open opens a client that waits so long for an answer. The settings are had
// without faults, and so is the connection.
func (r *rig) open(timeout time.Duration) *client.Client {
	r.Helper()
	suites := func(id protocol.SuiteID) (*protocol.Suite, error) { return suiteOf(id.String(), "") }
	var c *client.Client
	// On a busy machine even this takes longer than the hasty wait.
	r.eventually(func() (err error) {
		c, err = client.Open(r.Context(), r.target.rpa, client.Options{Suites: suites, Transport: r.target.transport(16), Timeout: timeout})
		return err
	})
	r.Cleanup(c.Close)
	return c
}

func (r *rig) eventually(try func() error) {
	r.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	r.Fatal(err)
}

func (r *rig) begin(i int) {
	r.Helper()
	if err := r.faults[i].Begin(r.Context()); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) end(i int) {
	r.Helper()
	if err := r.faults[i].End(r.Context()); err != nil {
		r.Fatal(err)
	}
}

var newcomers atomic.Int64

// register enrols somebody new.
func (r *rig) register() (*client.Identity, error) {
	return enrol(r.Context(), r.patient, fmt.Sprintf("rig-%d@example.com", newcomers.Add(1)), r.pin)
}

func (r *rig) user() *client.Identity {
	r.Helper()
	id, err := r.register()
	if err != nil {
		r.Fatal(err)
	}
	return id
}

// login logs in with the right PIN.
func (r *rig) login(c *client.Client, id *client.Identity) error {
	_, err := c.Login(r.Context(), id, r.pin, client.LoginOptions{})
	return err
}

// works expects a login, and somebody new, to succeed.
func (r *rig) works(id *client.Identity) {
	r.Helper()
	if err := r.login(r.patient, id); err != nil {
		r.Fatalf("mended, and a login fails: %v", err)
	}
	if err := r.login(r.patient, r.user()); err != nil {
		r.Fatalf("mended, and a login of somebody new fails: %v", err)
	}
}

// is expects an error to be of a class of outcomes.
func (r *rig) is(err error, classes ...string) {
	r.Helper()
	class := result.Accepted
	if err != nil {
		class = failure(err)
	}
	if !strings.Contains(" "+strings.Join(classes, " ")+" ", " "+class+" ") {
		r.Errorf("%s (%v), not %v", class, err, classes)
	}
}

// wrong is a wrong PIN, which must be refused with an error of a kind.
func (r *rig) wrong(id *client.Identity, want error) {
	r.Helper()
	pin, err := client.NewPIN([]byte("4321"))
	if err != nil {
		r.Fatal(err)
	}
	if _, err := r.patient.Login(r.Context(), id, pin, client.LoginOptions{}); !errors.Is(err, want) {
		r.Fatalf("a wrong PIN: %v, not %v", err, want)
	}
}

// takes expects something to take at least so long: a bound that holds on every
// machine.
func (r *rig) takes(least time.Duration, f func() error) {
	r.Helper()
	start := time.Now()
	if err := f(); err != nil {
		r.Fatal(err)
	}
	if took := time.Since(start); took < least {
		r.Errorf("it took %v, less than %v", took, least)
	}
}

// kindTests are what every kind of fault does to a deployment.
var kindTests = map[string]map[string]func(*testing.T){
	FaultKill: {"bbolt": func(t *testing.T) {
		r := newRig(t, "{run: processes, store: bbolt}", "kind: kill, node: rps-1")
		id := r.user()
		r.wrong(id, client.ErrWrongPIN)
		r.wrong(id, client.ErrWrongPIN)
		r.begin(0)
		r.is(r.login(r.patient, id), result.Unreachable)
		r.end(0)
		// What was acknowledged is kept: this is the third.
		r.wrong(id, client.ErrBlocked)
		r.works(r.user())
	}},
	FaultPause: {"one process": func(t *testing.T) {
		r := newRig(t, "{run: process, store: bbolt}", "kind: pause, node: all")
		id := r.user()
		r.begin(0)
		r.is(r.login(r.hasty, id), result.Timeout)
		r.end(0)
		r.works(id)
	}},
	FaultRestart: {"bbolt": func(t *testing.T) {
		r := newRig(t, "{run: processes, store: bbolt}", "kind: restart, node: rps-1")
		id, n := r.user(), r.target.deployment.Node("rps-1")
		before := n.PID()
		r.begin(0)
		r.end(0)
		if now := n.PID(); now == before || now == 0 {
			t.Errorf("process %d, and before %d", now, before)
		}
		r.works(id)
	}},
	FaultLatency: {"clients": func(t *testing.T) {
		r := newRig(t, "{run: process, store: memory}", "kind: latency, between: clients-rps, delay: 60ms, jitter: 1ms")
		id := r.user()
		r.begin(0)
		// Two passes, there and back.
		r.takes(4*59*time.Millisecond, func() error { return r.login(r.patient, id) })
		r.end(0)
		r.works(id)
	}, "roles": func(t *testing.T) {
		// The private listener, where logins are redeemed, belongs to it.
		r := newRig(t, "{run: in-process, store: memory}", "kind: latency, between: rpa-rps, delay: 150ms")
		id := r.user()
		r.begin(0)
		r.takes(300*time.Millisecond, func() error { return r.login(r.patient, id) })
		r.end(0)
		r.works(id)
	}},
	FaultBandwidth: {"clients": func(t *testing.T) {
		r := newRig(t, "{run: in-process, store: memory}", "kind: bandwidth, between: clients-rps, bandwidth: 2KB")
		id := r.user()
		r.begin(0)
		// Each pass has more than 400 bytes with its headers.
		r.takes(400*time.Millisecond, func() error { return r.login(r.patient, id) })
		r.end(0)
		r.works(id)
	}},
	FaultCut: {"clients": func(t *testing.T) {
		r := newRig(t, "{run: process, store: memory}", "kind: cut, between: clients-rps")
		id := r.user()
		r.begin(0)
		r.is(r.login(r.patient, id), result.Unreachable)
		r.end(0)
		r.works(id)
	}, "roles": func(t *testing.T) {
		r := newRig(t, "{run: in-process, store: memory}", "kind: cut, between: rpa-rps")
		id := r.user()
		r.begin(0)
		r.is(r.login(r.patient, id), result.Busy, result.Failed)
		r.end(0)
		r.works(id)
	}},
	FaultPackets: {"delay": func(t *testing.T) {
		r := newRig(t, "{run: process, store: memory}", "kind: packet-delay, between: clients-rps, delay: 60ms")
		id := r.user()
		r.begin(0)
		r.takes(240*time.Millisecond, func() error { return r.login(r.patient, id) })
		r.end(0)
		r.works(id)
	}, "loss": func(t *testing.T) {
		r := newRig(t, "{run: processes, store: memory}", "kind: packet-delay, between: clients-rps, loss: 100%",
			"kind: packet-delay, between: rpa-rps, loss: 20%, bandwidth: 1MB, delay: 1ms")
		id := r.user()
		r.begin(0)
		r.is(r.login(r.hasty, id), result.Timeout)
		r.end(0)
		r.begin(1)
		r.works(id) // TCP sends again what was lost
		r.end(1)
		r.works(id)
	}},
	FaultStoreStop: {"bbolt": func(t *testing.T) { storeStops(t, "{run: process, store: bbolt}") },
		"processes": func(t *testing.T) { storeStops(t, "{run: processes, store: bbolt}") },
		"memory":    func(t *testing.T) { storeStops(t, "{run: in-process, store: memory}") },
		"redis": func(t *testing.T) {
			needRedis(t)
			storeStops(t, "{run: in-process, store: redis}")
		}},
	FaultDiskFull: {"bbolt": func(t *testing.T) { diskFull(t, newRig(t, "{run: process, store: bbolt}", "kind: disk-full")) },
		"in-process": func(t *testing.T) { diskFull(t, newRig(t, "{run: in-process, store: bbolt}", "kind: disk-full")) },
		"processes":  func(t *testing.T) { diskFull(t, newRig(t, "{run: processes, store: bbolt}", "kind: disk-full")) },
		"files": func(t *testing.T) {
			// As without root.
			r := newRig(t, "{run: processes, store: bbolt}")
			r.faults = []fault.Fault{r.target.fill(&Scenario{Deployment: Deployment{Store: "bbolt"}})}
			diskFull(t, r)
		},
		"redis": func(t *testing.T) {
			needRedis(t)
			diskFull(t, newRig(t, "{run: processes, store: redis}", "kind: disk-full"))
		}},
	FaultClock: {"rps": func(t *testing.T) {
		r := newRig(t, "{run: in-process, store: memory}", "kind: clock-skew, node: rps-1, skew: 49h")
		id := r.user()
		if err := r.login(r.patient, id); err != nil {
			t.Fatal(err)
		}
		r.begin(0)
		// It judges by a day whose permit nobody has: nobody gets in.
		if err := r.login(r.patient, id); err == nil {
			t.Error("accepted with the permit of another day")
		}
		r.end(0)
		r.works(r.user())
	}},
	FaultLyingDTA: {"in-process": func(t *testing.T) {
		r := newRig(t, "{run: in-process, store: memory}", "kind: lying-dta, node: dta-2")
		id := r.user()
		r.begin(0)
		// The proxy, which asks it, names it.
		if _, err := r.register(); err == nil || failure(err) != result.Failed || !strings.Contains(err.Error(), "D-TA 2") {
			t.Errorf("the liar is not found out: %v", err)
		}
		r.end(0)
		r.works(id)
	}},
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed")
	}
}

// While the store stands still nobody gets an answer that needs it, and nothing
// is lost.
func storeStops(t *testing.T, deployment string) {
	r := newRig(t, deployment, "kind: store-stop")
	id := r.user()
	r.wrong(id, client.ErrWrongPIN)
	r.wrong(id, client.ErrWrongPIN)
	r.begin(0)
	r.is(r.login(r.hasty, id), result.Timeout)
	r.end(0)
	r.eventually(func() error { return r.login(r.patient, r.user()) })
	r.wrong(id, client.ErrBlocked)
	r.works(r.user())
}

// A full disk refuses with 5xx, says nothing else, and takes no one who was
// acknowledged away; with room again all goes on.
func diskFull(t *testing.T, r *rig) {
	blocked, counted := r.user(), r.user()
	for range 2 {
		r.wrong(blocked, client.ErrWrongPIN)
	}
	r.wrong(blocked, client.ErrBlocked)
	r.wrong(counted, client.ErrWrongPIN)
	r.wrong(counted, client.ErrWrongPIN)
	r.begin(0)
	var in []*client.Identity
	var refused error
	// What the file has free inside is used up first.
	for range 3000 {
		id, err := r.register()
		if err != nil {
			refused = err
			break
		}
		in = append(in, id)
	}
	t.Logf("%d registered, then %v", len(in), refused)
	var status *client.StatusError
	if !errors.As(refused, &status) || status.Status < 500 {
		t.Fatalf("no honest refusal: %v", refused)
	}
	// Whoever is blocked stays so, whether or not that can be looked up.
	if err := r.login(r.patient, blocked); err == nil {
		t.Error("the blocked are let in")
	}
	r.end(0)
	r.eventually(func() error { return r.login(r.patient, r.user()) })
	// After a kill, too, everything acknowledged is there.
	for _, n := range r.target.nodes() {
		if r.target.config.Processes && n.node.Role() == deploy.RoleRPS || n.node.Role() == deploy.RoleAll {
			kill := fault.Kill(n.node)
			if err := errors.Join(kill.Begin(r.Context()), kill.End(r.Context())); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, id := range in {
		if err := r.login(r.patient, id); err != nil {
			t.Fatalf("registered as number %d of %d while the disk was full: %v", i, len(in), err)
		}
	}
	if err := r.login(r.patient, blocked); !errors.Is(err, client.ErrBlocked) {
		t.Errorf("blocked before: %v", err)
	}
	r.wrong(counted, client.ErrBlocked)
	r.works(r.user())
}

// Every kind of fault does to a real deployment what is said of it, and it is
// over when the fault is.
func TestEveryKindOfFault(t *testing.T) {
	for _, k := range FaultKinds() {
		tests := kindTests[k.Name]
		if len(tests) == 0 {
			t.Errorf("%s has no test", k.Name)
		}
		for name, test := range tests {
			t.Run(k.Name+"/"+strings.ReplaceAll(name, " ", "-"), test)
		}
	}
}

// Faults that cannot be are refused with a word on what can.
func TestFaultsThatCannotBe(t *testing.T) {
	for _, c := range []struct{ deployment, fault, want string }{
		{"{run: process}", "kind: packet-delay, between: rps-proxy, delay: 1ms", "rps-proxy is within the one process: run processes or in-process"},
		{"{run: process}", "kind: cut, between: clients-api", "clients-api is within the one process: run processes or in-process"},
		{"{run: processes}", "kind: packet-delay, between: rps-proxy", "packet-delay needs delay, jitter, loss or bandwidth"},
		{"{run: processes}", "kind: packet-delay, delay: 1ms", "packet-delay needs between"},
		{"{run: processes}", "kind: packet-delay, between: rps-proxy, loss: 3", "is no share"},
		{"{run: processes}", "kind: latency, between: rps-proxy, delay: 1ms, loss: 5%", "latency has none; it has between, delay, jitter"},
		{"{run: processes}", "kind: latency, between: rps-proxy", "latency needs delay"},
		{"{run: processes}", "kind: latency, between: rps-proxy, delay: -1s", "from 0 on"},
		{"{run: processes}", "kind: bandwidth, between: rps-proxy", "bandwidth needs bandwidth"},
		{"{run: processes}", "kind: kill", "kill needs node"},
		{"{run: processes}", "kind: kill, node: rpa, between: rps-proxy", "faults.0.between: kill has none; it has node"},
		{"{run: processes}", "kind: store-stop, node: rpa", "store-stop has none; it has only kind, at and for"},
		{"{store: memory}", "kind: disk-full", "disk-full needs store bbolt or redis"},
		{"{run: processes}", "kind: clock-skew, node: rpa, skew: 1s", "clock-skew needs run in-process"},
		{"{run: in-process, store: redis}", "kind: clock-skew, node: redis, skew: 1s", "name another server"},
		{"{run: in-process}", "kind: clock-skew, node: rpa", "clock-skew needs skew"},
		{"{run: in-process}", "kind: lying-dta, node: rpa", "rpa is no D-TA: dta-1 to dta-2 are"},
		{"{run: process}", "kind: lying-dta, node: dta-1", "lying-dta needs run in-process"},
		{"{run: in-process}", "kind: pause, node: rpa", "run process or processes"},
		{"{run: processes}", "kind: flood, node: rpa", `"flood" is none of kill, pause`},
	} {
		_, err := Read("x.yaml", fmt.Appendf(nil, "name: x\ndeployment: %s\nstages:\n  - {kind: constant, rate: 1, duration: 1s}\nfaults:\n  - {at: 0s, %s}\n", c.deployment, c.fault))
		if !errors.Is(err, ErrScenario) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.yaml:6") {
			t.Errorf("%s with %s: %v\ndoes not say\n%s", c.fault, c.deployment, err, c.want)
		}
	}
}

// A run through faults of store, disk and packets goes on, says what happened,
// and gives no wrong verdict.
func TestRunThroughFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "faults.yaml")
	scenario := `name: faults
deployment: {run: process, store: bbolt}
population: {users: 60}
client: {timeout: 20s}
mix: {login: 50, register: 50}
behaviour: {wrong-pins: 20%}
stages:
  - {kind: constant, rate: 12, duration: 4s}
faults:
  - {kind: store-stop, at: 500ms, for: 300ms}
  - {kind: disk-full, at: 1s, for: 2s}
`
	if fault.Detect().Packets {
		scenario += "  - {kind: packet-delay, between: clients-rps, delay: 5ms, loss: 2%, at: 0s, for: 3s}\n"
	}
	if err := os.WriteFile(path, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runScenario(t, path, 1)
	expect(t, r, result.Accepted, result.Refused)
	if len(r.Faults) != strings.Count(scenario, "kind: ")-1 {
		t.Errorf("%+v", r.Faults)
	}
	for _, f := range r.Faults {
		if f.Error != "" || f.To <= f.From || f.Target == "" {
			t.Errorf("%+v", f)
		}
	}
}
