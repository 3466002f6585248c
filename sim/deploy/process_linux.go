package deploy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the child killed when the thread that starts it ends.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// onCPUs calls start with this thread, which the caller holds, on some CPUs: a
// child inherits them. nil is all that there are.
func onCPUs(cpus []int, start func() error) error {
	if cpus == nil {
		return start()
	}
	var before, set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("keeping it on CPUs %v: %w", cpus, err)
	}
	// The thread goes back to others afterwards.
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return start()
}

func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
func resume(p *os.Process) error    { return p.Signal(syscall.SIGCONT) }

// pause returns when the last thread of p, a child, stands still: the signal
// alone leaves them running until each has been scheduled once more.
func pause(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECHILD): // it ended meanwhile and was waited for
			return os.ErrProcessDone
		case err != nil:
			return fmt.Errorf("waiting for process %d to stop: %w", p.Pid, err)
		default:
			return nil
		}
	}
}
