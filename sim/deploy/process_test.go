package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mpinlab/sim/client"
)

// counter reads the sum of a metric's series that match from the nodes' private
// listeners.
func counter(t testing.TB, nodes []Node, series string) int {
	t.Helper()
	re := regexp.MustCompile(`(?m)^` + series + ` (\d+)$`)
	sum := 0
	for _, n := range nodes {
		url := n.PrivateURL()
		if url == "" {
			url = n.URL()
		}
		status, text := get(t, url+"/metrics")
		if status != 200 {
			t.Fatalf("%s: metrics: %d", n.Name(), status)
		}
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			v, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			sum += v
		}
	}
	return sum
}

// Three RPS processes on one Redis behind the balancer are one RPS: they pass
// the suite that every deployment passes, they share the work, and when one is
// killed between the passes of a login and its redeeming nothing is lost.
func TestThreeRPSOnOneRedis(t *testing.T) {
	needRedis(t)
	d := start(t, Config{Processes: true, Store: "redis", RPS: 3})
	c := clientOf(t, d)
	loginSuite(t, c)
	loginSuite(t, clientOf(t, d, func(o *client.Options) { o.WebSocket = true }))
	for _, n := range d.ByRole(RoleRPS) {
		if counter(t, []Node{n}, `mpin_requests_total\{.*server="rps".*\}`) == 0 {
			t.Errorf("%s answered nothing", n.Name())
		}
		if n.PID() == 0 || n.PID() == os.Getpid() {
			t.Errorf("%s is process %d", n.Name(), n.PID())
		}
	}
	// Killed between pass 2 and the verdict, each of them in turn; the two
	// that are left do it.
	id := mustEnrol(t, c)
	for _, n := range d.ByRole(RoleRPS) {
		p, err := c.Prove(t.Context(), id, pinOf(t, "1234"), client.ProveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Redeem(t.Context(), p.AuthOTT); err != nil {
			t.Fatalf("redeeming after %s was killed: %v", n.Name(), err)
		}
		mustLogin(t, c, id, "1234", nil)
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Attempts outlive all of them.
	mustLogin(t, c, id, "0000", client.ErrWrongPIN)
	mustLogin(t, c, id, "0001", client.ErrWrongPIN)
	for _, n := range d.ByRole(RoleRPS) {
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range d.ByRole(RoleRPS) {
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustLogin(t, c, id, "0002", client.ErrBlocked)
	// Paused, one of them answers nothing; what it was asked is asked again
	// where that is safe, and it comes back.
	paused := d.Node("rps-2")
	if err := paused.Pause(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := paused.Ready(short); !errors.Is(err, ErrNotReady) {
		t.Fatalf("paused, and ready: %v", err)
	}
	if err := paused.Continue(); err != nil {
		t.Fatal(err)
	}
	if err := d.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	loginSuite(t, c)
}

// Every role in a process of its own, with state in bbolt: each is killed and
// started again, and users are there as before.
func TestEveryRoleAsAProcess(t *testing.T) {
	d := start(t, Config{Processes: true, Store: "bbolt", DTAs: 3, Threshold: 2})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	for _, n := range d.Nodes() {
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := n.Kill(); err != nil || n.PID() != 0 {
			t.Fatalf("%s: killed twice: %v, process %d", n.Name(), err, n.PID())
		}
		if err := n.Pause(); !errors.Is(err, ErrNotRunning) {
			t.Fatal(err)
		}
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustLogin(t, c, id, "1234", nil)
	}
	mustLogin(t, c, mustEnrol(t, c), "1234", nil)
	// In good order, too: SIGTERM, exit status 0.
	for _, n := range d.Nodes() {
		if err := n.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := n.(*process).run.Load(); r.err.Error() != "exit status 0" {
			t.Errorf("%s: %v\n%s", n.Name(), r.err, lastLines(n.Logs(), 5))
		}
	}
}

// One D-TA of three is down: the threshold of two goes on issuing, to new users
// too, as soon as the others have noticed that it is.
func TestDTADown(t *testing.T) {
	d := start(t, Config{DTAs: 3, Threshold: 2})
	c := clientOf(t, d)
	for _, n := range d.ByRole(RoleDTA) {
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, time.Minute, func() error {
			id, err := enrol(t.Context(), c, fmt.Sprintf("user-%d@example.com", users.Add(1)), "1234")
			if err != nil {
				return err
			}
			_, err = c.Login(t.Context(), id, pinOf(t, "1234"), client.LoginOptions{})
			return err
		})
		if err := n.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Killing the process that started a deployment leaves none of its own.
func TestNoOrphans(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells children of their parent's death")
	}
	if file := os.Getenv("MPIN_TEST_ORPHANS"); file != "" {
		// The parent that is to be killed.
		d, err := Start(context.Background(), Config{Listen: "127.0.0.1:0", Data: file, Store: "memory", Processes: true, Command: asChild})
		if err != nil {
			t.Fatal(err)
		}
		var pids []string
		for _, n := range d.Nodes() {
			pids = append(pids, strconv.Itoa(n.PID()))
		}
		fmt.Println("pids " + strings.Join(pids, " ") + " end")
		select {}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestNoOrphans$")
	cmd.Env = append(os.Environ(), "MPIN_TEST_ORPHANS="+t.TempDir())
	out := &logBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var list []string
	eventually(t, 2*time.Minute, func() error {
		if _, after, ok := strings.Cut(string(out.Bytes()), "pids "); ok && strings.Contains(after, " end") {
			before, _, _ := strings.Cut(after, " end")
			list = strings.Fields(before)
			return nil
		}
		return fmt.Errorf("no processes yet: %s", lastLines(out.Bytes(), 5))
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if len(list) != 6 {
		t.Fatalf("%d processes: %v", len(list), list)
	}
	eventually(t, time.Minute, func() error {
		for _, s := range list {
			pid, err := strconv.Atoi(s)
			if err != nil {
				return err
			}
			// A zombie that nobody has waited for yet has ended, too.
			if err := syscall.Kill(pid, 0); err == nil && !zombie(pid) {
				return fmt.Errorf("process %d still runs", pid)
			}
		}
		return nil
	})
}

func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}

// eventually tries until there is no error.
func eventually(t testing.TB, within time.Duration, try func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
