package store

import (
	"context"
	"encoding/binary"
	"fmt"
)

// ledger keeps the failures of identities for attempts.
type ledger interface {
	load(id string) (int, error)
	// save begins to keep n, after what was begun before, and never blocks. If
	// it was done at once the channel is nil; otherwise after is called when it
	// has ended, and then the channel gives the error.
	save(id string, n int, after func()) (<-chan error, error)
}

func loadFailures(t table, id string) (int, error) {
	value, _, ok, err := t.get(name{failed, id})
	if err != nil || !ok {
		return 0, err
	}
	return decodeFailures(value)
}

func decodeFailures(value []byte) (int, error) {
	n, used := binary.Uvarint(value)
	if used <= 0 || used != len(value) || n > 1<<31-1 {
		return 0, fmt.Errorf("%w: count of failures", ErrCorrupt)
	}
	return int(n), nil
}

func saveFailures(t table, id string, n int) error {
	if n == 0 {
		return t.remove(name{failed, id})
	}
	return t.put(name{failed, id}, binary.AppendUvarint(nil, uint64(n)), 0)
}

func checkID(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(id) > MaxKey {
		return fmt.Errorf("%w: identity of over %d bytes", ErrTooLarge, MaxKey)
	}
	return nil
}

func checkReserve(ctx context.Context, id string, p Policy) error {
	if p.Max < 1 || p.Max > 1<<30 || p.Lease <= 0 {
		return fmt.Errorf("%w: policy of %d attempts, %v", ErrArgument, p.Max, p.Lease)
	}
	return checkID(ctx, id)
}

func checkSettle(ctx context.Context, r *Reservation, o Outcome) error {
	if r == nil || o < Passed || o > Withdrawn {
		return fmt.Errorf("%w: no reservation or no such outcome", ErrArgument)
	}
	return checkID(ctx, r.ID)
}
