package redistest

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the process killed when the test's process ends without
// cleaning up.
func dieWithParent(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
