package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// bolt keeps durable kinds and failures in a file of bbolt, and passing kinds
// and reservations in this process's memory beside it.
//
// Changes of durable kinds go through one writer, which commits what is waiting
// together and never waits for more. Everything else, reading durable kinds
// included, is done by the caller.
type bolt struct {
	*attempts
	db       *bbolt.DB
	values   *values
	now      func() int64
	writer   *writer
	mapped   *mapped
	warnings []string
	closed   atomic.Bool
}

var _ Store = (*bolt)(nil)

// OpenBolt opens the file at path, or makes it, with mode 0600. It is read
// through once, about 2 s for a million records. What has expired is
// removed a little with every write.
//
// Errors: ErrLocked if another process has the file, ErrFormat and ErrCorrupt
// for what is not a store or damaged, those of the file system.
func OpenBolt(path string, o Options) (Store, error) {
	o = o.withDefaults()
	if path == "" {
		return nil, fmt.Errorf("%w: no path for the store's file", ErrArgument)
	}
	c := newClock(o.Now)
	db, err := openFile(path, o, c.ms())
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	b := &bolt{db: db, values: newValues(c.ms, o), now: c.ms, mapped: new(mapped)}
	b.writer = newWriter(b, int64(o.MaxFile))
	b.attempts = newAttempts(c.ms, o, boltLedger{b}, &b.values.room, b.values.sweep)
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		b.warnings = append(b.warnings, fmt.Sprintf("others may read or write %s (mode %04o)", path, info.Mode().Perm()))
	}
	return observed(b, o.Observe), nil
}

// openFile opens the file and reads everything in it.
func openFile(path string, o Options, now int64) (db *bbolt.DB, err error) {
	// Damaged pages lead outside the mapping: that is to be an error, too.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, cause)
		}
		if err != nil && db != nil {
			db.Close()
			db = nil
		}
	}()
	_, statErr := os.Stat(path)
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      o.LockTimeout,
		FreelistType: bbolt.FreelistMapType,
	})
	switch {
	case err == nil:
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrLocked
	case errors.Is(err, bolterrors.ErrChecksum):
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	case errors.As(err, new(*fs.PathError)):
		return nil, err
	default:
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return db, err
		}
	}
	if err := checkFile(db); err != nil {
		return db, err
	}
	return db, db.Update(func(tx *bbolt.Tx) error {
		defer letGo(tx) // everything has been read
		return (&boltTable{tx: tx, at: now}).compact(compactOnOpen)
	})
}

// syncFolder makes the name of a new file as durable as what is in it.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// checkFile makes sure that a file is a store and whole, or makes a new one one.
func checkFile(db *bbolt.DB) error {
	info, err := os.Stat(db.Path())
	if err != nil {
		return err
	}
	isNew := false
	err = db.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: %d of %d bytes are there", ErrCorrupt, info.Size(), tx.Size())
		}
		if err := checkPages(tx); err != nil {
			return err
		}
		if first, _ := tx.Cursor().First(); first == nil {
			isNew = true
			return nil
		}
		if err := checkFormat(tx); err != nil {
			return err
		}
		if err := checkValues(tx); err != nil {
			return err
		}
		var damage error
		for err := range tx.Check() {
			if damage == nil {
				damage = fmt.Errorf("%w: %v", ErrCorrupt, err)
			}
		}
		return damage
	})
	if isNew {
		return db.Update(initialise)
	}
	return err
}

