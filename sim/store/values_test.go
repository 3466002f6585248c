package store

import (
	"bytes"
	"context"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestOperations(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		for _, k := range []Kind{Login, Account} {
			key := "a\x00\xff*[?]:" + k.String()
			expect(t, must(t, s, Get(k, key)), "-")
			expect(t, must(t, s, Take(k, key)), "-")
			expect(t, must(t, s, Delete(k, key)), "-")
			expect(t, must(t, s, Move(k, key, k, key+"2", nil, 0)), "-")
			expect(t, must(t, s, Put(k, key, text("one"), 0)), "+")
			expect(t, must(t, s, Get(k, key)), "=one")
			expect(t, must(t, s, Put(k, key, text("two\x00\xff\r\n"), 0)), "+")
			expect(t, must(t, s, Create(k, key, text("three"), 0)), "-")
			expect(t, must(t, s, Get(k, key)), "=two\x00\xff\r\n")
			expect(t, must(t, s, Take(k, key)), "=two\x00\xff\r\n")
			expect(t, must(t, s, Get(k, key)), "-")
			expect(t, must(t, s, Create(k, key, text("four"), 0)), "+")
			expect(t, must(t, s, Delete(k, key)), "+")
			expect(t, must(t, s, Delete(k, key)), "-")
			expect(t, must(t, s, Put(k, key, nil, 0)), "+")
			expect(t, must(t, s, Get(k, key)), "=")
			expect(t, must(t, s, Get(k, key), Get(k, key+"2")), "=", "-")
			expect(t, must(t, s, Take(k, key)), "=")
			expect(t, must(t, s, Put(k, "", text("empty key"), 0)), "+")
			expect(t, must(t, s, Get(k, "")), "=empty key")
		}
		expect(t, must(t, s))
	})
}

func TestMove(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		for _, from := range []Kind{Login, Registration} {
			for _, to := range []Kind{Login, Access, Registration, Account} {
				must(t, s, Put(from, "from", text("value"), time.Hour), Put(to, "to", text("old"), 0))
				expect(t, must(t, s, Move(from, "from", to, "to", text("+tail"), 0)), "=value")
				expect(t, must(t, s, Get(from, "from"), Get(to, "to")), "-", "=value+tail")
				expect(t, must(t, s, Move(from, "from", to, "to", text("+tail"), 0)), "-")
				expect(t, must(t, s, Get(to, "to")), "=value+tail")
				s.advance(2 * time.Hour) // the time to live is the new one
				expect(t, must(t, s, Take(to, "to")), "=value+tail")
			}
			must(t, s, Put(from, "self", text("v"), 0))
			expect(t, must(t, s, Move(from, "self", from, "self", text("w"), 0)), "=v")
			expect(t, must(t, s, Get(from, "self")), "=vw")
		}
	})
}

// A name is a kind and a key.
func TestKindsAreApart(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		for k := Registration; k <= Application; k++ {
			expect(t, must(t, s, Create(k, "key", text("%v", k), 0)), "+")
		}
		for k := Registration; k <= Application; k++ {
			expect(t, must(t, s, Get(k, "key")), "="+k.String())
			n := 0
			if err := s.Scan(t.Context(), k, func(string, []byte) bool { n++; return true }); err != nil || n != 1 {
				t.Fatalf("%v: %d values, %v", k, n, err)
			}
		}
	})
}

