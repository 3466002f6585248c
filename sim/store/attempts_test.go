package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var three = Policy{Max: 3, Lease: time.Hour}

func reserve(t testing.TB, s Store, id string, p Policy) *Reservation {
	t.Helper()
	r, err := s.Reserve(context.Background(), id, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func settle(t testing.TB, s Store, r *Reservation, o Outcome, want int) {
	t.Helper()
	n, err := s.Settle(context.Background(), r, o)
	if err != nil || n != want {
		t.Fatalf("settled with %d failures, %v; want %d", n, err, want)
	}
}

func wantFailures(t testing.TB, s Store, id string, want int) {
	t.Helper()
	if n, err := s.Failures(context.Background(), id); n != want || err != nil {
		t.Fatalf("%d failures, %v; want %d", n, err, want)
	}
}

// waitersOf returns how many wait for a turn here.
func waitersOf(s Store, id string) int {
	if o, ok := s.(*observer); ok {
		s = o.Store
	}
	if s, ok := s.(*redis); ok {
		s.lines.mu.Lock()
		defer s.lines.mu.Unlock()
		if q := s.lines.of[id]; q != nil {
			return q.size
		}
		return 0
	}
	var a *attempts
	switch s := s.(type) {
	case *memory:
		a = s.attempts
	case *bolt:
		a = s.attempts
	}
	part := &a.parts[shardOf(id)]
	part.mu.Lock()
	defer part.mu.Unlock()
	if who := part.ids[id]; who != nil {
		return who.waiters.Len()
	}
	return 0
}

func untilWaiting(t testing.TB, s Store, id string, n int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); waitersOf(s, id) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d wait, not %d", waitersOf(s, id), n)
		}
	}
}

func TestFailuresBlock(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		id := "user\x00:*"
		for i := range 2 {
			r := reserve(t, s, id, three)
			if r.Failures != i || r.ID != id {
				t.Fatalf("reserved with %d failures of %q", r.Failures, r.ID)
			}
			settle(t, s, r, Failed, i+1)
		}
		settle(t, s, reserve(t, s, id, three), Withdrawn, 2)
		wantFailures(t, s, id, 2)
		settle(t, s, reserve(t, s, id, three), Passed, 0)
		wantFailures(t, s, id, 0)
		for i := range 3 {
			settle(t, s, reserve(t, s, id, three), Failed, i+1)
		}
		_, err := s.Reserve(t.Context(), id, three)
		wantErr(t, err, ErrBlocked)
		wantFailures(t, s, id, 3)
		s.advance(1000 * time.Hour) // failures are for good
		_, err = s.another(t).Reserve(t.Context(), id, three)
		wantErr(t, err, ErrBlocked)
		wantFailures(t, s, "another", 0)
		settle(t, s, reserve(t, s, "another", three), Passed, 0)
		settle(t, s, reserve(t, s, id, Policy{4, time.Hour}), Withdrawn, 3) // another maximum
		if err := s.Clear(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wantFailures(t, s, id, 0)
		settle(t, s, reserve(t, s, id, three), Passed, 0)
		if err := s.Clear(t.Context(), "nobody"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClearLeavesReservations(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		two := Policy{2, time.Hour}
		settle(t, s, reserve(t, s, "id", two), Failed, 1)
		held := reserve(t, s, "id", two)
		if err := s.Clear(t.Context(), "id"); err != nil {
			t.Fatal(err)
		}
		other := reserve(t, s, "id", two)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := s.Reserve(ctx, "id", two)
		wantErr(t, err, context.DeadlineExceeded)
		settle(t, s, held, Failed, 1)
		settle(t, s, other, Failed, 2)
	})
}

// A reservation is settled once, and only what was granted.
func TestSettledOnce(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		for _, o := range []Outcome{Passed, Failed, Withdrawn} {
			r := reserve(t, s, "id", three)
			if _, err := s.Settle(t.Context(), r, o); err != nil {
				t.Fatal(err)
			}
			before, _ := s.Failures(t.Context(), "id")
			for _, again := range []Outcome{Passed, Failed, Withdrawn} {
				_, err := s.Settle(t.Context(), r, again)
				wantErr(t, err, ErrLeaseEnded)
			}
			wantFailures(t, s, "id", before)
		}
		r := reserve(t, s, "id", three)
		for _, wrong := range []*Reservation{{ID: "id"}, {ID: "id", token: "made up"}, {ID: "other", token: r.token}} {
			_, err := s.Settle(t.Context(), wrong, Passed)
			wantErr(t, err, ErrLeaseEnded)
		}
		var once atomic.Int64
		together(32, func(int) {
			if _, err := s.Settle(context.Background(), r, Withdrawn); err == nil {
				once.Add(1)
			} else if !errors.Is(err, ErrLeaseEnded) {
				t.Error(err)
			}
		})
		if once.Load() != 1 {
			t.Errorf("settled %d times", once.Load())
		}
	})
}

