package fault

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Path is what a relay does to the bytes that pass, each way.
type Path struct {
	// Delay is how long each byte takes, more or less Jitter; bytes stay in
	// order.
	Delay, Jitter time.Duration
	// Bandwidth is bytes a second of each connection; 0 is no bound.
	Bandwidth int64
	// Cut resets connections and refuses new ones.
	Cut bool
}

// Relay is a way to a TCP server on which the connection can be made worse. It
// listens on a port of its own on this machine. What it does is done to the bytes
// of a stream; see [Line] for packets.
type Relay struct {
	target   string
	listener net.Listener
	dial     func(address string) (net.Conn, error)

	mu     sync.Mutex
	path   setting[Path]
	conns  map[net.Conn]struct{}
	closed bool
	all    sync.WaitGroup
}

// NewRelay listens on a free port for connections to target (host and port).
func NewRelay(target string, p Path) (*Relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return newRelay(l, target, p, dialTCP), nil
}

// dialing bounds the making of a connection.
const dialing = 10 * time.Second

func dialTCP(address string) (net.Conn, error) { return net.DialTimeout("tcp", address, dialing) }

// newRelay leads what comes to a listener to target by way of dial.
func newRelay(l net.Listener, target string, p Path, dial func(string) (net.Conn, error)) *Relay {
	r := &Relay{target: target, listener: l, dial: dial, path: setting[Path]{base: p}, conns: map[net.Conn]struct{}{}}
	r.all.Go(r.accept)
	return r
}

// Address is where it listens, and Target where it leads.
func (r *Relay) Address() string { return r.listener.Addr().String() }

// Target is where it leads.
func (r *Relay) Target() string { return r.target }

// Path is how it is now.
func (r *Relay) Path() Path {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.path.now()
}

// Set changes the path, for the connections that there are too. Faults that have
// begun go on.
func (r *Relay) Set(p Path) { r.change(func(s *setting[Path]) { s.base = p }) }

func (r *Relay) change(f func(*setting[Path])) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.path)
	if r.path.now().Cut {
		r.reset()
	}
}

// reset cuts all connections, with the lock held.
func (r *Relay) reset() {
	for c := range r.conns {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		c.Close()
	}
}

// Close ends all connections and the listener.
func (r *Relay) Close() error {
	r.mu.Lock()
	r.closed = true
	err := r.listener.Close()
	r.reset()
	r.mu.Unlock()
	r.all.Wait()
	return err
}

func (r *Relay) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of files, say
			continue
		}
		r.all.Go(func() { r.serve(c) })
	}
}

// keep remembers a connection that can be reset; false if it must not be.
func (r *Relay) keep(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.path.now().Cut {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		c.Close()
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *Relay) drop(c net.Conn) {
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
	c.Close()
}

func (r *Relay) serve(from net.Conn) {
	if !r.keep(from) {
		return
	}
	defer r.drop(from)
	to, err := r.dial(r.target)
	if err != nil {
		return
	}
	if !r.keep(to) {
		return
	}
	defer r.drop(to)
	var both sync.WaitGroup
	both.Go(func() { r.copy(to, from) })
	both.Go(func() { r.copy(from, to) })
	both.Wait()
}

// chunk is bytes with the moment at which they are to arrive.
type chunk struct {
	data []byte
	due  time.Time
}

const (
	chunkSize = 16 << 10
	// onTheWay bounds the chunks between the ends of a connection.
	onTheWay = 64
)

// copy moves bytes from one end to the other until either ends.
func (r *Relay) copy(to, from net.Conn) {
	way := make(chan chunk, onTheWay)
	gone := make(chan struct{})
	go func() {
		defer close(way)
		buffer := make([]byte, chunkSize)
		var last time.Time
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				p := r.Path()
				due := time.Now().Add(p.Delay)
				if p.Jitter > 0 {
					due = due.Add(time.Duration((2*rand.Float64() - 1) * float64(p.Jitter)))
				}
				if due.Before(last) {
					due = last // in order
				}
				if p.Bandwidth > 0 {
					// The line is free again when these have gone over it.
					due = due.Add(time.Duration(float64(n) / float64(p.Bandwidth) * float64(time.Second)))
				}
				last = due
				select {
				case way <- chunk{append([]byte(nil), buffer[:n]...), due}:
				case <-gone:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for c := range way {
		if d := time.Until(c.due); d > 0 {
			time.Sleep(d)
		}
		if _, err := to.Write(c.data); err != nil {
			break
		}
	}
	close(gone)
	if t, ok := to.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	} else {
		to.Close()
	}
	// What still comes is not to be waited for.
	if t, ok := from.(*net.TCPConn); ok {
		_ = t.CloseRead()
	}
	for range way {
	}
}

// Worsen changes a relay's path, and takes that back. Faults of one relay may
// overlap.
func Worsen(r *Relay, change func(*Path)) Fault { return changing(r.change, change) }