func TestTimeToLive(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		ctx := t.Context()
		for _, k := range []Kind{Login, Registration} {
			must(t, s, Put(k, "short", text("s"), time.Hour), Put(k, "long", text("l"), 3*time.Hour), Put(k, "good", text("g"), 0))
			if ok, err := s.Swap(ctx, k, "long", text("l"), text("l2")); !ok || err != nil {
				t.Fatal(ok, err)
			}
			expect(t, must(t, s, Create(k, "short", text("x"), 0)), "-")
			s.advance(2 * time.Hour)
			expect(t, must(t, s, Get(k, "short"), Get(k, "long"), Get(k, "good")), "-", "=l2", "=g")
			if ok, err := s.Swap(ctx, k, "short", text("s"), text("t")); ok || err != nil {
				t.Fatal("an expired value was swapped", err)
			}
			expect(t, must(t, s, Delete(k, "short")), "-")
			expect(t, must(t, s, Take(k, "short")), "-")
			expect(t, must(t, s, Move(k, "short", k, "moved", nil, 0)), "-")
			expect(t, must(t, s, Create(k, "short", text("again"), time.Hour)), "+")
			// A Put sets the time anew, a Swap leaves it.
			must(t, s, Put(k, "good", text("g"), time.Hour), Put(k, "short", text("now for good"), 0))
			s.advance(2 * time.Hour)
			expect(t, must(t, s, Get(k, "long"), Get(k, "good"), Get(k, "short")), "-", "-", "=now for good")
		}
	})
}

func TestOrderOfOperations(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		for _, k := range []Kind{Login, Account} {
			expect(t, must(t, s,
				Put(k, "a", text("1"), 0), Get(k, "a"), Create(k, "a", text("2"), 0), Move(k, "a", Mark, "b", text("3"), time.Hour),
				Get(k, "a"), Create(k, "a", text("4"), 0), Take(Mark, "b"), Delete(k, "a"), Get(k, "a"), Get(Mark, "b")),
				"+", "=1", "-", "=1", "-", "+", "=13", "+", "-", "-")
		}
	})
}

func TestAllOrNone(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		large := bytes.Repeat([]byte("x"), MaxValue)
		for _, k := range []Kind{Login, Account} {
			must(t, s, Put(k, "kept", text("k"), 0), Put(k, "large", large, 0), Put(Mark, "mark", text("m"), 0), Delete(k, "moved"))
			_, err := s.Do(t.Context(), Take(k, "kept"), Create(k, "new", text("n"), 0), Take(Mark, "mark"), Put(k, "put", text("p"), 0),
				Delete(k, "put"), Move(k, "large", k, "moved", text("y"), 0))
			wantErr(t, err, ErrTooLarge)
			expect(t, must(t, s, Get(k, "kept"), Get(k, "new"), Get(Mark, "mark"), Get(k, "put"), Get(k, "large"), Get(k, "moved")),
				"=k", "-", "=m", "-", "="+string(large), "-")
			// What a Do puts it may move, as large as it may be.
			_, err = s.Do(t.Context(), Put(k, "a", large[1:], 0), Move(k, "a", k, "b", text("yz"), 0))
			wantErr(t, err, ErrTooLarge)
			expect(t, must(t, s, Put(k, "a", large[1:], 0), Move(k, "a", k, "b", text("y"), 0), Take(k, "b")), "+", "="+string(large[1:]), "="+string(large[1:])+"y")
		}
	})
}

