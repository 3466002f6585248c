package pinpad_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mpinlab/sim/deploy"
)

// tap records everything that reaches a deployment from a browser: request
// lines, headers, bodies, and the frames of WebSockets.
type tap struct {
	mu      sync.Mutex
	seen    bytes.Buffer
	sockets atomic.Int64
	// noSockets refuses WebSockets.
	noSockets atomic.Bool
}

// wrap is for deploy.Config.Wrap.
func (p *tap) wrap(_ string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var record bytes.Buffer
		record.WriteString(r.Method + " " + r.URL.String() + "\n")
		_ = r.Header.Write(&record)
		if r.Body != nil {
			body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			if err == nil {
				record.Write(body)
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
		}
		record.WriteByte('\n')
		p.add(record.Bytes())
		if strings.HasSuffix(r.URL.Path, "/authenticationToken") && r.Method == http.MethodGet {
			if p.noSockets.Load() {
				http.Error(w, "no sockets here", http.StatusServiceUnavailable)
				return
			}
			p.sockets.Add(1)
			w = &tappedWriter{w, p}
		}
		h.ServeHTTP(w, r)
	})
}

func (p *tap) add(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen.Write(b)
}

func (p *tap) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

// tappedWriter hands out a connection whose frames are recorded unmasked.
type tappedWriter struct {
	http.ResponseWriter
	tap *tap
}

func (w *tappedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *tappedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c := &tappedConn{Conn: conn, tap: w.tap}
	return c, bufio.NewReadWriter(bufio.NewReader(c), rw.Writer), nil
}

type tappedConn struct {
	net.Conn
	tap     *tap
	pending []byte
}

func (c *tappedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.pending = append(c.pending, p[:n]...)
	for {
		payload, rest, ok := unmask(c.pending)
		if !ok {
			return n, err
		}
		c.tap.add(append(payload, '\n'))
		c.pending = rest
	}
}

// unmask takes a client's frame off b.
func unmask(b []byte) (payload, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, b, false
	}
	n, at := int(b[1]&0x7f), 2
	switch n {
	case 126:
		if len(b) < 4 {
			return nil, b, false
		}
		n, at = int(b[2])<<8|int(b[3]), 4
	case 127:
		return nil, b, false // larger than anything that a client sends
	}
	if len(b) < at+4+n {
		return nil, b, false
	}
	key := b[at : at+4]
	payload = make([]byte, n)
	for i := range payload {
		payload[i] = b[at+4+i] ^ key[i%4]
	}
	return payload, b[at+4+n:], true
}

// TestSocket logs in over a WebSocket, and without where it is refused.
func TestSocket(t *testing.T) {
	needBrowser(t)
	p := new(tap)
	d := serve(t, deploy.Config{Wrap: p.wrap})
	b := newProfile(t, d.Ready().RPA+"/")
	b.title("Log in with a PIN")
	b.register("socket@example.com", "4073")
	b.login("4073")
	if p.sockets.Load() == 0 {
		t.Error("no WebSocket was opened")
	}
	if !strings.Contains(p.text(), `"pass":1`) || strings.Contains(p.text(), "POST /rps/pass1") {
		t.Error("the passes did not go over the WebSocket")
	}
	b.press("Log out")
	b.title("Enter your PIN")

	p.noSockets.Store(true)
	b.reload()
	before := p.sockets.Load()
	b.pin("4073")
	b.title("You are logged in")
	if !strings.Contains(p.text(), "POST /rps/pass1") || p.sockets.Load() != before {
		t.Error("a refused WebSocket did not lead to plain requests")
	}
}
