//go:build unix

package rps_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/rpa"
	"mpinlab/sim/rps"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// The clients of BenchmarkLogin are this test's binary again, in a process of
// their own, so that getrusage of the benchmark's process is the CPU time of
// the servers: of the RPS and of the application that redeems.

const clientsVariable = "MPINLAB_RPS_TEST_CLIENTS"

func TestMain(m *testing.M) {
	if os.Getenv(clientsVariable) != "" {
		if err := runClients(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// fleet is what the clients' process is told.
type fleet struct {
	RPS, RPA string
	Suite    string
	Backend  string
	Date     int
	Permits  bool // ask for a permit in each login
	Together bool // redeem when all users have come so far
	Users    []fleetUser
}

type fleetUser struct{ MpinID, Secret, Permit string }

// runClients reads a fleet and then numbers of logins, one a line, and answers
// each when that many were done, by all users at the same time.
func runClients(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return err
	}
	var f fleet
	if err := json.Unmarshal(line, &f); err != nil {
		return err
	}
	t := &background{}
	s := suite(t, f.Suite, f.Backend)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(f.Users) + 1}}
	ask := func(method, to string, body, answer any) error {
		var rd io.Reader
		if body != nil {
			b, err := json.Marshal(body)
			if err != nil {
				return err
			}
			rd = strings.NewReader(string(b))
		}
		q, err := http.NewRequest(method, to, rd)
		if err != nil {
			return err
		}
		resp, err := client.Do(q)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		if resp.StatusCode != 200 {
			return fmt.Errorf("%s: %d %s", to, resp.StatusCode, b)
		}
		if answer == nil {
			return nil
		}
		return json.Unmarshal(b, answer)
	}
	passes := func(u fleetUser) (string, error) {
		raw, err := wire.RawIdentity(u.MpinID)
		if err != nil {
			return "", err
		}
		id, err := s.Identity(raw)
		if err != nil {
			return "", err
		}
		b, err := hex.DecodeString(u.Secret)
		if err != nil {
			return "", err
		}
		secret, err := s.DecodeClientSecret(b)
		if err != nil {
			return "", err
		}
		if b, err = hex.DecodeString(u.Permit); err != nil {
			return "", err
		}
		permit, err := s.DecodePermit(protocol.Date(f.Date), b)
		if err != nil {
			return "", err
		}
		if f.Permits {
			if err := ask("GET", f.RPS+"/timePermit/"+u.MpinID, nil, nil); err != nil {
				return "", err
			}
		}
		p, err := s.NewProver(id, secret, permit, nil)
		if err != nil {
			return "", err
		}
		m := p.Pass1()
		proof, err := p.ProveBinding(nil)
		if err != nil {
			return "", err
		}
		var one wire.Pass1Answer
		if err := ask("POST", f.RPS+"/pass1", &wire.Pass1Request{
			MpinID: u.MpinID, U: hex.EncodeToString(m.U), UT: hex.EncodeToString(m.UT), Pass: 1, Proof: hex.EncodeToString(proof),
		}, &one); err != nil {
			return "", err
		}
		y, err := hex.DecodeString(one.Y)
		if err != nil {
			return "", err
		}
		v, err := p.Pass2(y)
		if err != nil {
			return "", err
		}
		var two wire.Pass2Answer
		if err := ask("POST", f.RPS+"/pass2", &wire.Pass2Request{
			MpinID: u.MpinID, V: hex.EncodeToString(v), WID: "0", Pass: 2,
		}, &two); err != nil {
			return "", err
		}
		return two.AuthOTT, nil
	}
	redeem := func(ott string) error {
		return ask("POST", f.RPA+"/mpinAuthenticate", &wire.AuthenticateRequest{MpinResponse: wire.MpinResponse{AuthOTT: ott}}, nil)
	}
	// each runs do for every user at the same time.
	each := func(do func(i int, u fleetUser) error) error {
		var wg sync.WaitGroup
		errs := make(chan error, len(f.Users))
		for i, u := range f.Users {
			wg.Go(func() {
				if err := do(i, u); err != nil {
					errs <- err
				}
			})
		}
		wg.Wait()
		select {
		case err := <-errs:
			return err
		default:
			return nil
		}
	}
	for {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var n int
		if _, err := fmt.Sscan(line, &n); err != nil {
			return err
		}
		var left atomic.Int64
		left.Store(int64(n))
		otts := make([]string, len(f.Users))
		for left.Load() > 0 {
			err := each(func(i int, u fleetUser) (err error) {
				for left.Add(-1) >= 0 {
					if otts[i], err = passes(u); err != nil || f.Together {
						return err
					}
					if err := redeem(otts[i]); err != nil {
						return err
					}
					otts[i] = ""
				}
				return nil
			})
			if err == nil {
				err = each(func(i int, _ fleetUser) error {
					if otts[i] == "" {
						return nil
					}
					defer func() { otts[i] = "" }()
					return redeem(otts[i])
				})
			}
			if err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(out, "done"); err != nil {
			return err
		}
	}
}

// cpuTime is this process's CPU time so far.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLogin reports the servers' CPU time for a whole login over HTTP with
// keep-alive, all users at the same time, and how many verifications with a
// cached identity that is (of ServerVerifyCached, measured in the same run).
// With 512 users all redeem at the same time, as they do where the server is
// what everyone waits for: that is where batches are large, and the two
// rows' quotient is what batching brings at saturation.
func BenchmarkLogin(b *testing.B) {
	for _, c := range []struct {
		name     string
		users    int
		permits  bool
		together bool
		batches  *protocol.BatchingOptions
	}{
		{"verify=single/users=8/permit=cached", 8, false, false, nil},
		{"verify=single/users=8/permit=asked", 8, true, false, nil},
		{"verify=single/users=512/permit=cached", 512, false, true, nil},
		{"verify=batching/users=512/permit=cached", 512, false, true, &protocol.BatchingOptions{}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkLogin(b, c.users, c.permits, c.together, c.batches) })
	}
}