func TestLimits(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		ctx := t.Context()
		key, value := strings.Repeat("k", MaxKey), make([]byte, MaxValue)
		for _, k := range []Kind{Login, Account} {
			must(t, s, Put(k, key, value, time.Hour))
			expect(t, must(t, s, Get(k, key)), "="+string(value))
			for _, op := range []Op{Put(k, key+"k", nil, 0), Get(k, key+"k"), Take(k, key+"k"), Put(k, key, append(value, 0), 0),
				Move(k, key, k, key+"k", nil, 0), Move(k, key, k, key, append(value, 0), 0)} {
				_, err := s.Do(ctx, op)
				wantErr(t, err, ErrTooLarge)
			}
			_, err := s.Swap(ctx, k, key, value, append(value, 0))
			wantErr(t, err, ErrTooLarge)
			_, err = s.Do(ctx, Put(k, key, nil, -1))
			wantErr(t, err, ErrArgument)
			_, err = s.Do(ctx, Move(k, key, 0, key, nil, 0))
			wantErr(t, err, ErrArgument)
			must(t, s, Put(k, key, value, 290*365*24*time.Hour)) // does not overflow
			expect(t, must(t, s, Take(k, key)), "="+string(value))
		}
		for _, k := range []Kind{0, failed, Application + 1} {
			_, err := s.Do(ctx, Put(k, "key", nil, 0))
			wantErr(t, err, ErrArgument)
			wantErr(t, s.Scan(ctx, k, func(string, []byte) bool { return true }), ErrArgument)
		}
		_, err := s.Do(ctx, Op{})
		wantErr(t, err, ErrArgument)
		_, err = s.Reserve(ctx, key+"k", Policy{3, time.Minute})
		wantErr(t, err, ErrTooLarge)
		_, err = s.Failures(ctx, key+"k")
		wantErr(t, err, ErrTooLarge)
		wantErr(t, s.Clear(ctx, key+"k"), ErrTooLarge)
		for _, p := range []Policy{{}, {0, time.Second}, {1, 0}, {-1, time.Second}, {1, -1}} {
			_, err := s.Reserve(ctx, "id", p)
			wantErr(t, err, ErrArgument)
		}
		_, err = s.Settle(ctx, nil, Passed)
		wantErr(t, err, ErrArgument)
		for _, o := range []Outcome{0, 4} {
			_, err = s.Settle(ctx, &Reservation{ID: "id"}, o)
			wantErr(t, err, ErrArgument)
		}
	})
}

// Slices are the caller's before and after.
func TestCopies(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		for _, k := range []Kind{Login, Account} {
			value := text("value")
			must(t, s, Put(k, "key", value, 0))
			clear(value)
			got := must(t, s, Get(k, "key"), Get(k, "key"))
			clear(got[0].Value)
			expect(t, got[1:], "=value")
			if err := s.Scan(t.Context(), k, func(_ string, v []byte) bool { clear(v); return true }); err != nil {
				t.Fatal(err)
			}
			expect(t, must(t, s, Get(k, "key")), "=value")
			tail := text("+tail")
			moved := must(t, s, Move(k, "key", k, "to", tail, 0))
			clear(tail)
			clear(moved[0].Value[:cap(moved[0].Value)])
			expect(t, must(t, s, Get(k, "to")), "=value+tail")
		}
	})
}

// Of many who take, create, move, delete or swap one succeeds.
func TestOneSucceeds(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		handles := []Store{s, s.another(t), s.another(t)}
		for _, k := range []Kind{Login, Account} {
			for name, f := range map[string]func(s Store, i int) (bool, error){
				"take":   func(s Store, i int) (bool, error) { return first(s.Do(context.Background(), Take(k, "key"))) },
				"delete": func(s Store, i int) (bool, error) { return first(s.Do(context.Background(), Delete(k, "key"))) },
				"create": func(s Store, i int) (bool, error) {
					return first(s.Do(context.Background(), Create(k, "new", text("%d", i), 0)))
				},
				"move": func(s Store, i int) (bool, error) {
					return first(s.Do(context.Background(), Move(k, "key", k, "to", text("%d", i), 0)))
				},
				"swap": func(s Store, i int) (bool, error) {
					return s.Swap(context.Background(), k, "key", text("v"), text("%d", i))
				},
			} {
				must(t, s, Put(k, "key", text("v"), time.Hour), Delete(k, "new"), Delete(k, "to"))
				var won atomic.Int64
				together(32, func(i int) {
					ok, err := f(handles[i%3], i)
					if err != nil {
						t.Error(err)
					}
					if ok {
						won.Add(1)
					}
				})
				if won.Load() != 1 {
					t.Fatalf("%s %v: %d of 32 succeeded", name, k, won.Load())
				}
			}
		}
	})
}

func first(r []Result, err error) (bool, error) { return err == nil && r[0].OK, err }

