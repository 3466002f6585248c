package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// counted checks that the room counts what is there, and nothing else.
func counted(t testing.TB, v *values) {
	t.Helper()
	var n, size int64
	for i := range v.parts {
		p := &v.parts[i]
		p.mu.Lock()
		timed := 0
		for _, e := range p.entries {
			n++
			size += e.size()
			if e.expires != 0 {
				timed++
			}
		}
		if timed != len(p.times)+len(p.marks) {
			t.Errorf("%d of the entries expire, %d are scheduled", timed, len(p.times)+len(p.marks))
		}
		p.mu.Unlock()
	}
	if v.room.count.Load() != n || v.room.bytes.Load() != size {
		t.Errorf("%d values of %d bytes count as %d of %d", n, size, v.room.count.Load(), v.room.bytes.Load())
	}
}

// The number of values is bounded: what has expired goes first, then more is
// refused and nothing changed.
func TestMemoryIsBounded(t *testing.T) {
	for name, o := range map[string]Options{"number": {MaxValues: 200}, "bytes": {MaxBytes: 200 * (overhead + 100)}} {
		for _, start := range []string{"memory", "bbolt"} {
			t.Run(name+"/"+start, func(t *testing.T) {
				s := starts[start](t, o)
				var v *values
				switch s := s.Store.(type) {
				case *memory:
					v = s.values
				case *bolt:
					v = s.values
				}
				fill := func() (n int, err error) {
					for ; n < 1000; n++ {
						if _, err = s.Do(context.Background(), Put(Login, fmt.Sprintf("%03d", n), make([]byte, 97), time.Hour)); err != nil {
							return n, err
						}
					}
					return n, nil
				}
				n, err := fill()
				wantErr(t, err, ErrFull)
				if n != 200 {
					t.Fatalf("%d values", n)
				}
				_, err = s.Do(t.Context(), Take(Login, "000"), Put(Login, "x", make([]byte, 97), 0))
				wantErr(t, err, ErrFull)
				_, err = s.Reserve(t.Context(), "id", three)
				wantErr(t, err, ErrFull)
				expect(t, must(t, s, Get(Login, "000"))[:1], "="+string(make([]byte, 97)))
				must(t, s, Take(Login, "000"), Delete(Login, "003"), Delete(Login, "004"))
				must(t, s, Move(Login, "001", Login, "002", nil, time.Hour))
				must(t, s, Put(Login, "x", make([]byte, 97), 0))
				settle(t, s, reserve(t, s, "id", three), Passed, 0)
				counted(t, v)
				s.advance(2 * time.Hour)
				if n, _ := fill(); n != 199 { // and x, which is for good
					t.Fatalf("%d values after the first had expired", n)
				}
				counted(t, v)
			})
		}
	}
}

// Expired values are removed by what is written, not only where it is.
func TestMemorySweeps(t *testing.T) {
	s := startMemory(t, Options{})
	v := s.Store.(*memory).values
	for i := range 10_000 {
		must(t, s, Put(Challenge, strconv.Itoa(i), nil, 15*time.Second))
		s.advance(10 * time.Millisecond)
	}
	if n := v.room.count.Load(); n > 3500 {
		t.Errorf("%d values, of which 1500 live", n)
	}
	counted(t, v)
}

// Reservations that nobody settles are forgotten with their leases.
func TestAttemptsAreForgotten(t *testing.T) {
	s := startMemory(t, Options{})
	m := s.Store.(*memory)
	for i := range 1000 {
		reserve(t, s, strconv.Itoa(i), Policy{3, time.Minute})
	}
	s.advance(time.Hour)
	for i := range 1000 {
		settle(t, s, reserve(t, s, strconv.Itoa(i), three), Passed, 0)
	}
	for i := range m.parts {
		if p := &m.parts[i]; len(p.ids)+len(p.held)+len(p.leases)+p.waiting != 0 {
			t.Fatalf("%d identities, %d reservations, %d leases, %d waiters", len(p.ids), len(p.held), len(p.leases), p.waiting)
		}
	}
	counted(t, m.values)
}

// Close ends everything that was started.
func TestNoGoroutinesAreLeft(t *testing.T) {
	url := redisURL(t)
	path := filepath.Join(t.TempDir(), "store")
	before := runtime.NumGoroutine()
	for _, spec := range []string{"memory", "bbolt", url} {
		// What is reserved here stays so: the next time is another store.
		s, err := Open(spec, Options{Path: path, Prefix: fmt.Sprint("goroutines", prefixes.Add(1))})
		if err != nil {
			t.Fatal(err)
		}
		r := reserve(t, s, "id", Policy{1, time.Hour})
		done := make(chan error)
		go func() { _, err := s.Reserve(context.Background(), "id", Policy{1, time.Hour}); done <- err }()
		untilWaiting(t, s, "id", 1)
		must(t, s, Put(Account, "key", nil, time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Settle(ctx, r, Failed); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		wantErr(t, <-done, ErrClosed)
	}
	for until := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines are left\n%s", runtime.NumGoroutine()-before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestMarksLeaveRoom: strangers' marks keep nothing else out; the oldest are
// forgotten.
func TestMarksLeaveRoom(t *testing.T) {
	for name, o := range map[string]Options{"number": {MaxValues: 4000}, "bytes": {MaxBytes: 4000 * (overhead + 16)}} {
		for _, start := range []string{"memory", "bbolt"} {
			t.Run(name+"/"+start, func(t *testing.T) {
				s := starts[start](t, o)
				var v *values
				switch s := s.Store.(type) {
				case *memory:
					v = s.values
				case *bolt:
					v = s.values
				}
				for i := range 20_000 {
					key := fmt.Sprintf("%016d", i)
					r := must(t, s, Create(Mark, key, nil, 24*time.Hour), Put(Challenge, "id", text("y"), 15*time.Second))
					if !r[0].OK {
						t.Fatalf("mark %d was there", i)
					}
					if r := must(t, s, Create(Mark, key, nil, 24*time.Hour)); r[0].OK {
						t.Fatalf("mark %d is forgotten at once", i)
					}
					s.advance(10 * time.Millisecond)
				}
				counted(t, v)
				if n := v.marks.count.Load(); n > 2000+shards || n < 1500 {
					t.Errorf("%d marks", n)
				}
				if r := must(t, s, Create(Mark, fmt.Sprintf("%016d", 19_500), nil, time.Hour)); r[0].OK {
					t.Error("a young mark is forgotten")
				}
				settle(t, s, reserve(t, s, "id", three), Passed, 0)
				s.advance(25 * time.Hour)
				must(t, s, Put(Login, "x", nil, 0))
				v.sweep()
				if n := v.marks.count.Load(); n != 0 {
					t.Errorf("%d marks after their time", n)
				}
			})
		}
	}
}
