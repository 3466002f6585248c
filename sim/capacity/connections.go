package capacity

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// page reads a page of metrics.
func page(ctx context.Context, url string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d of %s", errAnswer, answer.StatusCode, url)
	}
	return io.ReadAll(io.LimitReader(answer.Body, 4<<20))
}

// connections post over persistent connections from the caller's goroutine, and
// count bytes. The standard library's client has two goroutines more on every
// connection, whose work would count as the server's delay.
type connections struct {
	mu      sync.Mutex
	free    map[string][]*connection
	in, out atomic.Int64
}

type connection struct {
	net.Conn
	read *bufio.Reader
}

var errAnswer = errors.New("not the answer that had to come")

const answerTime = 30 * time.Second

func (p *connections) post(ctx context.Context, to *url.URL, path string, body []byte) ([]byte, error) {
	c, err := p.get(ctx, to.Host)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	var q bytes.Buffer
	fmt.Fprintf(&q, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, to.Host, len(body))
	q.Write(body)
	p.in.Add(int64(q.Len()))
	if _, err := c.Write(q.Bytes()); err != nil {
		c.Close()
		return nil, err
	}
	answer, err := http.ReadResponse(c.read, nil)
	if err != nil {
		c.Close()
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		c.Close()
		return nil, err
	}
	size := len(b) + len("HTTP/1.1 200 OK\r\n\r\n")
	for name, values := range answer.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	p.out.Add(int64(size))
	p.put(to.Host, c)
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d: %.200s", errAnswer, answer.StatusCode, b)
	}
	return b, nil
}

func (p *connections) get(ctx context.Context, host string) (*connection, error) {
	p.mu.Lock()
	if n := len(p.free[host]); n > 0 {
		c := p.free[host][n-1]
		p.free[host] = p.free[host][:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &connection{c, bufio.NewReader(c)}, nil
}

func (p *connections) put(host string, c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == nil {
		p.free = map[string][]*connection{}
	}
	p.free[host] = append(p.free[host], c)
}

func (p *connections) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.free {
		for _, c := range list {
			c.Close()
		}
	}
}
