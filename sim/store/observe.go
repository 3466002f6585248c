package store

import (
	"context"
	"time"
)

// observer tells of each call to a store.
type observer struct {
	Store
	tell func(op string, took time.Duration, err error)
}

func observed(s Store, tell func(string, time.Duration, error)) Store {
	if tell == nil {
		return s
	}
	return &observer{s, tell}
}

func (o *observer) Do(ctx context.Context, ops ...Op) ([]Result, error) {
	start := time.Now()
	results, err := o.Store.Do(ctx, ops...)
	o.tell("do", time.Since(start), err)
	return results, err
}

func (o *observer) Swap(ctx context.Context, k Kind, key string, old, new []byte) (bool, error) {
	start := time.Now()
	ok, err := o.Store.Swap(ctx, k, key, old, new)
	o.tell("swap", time.Since(start), err)
	return ok, err
}

func (o *observer) Scan(ctx context.Context, k Kind, f func(string, []byte) bool) error {
	start := time.Now()
	err := o.Store.Scan(ctx, k, f)
	o.tell("scan", time.Since(start), err)
	return err
}

func (o *observer) Reserve(ctx context.Context, id string, p Policy) (*Reservation, error) {
	start := time.Now()
	r, err := o.Store.Reserve(ctx, id, p)
	o.tell("reserve", time.Since(start), err)
	return r, err
}

func (o *observer) Settle(ctx context.Context, r *Reservation, out Outcome) (int, error) {
	start := time.Now()
	n, err := o.Store.Settle(ctx, r, out)
	o.tell("settle", time.Since(start), err)
	return n, err
}

func (o *observer) Failures(ctx context.Context, id string) (int, error) {
	start := time.Now()
	n, err := o.Store.Failures(ctx, id)
	o.tell("failures", time.Since(start), err)
	return n, err
}

func (o *observer) Clear(ctx context.Context, id string) error {
	start := time.Now()
	err := o.Store.Clear(ctx, id)
	o.tell("clear", time.Since(start), err)
	return err
}

func (o *observer) Ping(ctx context.Context) error {
	start := time.Now()
	err := o.Store.Ping(ctx)
	o.tell("ping", time.Since(start), err)
	return err
}
