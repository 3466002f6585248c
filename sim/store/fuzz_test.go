package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzValues gives all stores the same keys and values: they agree on what
// comes back and on what is refused.
func FuzzValues(f *testing.F) {
	f.Add("key", "other", []byte("value"), []byte("tail"), int64(0), uint8(Login))
	f.Add("", "\x00", []byte{}, []byte{0xff, 0}, int64(1), uint8(Account))
	f.Add(string(make([]byte, MaxKey)), "*?[a]\\", make([]byte, MaxValue), []byte("x"), int64(1<<62), uint8(Registration))
	f.Add(string(make([]byte, MaxKey+1)), "\r\n$3", make([]byte, MaxValue+1), []byte{}, int64(-1), uint8(255))
	stores := map[string]*subject{}
	for name, start := range starts {
		if name != "redis" { // one process of many would need it for itself
			stores[name] = start(f, Options{})
		}
	}
	f.Fuzz(func(t *testing.T, key, other string, value, tail []byte, ttl int64, kind uint8) {
		k, ctx := Kind(kind), context.Background()
		var first string
		for name, s := range stores {
			var got []byte
			for _, ops := range [][]Op{
				{Put(k, key, value, time.Duration(ttl)), Get(k, key)},
				{Create(k, other, value, 0), Get(k, other)},
				{Move(k, key, Mark, other, tail, time.Hour)},
				{Get(k, key), Get(Mark, other)},
				{Take(Mark, other), Take(k, other), Delete(k, key), Get(k, key), Get(k, other)},
			} {
				results, err := s.Do(ctx, ops...)
				switch {
				case errors.Is(err, ErrTooLarge):
					got = append(got, "too large\n"...)
				case errors.Is(err, ErrArgument):
					got = append(got, "argument\n"...)
				case err != nil:
					t.Fatalf("%s: %v", name, err)
				}
				for _, r := range results {
					got = append(got, text("%v %q\n", r.OK, r.Value)...)
				}
			}
			if first == "" {
				first = string(got)
			} else if first != string(got) {
				t.Fatalf("the stores differ:\n%.500s\n%.500s", first, got)
			}
			for range 2 { // leave nothing behind, whatever was refused
				if _, err := s.Do(ctx, Delete(k, other)); err != nil {
					break
				}
			}
		}
	})
}

// FuzzFile opens files that were damaged in one place. Those that open are as
// good as any.
func FuzzFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "good")
	b := openBolt(f, path, Options{})
	must(f, b, Put(Account, "key", text("value"), time.Hour), Put(Registration, "key", make([]byte, 5000), 0))
	settle(f, b, reserve(f, b, "id", three), Failed, 1)
	b.Close()
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{0})
	f.Add(uint32(16), []byte("\xed\xda\x0c\xed"))
	f.Add(uint32(4096+24), []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(uint32(8192+8), []byte{0xff, 0xff})
	f.Add(uint32(3*4096+16), bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, at uint32, damage []byte) {
		if len(damage) > 4096 {
			return
		}
		bad := bytes.Clone(good)
		copy(bad[int(at)%len(bad):], damage)
		path := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := OpenBolt(path, Options{})
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		defer s.Close()
		must(t, s, Put(Account, "new", text("n"), 0))
		expect(t, must(t, s, Take(Account, "new")), "=n")
	})
}
