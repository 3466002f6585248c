package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"mpinlab/sim/store/redistest"
)

// subject is a store under test.
type subject struct {
	Store
	// another returns a further handle of the same state, or the same one where
	// there can be only one.
	another func(t testing.TB) Store
	// advance lets time pass.
	advance func(d time.Duration)
}

// testClock is a clock that is set by hand.
type testClock struct{ passed atomic.Int64 }

var testStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func (c *testClock) Now() time.Time          { return testStart.Add(time.Duration(c.passed.Load())) }
func (c *testClock) advance(d time.Duration) { c.passed.Add(int64(d)) }

// onEach runs a test on each of the stores.
func onEach(t *testing.T, o Options, test func(t *testing.T, s *subject)) {
	for name, start := range starts {
		t.Run(name, func(t *testing.T) { test(t, start(t, o)) })
	}
}

var starts = map[string]func(testing.TB, Options) *subject{
	"memory": startMemory,
	"bbolt":  startBolt,
	"redis":  startRedis,
}

func startMemory(t testing.TB, o Options) *subject {
	clock := new(testClock)
	o.Now = clock.Now
	s := NewMemory(o)
	t.Cleanup(func() { s.Close() })
	return &subject{s, func(testing.TB) Store { return s }, clock.advance}
}

func startBolt(t testing.TB, o Options) *subject {
	clock := new(testClock)
	o.Now = clock.Now
	s, err := OpenBolt(filepath.Join(t.TempDir(), "store.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &subject{s, func(testing.TB) Store { return s }, clock.advance}
}

// sharedRedis is one server for all tests that do not kill it. It is started by
// the first and ends with the last.
var sharedRedis struct {
	sync.Mutex
	*redistest.Server
}

// forever is a testing.TB whose clean-up is that of the whole run.
type forever struct {
	testing.TB
	dir string
}

func (f forever) TempDir() string    { return f.dir }
func (f forever) Cleanup(end func()) { atEnd = append(atEnd, end) }

var (
	atEnd      []func()
	prefixes   atomic.Int64
	redisSpace string // where sharedRedis keeps its data
)

func redisURL(t testing.TB) string {
	sharedRedis.Lock()
	defer sharedRedis.Unlock()
	if sharedRedis.Server == nil {
		// Nothing that the shared one is used for asks for durability.
		sharedRedis.Server = redistest.Start(forever{t, redisSpace}, "--appendfsync", "everysec")
	}
	return sharedRedis.URL()
}

func startRedis(t testing.TB, o Options) *subject {
	url := redisURL(t)
	o.Prefix = "test" + strconv.FormatInt(prefixes.Add(1), 10)
	open := func(t testing.TB) Store {
		s, err := OpenRedis(url, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	return &subject{open(t), open, func(d time.Duration) { advanceRedis(t, url, o.Prefix, d) }}
}

// age has everything under a prefix end earlier, which is what a clock set
// forward would do. ARGV: prefix, ms. It is one script, since whoever waits asks
// while it runs: what he reserves must be new, not aged by half.
var age = goredis.NewScript(`
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do
  if string.find(key, ARGV[1] .. ':held:', 1, true) == 1 then
    for _, token in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      redis.call('ZINCRBY', key, -ARGV[2], token)
    end
  end
  local left = redis.call('PTTL', key)
  if left > 0 then
    redis.call('PEXPIRE', key, left - ARGV[2])
  end
end
return redis.status_reply('OK')`)

func advanceRedis(t testing.TB, url, prefix string, d time.Duration) {
	t.Helper()
	options, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := goredis.NewClient(options)
	defer c.Close()
	if err := age.Run(context.Background(), c, nil, prefix, d.Milliseconds()).Err(); err != nil {
		t.Fatal(err)
	}
}

// must carries out operations that may not fail.
func must(t testing.TB, s Store, ops ...Op) []Result {
	t.Helper()
	results, err := s.Do(context.Background(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != len(ops) {
		t.Fatalf("%d results of %d operations", len(results), len(ops))
	}
	return results
}

// expect compares results with texts: "-" for not OK, "+" for OK without a
// value, "=" and the value for OK with one.
func expect(t testing.TB, got []Result, want ...string) {
	t.Helper()
	for i := range want {
		text := "-"
		switch {
		case got[i].OK && got[i].Value == nil:
			text = "+"
		case got[i].OK:
			text = "=" + string(got[i].Value)
		case got[i].Value != nil:
			text = "a value without OK"
		}
		if text != want[i] {
			t.Fatalf("result %d: %.80q, want %.80q", i, text, want[i])
		}
	}
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

// together runs f(0) … f(n-1) at the same time.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func text(format string, args ...any) []byte { return fmt.Appendf(nil, format, args...) }
