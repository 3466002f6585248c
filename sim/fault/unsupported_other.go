//go:build !linux

package fault

import (
	"context"
	"fmt"
	"os"
)

var errLinux = fmt.Errorf("%w: only Linux has it", ErrUnsupported)

func (l *Line) open(string) error { return errLinux }

// Disk is a file system in memory that can be made full; see the Linux form.
type Disk struct{}

// NewDisk refuses. Error: ErrUnsupported.
func NewDisk(int64) (*Disk, error) { return nil, fmt.Errorf("a disk: %w", errLinux) }

// Folder is its path.
func (d *Disk) Folder() string { return "" }

// Close lets go of it.
func (d *Disk) Close() error { return nil }

// FullDisk cannot begin.
func FullDisk(*Disk) Fault { return unsupported }

// LimitedNode is a node in a process of its own.
type LimitedNode interface {
	Node
	PID() int
}

// FullFiles cannot begin.
func FullFiles(...LimitedNode) Fault { return unsupported }

// Gate has stores stand still; see the Linux form.
type Gate struct{}

// NewGate refuses. Error: ErrUnsupported.
func NewGate(string) (*Gate, error) { return nil, fmt.Errorf("a gate before stores: %w", errLinux) }

// Close opens the gate for good.
func (g *Gate) Close() error { return nil }

func (g *Gate) set(bool) error { return errLinux }

type door struct{ file *os.File }

func openDoor(string) (*door, error) { return nil, fmt.Errorf("a gate before stores: %w", errLinux) }
func (d *door) shut() (bool, error)  { return false, errLinux }

var unsupported = both{
	func(context.Context) error { return errLinux },
	func(context.Context) error { return nil },
}
