package capacity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"mpinlab/sim/lean"
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

var errAnswer = errors.New("not the answer that had to come")

const answerTime = 30 * time.Second

// posts are a measurement's connections: to the RPS, and to its private listener.
type posts struct {
	pass, redeem *lean.Client
	in, out      atomic.Int64 // bytes of the requests and their answers
}

func (c *crowd) posts() (*posts, error) {
	p := &posts{}
	counting := (&counted{in: &p.in, out: &p.out}).dial
	var err error
	if p.pass, err = lean.New(c.ready.RPS, counting, nil); err != nil {
		return nil, err
	}
	p.redeem, err = lean.New(c.ready.RPSPrivate, counting, nil)
	return p, err
}

func (p *posts) close() { p.pass.Close(); p.redeem.Close() }

// post makes the request of a step, and returns the answer's body.
func (p *posts) post(ctx context.Context, s *step, body []byte) ([]byte, error) {
	to := p.pass
	if s.redeems {
		to = p.redeem
	}
	status, answer, err := to.Post(ctx, s.path, body, nil, answerTime)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%w: status %d: %.200s", errAnswer, status, answer)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return answer, nil
}

// counted counts what goes over its connections, from the server's side.
type counted struct{ in, out *atomic.Int64 }

type countedConn struct {
	net.Conn
	c *counted
}

func (c *counted) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	n, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{n, c}, nil
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.out.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.c.in.Add(int64(n))
	return n, err
}
