package deploy

import (
	"net"
	"sync"
)

// abortable is a listener whose connections can be cut all at once, as the end
// of a process cuts them.
type abortable struct {
	net.Listener
	mu    sync.Mutex
	conns map[*trackedConn]struct{} // nil after abort
}

func newAbortable(l net.Listener) *abortable {
	return &abortable{Listener: l, conns: map[*trackedConn]struct{}{}}
}

func (l *abortable) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t := &trackedConn{Conn: c, of: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		c.Close()
		return nil, net.ErrClosed
	}
	l.conns[t] = struct{}{}
	return t, nil
}

// abort closes the listener and resets every connection.
func (l *abortable) abort() {
	l.Listener.Close()
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for c := range conns {
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, for nobody is left to say goodbye
		}
		c.Conn.Close()
	}
}

type trackedConn struct {
	net.Conn
	of *abortable
}

func (c *trackedConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
