package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// serverCPUs are the CPUs for servers that may use so many: the last of those
// that this process has; nil for 0, which is all.
func serverCPUs(n int) ([]int, error) {
	if n == 0 {
		return nil, nil
	}
	mine, err := ownCPUs()
	if err != nil {
		return nil, err
	}
	if n >= len(mine) {
		return nil, fmt.Errorf("%w: deployment.cores: %d of %d CPUs leave none for the generator", ErrScenario, n, len(mine))
	}
	return mine[len(mine)-n:], nil
}

func ownCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	var list []int
	for i := range 1024 {
		if set.IsSet(i) {
			list = append(list, i)
		}
	}
	return list, nil
}

// pin keeps all threads of a process on some CPUs; those that they start later
// inherit that.
func pin(pid int, cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	for range 2 { // a thread may have been started meanwhile by one not yet pinned
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil {
			return err
		}
		for _, t := range tasks {
			id, err := strconv.Atoi(filepath.Base(t))
			if err != nil {
				continue
			}
			if err := unix.SchedSetaffinity(id, &set); err != nil {
				if _, gone := os.Stat(t); gone != nil {
					continue
				}
				return err
			}
		}
	}
	return nil
}

// pinSelf keeps this process off the servers' CPUs, and returns what undoes it.
func pinSelf(servers []int) (undo func(), err error) {
	if len(servers) == 0 {
		return func() {}, nil
	}
	before, err := ownCPUs()
	if err != nil {
		return nil, err
	}
	var rest []int
	for _, c := range before {
		if !contains(servers, c) {
			rest = append(rest, c)
		}
	}
	if err := pin(os.Getpid(), rest); err != nil {
		return nil, err
	}
	return func() { _ = pin(os.Getpid(), before) }, nil
}

func contains(list []int, v int) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
