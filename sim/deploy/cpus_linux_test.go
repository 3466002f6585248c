package deploy

import (
	"os"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Processes are on the CPUs that they are given, after a restart and a kill too,
// and the one that starts them stays where it was.
func TestCPUs(t *testing.T) {
	own, err := OwnCPUs()
	if err != nil {
		t.Fatal(err)
	}
	last := own[len(own)-1:]
	d := start(t, Config{Processes: true, CPUs: last})
	check := func(when string) {
		t.Helper()
		for _, n := range d.Nodes() {
			onlyOn(t, when+": "+n.Name(), n.PID(), last)
		}
		if now, err := OwnCPUs(); err != nil || !slices.Equal(now, own) {
			t.Errorf("%s: this process is on other CPUs: %v (%v)", when, now, err)
		}
	}
	check("started")
	if err := d.Node("rps-1").Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Node("rpa").Kill(); err != nil {
		t.Fatal(err)
	}
	if err := d.Node("rpa").Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("restarted")
}

// Pin moves every thread of a process that runs already, and of no other.
func TestPin(t *testing.T) {
	own, err := OwnCPUs()
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, Config{Processes: true})
	n, other := d.Node("rps-1"), d.Node("rpa")
	for _, to := range [][]int{own[:1], own[len(own)-1:], own} {
		if err := Pin(n.PID(), to); err != nil {
			t.Fatal(err)
		}
		onlyOn(t, n.Name(), n.PID(), to)
		onlyOn(t, other.Name(), other.PID(), own)
		onlyOn(t, "this process", os.Getpid(), own)
	}
	if err := Pin(n.PID(), nil); err == nil {
		t.Error("a process was kept on no CPU at all")
	}
	pid := n.PID()
	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := Pin(pid, own); err == nil {
		t.Error("a process that has ended was pinned")
	}
}

// onlyOn fails the test unless all threads of a process may use these CPUs and no
// others.
func onlyOn(t *testing.T, who string, pid int, cpus []int) {
	t.Helper()
	var want unix.CPUSet
	for _, c := range cpus {
		want.Set(c)
	}
	threads, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, th := range threads {
		id, err := strconv.Atoi(th.Name())
		if err != nil {
			t.Fatal(err)
		}
		var is unix.CPUSet
		if err := unix.SchedGetaffinity(id, &is); err != nil {
			if _, gone := os.Stat("/proc/" + strconv.Itoa(pid) + "/task/" + th.Name()); gone != nil {
				continue
			}
			t.Fatal(err)
		}
		if is != want {
			t.Errorf("%s: thread %d is not on CPUs %v: %v", who, id, cpus, is)
		}
	}
}
