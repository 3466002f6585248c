package service

import (
	"net"
	"sync"
	"time"
)

// listener accepts so many connections at a time, and gives each as long for
// its first request to begin as for later ones.
type listener struct {
	net.Listener
	idle  time.Duration
	slots chan struct{}
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &conn{Conn: c, idle: l.idle, opened: time.Now(), free: func() { <-l.slots }}, nil
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// conn is a connection whose first request may begin late.
//
// net/http counts the time for a connection's first headers from when it was
// accepted. But clients with a pool open connections ahead of their use, and
// one that is cut then, before it was ever used, costs them a request that they
// cannot repeat. So until the first byte the deadline is the idle one, and the
// first request's deadlines are put off by what was waited.
type conn struct {
	net.Conn
	idle   time.Duration
	opened time.Time
	once   sync.Once
	free   func()

	mu    sync.Mutex
	begun bool          // the first byte has come
	wait  time.Duration // what the first request's deadlines are put off by
	next  time.Time     // the deadline asked for
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = t
	switch {
	case t.IsZero():
		c.wait = 0 // between requests
	case !c.begun && t.After(time.Now()):
		t = c.opened.Add(c.idle)
	default:
		t = t.Add(c.wait)
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.begin()
	}
	return n, err
}

func (c *conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun {
		return
	}
	c.begun, c.wait = true, time.Since(c.opened)
	if !c.next.IsZero() {
		// An error shows at the next read.
		_ = c.Conn.SetReadDeadline(c.next.Add(c.wait))
	}
}

func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}
