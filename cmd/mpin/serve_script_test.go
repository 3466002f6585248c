package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mpinlab/sim/deploy"
)

// TestServeScripts runs the manual of `mpin serve` and of the client against it:
// testdata/serve/*.txt.
func TestServeScripts(t *testing.T) {
	s := &servers{running: map[string]*served{}}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "serve"),
		Condition: func(name string) (bool, error) {
			// [redis] is true where there is a redis-server; in CI there must be.
			_, err := exec.LookPath("redis-server")
			return name == "redis" && (err == nil || os.Getenv("CI") == "true"), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": s.serve, "ports": ports, "interrupt": s.interrupt, "status": status, "replace": replace, "extract": extract, "fetch": fetch,
		},
	})
}

// served is a deployment that a script has started.
type served struct {
	cmd    *exec.Cmd
	stderr *os.File
	ended  chan error
}

type servers struct {
	mu      sync.Mutex
	running map[string]*served // by the script's name
}

// ports sets PORT to the first of some ports that are free, below those that the
// system hands out by itself. The tests of sim/deploy, which may run beside
// these, look in other ports.
func ports(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: ports")
	}
	for range 200 {
		first, free := 22000+rand.IntN(9000), 0
		for i := range 10 {
			if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first+i)); err == nil {
				l.Close()
				free++
			}
		}
		if free == 10 {
			ts.Setenv("PORT", strconv.Itoa(first))
			return
		}
	}
	ts.Fatalf("no free ports")
}

// serve FLAGS… starts `mpin serve --listen 127.0.0.1:0 FLAGS…` as in another
// terminal, waits for its line, and sets RPA, RPS, PRIVATE, CERTIVOX, DTA and
// READY. What it says on standard error is in the file serve.log.
func (s *servers) serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("serve cannot be negated; use status")
	}
	log, err := os.OpenFile(ts.MkAbs("serve.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	ts.Check(err)
	path := ""
	for _, folder := range filepath.SplitList(ts.Getenv("PATH")) {
		if p, err := exec.LookPath(filepath.Join(folder, "mpin")); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		ts.Fatalf("no mpin on the script's PATH")
	}
	cmd := exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "SystemRoot", "MPIN_PASSPHRASE", "MPIN_PKCS11_PIN", "SOFTHSM2_CONF", "GOCOVERDIR"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	p := &served{cmd, log, make(chan error, 1)}
	s.mu.Lock()
	s.running[ts.Name()] = p
	s.mu.Unlock()
	line, readErr := bufio.NewReader(out).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, out)
		p.ended <- cmd.Wait()
	}()
	ts.Defer(func() {
		_ = cmd.Process.Kill() // unless the script has ended it
		log.Close()
	})
	if readErr != nil {
		err := <-p.ended
		p.ended <- err
		ts.Fatalf("mpin serve ended without its line: %v\n%s", err, ts.ReadFile("serve.log"))
	}
	var r deploy.Ready
	if err := json.Unmarshal([]byte(line), &r); err != nil || !r.Ready {
		ts.Fatalf("not the line of a deployment that is ready: %q: %v", line, err)
	}
	for name, value := range map[string]string{
		"RPA": r.RPA, "RPS": r.RPS, "PRIVATE": r.RPSPrivate, "CERTIVOX": r.Certivox, "DTA": strings.Join(r.DTA, " "),
		"READY": strings.TrimSpace(line),
	} {
		ts.Setenv(name, value)
	}
}

// interrupt does what Ctrl-C does, and expects exit status 0.
func (s *servers) interrupt(ts *testscript.TestScript, neg bool, args []string) {
	s.mu.Lock()
	p := s.running[ts.Name()]
	s.mu.Unlock()
	if neg || len(args) != 0 || p == nil {
		ts.Fatalf("usage: interrupt, after serve")
	}
	ts.Check(p.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-p.ended:
		if err != nil {
			ts.Fatalf("after an interrupt: %v\n%s", err, ts.ReadFile("serve.log"))
		}
	case <-time.After(time.Minute):
		ts.Fatalf("it does not end")
	}
}

// status N COMMAND… runs a command and expects exit status N.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, not %d", got, want)
	}
}

// fetch URL FILE writes the answer to a GET, which must be 200, into a file.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fetch URL FILE")
	}
	answer, err := http.Get(args[0])
	ts.Check(err)
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	ts.Check(err)
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("status %d: %s", answer.StatusCode, b)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// extract FILE NAME VARIABLE sets a variable to a member of a JSON file.
func extract(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: extract FILE NAME VARIABLE")
	}
	var members map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &members))
	value, ok := members[args[1]].(string)
	if !ok {
		ts.Fatalf("no text %q in %s", args[1], args[0])
	}
	ts.Setenv(args[2], value)
}
