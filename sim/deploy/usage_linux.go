package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the time on a CPU that a process has had since it started, in user
// and kernel mode, over all its threads: what getrusage says of a process that
// is not one's own. Linux's scheduler counts it in ns.
func CPU(pid int) (time.Duration, error) {
	list, err := Threads(pid)
	var sum time.Duration
	for _, t := range list {
		sum += t.CPU
	}
	return sum, err
}

// Threads are a process' threads by their numbers.
func Threads(pid int) (map[int]Thread, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return nil, err
	}
	list := map[int]Thread{}
	spent := false
	for _, f := range files {
		b, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread has ended; Go's hardly ever do
		}
		if err != nil {
			return nil, err
		}
		var figures [3]int64 // ns with a CPU, ns waiting for one, and turns
		for i := range figures {
			var figure []byte
			figure, b, _ = bytes.Cut(b, []byte(" "))
			if figures[i], err = strconv.ParseInt(string(bytes.TrimSpace(figure)), 10, 64); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
		}
		tid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		t := Thread{CPU: time.Duration(figures[0]), Turns: figures[2]}
		list[tid], spent = t, spent || t.CPU > 0
	}
	if !spent {
		return nil, fmt.Errorf("no process %d, or a kernel that does not count", pid)
	}
	return list, nil
}

// Memory returns the resident memory of a process in bytes, now.
func Memory(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, errors.New("statm: too short")
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
