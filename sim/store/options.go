package store

import (
	"fmt"
	"strings"
	"time"
)

// Options say how a store works. The zero value is ready for use.
type Options struct {
	// Path is the file that [Open] gives to [OpenBolt].
	Path string
	// Prefix begins all keys in Redis, so that deployments can share one
	// server; "" means "mpin". At most 64 bytes, without colons.
	Prefix string
	// MaxValues and MaxBytes bound what is held in memory, of all kinds and of
	// waiting and reserved attempts by NewMemory, of the passing ones by
	// OpenBolt; 0 means 1,000,000 and 256 MiB. Each value counts its key, its
	// bytes and 160 for what is around them. Redis has its own maxmemory.
	MaxValues int
	MaxBytes  int64
	// MaxWaiters bounds the callers that wait for a turn with one identity;
	// 0 means 4096.
	MaxWaiters int
	// LockTimeout is how long OpenBolt waits for the file; 0 means 2 s.
	LockTimeout time.Duration
	// MaxFile bounds what the file of OpenBolt holds in bytes; puts beyond it
	// are refused with ErrFull, failures are still counted. The file itself
	// grows by 16 MiB at a time and does not shrink. 0: no bound.
	MaxFile int
	// PoolSize bounds the connections to Redis; 0 means 32.
	PoolSize int
	// Timeout bounds each exchange with Redis, and the wait for a connection;
	// 0 means 3 s.
	Timeout time.Duration
	// Now is the clock of times to live and leases; nil is the system's. Redis
	// goes by its own.
	Now func() time.Time
	// Observe, if not nil, is told of each call: do, swap, scan, reserve (with
	// the wait), settle, failures, clear and ping. It must not block.
	Observe func(op string, took time.Duration, err error)
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = "mpin"
	}
	if o.MaxValues <= 0 {
		o.MaxValues = 1_000_000
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 256 << 20
	}
	if o.MaxWaiters <= 0 {
		o.MaxWaiters = 4096
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = 2 * time.Second
	}
	if o.PoolSize <= 0 {
		o.PoolSize = 32
	}
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	return o
}

// Open opens the store that spec names: "memory", "bbolt" (the file is
// o.Path), or the URL of a Redis server, redis://, rediss:// or unix://.
func Open(spec string, o Options) (Store, error) {
	scheme, _, isURL := strings.Cut(spec, "://")
	switch {
	case spec == "memory":
		return NewMemory(o), nil
	case spec == "bbolt":
		return OpenBolt(o.Path, o)
	case isURL && (scheme == "redis" || scheme == "rediss" || scheme == "unix"):
		return OpenRedis(spec, o)
	}
	// A URL may hold a password, so it is not repeated.
	if isURL {
		spec = "this URL"
	}
	return nil, fmt.Errorf("%w: %q is none of memory, bbolt, redis://…", ErrArgument, spec)
}

// clock gives milliseconds since the epoch that go on evenly while the process
// lives, also when the system's clock is set.
type clock struct {
	now   func() time.Time
	start time.Time
}

func newClock(now func() time.Time) clock {
	if now == nil {
		now = time.Now
	}
	return clock{now: now, start: now()}
}

func (c clock) ms() int64 {
	return c.start.UnixMilli() + c.now().Sub(c.start).Milliseconds()
}

// millis rounds a duration up to milliseconds.
func millis(d time.Duration) int64 {
	return int64(d/time.Millisecond) + min(1, int64(d%time.Millisecond))
}