func benchmarkLogin(b *testing.B, users int, permits, together bool, batches *protocol.BatchingOptions) {
	s := fast(b)
	// The application's handler needs the RPS's address and the other way round.
	var app http.Handler
	appServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.ServeHTTP(w, r) }))
	defer appServer.Close()
	d := deploy(b, s, func(c *rps.Config) {
		c.Logger = nil // as at the level of production, where a request is not an event
		c.Batching = batches
		c.VerifyURL, c.PermitURL = appServer.URL+"/mpinVerify", appServer.URL+"/mpinPermitUser"
		c.Now = time.Now
		c.Store = store.NewMemory(store.Options{})
	})
	d.dtas.now = time.Now
	d.clock.Set(time.Now())
	a, err := rpa.New(rpa.Config{Store: store.NewMemory(store.Options{}), URL: appServer.URL,
		RPS: strings.TrimSuffix(d.public, rps.Prefix), RPSPrivate: d.private,
		// A connection for each login, or most of the work is making them.
		Transport: &http.Transport{MaxIdleConns: 2 * users, MaxIdleConnsPerHost: 2 * users}})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	app = a.Handler()
	f := fleet{RPS: d.public, RPA: appServer.URL, Suite: s.ID().String(), Backend: s.Backend().Info().ID, Permits: permits, Together: together}
	var first *user
	for i := range users {
		u := d.enrol(fmt.Sprintf("user-%d@example.com", i), "1234")
		secret, err := u.token.Secret(u.id, u.pin("1234"))
		if err != nil {
			b.Fatal(err)
		}
		permit := u.permit()
		f.Date = int(permit.Date())
		f.Users = append(f.Users, fleetUser{u.mpinID, hex.EncodeToString(secret.Bytes()), hex.EncodeToString(permit.Bytes())})
		first = u
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), clientsVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := json.Marshal(f)
	if err != nil {
		b.Fatal(err)
	}
	fmt.Fprintf(in, "%s\n", line)
	answers := bufio.NewReader(out)
	run := func(n int) {
		fmt.Fprintln(in, n)
		if line, err := answers.ReadString('\n'); err != nil || line != "done\n" {
			b.Fatalf("the clients ended: %q %v", line, err)
		}
	}
	run(4 * users) // connections and caches
	verify := verifyCost(b, first)
	b.ResetTimer()
	before := cpuTime(b)
	run(b.N)
	used := cpuTime(b) - before
	b.StopTimer()
	perLogin := float64(used.Nanoseconds()) / float64(b.N)
	b.ReportMetric(perLogin/1000, "cpu-µs/login")
	b.ReportMetric(perLogin/float64(verify.Nanoseconds()), "verifications/login")
	b.ReportMetric(float64(verify.Nanoseconds())/1000, "verify-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
	if batches != nil {
		b.ReportMetric(float64(d.value("mpin_batched_logins"))/float64(d.value("mpin_batches")), "logins/batch")
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
}

// verifyCost is the CPU time of one ServerVerifyCached.
func verifyCost(b *testing.B, u *user) time.Duration {
	secret, err := u.dtas.ServerSecret(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	v, err := u.suite.NewVerifier(secret)
	if err != nil {
		b.Fatal(err)
	}
	day := u.today()
	const n = 200
	logins := make([]protocol.Transcript, n)
	for i := range logins {
		p := u.prover("1234", u.permitFor(day))
		c, err := v.Challenge(u.id, p.Pass1(), day, nil)
		if err != nil {
			b.Fatal(err)
		}
		answer, err := p.Pass2(c.Y())
		if err != nil {
			b.Fatal(err)
		}
		logins[i] = protocol.Transcript{Date: day, U: p.Pass1().UT, Y: c.Y(), V: answer}
	}
	before := cpuTime(b)
	for i := range logins {
		if err := v.Verify(u.id, &logins[i]); err != nil {
			b.Fatal(err)
		}
	}
	return (cpuTime(b) - before) / n
}

// TestMemory: 100,000 registered users and 10,000 logins in flight fit into
// 150 MB with everything in memory, the server's rival for it being what the
// test itself holds.
func TestMemory(t *testing.T) {
	registered, flying := 100_000, 10_000
	if testing.Short() || raceEnabled {
		registered, flying = 10_000, 500
	}
	const limit = 150 << 20
	d := deploy(t, fast(t), func(c *rps.Config) {
		c.Logger, c.VerifyURL = nil, ""
		c.IdentityCache, c.ChallengeCache = 8192, 8192
	})
	h := d.rps.Public()
	serve := func(method, path string, body any) []byte {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		w := newRecorder()
		h.ServeHTTP(w, newRequest(method, path, b))
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.Bytes()
	}
	u := d.enrol("alice", "1234")
	m := u.prover("1234", u.permitFor(u.today())).Pass1()
	for i := range registered {
		var a wire.RegisterAnswer
		b := serve("PUT", "/rps/user", wire.RegisterRequest{UserID: fmt.Sprintf("user-%d@example.com", i)})
		if i >= flying {
			continue
		}
		if err := json.Unmarshal(b, &a); err != nil {
			t.Fatal(err)
		}
		// Any points of the group do: the logins are not judged here.
		serve("POST", "/rps/pass1", wire.Pass1Request{MpinID: a.MpinID, U: hex.EncodeToString(m.U), UT: hex.EncodeToString(m.UT), Pass: 1})
		serve("POST", "/rps/pass2", wire.Pass2Request{MpinID: a.MpinID, V: hex.EncodeToString(m.U), WID: "0", Pass: 2})
	}
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	t.Logf("%d registered, %d in flight: heap %d MB, from the system %d MB", registered, flying, s.HeapAlloc>>20, s.Sys>>20)
	if s.HeapAlloc > limit {
		t.Errorf("heap of %d bytes", s.HeapAlloc)
	}
}
