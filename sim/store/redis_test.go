package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"mpinlab/sim/listentest"
	"mpinlab/sim/store/redistest"
)

func openRedis(t testing.TB, url string, o Options) *redis {
	t.Helper()
	s, err := OpenRedis(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*redis)
}

func TestRedisWarnings(t *testing.T) {
	for want, args := range map[string][]string{
		"appendonly is off":            {"--appendonly", "no"},
		"appendfsync is everysec":      {"--appendfsync", "everysec"},
		"maxmemory-policy is":          {"--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"},
		"no-appendfsync-on-rewrite is": {"--no-appendfsync-on-rewrite", "yes"},
	} {
		t.Run(want, func(t *testing.T) {
			got := openRedis(t, redistest.Start(t, args...).URL(), Options{}).Warnings()
			if len(got) != 1 || !strings.Contains(got[0], want) {
				t.Errorf("warnings %q, want %q", got, want)
			}
		})
	}
}

// A user who may not use CONFIG, as with hosted servers, is told so much as
// INFO says; and passwords are in no error.
func TestRedisUser(t *testing.T) {
	server := redistest.Start(t)
	admin := openRedis(t, server.URL(), Options{})
	if err := admin.client.Do(t.Context(), "ACL", "SETUSER", "mpin", "on", ">geheim", "~*", "+@all", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	with := func(password string) string {
		return strings.Replace(server.URL(), "redis://", "redis://mpin:"+password+"@", 1)
	}
	s := openRedis(t, with("geheim"), Options{})
	if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0], "appendfsync is unknown") {
		t.Errorf("warnings %q", w)
	}
	must(t, s, Put(Login, "key", nil, 0))
	_, err := OpenRedis(with("falsch"), Options{})
	wantErr(t, err, ErrUnavailable)
	if strings.Contains(err.Error(), "falsch") {
		t.Errorf("a password is in the error: %v", err)
	}
}

// What does not answer, or not as Redis does, is unavailable.
func TestRedisUnavailable(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"silent":  func(c net.Conn) { io.Copy(io.Discard, c) },
		"closing": func(c net.Conn) {},
		"garbage": func(c net.Conn) { c.Write([]byte(strings.Repeat("\x00\xff$-5\r\n*1000000\r\n", 100))) },
		"http":    func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := OpenRedis("redis://"+listentest.Serve(t, serve), Options{Timeout: 100 * time.Millisecond})
			wantErr(t, err, ErrUnavailable)
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = OpenRedis("redis://"+l.Addr().String(), Options{})
	wantErr(t, err, ErrUnavailable)
	for _, prefix := range []string{"a:b", strings.Repeat("p", 65)} {
		_, err = OpenRedis("redis://"+l.Addr().String(), Options{Prefix: prefix})
		wantErr(t, err, ErrArgument)
	}
}

func TestRedisVersion(t *testing.T) {
	for v, want := range map[string]bool{"7.0.15": true, "6.2.0": true, "6.1.9": false, "10.0": true, "5.0.14": false, "": false, "x.y": false} {
		if atLeast(v, 6, 2) != want {
			t.Errorf("%q is late enough: %v", v, !want)
		}
	}
}

// A server without memory refuses, changes nothing, and serves on.
func TestRedisFull(t *testing.T) {
	server := redistest.Start(t, "--maxmemory", "8mb", "--maxmemory-policy", "noeviction")
	s := openRedis(t, server.URL(), Options{})
	if len(s.Warnings()) != 0 {
		t.Fatal(s.Warnings())
	}
	value := make([]byte, MaxValue)
	n := 0
	for ; ; n++ {
		_, err := s.Do(t.Context(), Put(Account, strconv.Itoa(n), value, 0))
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || n > 1000 {
			t.Fatal(n, err)
		}
	}
	limit := func(to string) {
		if err := s.client.ConfigSet(t.Context(), "maxmemory", to).Err(); err != nil {
			t.Fatal(err)
		}
	}
	limit("1mb") // what is used goes up and down a little
	_, err := s.Do(t.Context(), Create(Login, "new", value, 0), Get(Account, "0"), Put(Login, "other", nil, 0))
	wantErr(t, err, ErrFull)
	_, err = s.Reserve(t.Context(), "id", three)
	wantErr(t, err, ErrFull)
	expect(t, must(t, s, Get(Login, "new"), Get(Login, "other"), Get(Account, strconv.Itoa(n))), "-", "-", "-")
	for i := range n {
		expect(t, must(t, s, Take(Account, strconv.Itoa(i))), "="+string(value))
	}
	limit("8mb")
	must(t, s, Put(Account, "key", value, 0))
	settle(t, s, reserve(t, s, "id", three), Failed, 1)
}

