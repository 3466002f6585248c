package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

const (
	// maxBatch bounds what is committed together, and so what a failed commit
	// has to repeat one by one.
	maxBatch = 512
	// maxQueue bounds what waits for the writer.
	maxQueue = 1 << 16
)

// request is one change of the file.
type request struct {
	ctx    context.Context // if not nil, a change whose caller has left is left out
	shards set             // of values, to be locked until the change is committed
	run    func(*boltTable) error
	undo   func() // takes back what run did beside the file; may be nil
	after  func() // called when all is over and nothing is locked; may be nil
	done   chan error
	err    error
}

// writer commits requests in the order they come. While one batch is being
// synchronised the next gathers, so that batches grow with the load, and a
// lonely request is committed at once.
type writer struct {
	db     *bbolt.DB
	values *values
	now    func() int64
	mapped *mapped
	limit  int64 // of the file's contents in bytes; 0: none

	mu     sync.Mutex
	queue  []*request
	wake   sync.Cond
	closed bool
	failed error
	ended  chan struct{}
}

func newWriter(b *bolt, limit int64) *writer {
	w := &writer{db: b.db, values: b.values, now: b.now, mapped: b.mapped, limit: limit, ended: make(chan struct{})}
	w.wake.L = &w.mu
	go w.loop()
	return w
}

// submit queues a request and never blocks. If there is no error, r.after is
// called and r.done gets the error of the change.
func (w *writer) submit(r *request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return ErrClosed
	case w.failed != nil:
		return w.failed
	case len(w.queue) >= maxQueue:
		return ErrOverloaded
	}
	w.queue = append(w.queue, r)
	w.wake.Signal()
	return nil
}

// close commits what is queued and ends the writer.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.wake.Signal()
	w.mu.Unlock()
	<-w.ended
}

// broken returns why nothing can be written any more.
func (w *writer) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// next waits for requests; none means the end.
func (w *writer) next() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 && !w.closed {
		w.wake.Wait()
	}
	n := min(len(w.queue), maxBatch)
	batch := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return batch
}

func (w *writer) loop() {
	defer close(w.ended)
	for batch := w.next(); len(batch) > 0; batch = w.next() {
		w.write(batch)
		for _, r := range batch {
			if r.after != nil {
				r.after()
			}
			r.done <- r.err
		}
	}
}

// write commits a batch, and if that fails each of its requests alone, so that
// none fails for another's mistake.
func (w *writer) write(batch []*request) {
	var locks set
	for _, r := range batch {
		locks |= r.shards
	}
	w.values.lock(locks)
	defer w.values.unlock(locks)
	err := w.commit(batch)
	if err == nil || len(batch) == 1 {
		return
	}
	for i := range batch {
		batch[i].err = nil
		w.commit(batch[i : i+1])
	}
}

// errUnchanged rolls a transaction back that has nothing to write.
var errUnchanged = errors.New("unchanged")

// commit carries a batch out in one transaction, all or none.
func (w *writer) commit(batch []*request) error {
	if err := w.broken(); err != nil {
		for _, r := range batch {
			r.err = err
		}
		return err
	}
	ran, running := 0, true
	err := guard(func() error {
		return w.db.Update(func(tx *bbolt.Tx) error {
			w.mapped.used(tx, len(batch))
			t := &boltTable{tx: tx, at: w.now(), limit: w.limit}
			if w.limit > 0 {
				t.used = tx.Size() - int64(w.db.Stats().FreePageN)*int64(w.db.Info().PageSize)
			}
			for _, r := range batch {
				ran++
				if r.ctx != nil && r.ctx.Err() != nil {
					r.err = r.ctx.Err()
				} else if err := r.run(t); err != nil {
					return err
				}
			}
			if !t.changed {
				return errUnchanged
			}
			if err := t.compact(compactOnWrite + 2*len(batch)); err != nil {
				return err
			}
			running = false
			return nil
		})
	})
	if err == nil || err == errUnchanged {
		return nil
	}
	for i := ran - 1; i >= 0; i-- {
		if batch[i].undo != nil && batch[i].err == nil {
			batch[i].undo()
		}
	}
	if !running && !noRoom(err) {
		// What a failed synchronisation has left on the disk cannot be known,
		// and a later one that succeeds says nothing about it.
		w.mu.Lock()
		w.failed = fmt.Errorf("%w: the file failed and must be opened anew: %w", ErrUnavailable, err)
		err = w.failed
		w.mu.Unlock()
	}
	err = fileError(err)
	for _, r := range batch {
		r.err = err
	}
	return err
}
