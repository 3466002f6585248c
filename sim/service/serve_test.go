package service_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"mpinlab/sim/service"
)

// quick are limits that a test can wait for, and that requests which are to be
// answered keep on a busy machine.
var quick = service.Limits{ReadHeader: time.Second, Read: 2 * time.Second, Write: 30 * time.Second,
	Idle: 5 * time.Second, Drain: 30 * time.Second, MaxHeader: 4 << 10, MaxConns: 100}

// serve serves a handler until the returned function is called, which returns
// what Serve did.
func serve(t *testing.T, l service.Limits, h http.Handler) (addr string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- l.Serve(ctx, listener, h, nil, nil) }()
	var once sync.Once
	var outcome error
	stop = func() error {
		once.Do(func() { cancel(); outcome = <-result })
		return outcome
	}
	t.Cleanup(func() { _ = stop() })
	return listener.Addr().String(), stop
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	// A test that hangs fails.
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func ping(addr string) error {
	r, err := http.Get("http://" + addr + "/status")
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return errors.Join(err, map[bool]error{false: errors.New(r.Status)}[r.StatusCode == 200])
}

// TestOpenedAhead: a connection that a client opened ahead of its use serves a
// request that begins after the time for headers, and its body, and the time
// for headers counts from there.
func TestOpenedAhead(t *testing.T) {
	t.Parallel() // it waits
	s := newService(t, service.Options{})
	s.Handle("POST /x", echo)
	addr, _ := serve(t, quick, s.Handler())
	used, slow := dial(t, addr), dial(t, addr)
	time.Sleep(2 * quick.Read) // past every deadline of a first request
	for range 2 {
		if _, err := io.WriteString(used, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(used, "{}"); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReader(used), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != 200 {
			t.Fatalf("status %d, %v", r.StatusCode, err)
		}
	}
	start := time.Now()
	if _, err := io.WriteString(slow, "POST /x HTTP/1.1\r\nHost: a\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(slow); err != nil {
		t.Fatalf("not cut: %v", err)
	}
	if d := time.Since(start); d < quick.ReadHeader/2 {
		t.Errorf("cut after %v; the time for headers is %v", d, quick.ReadHeader)
	}
}

// TestSlowLoris: connections that trickle their headers or their body, or send
// nothing, are cut; meanwhile others are answered.
func TestSlowLoris(t *testing.T) {
	t.Parallel() // it waits
	s := newService(t, service.Options{})
	s.Handle("POST /x", echo)
	addr, _ := serve(t, quick, s.Handler())
	for _, c := range []struct{ name, start, drip string }{
		{"headers", "GET /status HTTP/1.1\r\nHost: a\r\n", "X-A: b\r\n"},
		{"one header", "GET /status HTTP/1.1\r\nX-A: ", "b"},
		{"request line", "GET /", "s"},
		{"body", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n", " "},
		{"chunks", "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conns := make([]net.Conn, 8)
			for i := range conns {
				conns[i] = dial(t, addr)
				if _, err := io.WriteString(conns[i], c.start); err != nil {
					t.Fatal(err)
				}
			}
			cut := make(chan string, len(conns))
			for _, conn := range conns {
				done := make(chan struct{})
				go func() {
					for {
						select {
						case <-done:
							return
						case <-time.After(30 * time.Millisecond):
							if _, err := io.WriteString(conn, c.drip); err != nil {
								return
							}
						}
					}
				}()
				go func() {
					b, err := io.ReadAll(conn)
					close(done)
					var ne net.Error
					if errors.As(err, &ne) && ne.Timeout() {
						cut <- "not cut within the test's time"
						return
					}
					cut <- string(b)
				}()
			}
			for range conns {
				if err := ping(addr); err != nil {
					t.Errorf("others: %v", err)
				}
				answer := <-cut
				if answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 408") && !strings.HasPrefix(answer, "HTTP/1.1 400") {
					t.Errorf("cut with %q", answer)
				}
			}
		})
	}
}

