package protocol

import (
	"crypto/sha256"
	"errors"
	"math/rand"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// TestReplayCacheAgainstModel drives caches with clocks that jump both ways
// and holds them against a model that never forgets: no proof, which is a key
// with a time, is entered twice, nothing outside the window is, the bound
// holds, and nothing is refused without a reason.
func TestReplayCacheAgainstModel(t *testing.T) {
	properties := gopter.NewProperties(nil)
	properties.Property("a proof is accepted at most once, and refused only for a named reason", prop.ForAll(func(seed int64) bool {
		rng := rand.New(rand.NewSource(seed))
		now := int64(1_000_000)
		past, future, capacity := rng.Int63n(20), rng.Int63n(10), 1+rng.Intn(12)
		c, err := NewReplayCache(ReplayWindow{Past: time.Duration(past) * time.Second, Future: time.Duration(future) * time.Second,
			Capacity: capacity, Now: func() time.Time { return time.Unix(now, rng.Int63n(1e9)) }})
		if err != nil {
			t.Fatal(err)
		}
		entered := map[seenProof]bool{}
		greatest := int64(0) // of all times entered
		for range 400 {
			switch rng.Intn(12) {
			case 0:
				now += rng.Int63n(40) - 20
			case 1, 2, 3:
				now += rng.Int63n(3)
			}
			p := seenProof{time: now - past - 3 + rng.Int63n(past+future+6)}
			p.key[0] = byte(rng.Intn(30))
			inside := now-past <= p.time && p.time <= now+future
			err := c.enter(p.key, p.time)
			switch {
			case len(c.seen) > capacity || len(c.queue) != len(c.seen):
				t.Errorf("%d keys, %d in the queue, room for %d", len(c.seen), len(c.queue), capacity)
			case err == nil && (entered[p] || !inside):
				t.Errorf("entered with time %d at %d, before: %v", p.time, now, entered[p])
			case err == nil:
				entered[p] = true
				greatest = max(greatest, p.time)
			case errors.Is(err, ErrReplay) && !knows(entered, p.key),
				errors.Is(err, ErrReplayCacheFull) && len(c.seen) < capacity,
				errors.Is(err, ErrWindow) && inside && p.time > greatest,
				!errors.Is(err, ErrReplay) && !errors.Is(err, ErrReplayCacheFull) && !errors.Is(err, ErrWindow):
				t.Errorf("time %d at %d: %v", p.time, now, err)
			}
			for old := range entered {
				if c.check(old.key, old.time) == nil {
					t.Errorf("a replay of time %d would be accepted at %d", old.time, now)
				}
			}
			if t.Failed() {
				return false
			}
		}
		return true
	}, gen.Int64()))
	properties.TestingRun(t)
}

func knows(entered map[seenProof]bool, key [sha256.Size]byte) bool {
	for p := range entered {
		if p.key == key {
			return true
		}
	}
	return false
}

// TestReplayCacheConcurrently enters every key from many goroutines at once
// while the clock runs: each key gets in once, and the bound holds.
func TestReplayCacheConcurrently(t *testing.T) {
	var second atomic.Int64
	second.Store(1_000_000)
	const capacity, keys = 200, 1000
	c, err := NewReplayCache(ReplayWindow{Past: 5 * time.Second, Future: time.Second, Capacity: capacity,
		Now: func() time.Time { return time.Unix(second.Load(), 0) }})
	if err != nil {
		t.Fatal(err)
	}
	var entered [keys]atomic.Int32
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewSource(int64(g)))
			for range 5000 {
				n := rng.Intn(keys)
				key := sha256.Sum256([]byte{byte(n), byte(n >> 8)})
				// A key always has one time.
				if c.enter(key, 1_000_000+int64(n)/100) == nil {
					entered[n].Add(1)
				}
				if rng.Intn(3000) == 0 {
					second.Add(1)
				}
				if c.Len() > capacity {
					t.Error("more keys than there is room for")
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for n := range entered {
		if v := entered[n].Load(); v > 1 {
			t.Errorf("key %d entered %d times", n, v)
		} else if v == 1 {
			total++
		}
	}
	if total < capacity {
		t.Errorf("%d keys entered", total)
	}
}

// TestReplayCacheMemory measures what a remembered proof takes.
func TestReplayCacheMemory(t *testing.T) {
	const n = 200_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	c, err := NewReplayCache(ReplayWindow{Past: time.Hour, Capacity: n, Now: func() time.Time { return time.Unix(1_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := c.enter(sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)}), 1_000_000-int64(i%3600)); err != nil {
			t.Fatal(err)
		}
	}
	each := float64(heap()-before) / n
	runtime.KeepAlive(c)
	t.Logf("%.0f bytes a proof", each)
	if each > 200 {
		t.Errorf("%.0f bytes a proof", each)
	}
}
