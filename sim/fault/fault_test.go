package fault

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/listentest"
)

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	return listentest.Serve(t, func(c net.Conn) { io.Copy(c, c) })
}

func relay(t *testing.T, p Path) *Relay {
	t.Helper()
	r, err := NewRelay(echo(t), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return r
}

func dial(t *testing.T, r *Relay) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRelayPassesEverything(t *testing.T) {
	for _, p := range []Path{{}, {Delay: 2 * time.Millisecond, Jitter: 2 * time.Millisecond}, {Bandwidth: 50_000_000}} {
		c := dial(t, relay(t, p))
		sent := make([]byte, 300_000)
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
	}
}

// A round trip takes at least twice the delay, and a bound on bandwidth as long
// as the bytes take: lower bounds, which hold on every machine.
func TestRelayTakesItsTime(t *testing.T) {
	r := relay(t, Path{Delay: 20 * time.Millisecond})
	c := dial(t, r)
	in := bufio.NewReader(c)
	trip := func(text string) time.Duration {
		start := time.Now()
		if _, err := io.WriteString(c, text+"\n"); err != nil {
			t.Fatal(err)
		}
		back, err := in.ReadString('\n')
		if err != nil || back != text+"\n" {
			t.Fatalf("%q, %v", back, err)
		}
		return time.Since(start)
	}
	if d := trip("a"); d < 40*time.Millisecond {
		t.Errorf("a round trip of %v", d)
	}
	fault := Worsen(r, func(p *Path) { p.Bandwidth = 100_000 })
	if err := fault.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := trip(strings.Repeat("x", 5000)); d < 140*time.Millisecond {
		t.Errorf("5000 bytes each way at 100 KB/s and 20 ms took %v", d)
	}
	if err := fault.End(t.Context()); err != nil || r.Path() != (Path{Delay: 20 * time.Millisecond}) {
		t.Errorf("%v %+v", err, r.Path())
	}
}

func TestRelayCuts(t *testing.T) {
	r := relay(t, Path{})
	c := dial(t, r)
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	fault := Worsen(r, func(p *Path) { p.Cut = true })
	if err := fault.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still there")
	}
	// A new connection is reset, which the caller may hear of while it dials.
	if d, err := net.Dial("tcp", r.Address()); err == nil {
		t.Cleanup(func() { d.Close() })
		d.SetDeadline(time.Now().Add(30 * time.Second))
		if n, err := d.Read(make([]byte, 1)); err == nil || n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a new connection leads somewhere: %d bytes, %v", n, err)
		}
	}
	if err := fault.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := dial(t, r)
	if _, err := io.WriteString(e, "y"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(e, make([]byte, 1)); err != nil {
		t.Errorf("after the cut: %v", err)
	}
}

// Faults of one relay that overlap leave nothing of each other behind.
func TestFaultsOverlap(t *testing.T) {
	base := Path{Delay: time.Millisecond}
	r := relay(t, base)
	slow := Worsen(r, func(p *Path) { p.Delay = time.Second })
	narrow := Together(Worsen(r, func(p *Path) { p.Bandwidth = 1000 }), Worsen(r, func(p *Path) { p.Jitter = 1 }))
	for _, step := range []struct {
		do   func(context.Context) error
		want Path
	}{
		{slow.Begin, Path{Delay: time.Second}},
		{narrow.Begin, Path{Delay: time.Second, Bandwidth: 1000, Jitter: 1}},
		{slow.End, Path{Delay: time.Millisecond, Bandwidth: 1000, Jitter: 1}},
		{narrow.End, base},
		{narrow.End, base},
	} {
		if err := step.do(t.Context()); err != nil || r.Path() != step.want {
			t.Errorf("%+v, not %+v (%v)", r.Path(), step.want, err)
		}
	}
}

// fakeNode notes what is done to it.
type fakeNode struct {
	done  []string
	fails bool
}