// No other call comes between the operations of one: a value is always in one
// of two places, seen from any handle, of whatever kinds they are.
func TestAtomic(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		handles := []Store{s, s.another(t), s.another(t)}
		for _, pair := range [][2]Kind{{Login, Access}, {Account, Application}, {Login, Account}} {
			a, b := pair[0], pair[1]
			must(t, s, Put(a, "x", text("v"), 0))
			together(6, func(i int) {
				s := handles[i%3]
				for range 60 {
					var err error
					switch i {
					case 0:
						_, err = s.Do(context.Background(), Move(a, "x", b, "y", nil, 0))
					case 1:
						_, err = s.Do(context.Background(), Move(b, "y", a, "x", nil, 0))
					case 2:
						var r []Result
						if r, err = s.Do(context.Background(), Take(a, "x"), Take(b, "y"), Put(a, "x", text("v"), 0)); err == nil && r[0].OK == r[1].OK {
							t.Errorf("%v and %v: taken %v and %v", a, b, r[0].OK, r[1].OK)
						}
					default:
						var r []Result
						if r, err = s.Do(context.Background(), Get(a, "x"), Get(b, "y")); err == nil && r[0].OK == r[1].OK {
							t.Errorf("%v and %v: there %v and %v", a, b, r[0].OK, r[1].OK)
						}
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
			must(t, s, Delete(a, "x"), Delete(b, "y"))
		}
	})
}

// The same with a reader that writes something passing, which in bbolt is done
// beside the writer: whoever has seen the mark sees what was there before it.
func TestMixedKindsInOrder(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		const steps = 40
		together(2, func(i int) {
			seen := 0
			for n := 1; n <= steps; n++ {
				if i == 0 {
					if _, err := s.Do(context.Background(), Put(Account, "n", text("%d", n), 0), Put(Mark, "n", text("%d", n), 0)); err != nil {
						t.Error(err)
					}
					continue
				}
				r, err := s.Do(context.Background(), Get(Account, "n"), Get(Mark, "n"), Put(Challenge, "y", text("%d", n), time.Minute))
				if err != nil {
					t.Error(err)
					return
				}
				if !bytes.Equal(r[0].Value, r[1].Value) {
					t.Errorf("account %s, mark %s", r[0].Value, r[1].Value)
				}
				now, _ := strconv.Atoi(string(r[0].Value))
				if now < seen {
					t.Errorf("%d after %d", now, seen)
				}
				seen = now
			}
		})
	})
}

func TestScan(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		ctx := t.Context()
		for _, k := range []Kind{Login, Registration} {
			want := map[string]string{}
			var puts []Op
			for i := range 700 {
				key := strconv.Itoa(i) + "*"
				ttl := time.Duration(i%3) * time.Hour
				puts = append(puts, Put(k, key, text("v%d", i), ttl))
				if i%3 != 1 {
					want[key] = "v" + strconv.Itoa(i)
				}
			}
			must(t, s, puts...)
			s.advance(90 * time.Minute)
			got := map[string]string{}
			err := s.Scan(ctx, k, func(key string, value []byte) bool {
				if _, again := got[key]; again {
					t.Errorf("%q twice", key)
				}
				got[key] = string(value)
				must(t, s, Put(Mark, key, value, time.Minute)) // f may call the store
				return true
			})
			if err != nil || !maps.Equal(got, want) {
				t.Fatalf("%v: %d values, want %d; %v", k, len(got), len(want), err)
			}
			n := 0
			if err := s.Scan(ctx, k, func(string, []byte) bool { n++; return n < 5 }); err != nil || n != 5 {
				t.Fatalf("stopped after %d, %v", n, err)
			}
			ended, cancel := context.WithCancel(ctx)
			n = 0
			err = s.Scan(ended, k, func(string, []byte) bool { n++; cancel(); return true })
			wantErr(t, err, context.Canceled)
			if n == len(want) {
				t.Fatal("a scan went on after its context had ended")
			}
		}
	})
}