// A lease that ends gives the attempt back, and refuses its holder.
func TestLease(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		one := Policy{1, time.Minute}
		alone := reserve(t, s, "alone", one)
		s.advance(time.Minute)
		_, err := s.Settle(t.Context(), alone, Passed) // nobody has come between
		wantErr(t, err, ErrLeaseEnded)
		late := reserve(t, s, "id", one)
		s.advance(30 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err = s.Reserve(ctx, "id", one)
		wantErr(t, err, context.DeadlineExceeded)
		untilWaiting(t, s.Store, "id", 0)
		got := make(chan *Reservation)
		go func() {
			r, err := s.Reserve(context.Background(), "id", one)
			if err != nil {
				t.Error(err)
			}
			got <- r
		}()
		untilWaiting(t, s.Store, "id", 1)
		s.advance(31 * time.Second) // whoever waits gets it without anything else going on
		r := <-got
		for _, o := range []Outcome{Passed, Failed, Withdrawn} {
			_, err := s.Settle(t.Context(), late, o)
			wantErr(t, err, ErrLeaseEnded)
		}
		wantFailures(t, s, "id", 0)
		settle(t, s, r, Failed, 1)
		_, err = s.Reserve(t.Context(), "id", one)
		wantErr(t, err, ErrBlocked)
	})
}

// A real clock ends leases, too.
func TestLeaseInRealTime(t *testing.T) {
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{}).Store
			switch name {
			case "memory":
				s = NewMemory(Options{})
			case "bbolt":
				var err error
				if s, err = OpenBolt(t.TempDir()+"/store", Options{}); err != nil {
					t.Fatal(err)
				}
			}
			t.Cleanup(func() { s.Close() })
			short := Policy{1, 60 * time.Millisecond}
			late := reserve(t, s, "id", short)
			next := reserve(t, s, "id", Policy{1, time.Hour})
			_, err := s.Settle(t.Context(), late, Passed)
			wantErr(t, err, ErrLeaseEnded)
			settle(t, s, next, Passed, 0)
			must(t, s, Put(Login, "key", nil, 30*time.Millisecond), Put(Account, "key", nil, 30*time.Millisecond))
			for end := time.Now().Add(30 * time.Second); must(t, s, Get(Login, "key"))[0].OK || must(t, s, Get(Account, "key"))[0].OK; {
				if time.Now().After(end) {
					t.Fatal("values do not expire")
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
}

// N parallel guesses are judged as often as the maximum says, over three
// instances where there can be three; the rest are blocked.
func TestParallelGuesses(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		handles := []Store{s, s.another(t), s.another(t)}
		var judged, blocked, held, most atomic.Int64
		together(1000, func(i int) {
			r, err := handles[i%3].Reserve(context.Background(), "id", three)
			if errors.Is(err, ErrBlocked) {
				blocked.Add(1)
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			for n := held.Add(1); n > most.Load(); {
				most.Store(n)
			}
			judged.Add(1)
			held.Add(-1)
			if _, err := handles[i%3].Settle(context.Background(), r, Failed); err != nil {
				t.Error(err)
			}
		})
		if judged.Load() != 3 || blocked.Load() != 997 {
			t.Fatalf("%d judged, %d blocked", judged.Load(), blocked.Load())
		}
		wantFailures(t, s, "id", 3)
	})
}

