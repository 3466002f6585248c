// Package lean posts JSON over persistent connections with as little work as may be: one
// write and the reads of the answer, in the caller's goroutine, where the standard
// library's client has two others on every connection. It is for load, where whoever asks
// shares the machine with what is measured.
package lean

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

// Client posts to one server. It is safe for concurrent use. An answer with its length in
// its header, as servers send small ones, is read in place; any other is the standard
// library's to read.
type Client struct {
	host  string // of the Host header
	dial  func(ctx context.Context) (net.Conn, error)
	mu    sync.Mutex
	free  []*conn // the last used first, so that few are warm rather than many cold
	ended bool
}

type conn struct {
	net.Conn
	in    []byte    // read, of one answer
	out   []byte    // the request
	until time.Time // the deadline that is set
	used  time.Time // when it was, for the last time
}

// idle is for how long a connection may have nothing to do and be used again: a server
// closes those that had nothing for longer, and does not answer what was sent meanwhile.
const idle = 20 * time.Second

// New makes a client of the server at base, which connects by dial and, for https, trusts
// roots.
func New(base string, dial func(ctx context.Context, network, address string) (net.Conn, error), roots *x509.CertPool) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	l := &Client{host: u.Host}
	l.dial = func(ctx context.Context) (net.Conn, error) {
		c, err := dial(ctx, "tcp", u.Host)
		if err != nil || u.Scheme != "https" {
			return c, err
		}
		s := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: u.Hostname(), MinVersion: tls.VersionTLS12})
		if err := s.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, err
		}
		return s, nil
	}
	return l, nil
}

// Close closes the connections that are free, and the others when they are.
func (l *Client) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.drop()
}

// drop closes the connections that are free.
func (l *Client) drop() {
	for _, c := range l.free {
		c.Close()
	}
	l.free = nil
}

func (l *Client) get(ctx context.Context, now time.Time) (*conn, error) {
	l.mu.Lock()
	if n := len(l.free); n > 0 {
		if c := l.free[n-1]; now.Sub(c.used) < idle {
			l.free = l.free[:n-1]
			l.mu.Unlock()
			return c, nil
		}
		l.drop() // the others have been idle for longer
	}
	l.mu.Unlock()
	c, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: make([]byte, 0, 2048)}, nil
}

func (l *Client) put(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		c.Close()
		return
	}
	l.free = append(l.free, c)
}

// maxAnswer is the greatest answer that is read, in bytes.
const maxAnswer = 64 << 10

// ErrAnswer: an answer that cannot be read.
var ErrAnswer = errors.New("an answer that is too long or malformed")

// Post sends a body and appends the answer's to into. Errors: ErrAnswer, and the
// network's, a timeout among them.
func (l *Client) Post(ctx context.Context, path string, body, into []byte, timeout time.Duration) (status int, answer []byte, err error) {
	start := time.Now()
	c, err := l.get(ctx, start)
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
	c.used = time.Now()
	if err == nil && c.used.Sub(start) > timeout {
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
func (c *conn) read(into []byte) (status int, body []byte, again bool, err error) {
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
			return 0, nil, false, ErrAnswer // to something that was not asked
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
func (c *conn) readAny(into []byte) (status int, body []byte, again bool, err error) {
	in := bufio.NewReader(io.MultiReader(bytes.NewReader(c.in), c.Conn))
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, nil, false, unexpected(err)
	}
	defer r.Body.Close()
	body, err = io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, false, err
	}
	if len(body) > maxAnswer {
		return 0, nil, false, ErrAnswer
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
