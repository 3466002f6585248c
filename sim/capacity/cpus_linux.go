package capacity

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mpinlab/sim/deploy"
)

// cpus are the CPUs that this process may use, split as the load generator's
// runs with servers of one core are (sim/load): the last is the servers', the
// rest this process's. Both are nil where there is one only.
func cpus() (own, servers []int, err error) {
	if own, err = deploy.OwnCPUs(); err != nil {
		return nil, nil, err
	}
	if len(own) < 2 {
		return nil, nil, nil
	}
	return own[:len(own)-1], own[len(own)-1:], nil
}

// pinThread keeps the calling thread, which has to be its goroutine's own, on some
// CPUs; nil leaves it where it is.
func pinThread(to []int) error {
	if len(to) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, c := range to {
		set.Set(c)
	}
	return unix.SchedSetaffinity(0, &set)
}

// apart pins this process and others to its own CPUs, and servers to theirs. undo
// lets this process use all of them again.
func apart(servers, others []int) (undo func(), err error) {
	own, theirs, err := cpus()
	if err != nil || len(theirs) == 0 {
		return func() {}, err
	}
	for _, pid := range servers {
		if err := deploy.Pin(pid, theirs); err != nil {
			return nil, err
		}
	}
	for _, pid := range append(others, os.Getpid()) {
		if err := deploy.Pin(pid, own); err != nil {
			return nil, err
		}
	}
	return func() { _ = deploy.Pin(os.Getpid(), append(own, theirs...)) }, nil
}

// machineTime is what all CPUs of the machine have worked so far, time that the
// hypervisor took included, and ownTime what this process and its children that
// have ended have. Others' work is the difference.
func machineTime() (machine, own time.Duration, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	fields := strings.Fields(string(line)) // cpu user nice system idle iowait irq softirq steal …
	if len(fields) < 9 {
		return 0, 0, fmt.Errorf("/proc/stat: %.80s", line)
	}
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		machine += time.Duration(n) * (time.Second / 100) // USER_HZ is 100 wherever Go runs
	}
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			return 0, 0, err
		}
		own += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return machine, own, nil
}
