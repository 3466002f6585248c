package fault

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"mpinlab/sim/store"
)

// While the gate is shut no call gets through, until its context ends or the
// store is closed; then all do.
func TestGate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gate")
	if _, err := Gated(store.NewMemory(store.Options{}), path); err == nil {
		t.Fatal("a gate that is not there")
	}
	g, err := NewGate(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Gated(store.NewMemory(store.Options{}), path)
	if err != nil {
		t.Fatal(err)
	}
	policy := store.Policy{Max: 3, Lease: time.Minute}
	var r *store.Reservation
	calls := map[string]func(context.Context) error{
		"do": func(ctx context.Context) error {
			_, err := s.Do(ctx, store.Put(store.Account, "a", nil, 0))
			return err
		},
		"swap": func(ctx context.Context) error { _, err := s.Swap(ctx, store.Account, "a", nil, nil); return err },
		"scan": func(ctx context.Context) error {
			return s.Scan(ctx, store.Account, func(string, []byte) bool { return true })
		},
		"reserve and settle": func(ctx context.Context) error {
			var err error
			if r, err = s.Reserve(ctx, "id", policy); err == nil {
				_, err = s.Settle(ctx, r, store.Withdrawn)
			}
			return err
		},
		"settle":   func(ctx context.Context) error { _, err := s.Settle(ctx, r, store.Withdrawn); return err },
		"failures": func(ctx context.Context) error { _, err := s.Failures(ctx, "id"); return err },
		"clear":    func(ctx context.Context) error { return s.Clear(ctx, "id") },
		"ping":     s.Ping,
	}
	if err := calls["reserve and settle"](t.Context()); err != nil {
		t.Fatal(err)
	}
	f := Stall(g)
	for range 2 {
		if err := f.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, call := range calls {
			short, cancel := context.WithTimeout(t.Context(), 5*look)
			if err := call(short); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: shut: %v", name, err)
			}
			cancel()
		}
		through := make(chan error)
		go func() { through <- s.Ping(t.Context()) }()
		if err := f.End(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-through; err != nil {
			t.Error(err)
		}
		for name, call := range calls {
			if name == "settle" { // it was settled
				continue
			}
			if err := call(t.Context()); err != nil {
				t.Errorf("%s: open: %v", name, err)
			}
		}
	}
	if err := f.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error)
	go func() { waits <- s.Ping(t.Context()) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; !errors.Is(err, store.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
}
