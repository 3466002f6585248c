package fault

import (
	"context"
	"time"

	"mpinlab/sim/store"
)

// gated is a store before which calls wait while a gate is shut.
type gated struct {
	store.Store
	door   *door
	closed context.Context
	close  context.CancelFunc
}

// Gated puts a gate, the file at path, before a store of this process: its calls
// stand still while some process has the gate shut (see [Gate]), until their
// context ends or the store is closed. Error: ErrUnsupported, those of the file.
func Gated(s store.Store, path string) (store.Store, error) {
	d, err := openDoor(path)
	if err != nil {
		return nil, err
	}
	g := &gated{Store: s, door: d}
	g.closed, g.close = context.WithCancel(context.Background())
	return g, nil
}

// look is how often a call that waits looks whether it may go on.
const look = 2 * time.Millisecond

// wait returns when the gate is open.
func (g *gated) wait(ctx context.Context) error {
	for {
		shut, err := g.door.shut()
		if g.closed.Err() != nil {
			return store.ErrClosed
		}
		if !shut || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-g.closed.Done():
			return store.ErrClosed
		case <-time.After(look):
		}
	}
}

func (g *gated) Do(ctx context.Context, ops ...store.Op) ([]store.Result, error) {
	if err := g.wait(ctx); err != nil {
		return nil, err
	}
	return g.Store.Do(ctx, ops...)
}

func (g *gated) Swap(ctx context.Context, k store.Kind, key string, old, new []byte) (bool, error) {
	if err := g.wait(ctx); err != nil {
		return false, err
	}
	return g.Store.Swap(ctx, k, key, old, new)
}

func (g *gated) Scan(ctx context.Context, k store.Kind, f func(string, []byte) bool) error {
	if err := g.wait(ctx); err != nil {
		return err
	}
	return g.Store.Scan(ctx, k, f)
}

func (g *gated) Reserve(ctx context.Context, id string, p store.Policy) (*store.Reservation, error) {
	if err := g.wait(ctx); err != nil {
		return nil, err
	}
	return g.Store.Reserve(ctx, id, p)
}

func (g *gated) Settle(ctx context.Context, r *store.Reservation, o store.Outcome) (int, error) {
	if err := g.wait(ctx); err != nil {
		return 0, err
	}
	return g.Store.Settle(ctx, r, o)
}

func (g *gated) Failures(ctx context.Context, id string) (int, error) {
	if err := g.wait(ctx); err != nil {
		return 0, err
	}
	return g.Store.Failures(ctx, id)
}

func (g *gated) Clear(ctx context.Context, id string) error {
	if err := g.wait(ctx); err != nil {
		return err
	}
	return g.Store.Clear(ctx, id)
}

func (g *gated) Ping(ctx context.Context) error {
	if err := g.wait(ctx); err != nil {
		return err
	}
	return g.Store.Ping(ctx)
}

func (g *gated) Close() error {
	g.close()
	err := g.Store.Close()
	if doorErr := g.door.file.Close(); err == nil {
		err = doorErr
	}
	return err
}

// Stall shuts a gate, and opens it.
func Stall(g *Gate) Fault {
	return both{
		func(context.Context) error { return g.set(true) },
		func(context.Context) error { return g.set(false) },
	}
}