func TestContext(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		r, err := s.Reserve(t.Context(), "id", Policy{3, time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, f := range calls(ctx, s, r) {
			if err := f(); err != context.Canceled {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n, err := s.Settle(t.Context(), r, Failed); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		expect(t, must(t, s, Get(Login, "key"), Get(Account, "key")), "-", "-")
	})
}

// calls are all that a store can be asked.
func calls(ctx context.Context, s Store, r *Reservation) map[string]func() error {
	return map[string]func() error{
		"do":       func() error { _, err := s.Do(ctx, Put(Login, "key", nil, 0)); return err },
		"durable":  func() error { _, err := s.Do(ctx, Put(Account, "key", nil, 0)); return err },
		"get":      func() error { _, err := s.Do(ctx, Get(Account, "key")); return err },
		"move":     func() error { _, err := s.Do(ctx, Move(Login, "key", Account, "key", nil, 0)); return err },
		"swap":     func() error { _, err := s.Swap(ctx, Login, "key", nil, nil); return err },
		"scan":     func() error { return s.Scan(ctx, Login, func(string, []byte) bool { return true }) },
		"accounts": func() error { return s.Scan(ctx, Account, func(string, []byte) bool { return true }) },
		"reserve":  func() error { _, err := s.Reserve(ctx, "id", Policy{3, time.Minute}); return err },
		"settle":   func() error { _, err := s.Settle(ctx, r, Failed); return err },
		"failures": func() error { _, err := s.Failures(ctx, "id"); return err },
		"clear":    func() error { return s.Clear(ctx, "id") },
		"ping":     func() error { return s.Ping(ctx) },
	}
}

func TestClose(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		r, err := s.Reserve(t.Context(), "id", Policy{1, time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error)
		for range 10 {
			go func() {
				_, err := s.Reserve(context.Background(), "id", Policy{1, time.Hour})
				waiting <- err
			}()
		}
		untilWaiting(t, s.Store, "id", 10)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			wantErr(t, <-waiting, ErrClosed)
		}
		for name, f := range calls(t.Context(), s, r) {
			if err := f(); err != ErrClosed {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	})
}

func TestObserve(t *testing.T) {
	told := map[string]error{}
	o := Options{Observe: func(op string, took time.Duration, err error) {
		if took < 0 {
			t.Errorf("%s took %v", op, took)
		}
		told[op] = err
	}}
	onEach(t, o, func(t *testing.T, s *subject) {
		clear(told)
		r, err := s.Reserve(t.Context(), "id", Policy{3, time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range calls(t.Context(), s, r) {
			f()
		}
		if _, err := s.Settle(t.Context(), &Reservation{ID: "id"}, Passed); told["settle"] != err || err != ErrLeaseEnded {
			t.Errorf("settle: told %v, returned %v", told["settle"], err)
		}
		for _, op := range []string{"do", "swap", "scan", "reserve", "settle", "failures", "clear", "ping"} {
			if _, ok := told[op]; !ok {
				t.Errorf("%s was not told", op)
			}
		}
		s.Warnings()
	})
}

func TestOpen(t *testing.T) {
	for _, spec := range []string{"", "sqlite", "bbolt", "http://user:geheim@host", "redis://user:geheim@host:port:port/", "redis://:geheim@h/notanumber"} {
		_, err := Open(spec, Options{})
		wantErr(t, err, ErrArgument)
		if strings.Contains(err.Error(), "geheim") {
			t.Errorf("a password is in the error: %v", err)
		}
	}
	for _, spec := range []string{"memory", "bbolt", redisURL(t)} {
		s, err := Open(spec, Options{Path: t.TempDir() + "/store", Prefix: "open"})
		if err != nil {
			t.Fatal(err)
		}
		must(t, s, Put(Account, "key", text("v"), 0))
		expect(t, must(t, s, Take(Account, "key")), "=v")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