func (b *bolt) Do(ctx context.Context, ops ...Op) ([]Result, error) {
	if err := check(ctx, ops); err != nil {
		return nil, err
	}
	if b.closed.Load() {
		return nil, ErrClosed
	}
	count, bytes, err := b.values.claim(ops, inMemory)
	if err != nil {
		return nil, err
	}
	give := func() { b.values.room.add(-count, -bytes) }
	s := setOf(ops, inMemory)
	if !writes(ops) {
		defer give()
		return b.read(s, ops)
	}
	ops = cloneOps(ops) // the writer may look at them when the caller is gone
	var results []Result
	var passing view
	r := &request{
		ctx:    ctx,
		shards: s,
		run: func(t *boltTable) (err error) {
			passing = view{values: b.values, at: t.at, undo: true}
			results, err = applyAll(&split{passing: &passing, durable: t}, ops, t.at)
			return err
		},
		undo:  func() { passing.rollback() },
		after: give,
		done:  make(chan error, 1),
	}
	if err := b.writer.submit(r); err != nil {
		give()
		return nil, err
	}
	select {
	case err := <-r.done:
		if err != nil {
			return nil, err
		}
		return results, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read carries out operations that change nothing durable. They see one state
// of the file, taken when the shards are locked.
func (b *bolt) read(s set, ops []Op) ([]Result, error) {
	b.values.lock(s)
	defer b.values.unlock(s)
	if !durable(ops) {
		return b.values.do(ops)
	}
	var results []Result
	err := b.view(func(t *boltTable) (err error) {
		passing := view{values: b.values, at: t.at, undo: true}
		if results, err = applyAll(&split{passing: &passing, durable: t}, ops, t.at); err != nil {
			passing.rollback()
		}
		return err
	})
	return results, err
}

// view gives f the file as it is.
func (b *bolt) view(f func(*boltTable) error) error {
	return fileError(guard(func() error {
		return b.db.View(func(tx *bbolt.Tx) error {
			b.mapped.used(tx, 1)
			return f(&boltTable{tx: tx, at: b.now()})
		})
	}))
}

func (b *bolt) Swap(ctx context.Context, k Kind, key string, old, new []byte) (bool, error) {
	return swap(ctx, b, k, key, old, new)
}

// page is how many values are read from the file at a time, so that a scan
// whose f takes long holds no transaction open.
const page = 256

func (b *bolt) Scan(ctx context.Context, k Kind, f func(string, []byte) bool) error {
	if err := b.Ping(ctx); err != nil {
		return err
	}
	if !k.valid() {
		return fmt.Errorf("%w: no such kind", ErrArgument)
	}
	if inMemory(k) {
		return scanMemory(ctx, b, b.values, k, f)
	}
	for from := []byte(nil); ; {
		var keys []string
		var values [][]byte
		err := b.view(func(t *boltTable) (err error) {
			keys, values, from, err = t.page(k, from)
			return err
		})
		if err != nil {
			return err
		}
		for i := range keys {
			if err := b.Ping(ctx); err != nil {
				return err
			}
			if !f(keys[i], values[i]) {
				return nil
			}
		}
		if from == nil {
			return nil
		}
	}
}

func (b *bolt) Ping(ctx context.Context) error {
	if b.closed.Load() {
		return ErrClosed
	}
	if err := b.writer.broken(); err != nil {
		return err
	}
	return ctx.Err()
}

func (b *bolt) Warnings() []string { return b.warnings }

func (b *bolt) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.attempts.close()
	b.writer.close()
	return b.db.Close()
}

// boltLedger keeps failures in the file.
type boltLedger struct{ *bolt }

func (l boltLedger) load(id string) (n int, err error) {
	err = l.view(func(t *boltTable) error {
		n, err = loadFailures(t, id)
		return err
	})
	return n, err
}

func (l boltLedger) save(id string, n int, after func()) (<-chan error, error) {
	r := &request{
		run:   func(t *boltTable) error { return saveFailures(t, id, n) },
		after: after,
		done:  make(chan error, 1),
	}
	return r.done, l.writer.submit(r)
}

func inMemory(k Kind) bool { return k != failed && !k.Durable() }

// durable tells whether operations have to do with durable kinds.
func durable(ops []Op) bool {
	for i := range ops {
		if !inMemory(ops[i].kind) || ops[i].verb == verbMove && !inMemory(ops[i].to) {
			return true
		}
	}
	return false
}

// writes tells whether operations may change something durable.
func writes(ops []Op) bool {
	for i := range ops {
		if ops[i].verb != verbGet && durable(ops[i:i+1]) {
			return true
		}
	}
	return false
}

func cloneOps(ops []Op) []Op {
	ops = append([]Op(nil), ops...)
	for i := range ops {
		ops[i].value, ops[i].old = clone(ops[i].value), clone(ops[i].old)
	}
	return ops
}
