package fault

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrUnsupported: what this system cannot do, or not for this user; the text says
// what is missing.
var ErrUnsupported = errors.New("not possible here")

// Packets is what a line does to the packets that pass, each way.
type Packets struct {
	// Delay is how long each packet takes, more or less Jitter; packets stay in
	// order.
	Delay, Jitter time.Duration
	// Loss is the share of packets that never arrive, 0 to 1.
	Loss float64
	// Rate is the bytes a second that pass, headers included; 0 is no bound.
	Rate int64
}

// Line is a relay whose connections cross from one network namespace into
// another as IP packets, which can be delayed and lost. So TCP does on it what it
// does on such a line: it shakes hands, sends again, backs off. The two ends,
// before and after, are connections on loopback as those of any relay; the
// [Path] of the relay itself comes on top.
//
// It needs Linux, CAP_NET_ADMIN and CAP_SYS_ADMIN, which root has, and
// /dev/net/tun, and no queueing discipline of the kernel's such as netem. The
// namespaces have no names and end with this process, however it ends.
type Line struct {
	*Relay
	far *Relay
	// ends are the devices by which packets leave each namespace.
	ends [2]io.ReadWriteCloser
	// leave ends the making of connections in the near namespace.
	leave func() error
	all   sync.WaitGroup

	mu      sync.Mutex
	packets setting[Packets]
}

// NewLine makes a line to a TCP server (host and port) on this machine. Error:
// ErrUnsupported.
func NewLine(target string, p Packets) (*Line, error) {
	l := &Line{packets: setting[Packets]{base: p}}
	if err := l.open(target); err != nil {
		return nil, fmt.Errorf("a line of packets: %w", err)
	}
	l.all.Go(func() { l.carry(l.ends[1], l.ends[0]) })
	l.all.Go(func() { l.carry(l.ends[0], l.ends[1]) })
	return l, nil
}

// Packets is how the line is now.
func (l *Line) Packets() Packets {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.packets.now()
}

// SetPackets changes it, for the packets to come. Faults that have begun go on.
func (l *Line) SetPackets(p Packets) { l.change(func(s *setting[Packets]) { s.base = p }) }

func (l *Line) change(f func(*setting[Packets])) {
	l.mu.Lock()
	f(&l.packets)
	l.mu.Unlock()
}

// Target is where it leads.
func (l *Line) Target() string { return l.far.Target() }

// Close ends all connections and both namespaces.
func (l *Line) Close() error {
	// The packets first: nobody is to be said goodbye to over a slow line.
	err := errors.Join(l.ends[0].Close(), l.ends[1].Close())
	err = errors.Join(err, l.leave())
	l.all.Wait()
	return errors.Join(err, l.Relay.Close(), l.far.Close())
}

const (
	// packetSize is the greatest packet of a device, and lineQueue how many may
	// be on the way each way; more are lost, as in a router.
	packetSize = 1500
	lineQueue  = 1000
)

// carry takes packets from one end to the other until either is closed.
func (l *Line) carry(to io.Writer, from io.Reader) {
	way := make(chan chunk, lineQueue)
	l.all.Go(func() {
		defer close(way)
		buffer := make([]byte, packetSize)
		var free, last time.Time
		for {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			p := l.Packets()
			if rand.Float64() < p.Loss {
				continue
			}
			due := time.Now()
			if p.Rate > 0 {
				// The line is free again when this one has gone over it.
				if free.Before(due) {
					free = due
				}
				free = free.Add(time.Duration(float64(n) / float64(p.Rate) * float64(time.Second)))
				due = free
			}
			due = due.Add(p.Delay)
			if p.Jitter > 0 {
				due = due.Add(time.Duration((2*rand.Float64() - 1) * float64(p.Jitter)))
			}
			if due.Before(last) {
				due = last // in order
			}
			last = due
			select {
			case way <- chunk{append([]byte(nil), buffer[:n]...), due}:
			default: // lost
			}
		}
	})
	for c := range way {
		if d := time.Until(c.due); d > 0 {
			time.Sleep(d)
		}
		// A packet that the other end does not take is a lost one; when it is
		// closed, so is this one.
		_, _ = to.Write(c.data)
	}
}

// WorsenPackets changes what a line does to packets, and takes that back. Faults
// of one line may overlap.
func WorsenPackets(l *Line, change func(*Packets)) Fault { return changing(l.change, change) }