// Logins with the right PIN all get their turn, never more at a time than may
// fail.
func TestParallelLogins(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		handles := []Store{s, s.another(t), s.another(t)}
		settle(t, s, reserve(t, s, "id", three), Failed, 1)
		var held, passed atomic.Int64
		together(50, func(i int) {
			s := handles[i%3]
			r, err := s.Reserve(context.Background(), "id", three)
			if err != nil {
				t.Error(err)
				return
			}
			if n := held.Add(1); n > 3-int64(r.Failures) {
				t.Errorf("%d at a time with %d failures", n, r.Failures)
			}
			held.Add(-1)
			if _, err := s.Settle(context.Background(), r, Passed); err != nil {
				t.Error(err)
			}
			passed.Add(1)
		})
		if passed.Load() != 50 {
			t.Fatalf("%d passed", passed.Load())
		}
		wantFailures(t, s, "id", 0)
	})
}

// First come, first served.
func TestTurns(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		one := Policy{1, time.Hour}
		held := reserve(t, s, "id", one)
		order := make(chan int, 20)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				r, err := s.Reserve(context.Background(), "id", one)
				if err != nil {
					t.Error(err)
				}
				order <- i
				if _, err := s.Settle(context.Background(), r, Withdrawn); err != nil {
					t.Error(err)
				}
			})
			untilWaiting(t, s.Store, "id", i+1)
		}
		settle(t, s, held, Passed, 0)
		wg.Wait()
		for i := range 20 {
			if got := <-order; got != i {
				t.Fatalf("turn %d had %d", i, got)
			}
		}
	})
}

// Waiters are bounded, leave when their context ends, and do not hold up those
// behind them.
func TestWaiters(t *testing.T) {
	onEach(t, Options{MaxWaiters: 5}, func(t *testing.T, s *subject) {
		one := Policy{1, time.Hour}
		held := reserve(t, s, "id", one)
		ctx, cancel := context.WithCancel(t.Context())
		left, stay := make(chan error), make(chan error)
		for range 4 {
			go func() {
				_, err := s.Reserve(ctx, "id", one)
				left <- err
			}()
		}
		untilWaiting(t, s.Store, "id", 4)
		go func() {
			r, err := s.Reserve(context.Background(), "id", one)
			if err == nil {
				_, err = s.Settle(context.Background(), r, Passed)
			}
			stay <- err
		}()
		untilWaiting(t, s.Store, "id", 5)
		_, err := s.Reserve(t.Context(), "id", one)
		wantErr(t, err, ErrOverloaded)
		settle(t, s, reserve(t, s, "another", one), Passed, 0)
		cancel()
		for range 4 {
			wantErr(t, <-left, context.Canceled)
		}
		settle(t, s, held, Withdrawn, 0)
		if err := <-stay; err != nil {
			t.Fatal(err)
		}
		untilWaiting(t, s.Store, "id", 0)
	})
}

// The failure that blocks ends all waiting at once, a Clear after it does not
// bring anyone back.
func TestBlockEndsWaiting(t *testing.T) {
	onEach(t, Options{}, func(t *testing.T, s *subject) {
		one := Policy{1, time.Hour}
		held := reserve(t, s, "id", one)
		done := make(chan error)
		for range 100 {
			go func() {
				_, err := s.Reserve(context.Background(), "id", one)
				done <- err
			}()
		}
		untilWaiting(t, s.Store, "id", 100)
		settle(t, s, held, Failed, 1)
		for range 100 {
			wantErr(t, <-done, ErrBlocked)
		}
		if err := s.Clear(t.Context(), "id"); err != nil {
			t.Fatal(err)
		}
		settle(t, s, reserve(t, s, "id", one), Passed, 0)
	})
}
