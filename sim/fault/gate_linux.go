package fault

import (
	"os"

	"golang.org/x/sys/unix"
)

// Gate has the stores that are [Gated] by its file stand still, in this process
// and others. It is shut by a lock of the file, which ends with this process,
// however it ends. It needs Linux.
type Gate struct{ file *os.File }

// NewGate makes the file of a gate, which is open.
func NewGate(path string) (*Gate, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &Gate{f}, nil
}

// Close opens the gate for good.
func (g *Gate) Close() error { return g.file.Close() }

func (g *Gate) set(shut bool) error {
	l := unix.Flock_t{Type: unix.F_UNLCK}
	if shut {
		l.Type = unix.F_WRLCK
	}
	return unix.FcntlFlock(g.file.Fd(), unix.F_OFD_SETLK, &l)
}

// door is a gate as a store sees it.
type door struct{ file *os.File }

func openDoor(path string) (*door, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &door{f}, nil
}

// shut tells whether anyone has locked the file, and leaves it as it is.
func (d *door) shut() (bool, error) {
	c, err := d.file.SyscallConn()
	if err != nil {
		return false, err
	}
	l := unix.Flock_t{Type: unix.F_WRLCK}
	var locked error
	if err := c.Control(func(fd uintptr) { locked = unix.FcntlFlock(fd, unix.F_OFD_GETLK, &l) }); err != nil {
		return false, err
	}
	return l.Type != unix.F_UNLCK, locked
}
