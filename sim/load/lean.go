package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

// lean posts JSON over persistent connections with as little work as may be: one
// write and the reads of the answer, in the caller's goroutine, where the
// standard library's client has two others on every connection. An answer with
// its length in its header, as servers send small ones, is read in place; any
// other is the standard library's to read. It is for load, where the generator
// shares the machine with what it measures.
type lean struct {
	host  string // of the Host header
	dial  func(ctx context.Context) (net.Conn, error)
	mu    sync.Mutex
	free  []*leanConn // the last used first, so that few are warm rather than many cold
	ended bool
}

type leanConn struct {
	net.Conn
	in    []byte    // read, of one answer
	out   []byte    // the request
	until time.Time // the deadline that is set
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
	return &leanConn{Conn: c, in: make([]byte, 0, 2048)}, nil
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
	// A deadline costs as much as the request, so that it is set with a quarter
	// more and serves until it is too near.
	start := time.Now()
	if c.until.Sub(start) < timeout {
		c.until = start.Add(timeout + timeout/4)
		if err := c.SetDeadline(c.until); err != nil {
			return 0, nil, err
		}
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
	status, answer, good, err = c.read(into)
	if err == nil && time.Since(start) > timeout {
		err = os.ErrDeadlineExceeded
	}
	if err != nil {
		good = false
		return 0, nil, err
	}
	return status, answer, nil
}

// read reads one answer and appends its body to into; again says that the
// connection can be used once more.
func (c *leanConn) read(into []byte) (status int, body []byte, again bool, err error) {
	c.in = c.in[:0]
	for {
		n, err := c.Read(c.in[len(c.in):cap(c.in)])
		if n == 0 && err != nil {
			return 0, nil, false, unexpected(err)
		}
		c.in = c.in[:len(c.in)+n]
		header, rest, whole := bytes.Cut(c.in, []byte("\r\n\r\n"))
		if !whole && len(c.in) < cap(c.in) {
			continue
		}
		status, length, plain := parseHeader(header)
		if !whole || !plain || length > cap(c.in)-len(c.in)+len(rest) {
			return c.readAny(into)
		}
		if len(rest) < length {
			continue
		}
		if len(rest) > length {
			return 0, nil, false, errAnswer // to something that was not asked
		}
		return status, append(into, rest...), true, nil
	}
}

// parseHeader reads the header of an answer in the plain form: HTTP/1.1 with a
// length, on a connection that stays open. All else, malformed headers among
// it, is not plain.
func parseHeader(header []byte) (status, length int, plain bool) {
	// Line ends of other kinds and folded lines are left to the library too.
	if n := bytes.Count(header, []byte("\r\n")); bytes.Count(header, []byte("\n")) != n || bytes.Count(header, []byte("\r")) != n {
		return 0, 0, false
	}
	line, fields, _ := bytes.Cut(header, []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) || len(line) > 12 && line[12] != ' ' {
		return 0, 0, false
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified {
		return 0, 0, false
	}
	length = -1
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case len(name) == 0 || name[0] == ' ' || name[0] == '\t':
			return 0, 0, false
		case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
			n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 31)
			if err != nil || length >= 0 {
				return 0, 0, false
			}
			length = int(n)
		case len(name) == len("Connection") && bytes.EqualFold(name, []byte("Connection")),
			len(name) == len("Transfer-Encoding") && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return 0, 0, false
		}
	}
	return status, length, length >= 0
}

// readAny reads an answer of any form, whose beginning was read already.
func (c *leanConn) readAny(into []byte) (status int, body []byte, again bool, err error) {
	in := bufio.NewReader(io.MultiReader(bytes.NewReader(c.in), c.Conn))
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, nil, false, unexpected(err)
	}
	defer r.Body.Close()
	body, err = io.ReadAll(io.LimitReader(r.Body, maxLean+1))
	if err != nil {
		return 0, nil, false, err
	}
	if len(body) > maxLean {
		return 0, nil, false, errAnswer
	}
	return r.StatusCode, append(into, body...), !r.Close && in.Buffered() == 0, nil
}

// unexpected makes an end before the answer's an error.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
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
