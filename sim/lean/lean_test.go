package lean

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/listentest"
)

// speaker is a server that answers the requests of each connection with given
// bytes, in the pieces that "|" makes, and closes after the last one.
func speaker(t *testing.T, answers ...string) *Client {
	t.Helper()
	address := listentest.Serve(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		for _, answer := range answers {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if b, err := io.ReadAll(r.Body); err != nil || string(b) != "{}" || r.Method != http.MethodPost || r.Host == "" {
				return
			}
			for _, piece := range strings.SplitAfter(answer, "|") {
				if _, err := io.WriteString(c, strings.TrimSuffix(piece, "|")); err != nil {
					return
				}
			}
		}
		if len(answers) == 0 {
			io.Copy(io.Discard, c) // until the other side goes
		}
	})
	p, err := New("http://"+address, (&net.Dialer{}).DialContext, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func TestPost(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		answer string
		status int
		body   string
		again  bool
	}{
		"plain":              {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
		"in pieces":          {"HTTP/1.1 2|00 OK\r\nContent-Le|ngth: 2\r\n\r|\n|o|k", 200, "ok", true},
		"other case":         {"HTTP/1.1 401 Unauthorized\r\ncontent-length:  3 \r\n\r\nbad", 401, "bad", true},
		"without a reason":   {"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", 503, "", true},
		"chunked":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, "ok", true},
		"longer than usual":  {"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + long, 200, long, true},
		"a long header":      {"HTTP/1.1 200 OK\r\nX: " + long + "\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
		"to be closed":       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		"until it is closed": {"HTTP/1.1 200 OK\r\n\r\nok", 200, "ok", false},
		"HTTP/1.0":           {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
		"nothing":            {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			l := speaker(t, c.answer)
			status, body, err := l.Post(t.Context(), "/x", []byte("{}"), []byte("before ")[:0], 5*time.Second)
			if err != nil || status != c.status || string(body) != c.body {
				t.Fatalf("%d %.20q %v", status, body, err)
			}
			if again := len(l.free) == 1; again != c.again {
				t.Errorf("the connection is kept: %v", again)
			}
		})
	}
}

// Answers that are none are errors, and their connections are not used again.
func TestRefuses(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":         "",
		"cut":             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
		"no HTTP":         "SSH-2.0-OpenSSH\r\n\r\n",
		"too long":        fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", maxAnswer+1, strings.Repeat("x", maxAnswer+1)),
		"two lengths":     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		"negative length": "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
		"more than asked": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokok",
	} {
		t.Run(name, func(t *testing.T) {
			l := speaker(t, answer)
			if status, body, err := l.Post(t.Context(), "/x", []byte("{}"), nil, 5*time.Second); err == nil {
				t.Errorf("%d %.20q", status, body)
			} else if timedOut(err) {
				t.Error(err)
			}
			if len(l.free) != 0 {
				t.Error("the connection is kept")
			}
		})
	}
}

// A server that says nothing is a time-out, and one that is not there is not.
func TestTimesOut(t *testing.T) {
	l := speaker(t)
	if _, _, err := l.Post(t.Context(), "/x", []byte("{}"), nil, 20*time.Millisecond); !timedOut(err) || len(l.free) != 0 {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Post(ctx, "/x", []byte("{}"), nil, time.Second); err == nil || timedOut(err) {
		t.Error(err)
	}
}

// A connection serves one request after the other.
func TestKeepsConnections(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	l := speaker(t, answer, answer, answer)
	var first *conn
	for i := range 3 {
		if _, _, err := l.Post(t.Context(), "/x", []byte("{}"), nil, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = l.free[0]
		}
		if len(l.free) != 1 || l.free[0] != first {
			t.Fatalf("%d connections after request %d", len(l.free), i)
		}
	}
}

// A connection that had nothing to do for long is not used again: this server closes it.
func TestDropsIdleConnections(t *testing.T) {
	l := speaker(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	for i := range 3 {
		if status, _, err := l.Post(t.Context(), "/x", []byte("{}"), nil, 5*time.Second); err != nil || status != http.StatusOK {
			t.Fatalf("request %d: %d %v", i, status, err)
		}
		if len(l.free) != 1 {
			t.Fatalf("%d connections after request %d", len(l.free), i)
		}
		l.free[0].used = time.Now().Add(-idle)
	}
}

// What is read in place is what the standard library reads.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2", "HTTP/1.1 401\r\ncontent-length: 02\r\nX: y", "HTTP/1.1 200 OK\r\nContent-Length: +2",
		"HTTP/1.1 200 OK\r\nContent-Length : 2", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2", "HTTP/1.1 2000 OK\r\nContent-Length: 2",
		"HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 9\r\nContent-Length: 2", "HTTP/1.1 304 No\r\nContent-Length: 2", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		status, length, plain := parseHeader(header)
		if !plain || bytes.Contains(header, []byte("\r\n\r\n")) {
			return
		}
		r, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(header), strings.NewReader("\r\n\r\n"))), nil)
		if err != nil {
			return // the library is stricter about names and values that are not used
		}
		if r.StatusCode != status || r.ContentLength != int64(length) || r.Close || len(r.TransferEncoding) > 0 {
			t.Errorf("status %d, length %d; the standard library: %d, %d, close %v", status, length, r.StatusCode, r.ContentLength, r.Close)
		}
	})
}