// TestHeaderLimit: headers over the limit are 431.
func TestHeaderLimit(t *testing.T) {
	s := newService(t, service.Options{})
	addr, _ := serve(t, quick, s.Handler())
	c := dial(t, addr)
	go fmt.Fprintf(c, "GET /status HTTP/1.1\r\nHost: a\r\nX-A: %s\r\n\r\n", strings.Repeat("a", 20<<10))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%s", r.Status)
	}
}

// TestOversizeBody: 413 before it is read whole, chunked too.
func TestOversizeBody(t *testing.T) {
	s := newService(t, service.Options{MaxBody: 50})
	s.Handle("POST /x", echo)
	s.Handle("POST /y", func(w http.ResponseWriter, r *http.Request) error {
		var m message
		return service.BadBody(403, service.ReadJSON(r, 1<<20, &m))
	})
	addr, _ := serve(t, quick, s.Handler())
	for _, path := range []string{"/x", "/y"} {
		for _, size := range []int64{-1, 1 << 30} {
			r, err := http.NewRequest(http.MethodPost, "http://"+addr+path, io.LimitReader(endless{}, 1<<30))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = size
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				continue // the server may close before the client has read the answer
			}
			resp.Body.Close()
			if resp.StatusCode != 413 {
				t.Errorf("%s, %d bytes: %s", path, size, resp.Status)
			}
		}
	}
	if err := ping(addr); err != nil {
		t.Error(err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// TestShutdownDrains: a request in flight is answered, new ones are not taken.
func TestShutdownDrains(t *testing.T) {
	s := newService(t, service.Options{})
	began, release := make(chan struct{}), make(chan struct{})
	s.Handle("GET /slow", func(w http.ResponseWriter, r *http.Request) error {
		close(began)
		<-release
		if r.Context().Err() != nil {
			return errors.New("it was given up")
		}
		return service.WriteJSON(w, 200, message{Name: "done"})
	})
	addr, stop := serve(t, quick, s.Handler())
	answer := make(chan error, 1)
	go func() {
		r, err := http.Get("http://" + addr + "/slow")
		if err == nil && r.StatusCode != 200 {
			err = errors.New(r.Status)
		}
		answer <- err
	}()
	<-began
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for range 3000 { // until the listener is closed
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
		time.Sleep(time.Millisecond)
	}
	close(release)
	if err := <-answer; err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if ping(addr) == nil {
		t.Error("it goes on")
	}
}

// TestShutdownCuts: what does not end within the drain is cut, and Serve says so.
func TestShutdownCuts(t *testing.T) {
	s := newService(t, service.Options{})
	began := make(chan struct{})
	s.Handle("GET /hang", func(_ http.ResponseWriter, r *http.Request) error {
		close(began)
		<-r.Context().Done() // the connection is closed
		return r.Context().Err()
	})
	l := quick
	l.Drain = 50 * time.Millisecond
	addr, stop := serve(t, l, s.Handler())
	failed := make(chan error, 1)
	go func() {
		_, err := http.Get("http://" + addr + "/hang")
		failed <- err
	}()
	<-began
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Serve: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered")
	}
}

// TestConnectionsAreBounded: those over the limit wait until others end.
func TestConnectionsAreBounded(t *testing.T) {
	s := newService(t, service.Options{})
	l := quick
	l.MaxConns = 2
	l.Idle = 30 * time.Second
	addr, _ := serve(t, l, s.Handler())
	request := "GET /status HTTP/1.1\r\nHost: a\r\n\r\n"
	answered := func(c net.Conn) bool {
		_, err := http.ReadResponse(bufio.NewReader(c), nil)
		return err == nil
	}
	a, b, third := dial(t, addr), dial(t, addr), dial(t, addr)
	for _, c := range []net.Conn{a, b} {
		if _, err := io.WriteString(c, request); err != nil || !answered(c) {
			t.Fatal("within the limit")
		}
	}
	if _, err := io.WriteString(third, request); err != nil {
		t.Fatal(err)
	}
	if err := third.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := third.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one over the limit: %v", err)
	}
	a.Close()
	if err := third.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if !answered(third) {
		t.Error("it is not served when another has gone")
	}
}

func TestServeFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := service.Serve(context.Background(), l, http.NotFoundHandler(), nil, nil); err == nil {
		t.Error("a closed listener is served")
	}
}

// TestCaller: what another server answers, and does not.
func TestCaller(t *testing.T) {
	s := newService(t, service.Options{})
	id := ""
	s.Handle("POST /echo", func(w http.ResponseWriter, r *http.Request) error {
		id = r.Header.Get("X-Request-Id")
		return echo(w, r)
	})
	s.Handle("GET /long", func(w http.ResponseWriter, _ *http.Request) error {
		return service.WriteJSON(w, 200, message{Name: strings.Repeat("a", 1000)})
	})
	s.Handle("GET /text", func(w http.ResponseWriter, _ *http.Request) error { _, err := io.WriteString(w, "<html>"); return err })
	s.Handle("GET /there", func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/long", http.StatusFound)
		return nil
	})
	s.Handle("GET /refuse", func(http.ResponseWriter, *http.Request) error {
		return service.Refuse(410, strings.Repeat("gone ", 100))
	})
	s.Handle("GET /cut", func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) })
	s.Handle("GET /hang", func(_ http.ResponseWriter, r *http.Request) error { <-r.Context().Done(); return r.Context().Err() })
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	ctx := context.Background()
	c := &service.Caller{MaxAnswer: 500}
	var m message
	if err := c.Post(ctx, h.URL+"/echo", message{Name: "a"}, &m); err != nil || m.Name != "a" {
		t.Errorf("%+v %v", m, err)
	}
	if err := c.Post(ctx, h.URL+"/echo", message{Name: "a"}, nil); err != nil {
		t.Errorf("an answer that is not looked at: %v", err)
	}
	for path, want := range map[string]error{"/long": service.ErrAnswer, "/text": service.ErrAnswer, "/cut": service.ErrUnreachable} {
		if err := c.Get(ctx, h.URL+path+"?signature=secret", &m); !errors.Is(err, want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), h.URL) {
			t.Errorf("%s: %v", path, err)
		}
	}
	var status *service.StatusError
	if err := c.Get(ctx, h.URL+"/there", &m); !errors.As(err, &status) || status.Status != 302 {
		t.Errorf("a redirection: %v", err)
	}
	c.MaxAnswer = 0
	if err := c.Get(ctx, h.URL+"/refuse", &m); !errors.As(err, &status) || status.Status != 410 || len(status.Message) != 200 {
		t.Errorf("a refusal: %v", err)
	}
	c.Timeout = 50 * time.Millisecond
	if err := c.Get(ctx, h.URL+"/hang", &m); !errors.Is(err, service.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no answer: %v", err)
	}
	if err := c.Get(ctx, "http://127.0.0.1:1/?signature=secret", &m); !errors.Is(err, service.ErrUnreachable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: %v", err)
	}
	if err := c.Get(ctx, "://", &m); !errors.Is(err, service.ErrUnreachable) {
		t.Errorf("no URL: %v", err)
	}
	// The id of a request that is being answered goes along.
	outer := newService(t, service.Options{})
	outer.Handle("GET /outer", func(w http.ResponseWriter, r *http.Request) error {
		return (&service.Caller{}).Post(r.Context(), h.URL+"/echo", message{}, nil)
	})
	w := do(outer.Handler(), nil, "GET", "/outer", "")
	if w.Code != 200 || id == "" || id != w.Header().Get("X-Request-Id") {
		t.Errorf("%d; id %q, there %q", w.Code, w.Header().Get("X-Request-Id"), id)
	}
}
