package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// OwnCPUs returns the CPUs that the calling thread, and so this process as long
// as nobody pinned parts of it, may use: ascending, at least one.
func OwnCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	var list []int
	for i := range len(set) * strconv.IntSize { // a CPUSet is an array of words
		if set.IsSet(i) {
			list = append(list, i)
		}
	}
	return list, nil
}

// Pin keeps all threads of a process on some CPUs; those that they start later
// inherit that. Errors: a process that is not there, or not one's own; no CPU of
// the list that it may use.
func Pin(pid int, cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	for range 2 { // a thread may have been started meanwhile by one not yet pinned
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
		if err != nil {
			return err
		}
		if len(tasks) == 0 {
			return fmt.Errorf("keeping process %d on CPUs %v: it is not there", pid, cpus)
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
				return fmt.Errorf("keeping process %d on CPUs %v: %w", pid, cpus, err)
			}
		}
	}
	return nil
}
