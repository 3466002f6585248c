package fault

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// The addresses of a line's two ends. Nobody else is in their namespaces, so
// that all lines have the same.
var (
	nearEnd = [4]byte{10, 0, 0, 1}
	farEnd  = [4]byte{10, 0, 0, 2}
	ownNet  = [4]byte{255, 255, 255, 252}
)

// open makes both namespaces, with a device in each, and the relays.
func (l *Line) open(target string) (err error) {
	var made []io.Closer
	defer func() {
		if err != nil {
			for _, m := range made {
				m.Close()
			}
		}
	}()
	near, device, err := newNamespace(nearEnd)
	if err != nil {
		return err
	}
	made = append(made, near, device)
	l.ends[0] = device
	far, device, err := newNamespace(farEnd)
	if err != nil {
		return err
	}
	defer far.Close() // its device and its listener keep it
	made = append(made, device)
	l.ends[1] = device
	var inner net.Listener
	if err := far.within(func() (err error) {
		inner, err = net.Listen("tcp4", net.IP(farEnd[:]).String()+":0")
		return err
	}); err != nil {
		return err
	}
	made = append(made, inner)
	outer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.far = newRelay(inner, target, Path{}, dialTCP)
	ctx, cancel := context.WithCancel(context.Background())
	l.leave = func() error {
		cancel()
		return near.Close()
	}
	l.Relay = newRelay(outer, inner.Addr().String(), Path{}, func(address string) (c net.Conn, err error) {
		err = near.within(func() (err error) {
			c, err = (&net.Dialer{Timeout: dialing}).DialContext(ctx, "tcp4", address)
			return err
		})
		return c, err
	})
	return nil
}

// namespace is a network namespace without a name.
type namespace struct{ file *os.File }

// Close lets go of it. It goes on while devices, listeners or connections in it
// do.
func (n *namespace) Close() error { return n.file.Close() }

// newNamespace makes one with a device of an address, from which the packets
// that are sent there can be read, and to which others can be written.
func newNamespace(address [4]byte) (n *namespace, device *os.File, err error) {
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			err = lacking("network namespaces need root (CAP_SYS_ADMIN)", err)
			return
		}
		var file *os.File
		if file, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return
		}
		if device, err = newDevice(address); err != nil {
			file.Close()
			return
		}
		n = &namespace{file}
	})
	return n, device, err
}

// lacking is for what the system refuses.
func lacking(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnsupported, what, err)
}

// newDevice makes a TUN device in the namespace of this thread and starts it.
func newDevice(address [4]byte) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, lacking("packets are led through /dev/net/tun (module tun)", err)
	}
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	defer unix.Close(control)
	err = func() error {
		r, err := unix.NewIfreq("line")
		if err != nil {
			return err
		}
		r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, r); err != nil {
			return lacking("making a TUN device", err)
		}
		for _, set := range []struct {
			request uint
			address [4]byte
		}{{unix.SIOCSIFADDR, address}, {unix.SIOCSIFNETMASK, ownNet}} {
			if err := r.SetInet4Addr(set.address[:]); err != nil {
				return err
			}
			if err := unix.IoctlIfreq(control, set.request, r); err != nil {
				return err
			}
		}
		r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		return unix.IoctlIfreq(control, unix.SIOCSIFFLAGS, r)
	}()
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "tun"), nil
}

// within runs f in the namespace: the sockets that it opens stay there.
func (n *namespace) within(f func() error) (err error) {
	onThread(func() {
		if err = unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err == nil {
			err = f()
		}
	})
	return err
}

// onThread runs f on a thread that ends with it, whatever was done to it. It is
// not the main one, which cannot end and by which /proc knows the process.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			onThread(f) // elsewhere, since this one is taken
			return
		}
		f()
	}()
	<-done
}
