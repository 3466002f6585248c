// Package redistest starts a real Redis server for a test, which may kill it
// and start it again on the same data.
package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// startTimeout is how long a server may take to answer: on a busy machine, and
// with a log to read, much longer than it usually does.
const startTimeout = 30 * time.Second

// Server is a Redis server on a port of 127.0.0.1, with its data in a folder of
// the test's. Its log of changes is synchronised with every one (appendfsync
// always), unless the arguments say otherwise.
type Server struct {
	t    testing.TB
	path string
	dir  string
	addr string
	args []string

	mu  sync.Mutex
	run *process
}

// process is a server that runs, or did.
type process struct {
	*exec.Cmd
	out   bytes.Buffer
	ended chan struct{} // closed when it has; then err is how
	err   error
}

// end sends a signal and waits for the end.
func (p *process) end(sig os.Signal) error {
	p.Process.Signal(sig)
	<-p.ended
	return p.err
}

// Start starts a server, which ends with the test. The arguments are settings
// for its command line, such as "--appendonly", "no". Where there is no
// redis-server the test is skipped, or with CI=true fails.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed")
	}
	s := &Server{t: t, path: path, dir: t.TempDir(), args: args}
	t.Cleanup(s.Kill)
	// A port that was free a moment ago may have been taken since.
	for range 5 {
		s.addr = freeAddress(t)
		if err = s.start(); err == nil {
			return s
		}
		s.Kill()
	}
	t.Fatal(err)
	return nil
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// URL returns the server's, the same after a restart.
func (s *Server) URL() string { return "redis://" + s.addr }

// Addr returns host and port.
func (s *Server) Addr() string { return s.addr }

// Dir returns the folder of the server's data.
func (s *Server) Dir() string { return s.dir }

// Kill ends the server as kill -9 does. It does nothing if there is none.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		s.run.end(os.Kill)
		s.run = nil
	}
}

// Stop has the server save what it holds and end.
func (s *Server) Stop() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return
	}
	if err := s.run.end(os.Interrupt); err != nil {
		s.t.Errorf("redis-server: %v\n%s", err, &s.run.out)
	}
	s.run = nil
}

// Restart starts the server again, after Kill or Stop or in the place of the
// one that runs, on the same port and data, and returns when it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, port, _ := net.SplitHostPort(s.addr)
	args := append([]string{
		"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--daemonize", "no",
		"--save", "", "--appendonly", "yes", "--appendfsync", "always",
	}, s.args...)
	p := &process{Cmd: exec.Command(s.path, args...), ended: make(chan struct{})}
	p.Dir = s.dir
	p.Stdout, p.Stderr = &p.out, &p.out
	if err := launch(p); err != nil {
		return err
	}
	deadline := time.After(startTimeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !s.answers() {
		select {
		case <-p.ended:
			return fmt.Errorf("redis-server has ended: %s", &p.out)
		case <-deadline:
			p.end(os.Kill)
			return fmt.Errorf("redis-server does not answer: %s", &p.out)
		case <-tick.C:
		}
	}
	s.run = p
	return nil
}

// launch starts a process and waits for its end on a thread of its own: on
// Linux a child is tied to the thread that started it.
func launch(p *process) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		dieWithParent(p.Cmd)
		err := p.Start()
		started <- err
		if err == nil {
			p.err = p.Wait()
			close(p.ended)
		}
	}()
	return <-started
}

// answers tells whether this server, not another that got the port, answers
// and has read its data.
func (s *Server) answers() bool {
	c, err := net.DialTimeout("tcp", s.addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(c, "CONFIG GET dir\r\nPING\r\n")
	dir, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return false
	}
	for mine, lines := false, bufio.NewScanner(c); lines.Scan(); {
		switch line := lines.Text(); {
		case line == dir:
			mine = true
		case line == "+PONG":
			return mine
		case strings.HasPrefix(line, "-"):
			return false
		}
	}
	return false
}
