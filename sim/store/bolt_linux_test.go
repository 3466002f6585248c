package store

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// replaceFile puts another file behind the descriptor of an open one, and
// returns what puts the old one back.
func replaceFile(t *testing.T, path string, other *os.File) (restore func()) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd == int(other.Fd()) {
			continue
		}
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || target != path {
			continue
		}
		old, err := syscall.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(old) })
		if err := syscall.Dup3(int(other.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := syscall.Dup3(old, fd, syscall.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatal("the file is not open")
	return nil
}

// A full disk refuses and changes nothing; with room again all goes on.
func TestBoltDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	b := openBolt(t, path, Options{})
	settle(t, b, reserve(t, b, "id", three), Failed, 1)
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	restore := replaceFile(t, path, full)
	_, err = b.Do(t.Context(), Put(Mark, "key", nil, 0), Put(Account, "key", text("v"), 0))
	wantErr(t, err, ErrFull)
	r := reserve(t, b, "id", three)
	_, err = b.Settle(t.Context(), r, Failed) // no verdict
	wantErr(t, err, ErrFull)
	settle(t, b, reserve(t, b, "clean", three), Passed, 0)
	expect(t, must(t, b, Get(Mark, "key"), Get(Account, "key")), "-", "-")
	restore()
	must(t, b, Put(Mark, "key", nil, 0), Put(Account, "key", text("v"), 0))
	wantFailures(t, b, "id", 1)
	settle(t, b, reserve(t, b, "id", three), Failed, 2)
	wantFailures(t, copied(t, b), "id", 2)
}

// A file that may not grow is a full disk, too: whether bbolt is refused when it
// makes the file longer, or when it writes beyond what is allowed.
func TestBoltFileLimit(t *testing.T) {
	b := openBolt(t, filepath.Join(t.TempDir(), "store"), Options{})
	settle(t, b, reserve(t, b, "id", three), Failed, 1)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := func(size uint64) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
	}
	defer limit(before.Cur)
	large := make([]byte, MaxValue)
	for _, size := range []uint64{32 << 10, 0} { // what the file has already; nothing
		limit(size)
		_, err := b.Do(t.Context(), Put(Mark, "key", nil, 0), Put(Account, "key", large, 0))
		wantErr(t, err, ErrFull)
		if size == 0 {
			r := reserve(t, b, "id", three)
			_, err = b.Settle(t.Context(), r, Failed)
			wantErr(t, err, ErrFull)
		}
		limit(before.Cur)
		expect(t, must(t, b, Get(Mark, "key"), Get(Account, "key")), "-", "-")
	}
	must(t, b, Put(Mark, "key", nil, 0), Put(Account, "key", large, 0))
	settle(t, b, reserve(t, b, "id", three), Failed, 2)
	wantFailures(t, copied(t, b), "id", 2)
}

// After any other failure of the file nothing is written until it is opened
// anew, since nobody knows what the disk has.
func TestBoltFileFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	b := openBolt(t, path, Options{})
	settle(t, b, reserve(t, b, "id", three), Failed, 1)
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	restore := replaceFile(t, path, readOnly)
	r := reserve(t, b, "id", three)
	_, err = b.Settle(t.Context(), r, Failed)
	wantErr(t, err, ErrUnavailable)
	restore()
	_, err = b.Do(t.Context(), Put(Account, "key", nil, time.Hour))
	wantErr(t, err, ErrUnavailable)
	wantErr(t, b.Ping(t.Context()), ErrUnavailable)
	must(t, b, Put(Login, "key", nil, time.Hour))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBolt(t, path, Options{})
	wantFailures(t, b, "id", 1)
	settle(t, b, reserve(t, b, "id", three), Failed, 2)
}
