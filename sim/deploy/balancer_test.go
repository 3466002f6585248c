package deploy

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"mpinlab/sim/listentest"
	"mpinlab/sim/wire"
)

func newTestBalancer(t *testing.T, bases ...string) (*Balancer, *httptest.Server) {
	t.Helper()
	b, err := NewBalancer(slog.New(slog.DiscardHandler), nil, bases...)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(b)
	t.Cleanup(func() { s.Close(); b.Close() })
	return b, s
}

// echo answers with its name and what it was sent.
func echo(t *testing.T, name string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Name", name)
		w.Header().Set("X-For", r.Header.Get("X-Forwarded-For"))
		_, _ = w.Write([]byte(r.Method + " " + r.URL.RequestURI() + " " + string(b)))
	}))
	t.Cleanup(s.Close)
	return s
}

// TestBalancerNamesTheClient: what the RPA says of a client reaches the RPS,
// which would take all clients for one otherwise; what a stranger says does not.
func TestBalancerNamesTheClient(t *testing.T) {
	balancer, _ := newTestBalancer(t, echo(t, "a").URL)
	for _, c := range []struct{ peer, said, want string }{
		{"127.0.0.1:1", "192.0.2.7", "192.0.2.7, 127.0.0.1"}, {"192.0.2.9:1", "192.0.2.7", "192.0.2.9"}, {"127.0.0.1:1", "", "127.0.0.1"},
	} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.RemoteAddr = c.peer
		if c.said != "" {
			r.Header.Set("X-Forwarded-For", c.said)
		}
		w := httptest.NewRecorder()
		balancer.ServeHTTP(w, r)
		if got := w.Header().Get("X-For"); got != c.want {
			t.Errorf("%q from %s: %q, not %q", c.said, c.peer, got, c.want)
		}
	}
}

func TestBalancerTakesTurns(t *testing.T) {
	a, b, c := echo(t, "a"), echo(t, "b"), echo(t, "c")
	balancer, front := newTestBalancer(t, a.URL, b.URL, c.URL)
	for range 30 {
		if status, body := send(t, "POST", front.URL+"/x?y=%20z", "hello"); status != 200 || body != "POST /x?y=%20z hello" {
			t.Fatal(status, body)
		}
	}
	for i, n := range balancer.Served() {
		if n != 10 {
			t.Errorf("instance %d served %d of 30", i, n)
		}
	}
	// One that is not there any more is left out, and nobody notices: its
	// requests went nowhere.
	b.Close()
	for range 30 {
		if status, body := send(t, "POST", front.URL+"/x", "hello"); status != 200 || body != "POST /x hello" {
			t.Fatal(status, body)
		}
	}
	if status, _ := send(t, "POST", front.URL+"/x", strings.Repeat("x", wire.MaxBody+1)); status != 413 {
		t.Fatal(status)
	}
	a.Close()
	c.Close()
	if status, _ := send(t, "POST", front.URL+"/x", "hello"); status != 502 {
		t.Fatal(status)
	}
	if _, err := NewBalancer(slog.New(slog.DiscardHandler), nil); err == nil {
		t.Fatal("no instances")
	}
}

// What an instance may have carried out is not sent to another: a guess must not
// be judged twice. What only asks is.
func TestBalancerRepeatsQuestionsOnly(t *testing.T) {
	var cut atomic.Int64
	bad := listentest.Serve(t, func(c net.Conn) { // reads a request and goes away
		cut.Add(1)
		_, _ = c.Read(make([]byte, 4096))
	})
	good := echo(t, "good")
	_, front := newTestBalancer(t, "http://"+bad, good.URL)
	failed := 0
	for range 4 {
		switch status, _ := send(t, "POST", front.URL+"/authenticate", "guess"); status {
		case 502:
			failed++
		case 200:
		default:
			t.Fatal(status)
		}
	}
	if failed == 0 || failed != int(cut.Load()) {
		t.Fatalf("%d of %d requests that were cut were told to have failed", failed, cut.Load())
	}
	_, front = newTestBalancer(t, "http://"+bad, good.URL)
	for range 4 {
		if status, body := get(t, front.URL+"/settings"); status != 200 {
			t.Fatal(status, body)
		}
	}
}
