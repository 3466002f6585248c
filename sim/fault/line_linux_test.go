package fault

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// needs skips what this user or machine cannot do; root in CI can.
func needs(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrUnsupported) && (os.Geteuid() != 0 || os.Getenv("CI") != "true") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func line(t *testing.T, p Packets) *Line {
	t.Helper()
	l, err := NewLine(echo(t), p)
	needs(t, err)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Bytes arrive whole and in order, also over a line that loses packets: TCP sends
// them again.
func TestLinePassesEverything(t *testing.T) {
	for _, p := range []Packets{{}, {Delay: 2 * time.Millisecond, Jitter: 2 * time.Millisecond}, {Rate: 20_000_000}, {Loss: 0.02}} {
		l := line(t, p)
		c := dial(t, l.Relay)
		sent := make([]byte, 200_000)
		for i := range sent {
			sent[i] = byte(i * i >> 3)
		}
		go func() {
			c.Write(sent)
			c.(*net.TCPConn).CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%+v: %d of %d bytes, %v", p, len(got), len(sent), err)
		}
		if l.Target() == l.Address() || l.Packets() != p {
			t.Errorf("%s %s %+v", l.Target(), l.Address(), l.Packets())
		}
	}
}

// Lower bounds hold on every machine: the first exchange on a line takes a
// handshake and a round trip, the next a round trip; at a rate, bytes take their
// time.
func TestLineTakesItsTime(t *testing.T) {
	const delay = 20 * time.Millisecond
	l := line(t, Packets{Delay: delay})
	var c net.Conn
	var in *bufio.Reader
	trip := func(text string) time.Duration {
		start := time.Now()
		if c == nil {
			c = dial(t, l.Relay)
			in = bufio.NewReader(c)
		}
		if _, err := io.WriteString(c, text+"\n"); err != nil {
			t.Fatal(err)
		}
		back, err := in.ReadString('\n')
		if err != nil || back != text+"\n" {
			t.Fatalf("%q, %v", back, err)
		}
		return time.Since(start)
	}
	if d := trip("a"); d < 4*delay {
		t.Errorf("a handshake and a round trip took %v", d)
	}
	if d := trip("b"); d < 2*delay {
		t.Errorf("a round trip took %v", d)
	}
	f := WorsenPackets(l, func(p *Packets) { p.Rate = 100_000 })
	if err := f.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := trip(strings.Repeat("x", 5000)); d < 90*time.Millisecond {
		t.Errorf("5000 bytes each way at 100 KB/s and %v took %v", delay, d)
	}
	if err := f.End(t.Context()); err != nil || l.Packets() != (Packets{Delay: delay}) {
		t.Errorf("%v %+v", err, l.Packets())
	}
}

// While everything is lost nothing arrives, and what was sent does afterwards.
func TestLineLosesAndSendsAgain(t *testing.T) {
	l := line(t, Packets{})
	c := dial(t, l.Relay)
	in := bufio.NewReader(c)
	if _, err := io.WriteString(c, "before\n"); err != nil {
		t.Fatal(err)
	}
	if s, err := in.ReadString('\n'); s != "before\n" {
		t.Fatal(s, err)
	}
	f := WorsenPackets(l, func(p *Packets) { p.Loss = 1 })
	if err := f.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "meanwhile\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if s, err := in.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%q arrived (%v)", s, err)
	}
	if err := f.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if s, err := in.ReadString('\n'); s != "meanwhile\n" {
		t.Errorf("%q, %v", s, err)
	}
}

// A line that is closed while a connection is being made over it does not wait
// for that.
func TestLineClosesWhileItDials(t *testing.T) {
	l, err := NewLine(echo(t), Packets{Loss: 1})
	needs(t, err)
	c := dial(t, l.Relay)
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(dialing - time.Second):
		t.Error("it waits for a connection that cannot be")
	}
}

// A full disk gives ENOSPC to this process and others, keeps what it has, and
// takes more when there is room again.
func TestDisk(t *testing.T) {
	d, err := NewDisk(1 << 20)
	needs(t, err)
	defer d.Close()
	path := filepath.Join(d.Folder(), "file")
	if err := os.WriteFile(path, make([]byte, 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	f := FullDisk(d)
	for i := range 2 {
		more := filepath.Join(d.Folder(), fmt.Sprint("more-", i))
		if err := f.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(more, make([]byte, 10_000), 0o600); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("full: %v", err)
		}
		if out, err := exec.Command("sh", "-c", "head -c 10000 /dev/zero >"+d.Folder()+"/other").CombinedOutput(); err == nil {
			t.Errorf("full: another process wrote: %s", out)
		}
		if b, err := os.ReadFile(path); err != nil || len(b) != 100_000 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if err := f.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(more, make([]byte, 10_000), 0o600); err != nil {
			t.Errorf("with room again: %v", err)
		}
	}
	folder := d.Folder()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "file")); err == nil {
		t.Error("closed, and its files are there")
	}
}

const leftBehind = "MPIN_TEST_LEFT_BEHIND"

// A process that is killed while lines, disks and gates are in use leaves no
// namespace, no device, no mount and no shut gate.
func TestNothingIsLeftBehind(t *testing.T) {
	if gate := os.Getenv(leftBehind); gate != "" { // who is to be killed
		if _, err := NewLine("127.0.0.1:1", Packets{Loss: 1}); err != nil {
			t.Fatal(err)
		}
		var space unix.Stat_t
		n, _, err := newNamespace(nearEnd)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Fstat(int(n.file.Fd()), &space); err != nil {
			t.Fatal(err)
		}
		d, err := NewDisk(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		g, err := NewGate(gate)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []Fault{FullDisk(d), Stall(g)} {
			if err := f.Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Printf("made %d %s\n", space.Ino, d.Folder())
		select {}
	}
	if k := Detect(); !k.Packets || !k.Disk {
		needs(t, fmt.Errorf("%w: %s", ErrUnsupported, k.Why))
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	gate := filepath.Join(t.TempDir(), "gate")
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestNothingIsLeftBehind$")
	cmd.Env = append(os.Environ(), leftBehind+"="+gate)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var space, folder string
	for in := bufio.NewScanner(out); in.Scan(); {
		if n, _ := fmt.Sscanf(in.Text(), "made %s %s", &space, &folder); n == 2 {
			break
		}
		t.Log(in.Text())
	}
	if folder == "" {
		t.Fatal("nothing was made")
	}
	if _, err := os.Stat(folder); err != nil {
		t.Errorf("while it lives: %v", err)
	}
	door, err := openDoor(gate)
	if err != nil {
		t.Fatal(err)
	}
	defer door.file.Close()
	if shut, err := door.shut(); !shut {
		t.Errorf("while it lives the gate is open: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if shut, err := door.shut(); shut || err != nil {
		t.Errorf("the gate stays shut: %v", err)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("%s is there", folder)
	}
	if now, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Contains(string(now), folder) || len(strings.Split(string(now), "\n")) > len(strings.Split(string(mounts), "\n")) {
		t.Errorf("mounts (%v):\n%s", err, now)
	}
	threads, err := filepath.Glob("/proc/[0-9]*/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range threads {
		if to, err := os.Readlink(f); err == nil && to == "net:["+space+"]" {
			t.Errorf("%s is still in the namespace", f)
		}
	}
}
