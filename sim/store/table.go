package store

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
)

// failed is the kind under which the failed logins of an identity are
// counted. It is not to be had from outside.
const failed Kind = 255

// table is where operations are carried out: memory, or a transaction.
type table interface {
	// get returns a value that has not expired; it must not be changed, and
	// may be gone after the next call. Expires is 0 for never.
	get(n name) (value []byte, expires int64, ok bool, err error)
	// put keeps value, which is not changed after.
	put(n name, value []byte, expires int64) error
	remove(n name) error
}

type name struct {
	kind Kind
	key  string
}

func (op *Op) name() name   { return name{op.kind, op.key} }
func (op *Op) target() name { return name{op.to, op.toKey} }

func expiry(now int64, op *Op) int64 {
	if op.ttl == 0 {
		return 0
	}
	return now + millis(op.ttl)
}

// apply carries out one operation.
func apply(t table, op *Op, now int64) (Result, error) {
	if op.verb == verbPut {
		return Result{OK: true}, t.put(op.name(), clone(op.value), expiry(now, op))
	}
	value, expires, ok, err := t.get(op.name())
	if err != nil {
		return Result{}, err
	}
	if !ok {
		if op.verb != verbCreate {
			return Result{}, nil
		}
		return Result{OK: true}, t.put(op.name(), clone(op.value), expiry(now, op))
	}
	switch op.verb {
	case verbGet:
		return Result{OK: true, Value: clone(value)}, nil
	case verbTake:
		value = clone(value)
		return Result{OK: true, Value: value}, t.remove(op.name())
	case verbDelete:
		return Result{OK: true}, t.remove(op.name())
	case verbMove:
		if len(value)+len(op.value) > MaxValue {
			return Result{}, ErrTooLarge
		}
		moved := append(append(make([]byte, 0, len(value)+len(op.value)), value...), op.value...)
		value = clone(value)
		if err := t.remove(op.name()); err != nil {
			return Result{}, err
		}
		return Result{OK: true, Value: value}, t.put(op.target(), moved, expiry(now, op))
	case verbSwap:
		if !bytes.Equal(value, op.old) {
			return Result{}, nil
		}
		return Result{OK: true}, t.put(op.name(), clone(op.value), expires)
	}
	return Result{}, nil // Create, and there is a value
}

// applyAll carries out operations in order. After an error the table is to be
// rolled back.
func applyAll(t table, ops []Op, now int64) ([]Result, error) {
	results := make([]Result, len(ops))
	for i := range ops {
		var err error
		if results[i], err = apply(t, &ops[i], now); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// clone copies a value; an empty one is not nil, so that it looks the same from
// every store.
func clone(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

// check tells whether operations can be carried out at all.
func check(ctx context.Context, ops []Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range ops {
		op := &ops[i]
		if op.verb == 0 || !op.kind.valid() || op.verb == verbMove && !op.to.valid() {
			return fmt.Errorf("%w: no such kind or operation", ErrArgument)
		}
		if op.ttl < 0 {
			return fmt.Errorf("%w: negative time to live", ErrArgument)
		}
		if len(op.key) > MaxKey || len(op.toKey) > MaxKey {
			return fmt.Errorf("%w: key of over %d bytes", ErrTooLarge, MaxKey)
		}
		if len(op.value) > MaxValue || len(op.old) > MaxValue {
			return fmt.Errorf("%w: value of over %d bytes", ErrTooLarge, MaxValue)
		}
	}
	return nil
}

func (k Kind) valid() bool { return k >= Registration && k <= Application }

// shards is the number of parts that values and attempts are divided in, each
// with its own lock. It is that of the bits in a set of them.
const shards = 64

// seed makes it unforeseeable which keys share a shard.
var seed = maphash.MakeSeed()

func shardOf(key string) int { return int(maphash.String(seed, key) % shards) }