func (n *fakeNode) do(what string) error {
	n.done = append(n.done, what)
	if n.fails {
		return errors.New(what)
	}
	return nil
}
func (n *fakeNode) Name() string                  { return "node" }
func (n *fakeNode) Start(context.Context) error   { return n.do("start") }
func (n *fakeNode) Ready(context.Context) error   { return n.do("ready") }
func (n *fakeNode) Kill() error                   { return n.do("kill") }
func (n *fakeNode) Pause() error                  { return n.do("pause") }
func (n *fakeNode) Continue() error               { return n.do("continue") }
func (n *fakeNode) Restart(context.Context) error { return n.do("restart") }

func TestRun(t *testing.T) {
	a, b, c := &fakeNode{}, &fakeNode{}, &fakeNode{fails: true}
	var told int
	list := Run(t.Context(), time.Now(), []Event{
		{Fault: Kill(a), For: 10 * time.Millisecond}, {Fault: Pause(b), At: 5 * time.Millisecond, For: time.Millisecond}, {Fault: Restart(c)},
	}, func(int, Happened) { told++ })
	if got := strings.Join(a.done, " "); got != "kill start ready" {
		t.Errorf("killed: %s", got)
	}
	if got := strings.Join(b.done, " "); got != "pause continue" {
		t.Errorf("paused: %s", got)
	}
	if list[2].Err == nil || list[0].Err != nil || list[0].Ended < 10*time.Millisecond || told != 6 {
		t.Errorf("%+v, told %d times", list, told)
	}
}

// When the run is cut short, what is broken is mended at once, and what is not
// is left alone.
func TestRunMends(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a, b := &fakeNode{}, &fakeNode{}
	list := Run(ctx, time.Now(), []Event{{Fault: Pause(a), For: time.Hour}, {Fault: Kill(b), At: time.Hour}}, func(i int, h Happened) {
		if i == 0 {
			cancel()
		}
	})
	if got := strings.Join(a.done, " "); got != "pause continue" && got != "" {
		t.Errorf("%s", got)
	}
	if len(b.done) != 0 || list[1].Err == nil || list[1].Begun >= 0 {
		t.Errorf("%v %+v", b.done, list[1])
	}
}

func TestClock(t *testing.T) {
	var c Clock
	f := WrongClock(&c, time.Hour)
	if err := f.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := time.Until(c.Now()); d < 59*time.Minute {
		t.Errorf("%v", d)
	}
	if err := f.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := time.Until(c.Now()); d > time.Minute {
		t.Errorf("%v", d)
	}
}

func TestLiar(t *testing.T) {
	answer := `{"clientSecret":"aa","shares":[{"dta":2,"share":"aa","proof":"bb"}],"timePermits":{"1":"aa"},"message":"OK"}`
	l := NewLiar(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Kept", "yes")
		io.WriteString(w, answer)
	}), "ff")
	ask := func() (string, http.Header) {
		r := httptest.NewRecorder()
		l.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
		return r.Body.String(), r.Header()
	}
	if got, _ := ask(); got != answer {
		t.Errorf("it lies before it is to: %s", got)
	}
	f := Lie(l)
	if err := f.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, header := ask()
	var v map[string]any
	if err := json.Unmarshal([]byte(got), &v); err != nil || strings.Contains(got, `"aa"`) || strings.Count(got, `"ff"`) != 3 || !strings.Contains(got, `"bb"`) || header.Get("X-Kept") != "yes" {
		t.Errorf("%s %v", got, err)
	}
	if err := f.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := ask(); got != answer {
		t.Errorf("it goes on lying: %s", got)
	}
}

// What Detect says of this machine can be read, and says why where something is
// missing.
func TestDetect(t *testing.T) {
	k := Detect()
	if k.String() == "" || (k.Packets && k.Disk) != (k.Why == "") {
		t.Errorf("%+v", k)
	}
	t.Log(k)
}
