package store

import (
	"context"
	"fmt"
	"sync/atomic"
)

// memory keeps everything in this process.
type memory struct {
	*attempts
	values *values
	closed atomic.Bool
}

var _ Store = (*memory)(nil)

// NewMemory returns a store in this process's memory, where nothing outlives
// it, of any kind. It is bounded, see Options.MaxValues; beyond that what would
// add to it is refused with ErrFull.
func NewMemory(o Options) Store {
	o = o.withDefaults()
	c := newClock(o.Now)
	m := &memory{values: newValues(c.ms, o)}
	m.attempts = newAttempts(c.ms, o, memoryLedger{m.values}, &m.values.room, m.values.sweep)
	return observed(m, o.Observe)
}

func always(Kind) bool { return true }

func (m *memory) Do(ctx context.Context, ops ...Op) ([]Result, error) {
	if err := check(ctx, ops); err != nil {
		return nil, err
	}
	if m.closed.Load() {
		return nil, ErrClosed
	}
	count, bytes, err := m.values.claim(ops, always)
	if err != nil {
		return nil, err
	}
	defer m.values.room.add(-count, -bytes)
	s := setOf(ops, always)
	m.values.lock(s)
	defer m.values.unlock(s)
	return m.values.do(ops)
}

// do carries out ops in memory, all or none; the shards must be locked.
func (v *values) do(ops []Op) ([]Result, error) {
	t := view{values: v, at: v.now(), undo: len(ops) > 1}
	results, err := applyAll(&t, ops, t.at)
	if err != nil {
		t.rollback()
	}
	return results, err
}

func (m *memory) Swap(ctx context.Context, k Kind, key string, old, new []byte) (bool, error) {
	return swap(ctx, m, k, key, old, new)
}

// swap is Swap for stores that have it as an operation.
func swap(ctx context.Context, s Store, k Kind, key string, old, new []byte) (bool, error) {
	results, err := s.Do(ctx, Op{verb: verbSwap, kind: k, key: key, value: new, old: old})
	if err != nil {
		return false, err
	}
	return results[0].OK, nil
}

func (m *memory) Scan(ctx context.Context, k Kind, f func(string, []byte) bool) error {
	return scanMemory(ctx, m, m.values, k, f)
}

// scanMemory is the Scan of store s for a kind that is in memory.
func scanMemory(ctx context.Context, s Store, v *values, k Kind, f func(string, []byte) bool) error {
	if !k.valid() {
		return fmt.Errorf("%w: no such kind", ErrArgument)
	}
	err := s.Ping(ctx)
	if err != nil {
		return err
	}
	v.scan(k, func(key string, value []byte) bool {
		if err = s.Ping(ctx); err != nil {
			return false
		}
		return f(key, value)
	})
	return err
}

func (m *memory) Ping(ctx context.Context) error {
	if m.closed.Load() {
		return ErrClosed
	}
	return ctx.Err()
}

func (m *memory) Warnings() []string {
	return []string{"the memory store loses everything when the process ends"}
}

func (m *memory) Close() error {
	m.closed.Store(true)
	m.attempts.close()
	return nil
}

// memoryLedger keeps the failures of NewMemory's attempts.
type memoryLedger struct{ *values }

func (l memoryLedger) load(id string) (int, error) {
	s := set(0).with(id)
	l.lock(s)
	defer l.unlock(s)
	return loadFailures(&view{values: l.values, at: l.now()}, id)
}

// save needs no room: that of the reservation becomes that of the count.
func (l memoryLedger) save(id string, n int, _ func()) (<-chan error, error) {
	s := set(0).with(id)
	l.lock(s)
	defer l.unlock(s)
	return nil, saveFailures(&view{values: l.values, at: l.now()}, id, n)
}
