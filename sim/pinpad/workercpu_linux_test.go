package pinpad_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// workerCPU returns the CPU time so far of all Web Workers on this machine by
// thread, none where it cannot be had.
func workerCPU() map[string]time.Duration {
	spent := map[string]time.Duration{}
	names, err := filepath.Glob("/proc/[0-9]*/task/[0-9]*/comm")
	if err != nil {
		return nil
	}
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(comm), "DedicatedWorker") {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(name), "schedstat"))
		if err != nil {
			continue
		}
		ns, err := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
		if err == nil {
			spent[name] = time.Duration(ns)
		}
	}
	return spent
}
