package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func openBolt(t testing.TB, path string, o Options) *bolt {
	t.Helper()
	s, err := OpenBolt(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*bolt)
}

// transactions returns how many have been committed.
func (b *bolt) transactions(t testing.TB) (n int) {
	if err := b.db.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// count returns how many entries a bucket has, expired ones included.
func (b *bolt) count(t testing.TB, bucket string) (n int) {
	err := b.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucket)).ForEach(func(_, _ []byte) error { n++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBoltKeepsWhatIsDurable(t *testing.T) {
	path, clock := filepath.Join(t.TempDir(), "store"), new(testClock)
	o := Options{Now: clock.Now}
	b := openBolt(t, path, o)
	for k := Registration; k <= Application; k++ {
		must(t, b, Put(k, "hour", text("h"), time.Hour), Put(k, "good", text("g"), 0))
	}
	settle(t, b, reserve(t, b, "id", three), Failed, 1)
	held := reserve(t, b, "id", three)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBolt(t, path, o)
	for k := Registration; k <= Application; k++ {
		want := "-"
		if k.Durable() {
			want = "=h"
		}
		expect(t, must(t, b, Get(k, "hour")), want)
	}
	wantFailures(t, b, "id", 1)
	_, err := b.Settle(t.Context(), held, Failed) // of a process that has ended
	wantErr(t, err, ErrLeaseEnded)
	b.Close()
	clock.advance(time.Hour)
	b = openBolt(t, path, o)
	expect(t, must(t, b, Get(Account, "hour"), Get(Account, "good")), "-", "=g")
	if n := b.count(t, "account") + b.count(t, timeBucket); n != 1 {
		t.Errorf("%d entries after opening, want 1", n)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || len(b.Warnings()) != 0 {
		t.Fatal(info.Mode(), err, b.Warnings())
	}
	b.Close()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if b = openBolt(t, path, o); len(b.Warnings()) != 1 {
		t.Error("no warning of a file that others can read")
	}
}

// copied opens what the disk has of a store that is open.
func copied(t testing.TB, b *bolt) *bolt {
	t.Helper()
	data, err := os.ReadFile(b.db.Path())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return openBolt(t, path, Options{})
}

// A failure is on the disk before its verdict can be told, a right login on a
// clean counter does not touch it.
func TestBoltWritesFailuresOnly(t *testing.T) {
	b := openBolt(t, filepath.Join(t.TempDir(), "store"), Options{})
	before := b.transactions(t)
	for range 5 {
		settle(t, b, reserve(t, b, "id", three), Passed, 0)
		settle(t, b, reserve(t, b, "id", three), Withdrawn, 0)
		must(t, b, Get(Revocation, "id"), Get(Account, "id"), Put(Challenge, "id", text("y"), time.Minute), Take(Login, "ott"))
		must(t, b, Delete(Account, "nobody"), Take(Registration, "nothing"))
	}
	if err := b.Clear(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	if n := b.transactions(t) - before; n != 0 {
		t.Fatalf("%d commits for nothing", n)
	}
	for n := range 3 {
		settle(t, b, reserve(t, b, "id", three), Failed, n+1)
		wantFailures(t, copied(t, b), "id", n+1)
	}
	if err := b.Clear(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	wantFailures(t, copied(t, b), "id", 0)
	settle(t, b, reserve(t, b, "id", three), Failed, 1)
	settle(t, b, reserve(t, b, "id", three), Passed, 0)
	wantFailures(t, copied(t, b), "id", 0)
	if n := b.transactions(t) - before; n != 6 {
		t.Fatalf("%d commits of 6 changes, one after the other", n)
	}
}

// What waits while the writer is at work is committed together, in order.
func TestBoltGroupCommit(t *testing.T) {
	b := openBolt(t, filepath.Join(t.TempDir(), "store"), Options{})
	before := b.transactions(t)
	begun, release := make(chan struct{}), make(chan struct{})
	busy := &request{done: make(chan error, 1), run: func(t *boltTable) error {
		close(begun)
		<-release
		return t.put(name{Account, "first"}, nil, 0)
	}}
	if err := b.writer.submit(busy); err != nil {
		t.Fatal(err)
	}
	<-begun
	done := make(chan error, 100)
	for i := range 100 {
		r := reserve(t, b, strconv.Itoa(i), three)
		go func() {
			_, err := b.Settle(context.Background(), r, Failed)
			done <- err
		}()
	}
	for until := time.Now().Add(30 * time.Second); b.writer.waiting() < 100; {
		if time.Now().After(until) {
			t.Fatalf("%d wait for the writer", b.writer.waiting())
		}
	}
	close(release)
	if err := <-busy.done; err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := b.transactions(t) - before; n != 2 {
		t.Fatalf("%d commits", n)
	}
}

func (w *writer) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// One mistaken request does not take others with it.
func TestBoltBatchWithAMistake(t *testing.T) {
	b := openBolt(t, filepath.Join(t.TempDir(), "store"), Options{})
	large := make([]byte, MaxValue)
	must(t, b, Put(Account, "large", large, 0))
	together(64, func(i int) {
		if i%4 == 0 {
			_, err := b.Do(context.Background(), Put(Mark, strconv.Itoa(i), nil, 0), Put(Account, strconv.Itoa(i), nil, 0), Move(Account, "large", Account, "moved", text("x"), 0))
			if !errors.Is(err, ErrTooLarge) {
				t.Error(err)
			}
			return
		}
		if _, err := b.Do(context.Background(), Put(Mark, strconv.Itoa(i), nil, 0), Put(Account, strconv.Itoa(i), text("%d", i), 0)); err != nil {
			t.Error(err)
		}
	})
	for i := range 64 {
		want := []string{"=", "=" + strconv.Itoa(i)}
		if i%4 == 0 {
			want = []string{"-", "-"}
		}
		expect(t, must(t, b, Get(Mark, strconv.Itoa(i)), Get(Account, strconv.Itoa(i))), want...)
	}
}

func TestBoltLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	b := openBolt(t, path, Options{})
	_, err := OpenBolt(path, Options{LockTimeout: 10 * time.Millisecond})
	wantErr(t, err, ErrLocked)
	if !strings.Contains(err.Error(), path) {
		t.Errorf("which file: %v", err)
	}
	b.Close()
	openBolt(t, path, Options{})
}

// Compaction is a little with every write.
func TestBoltCompaction(t *testing.T) {
	clock := new(testClock)
	b := openBolt(t, filepath.Join(t.TempDir(), "store"), Options{Now: clock.Now})
	const n = 300
	for i := range n {
		must(t, b, Put(Registration, strconv.Itoa(i), nil, time.Hour))
	}
	must(t, b, Put(Registration, "0", nil, 3*time.Hour), Put(Registration, "1", nil, 0), Delete(Registration, "2"))
	if got := b.count(t, timeBucket); got != n-2 {
		t.Fatalf("%d times of %d values that expire", got, n-2)
	}
	clock.advance(2 * time.Hour)
	last := b.count(t, "registration")
	for range 100 {
		must(t, b, Put(Account, "key", nil, 0))
		now := b.count(t, "registration")
		if last-now > compactOnWrite+2 {
			t.Fatalf("%d removed by one write", last-now)
		}
		last = now
	}
	if last != 2 || b.count(t, timeBucket) != 1 {
		t.Fatalf("%d values and %d times are left", last, b.count(t, timeBucket))
	}
	expect(t, must(t, b, Get(Registration, "0"), Get(Registration, "1"), Get(Registration, "3")), "=", "=", "-")
}

// A full file refuses, changes nothing, and serves on.
func TestBoltFull(t *testing.T) {
	b := openBolt(t, filepath.Join(t.TempDir(), "store"), Options{MaxFile: 8 << 20})
	value := make([]byte, MaxValue)
	n := 0
	for ; ; n++ {
		_, err := b.Do(t.Context(), Put(Mark, strconv.Itoa(n), nil, 0), Put(Account, strconv.Itoa(n), value, 0))
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || n > 1000 {
			t.Fatal(n, err)
		}
	}
	expect(t, must(t, b, Get(Mark, strconv.Itoa(n)), Get(Account, strconv.Itoa(n))), "-", "-")
	expect(t, must(t, b, Get(Mark, strconv.Itoa(n-1)), Get(Account, strconv.Itoa(n-1))), "=", "="+string(value))
	settle(t, b, reserve(t, b, "id", three), Failed, 1)
	for i := range n {
		must(t, b, Delete(Account, strconv.Itoa(i)))
	}
	must(t, b, Put(Account, "again", value, 0))
	if info, err := os.Stat(b.db.Path()); err != nil || info.Size() > 24<<20 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
	if err := b.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Files that are none, or damaged, give errors of named kinds.
func TestBoltDamaged(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	b := openBolt(t, good, Options{})
	for i := range 300 {
		must(t, b, Put(Account, strconv.Itoa(i), make([]byte, 100), time.Hour))
	}
	settle(t, b, reserve(t, b, "id", three), Failed, 1)
	b.Close()
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "bad")
	open := func(data []byte) error {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := OpenBolt(path, Options{})
		if err == nil {
			s.Close()
		}
		os.Remove(path)
		return err
	}
	if err := open(data); err != nil {
		t.Fatal(err)
	}
	wantErr(t, open([]byte("not a store")), ErrFormat)
	wantErr(t, open(make([]byte, 1<<16)), ErrFormat)
	wantErr(t, open(data[:len(data)/2]), ErrCorrupt)
	for _, size := range []int{1, 1000, 4096, 8192, 12288, 16384, 20000} {
		if err := open(data[:size]); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrCorrupt) {
			t.Errorf("the first %d bytes: %v", size, err)
		}
	}
	page := os.Getpagesize()
	found := 0
	for at := 2 * page; at < len(data) && at < 100*page; at += page {
		// A page's header says what it is and how much is on it.
		bad := append([]byte(nil), data...)
		for i := range 16 {
			bad[at+i] ^= 0xff
		}
		if err := open(bad); err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrFormat) {
				t.Errorf("page %d: %v", at/page, err)
			}
			found++
		}
	}
	if found < 5 {
		t.Errorf("damage was found in %d pages", found)
	}
	for name, change := range map[string]func(*bbolt.Tx) error{
		"another format": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(metaBucket)).Put([]byte(formatKey), []byte("store 2"))
		},
		"another program's": func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(metaBucket)) },
		"a bucket missing":  func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("account")) },
		"no times":          func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(timeBucket)) },
		"a short value":     func(tx *bbolt.Tx) error { return tx.Bucket([]byte("account")).Put([]byte(".x"), []byte("short")) },
		"a wrong key":       func(tx *bbolt.Tx) error { return tx.Bucket([]byte("account")).Put([]byte("x"), make([]byte, 9)) },
		"a wrong count":     func(tx *bbolt.Tx) error { return tx.Bucket([]byte("failures")).Put([]byte(".x"), make([]byte, 10)) },
		"a wrong time":      func(tx *bbolt.Tx) error { return tx.Bucket([]byte(timeBucket)).Put([]byte("x"), nil) },
		"a bucket in it": func(tx *bbolt.Tx) error {
			_, err := tx.Bucket([]byte("account")).CreateBucket([]byte(".b"))
			return err
		},
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(change); err != nil {
			t.Fatal(err)
		}
		db.Close()
		want := ErrCorrupt
		if strings.HasPrefix(name, "another") {
			want = ErrFormat
		}
		if _, err := OpenBolt(path, Options{}); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenBolt(filepath.Join(dir, "none", "store"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
