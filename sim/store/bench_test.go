package store

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"mpinlab/sim/store/redistest"
)

// BenchmarkStore gives the cost of what a login does, one after the other and
// by 64 goroutines, each with names of its own:
//
//	fail   reserve an attempt and settle it as failed (durable)
//	pass   the same as passed, on a clean counter
//	token  put something passing and take it
//	keep   put something durable and take it
//	read   two durable values and one passing write, as a pass 1
func BenchmarkStore(b *testing.B) {
	for _, kind := range []string{"memory", "bbolt", "redis"} {
		for _, op := range []string{"fail", "pass", "token", "keep", "read"} {
			for _, goroutines := range []int{1, 64} {
				b.Run(fmt.Sprintf("store=%s/op=%s/goroutines=%d", kind, op, goroutines), func(b *testing.B) {
					benchmark(b, kind, op, goroutines)
				})
			}
		}
	}
}

func benchmark(b *testing.B, kind, op string, goroutines int) {
	spec := kind
	if kind == "redis" {
		spec = redistest.Start(b).URL()
	}
	s, err := Open(spec, Options{Path: filepath.Join(b.TempDir(), "store"), PoolSize: 64})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx, value := context.Background(), make([]byte, 100)
	policy := Policy{1 << 30, time.Minute}
	once := func(key string) (err error) {
		switch op {
		case "fail", "pass":
			outcome := Passed
			if op == "fail" {
				outcome = Failed
			}
			r, err := s.Reserve(ctx, key, policy)
			if err != nil {
				return err
			}
			_, err = s.Settle(ctx, r, outcome)
			return err
		case "read":
			_, err = s.Do(ctx, Get(Registration, key), Get(Revocation, key), Put(Challenge, key, value, 15*time.Second))
			return err
		}
		k := Login
		if op == "keep" {
			k = Registration
		}
		if _, err = s.Do(ctx, Put(k, key, value, time.Minute)); err != nil {
			return err
		}
		_, err = s.Do(ctx, Take(k, key))
		return err
	}
	b.ReportAllocs()
	if goroutines == 1 {
		for b.Loop() {
			if err := once("one"); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	var names atomic.Int64
	b.SetParallelism((goroutines + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		key := strconv.FormatInt(names.Add(1), 10)
		for pb.Next() {
			if err := once(key); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
