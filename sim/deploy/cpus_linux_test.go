package deploy

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Processes are on the CPUs that they are given, after a restart and a kill too,
// and the one that starts them stays where it was.
func TestCPUs(t *testing.T) {
	var own, want unix.CPUSet
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		t.Fatal(err)
	}
	last := 0
	for i := range 1024 {
		if own.IsSet(i) {
			last = i
		}
	}
	want.Set(last)
	d := start(t, Config{Processes: true, CPUs: []int{last}})
	check := func(when string) {
		t.Helper()
		for _, n := range d.Nodes() {
			var is unix.CPUSet
			if err := unix.SchedGetaffinity(n.PID(), &is); err != nil || is != want {
				t.Errorf("%s: %s is on other CPUs: %v (%v)", when, n.Name(), is, err)
			}
		}
		var now unix.CPUSet
		if err := unix.SchedGetaffinity(0, &now); err != nil || now != own {
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
