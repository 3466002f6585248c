package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// resident returns how much of files this process has in memory, in bytes.
func resident(t *testing.T) (kB int64) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssFile:"); ok {
			if _, err := fmt.Sscan(rest, &kB); err != nil {
				t.Fatal(err)
			}
		}
	}
	return kB << 10
}

// Opening a file and reading all over it does not keep it in memory.
func TestBoltFileIsNotResident(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	b := openBolt(t, path, Options{})
	const n = 8000
	key := func(i int) string { return fmt.Sprintf("%08x%s", uint32(i)*2654435761, strings.Repeat("k", 200)) }
	for i := 0; i < n; i += 1000 {
		var ops []Op
		for j := range 1000 {
			ops = append(ops, Put(Registration, key(i+j), make([]byte, 1000), time.Hour))
		}
		must(t, b, ops...)
	}
	b.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	before := resident(t)
	b = openBolt(t, path, Options{})
	check := func(when string) {
		t.Helper()
		if grown := resident(t) - before; grown > info.Size()/4 {
			t.Errorf("%s: %d of %d bytes are resident", when, grown, info.Size())
		}
	}
	check("opened")
	for i := range n {
		if r := must(t, b, Get(Registration, key(i))); !r[0].OK {
			t.Fatal("lost")
		}
	}
	must(t, b, Get(Registration, "x")) // and whatever the last round had
	for range letGoAfter {
		must(t, b, Get(Registration, key(0)))
	}
	check("read")
}
