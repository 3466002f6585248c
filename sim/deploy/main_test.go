package deploy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/sim/client"
)

// childVariable names the configuration file of a process that this test binary
// is to be: a node of a deployment under test.
const childVariable = "MPIN_TEST_NODE"

func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		var c Config
		err := ReadConfig(file, &c)
		if err == nil {
			err = Serve(ctx, c, os.Stdout, os.Stderr)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "mpin:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// asChild makes processes of this test binary.
func asChild(file string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+file)
	return cmd
}

// torture tells whether the full form is to run: MPIN_TORTURE=1, `make torture`.
func torture() bool { return os.Getenv("MPIN_TORTURE") == "1" }

// times returns the full number in the full form, else the short one, and with
// -short, as under the race detector, a fifth of it.
func times(short, full int) int {
	switch {
	case torture():
		return full
	case testing.Short():
		return max(1, short/5)
	}
	return short
}

// needRedis skips where there is no redis-server, and fails in CI.
func needRedis(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		missing(t, "redis-server")
	}
}

// start starts a deployment that ends with the test.
func start(t testing.TB, c Config) *Deployment {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	if c.Data == "" {
		c.Data = t.TempDir()
	}
	if c.Store == "" {
		c.Store = "memory"
	}
	c.Command = asChild
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	d, err := Start(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("closing the deployment: %v", err)
		}
		for _, n := range d.Nodes() {
			if n.PID() != 0 {
				t.Errorf("%s still runs", n.Name())
			}
			if t.Failed() {
				t.Logf("%s: %s", n.Name(), complaints(n.Logs()))
			}
		}
	})
	return d
}

// complaints are the last lines of a log that are not everyday's.
func complaints(log []byte) string {
	var lines []string
	for line := range strings.Lines(string(log)) {
		if !strings.Contains(line, `"level":"INFO"`) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines[max(0, len(lines)-6):], "\n")
}

// clientOf opens a client of a deployment.
func clientOf(t testing.TB, d *Deployment, change ...func(*client.Options)) *client.Client {
	t.Helper()
	o := client.Options{Suites: suites(), Timeout: time.Minute} // of a busy machine
	for _, f := range change {
		f(&o)
	}
	return openClient(t, d.Ready().RPA, o)
}

func openClient(t testing.TB, base string, o ...client.Options) *client.Client {
	t.Helper()
	o = append(o, client.Options{Suites: suites()})
	c, err := client.Open(t.Context(), base, o[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func suites() func(protocol.SuiteID) (*protocol.Suite, error) {
	return client.SuitesOf(all.Backends()...)
}

func pinOf(t testing.TB, digits string) *client.PIN {
	t.Helper()
	p, err := client.NewPIN([]byte(digits))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// enrol registers a user who is active at once, and gives him a PIN.
func enrol(ctx context.Context, c *client.Client, user, digits string) (*client.Identity, error) {
	id, err := c.Register(ctx, client.Registration{UserID: user, DeviceName: "test"})
	if err != nil {
		return nil, fmt.Errorf("registering: %w", err)
	}
	return id, finish(ctx, c, id, digits)
}

// finish gives a registered and active identity its token.
func finish(ctx context.Context, c *client.Client, id *client.Identity, digits string) error {
	e, err := c.Enrol(ctx, id)
	if err != nil {
		return fmt.Errorf("fetching the secret: %w", err)
	}
	pin, err := client.NewPIN([]byte(digits))
	if err != nil {
		return err
	}
	if err := e.SetPIN(pin); err != nil {
		return fmt.Errorf("setting the PIN: %w", err)
	}
	if err := c.SetupDone(ctx, id); err != nil {
		return fmt.Errorf("setup done: %w", err)
	}
	return nil
}

var users atomic.Int64

// mustEnrol enrols a fresh user with PIN 1234.
func mustEnrol(t testing.TB, c *client.Client) *client.Identity {
	t.Helper()
	id, err := enrol(t.Context(), c, fmt.Sprintf("user-%d@example.com", users.Add(1)), "1234")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// mustLogin expects a login to end with an error of a kind, nil for success.
func mustLogin(t testing.TB, c *client.Client, id *client.Identity, digits string, want error) {
	t.Helper()
	_, err := c.Login(t.Context(), id, pinOf(t, digits), client.LoginOptions{})
	if !errors.Is(err, want) {
		t.Fatalf("login with %s: %v, not %v", digits, err, want)
	}
}

// loginSuite is what every deployment has to do: register, log in, refuse,
// block, register anew, clear failures by a success, sign off.
func loginSuite(t *testing.T, c *client.Client) {
	t.Helper()
	id := mustEnrol(t, c)
	mustLogin(t, c, id, "1234", nil)
	mustLogin(t, c, id, "1235", client.ErrWrongPIN)
	mustLogin(t, c, id, "4321", client.ErrWrongPIN)
	mustLogin(t, c, id, "1234", nil) // clears
	mustLogin(t, c, id, "0000", client.ErrWrongPIN)
	mustLogin(t, c, id, "0001", client.ErrWrongPIN)
	mustLogin(t, c, id, "0002", client.ErrBlocked)
	mustLogin(t, c, id, "1234", client.ErrBlocked)
	again, err := enrol(t.Context(), c, id.UserID, "9876")
	if err != nil {
		t.Fatal(err)
	}
	mustLogin(t, c, again, "9876", nil)
	s, err := c.Login(t.Context(), again, pinOf(t, "9876"), client.LoginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Logout(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// get asks for a URL without following redirections.
func get(t testing.TB, url string, headers ...string) (int, string) {
	t.Helper()
	return send(t, http.MethodGet, url, "", headers...)
}

func send(t testing.TB, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var b strings.Builder
	buffer := make([]byte, 4096)
	for b.Len() < 1<<20 {
		n, err := answer.Body.Read(buffer)
		b.Write(buffer[:n])
		if err != nil {
			break
		}
	}
	return answer.StatusCode, b.String()
}

// stretch is an address with so many free ports from it on, below those that the
// system hands out by itself, for deployments that are to come back. The tests of
// cmd/mpin, which may run beside these, look in other ports.
func stretch(t testing.TB, n int) string {
	t.Helper()
	for range 200 {
		first, held := 12000+rand.IntN(9000), []func(){}
		for i := range n {
			_, give, err := reserve("127.0.0.1:" + strconv.Itoa(first+i))
			if err != nil {
				break
			}
			held = append(held, give)
		}
		for _, give := range held {
			give()
		}
		if len(held) == n {
			return "127.0.0.1:" + strconv.Itoa(first)
		}
	}
	t.Fatal("no free ports")
	return ""
}

// grep tells in which files of a folder some text is.
func grep(t testing.TB, folder, text string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