// trips counts exchanges with the server.
type trips struct{ atomic.Int64 }

func (c *trips) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (c *trips) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		c.Add(1)
		return next(ctx, cmd)
	}
}

func (c *trips) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		c.Add(1)
		return next(ctx, cmds)
	}
}

// Every call is one exchange, but the first of each script.
func TestRedisRoundTrips(t *testing.T) {
	s := startRedis(t, Options{})
	r := reserve(t, s, "id", three)
	settle(t, s, r, Withdrawn, 0)
	must(t, s, Move(Login, "a", Login, "b", nil, 0))
	count := new(trips)
	s.Store.(*redis).client.AddHook(count)
	for _, ops := range [][]Op{
		{Put(Login, "a", nil, time.Hour)}, {Create(Login, "a", nil, 0)}, {Get(Login, "a")}, {Take(Login, "a")}, {Delete(Login, "a")},
		{Move(Login, "a", Login, "b", nil, 0)}, {Get(Login, "a"), Get(Account, "b")},
		{Get(Account, "a"), Get(Revocation, "a"), Put(Challenge, "y", nil, time.Minute), Create(Mark, "U", nil, time.Minute)},
	} {
		count.Store(0)
		must(t, s, ops...)
		if n := count.Load(); n != 1 {
			t.Errorf("%d exchanges for %d operations, first %s", n, len(ops), verbNames[ops[0].verb])
		}
	}
	count.Store(0)
	settle(t, s, reserve(t, s, "id", three), Passed, 0)
	if n := count.Load(); n != 2 {
		t.Errorf("%d exchanges for reserving and settling", n)
	}
	if err := s.Store.(*redis).client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	settle(t, s, reserve(t, s, "id", three), Passed, 0)
}

// Deployments on one server do not see each other.
func TestRedisPrefixes(t *testing.T) {
	url := redistest.Start(t).URL() // what is in it from an earlier time would count
	var all []*redis
	for _, prefix := range []string{"one", "on*", "on?", "[o]ne", "one\\", "one1"} {
		all = append(all, openRedis(t, url, Options{Prefix: prefix}))
	}
	for i, s := range all {
		must(t, s, Put(Account, "key", text("%d", i), 0))
		settle(t, s, reserve(t, s, "id", Policy{10, time.Minute}), Failed, 1)
	}
	for i, s := range all {
		expect(t, must(t, s, Get(Account, "key")), "="+strconv.Itoa(i))
		n := 0
		err := s.Scan(t.Context(), Account, func(_ string, value []byte) bool {
			if n++; string(value) != strconv.Itoa(i) {
				t.Errorf("%q sees what is %q's", s.prefix, value)
			}
			return true
		})
		if err != nil || n != 1 {
			t.Errorf("%q: %d values, %v", s.prefix, n, err)
		}
	}
}

// Any number that wait in one instance cost the server what one does.
func TestRedisWaitersDoNotCrowd(t *testing.T) {
	s := startRedis(t, Options{})
	held := reserve(t, s, "id", Policy{1, time.Hour})
	count := new(trips)
	s.Store.(*redis).client.AddHook(count)
	done := make(chan error)
	for range 500 {
		go func() { _, err := s.Reserve(context.Background(), "id", Policy{1, time.Hour}); done <- err }()
	}
	untilWaiting(t, s.Store, "id", 500)
	settle(t, s, held, Failed, 1)
	for range 500 {
		wantErr(t, <-done, ErrBlocked)
	}
	if n := count.Load(); n > 250 {
		t.Errorf("%d exchanges for 500 that waited", n)
	}
}
