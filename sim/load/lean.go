package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// lean posts JSON over persistent connections with as little work as may be: the
// request is written and the answer read in the caller's goroutine, where the
// standard library's client has two others on every connection. It is for load,
// where the generator shares the machine with what it measures.
type lean struct {
	host  string // of the Host header
	dial  func(ctx context.Context) (net.Conn, error)
	mu    sync.Mutex
	free  []*leanConn // the last used first, so that few are warm rather than many cold
	ended bool
}

type leanConn struct {
	net.Conn
	in  *bufio.Reader
	out []byte
}

// newLean makes a client of the server at base.
func (t *target) newLean(base string) (*lean, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	l := &lean{host: u.Host}
	l.dial = func(ctx context.Context) (net.Conn, error) {
		c, err := t.dial(ctx, "tcp", u.Host)
		if err != nil || u.Scheme != "https" {
			return c, err
		}
		s := tls.Client(c, &tls.Config{RootCAs: t.roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12})
		if err := s.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, err
		}
		return s, nil
	}
	return l, nil
}

func (l *lean) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, c := range l.free {
		c.Close()
	}
	l.free = nil
}

func (l *lean) get(ctx context.Context) (*leanConn, error) {
	l.mu.Lock()
	if n := len(l.free); n > 0 {
		c := l.free[n-1]
		l.free = l.free[:n-1]
		l.mu.Unlock()
		return c, nil
	}
	l.mu.Unlock()
	c, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	return &leanConn{Conn: c, in: bufio.NewReaderSize(c, 4096)}, nil
}

func (l *lean) put(c *leanConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		c.Close()
		return
	}
	l.free = append(l.free, c)
}

// maxLean is the greatest answer that is read, in bytes.
const maxLean = 64 << 10

var errAnswer = errors.New("an answer that is too long or malformed")

// post sends a body and appends the answer's to into.
func (l *lean) post(ctx context.Context, path string, body, into []byte, timeout time.Duration) (status int, answer []byte, err error) {
	c, err := l.get(ctx)
	if err != nil {
		return 0, nil, err
	}
	good := false
	defer func() {
		if good {
			l.put(c)
		} else {
			c.Close()
		}
	}()
	if err := c.SetDeadline(time.Now().Add(timeout)); err != nil {
		return 0, nil, err
	}
	o := append(c.out[:0], "POST "...)
	o = append(o, path...)
	o = append(o, " HTTP/1.1\r\nHost: "...)
	o = append(o, l.host...)
	o = append(o, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	o = strconv.AppendInt(o, int64(len(body)), 10)
	o = append(o, "\r\n\r\n"...)
	o = append(o, body...)
	c.out = o
	if _, err := c.Write(o); err != nil {
		return 0, nil, err
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, nil, err
	}
	defer r.Body.Close()
	if r.ContentLength > maxLean {
		return 0, nil, errAnswer
	}
	answer = into
	for {
		if len(answer) == cap(answer) {
			answer = append(answer, 0)[:len(answer)]
		}
		n, err := r.Body.Read(answer[len(answer):cap(answer)])
		answer = answer[:len(answer)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, nil, err
		}
		if len(answer)-len(into) > maxLean {
			return 0, nil, errAnswer
		}
	}
	good = !r.Close
	return r.StatusCode, answer, nil
}

// leanFailure is the class of an error of post.
func leanFailure(err error) error {
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		return errTimeout
	}
	return fmt.Errorf("%w: %w", errUnreachable, err)
}

var errUnreachable = errors.New("no connection")
