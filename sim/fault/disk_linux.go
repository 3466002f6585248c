package fault

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Disk is a file system in memory (tmpfs) for the data of a deployment, which can
// be made full. It is mounted nowhere: its folder is reached by way of this
// process, from others too, and it ends with this process, however it ends.
//
// It needs Linux 5.2 and CAP_SYS_ADMIN, which root has.
type Disk struct {
	folder *os.File
	// context sets the size.
	context *os.File
	size    int64
}

// NewDisk makes one of some size in bytes, of which it takes no more than is
// used. Error: ErrUnsupported.
func NewDisk(size int64) (*Disk, error) {
	fd, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("a disk: %w", lacking("making a file system needs root (CAP_SYS_ADMIN) and Linux 5.2", err))
	}
	d := &Disk{context: os.NewFile(uintptr(fd), "tmpfs"), size: size}
	err = errors.Join(
		unix.FsconfigSetString(fd, "size", strconv.FormatInt(size, 10)),
		unix.FsconfigSetString(fd, "mode", "0700"),
		unix.FsconfigCreate(fd))
	mount := -1
	if err == nil {
		mount, err = unix.Fsmount(fd, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
	}
	if err != nil {
		d.context.Close()
		return nil, fmt.Errorf("a disk: %w", lacking("making a file system needs root (CAP_SYS_ADMIN)", err))
	}
	d.folder = os.NewFile(uintptr(mount), "disk")
	return d, nil
}

// Folder is its path, for this process and those of the same user while this one
// lives and has not closed it.
func (d *Disk) Folder() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), d.folder.Fd()) }

// Close lets go of it. It goes when the files in it that are open are closed.
func (d *Disk) Close() error { return errors.Join(d.folder.Close(), d.context.Close()) }

// resize sets how much fits.
func (d *Disk) resize(size int64) error {
	fd := int(d.context.Fd())
	if err := unix.FsconfigSetString(fd, "size", strconv.FormatInt(size, 10)); err != nil {
		return err
	}
	return unix.FsconfigReconfigure(fd)
}

// used is how much is in it.
func (d *Disk) used() (int64, error) {
	var s unix.Statfs_t
	err := unix.Fstatfs(int(d.folder.Fd()), &s)
	return int64(s.Blocks-s.Bfree) * s.Bsize, err
}

// FullDisk takes a disk its free room, and gives it back. What is written over
// old content still has its place; a file that needs another block gets ENOSPC.
func FullDisk(d *Disk) Fault {
	return both{
		func(ctx context.Context) error {
			for {
				used, err := d.used()
				if err != nil {
					return err
				}
				// Refused if more has been written meanwhile. 0 would be no bound.
				err = d.resize(max(used, 4096))
				if err == nil || !errors.Is(err, unix.EINVAL) || ctx.Err() != nil {
					return errors.Join(err, ctx.Err())
				}
			}
		},
		func(context.Context) error { return d.resize(d.size) },
	}
}

// LimitedNode is a node in a process of its own.
type LimitedNode interface {
	Node
	PID() int
}

// FullFiles has every write into a file by some processes fail (EFBIG, by
// RLIMIT_FSIZE 0), for who may not make a [Disk]: it needs Linux alone. To a store
// this is no full disk but a file that has failed, after which it writes nothing
// until it is opened anew; so at the end the nodes are restarted.
func FullFiles(nodes ...LimitedNode) Fault {
	limit := func(pid int, n uint64) error {
		if pid == 0 {
			return nil // it is down; its next life has no limit
		}
		l := unix.Rlimit{}
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &l); err != nil {
			return err
		}
		l.Cur = min(n, l.Max)
		return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &l, nil)
	}
	return both{
		func(context.Context) error {
			var errs []error
			for _, n := range nodes {
				errs = append(errs, limit(n.PID(), 0))
			}
			return errors.Join(errs...)
		},
		func(ctx context.Context) error {
			var errs []error
			for _, n := range nodes {
				errs = append(errs, limit(n.PID(), math.MaxUint64), n.Restart(ctx))
			}
			return errors.Join(errs...)
		},
	}
}
