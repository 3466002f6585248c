package deploy

import (
	"os"
	"testing"
	"time"
)

// TestThreads: a process' time is that of its threads, which have had turns for it.
func TestThreads(t *testing.T) {
	for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
	}
	list, err := Threads(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var sum time.Duration
	turns := int64(0)
	for id, thread := range list {
		if id <= 0 || thread.CPU < 0 || thread.Turns < 0 || thread.CPU > 0 && thread.Turns == 0 {
			t.Errorf("thread %d: %+v", id, thread)
		}
		sum, turns = sum+thread.CPU, turns+thread.Turns
	}
	all, err := CPU(os.Getpid())
	if err != nil || sum < 10*time.Millisecond || all < sum || all > sum+5*time.Second || turns == 0 {
		t.Errorf("%v and %d turns of the threads, %v of the process (%v)", sum, turns, all, err)
	}
	if list, err := Threads(1 << 30); err == nil {
		t.Errorf("of nobody: %v", list)
	}
}
