//go:build !linux

package deploy

import (
	"os"
	"os/exec"
)

func dieWithParent(*exec.Cmd) {}

func onCPUs(_ []int, start func() error) error { return start() }

func terminate(p *os.Process) error { return p.Signal(os.Interrupt) }
func pause(*os.Process) error       { return ErrUnsupported }
func resume(*os.Process) error      { return ErrUnsupported }
