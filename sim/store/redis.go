package store

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// redis keeps everything in a Redis server, 6.2 or later, which several
// instances may share. Nothing is held here but who waits for a turn.
//
// A value is a string under prefix:kind:key, with Redis's own time to live. Of
// an identity, prefix:failures:id counts failed logins and prefix:held:id is a
// sorted set of reservations by the end of their lease, in ms by Redis's clock.
type redis struct {
	client   *goredis.Client
	prefix   string
	timeout  time.Duration
	lines    lines
	warnings []string
	closed   atomic.Bool
}

var _ Store = (*redis)(nil)

var (
	//go:embed scripts/do.lua
	doSource string
	//go:embed scripts/reserve.lua
	reserveSource string
	//go:embed scripts/settle.lua
	settleSource string

	doScript      = goredis.NewScript(doSource)
	reserveScript = goredis.NewScript(reserveSource)
	settleScript  = goredis.NewScript(settleSource)
)

// OpenRedis connects to the server of a URL, as redis://user:password@host/0.
// An exchange that fails is not repeated, since it may have been carried out;
// the next one connects again. Errors: ErrArgument for a URL or prefix that is
// none (the URL is not repeated, it may hold a password), ErrUnavailable.
func OpenRedis(url string, o Options) (Store, error) {
	o = o.withDefaults()
	if len(o.Prefix) > 64 || strings.Contains(o.Prefix, ":") {
		return nil, fmt.Errorf("%w: prefix of over 64 bytes or with a colon", ErrArgument)
	}
	c, err := goredis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("%w: not the URL of a Redis server", ErrArgument)
	}
	silence.Do(func() { goredis.SetLogger(silent{}) })
	c.MaxRetries = -1
	c.DialerRetries = 1
	c.PoolSize, c.MaxActiveConns = o.PoolSize, o.PoolSize
	c.DialTimeout, c.ReadTimeout, c.WriteTimeout, c.PoolTimeout = o.Timeout, o.Timeout, o.Timeout, o.Timeout
	c.ContextTimeoutEnabled = true
	c.DisableIdentity = true
	c.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	r := &redis{client: goredis.NewClient(c), prefix: o.Prefix + ":", timeout: o.Timeout}
	r.lines.max, r.lines.ended = o.MaxWaiters, make(chan struct{})
	if err := r.inspect(); err != nil {
		r.client.Close()
		return nil, err
	}
	return observed(r, o.Observe), nil
}

// silent is the log of the client library, for the whole process: its errors
// are returned, and its lines on standard error would be in nobody's format.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

var silence sync.Once

// inspect looks at the server's version and at what it promises.
func (r *redis) inspect() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*r.timeout)
	defer cancel()
	info, err := r.client.Info(ctx, "server").Result()
	if err != nil {
		return r.fault(ctx, err)
	}
	if v := field(info, "redis_version"); !atLeast(v, 6, 2) {
		return fmt.Errorf("%w: Redis %q, 6.2 is needed", ErrUnavailable, v)
	}
	settings, err := r.client.ConfigGet(ctx, "*").Result()
	if err != nil {
		// Hosted servers refuse CONFIG; INFO tells part of it.
		info, err := r.client.Info(ctx, "persistence").Result()
		if err != nil {
			return r.fault(ctx, err)
		}
		if field(info, "aof_enabled") == "1" {
			settings = map[string]string{"appendonly": "yes", "appendfsync": "unknown"}
		}
	}
	switch fsync := cmp.Or(settings["appendfsync"], "unknown"); {
	case settings["appendonly"] != "yes":
		r.warnings = append(r.warnings, "redis: appendonly is off: registrations and failed attempts are lost when the server ends")
	case fsync != "always":
		r.warnings = append(r.warnings, "redis: appendfsync is "+fsync+", not always: the last registrations and failed attempts may be lost with the server")
	}
	if settings["appendonly"] == "yes" && settings["no-appendfsync-on-rewrite"] == "yes" {
		r.warnings = append(r.warnings, "redis: no-appendfsync-on-rewrite is on: nothing is synchronised while the log is rewritten")
	}
	if policy := settings["maxmemory-policy"]; settings["maxmemory"] != "0" && policy != "noeviction" && policy != "" {
		r.warnings = append(r.warnings, "redis: maxmemory-policy is "+policy+": registrations and failed attempts may be evicted")
	}
	return nil
}

// field returns a line of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func atLeast(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(first)
	b, err2 := strconv.Atoi(second)
	return err1 == nil && err2 == nil && (a > major || a == major && b >= minor)
}

// fault names an error of an exchange.
func (r *redis) fault(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case r.closed.Load() || errors.Is(err, goredis.ErrClosed):
		return ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case strings.HasPrefix(err.Error(), "TOOLARGE"):
		return ErrTooLarge
	case strings.Contains(err.Error(), "OOM command not allowed"):
		return fmt.Errorf("%w: maxmemory of Redis is reached", ErrFull)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func (r *redis) key(k Kind, key string) string { return r.prefix + k.String() + ":" + key }

func (r *redis) Do(ctx context.Context, ops ...Op) ([]Result, error) {
	if err := r.ready(check(ctx, ops)); err != nil {
		return nil, err
	}
	var results []Result
	var err error
	switch {
	case len(ops) == 0:
	case len(ops) == 1 && ops[0].verb < verbMove:
		results = make([]Result, 1)
		results[0], err = r.single(ctx, &ops[0])
	case onlyGets(ops):
		results, err = r.getAll(ctx, ops)
	default:
		results, err = r.script(ctx, ops)
	}
	if err != nil {
		return nil, r.fault(ctx, err)
	}
	return results, nil
}

func onlyGets(ops []Op) bool {
	for i := range ops {
		if ops[i].verb != verbGet {
			return false
		}
	}
	return true
}

// single carries out an operation that Redis has as a command.
func (r *redis) single(ctx context.Context, op *Op) (Result, error) {
	key, ttl := r.key(op.kind, op.key), time.Duration(millis(op.ttl))*time.Millisecond
	switch op.verb {
	case verbPut:
		err := r.client.Set(ctx, key, op.value, ttl).Err()
		return Result{OK: err == nil}, err
	case verbCreate:
		err := r.client.SetArgs(ctx, key, op.value, goredis.SetArgs{Mode: "NX", TTL: ttl}).Err()
		if errors.Is(err, goredis.Nil) {
			return Result{}, nil
		}
		return Result{OK: err == nil}, err
	case verbDelete:
		n, err := r.client.Del(ctx, key).Result()
		return Result{OK: n > 0}, err
	}
	get := r.client.Get
	if op.verb == verbTake {
		get = r.client.GetDel
	}
	value, err := get(ctx, key).Bytes()
	if errors.Is(err, goredis.Nil) {
		return Result{}, nil
	}
	return Result{OK: err == nil, Value: value}, err
}

// getAll reads several values.
func (r *redis) getAll(ctx context.Context, ops []Op) ([]Result, error) {
	keys := make([]string, len(ops))
	for i := range ops {
		keys[i] = r.key(ops[i].kind, ops[i].key)
	}
	values, err := r.client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(ops))
	for i, v := range values {
		if s, ok := v.(string); ok {
			results[i] = Result{OK: true, Value: []byte(s)}
		}
	}
	return results, nil
}

// script carries out any operations as one script.
func (r *redis) script(ctx context.Context, ops []Op) ([]Result, error) {
	keys := make([]string, 0, 2*len(ops))
	args := make([]any, 0, 4*len(ops))
	for i := range ops {
		op := &ops[i]
		to := r.key(op.kind, op.key)
		keys = append(keys, to)
		if op.verb == verbMove {
			to = r.key(op.to, op.toKey)
		}
		keys = append(keys, to)
		args = append(args, verbNames[op.verb], clone(op.value), millis(op.ttl), clone(op.old))
	}
	reply, err := doScript.Run(ctx, r.client, keys, args...).Slice()
	if err != nil {
		return nil, err
	}
	if len(reply) != 2*len(ops) {
		return nil, fmt.Errorf("%d answers to %d operations", len(reply), len(ops))
	}
	results := make([]Result, len(ops))
	for i := range results {
		if reply[2*i] == int64(1) {
			results[i].OK = true
			if v := ops[i].verb; v == verbGet || v == verbTake || v == verbMove {
				s, _ := reply[2*i+1].(string)
				results[i].Value = []byte(s)
			}
		}
	}
	return results, nil
}

var verbNames = [...]string{
	verbPut:    "put",
	verbCreate: "create",
	verbGet:    "get",
	verbTake:   "take",
	verbDelete: "delete",
	verbMove:   "move",
	verbSwap:   "swap",
}

func (r *redis) Swap(ctx context.Context, k Kind, key string, old, new []byte) (bool, error) {
	return swap(ctx, r, k, key, old, new)
}

// Scan goes over the keys of the server a part at a time, those of other kinds
// included.
func (r *redis) Scan(ctx context.Context, k Kind, f func(string, []byte) bool) error {
	err := ctx.Err()
	if !k.valid() {
		err = fmt.Errorf("%w: no such kind", ErrArgument)
	}
	if err := r.ready(err); err != nil {
		return err
	}
	prefix := r.key(k, "")
	pattern := glob.Replace(prefix) + "*"
	seen := map[string]struct{}{} // SCAN may give a key twice
	for cursor := uint64(0); ; {
		keys, next, err := r.client.Scan(ctx, cursor, pattern, 1000).Result()
		if err != nil {
			return r.fault(ctx, err)
		}
		ops := make([]Op, 0, len(keys))
		for _, key := range keys {
			key = key[len(prefix):]
			if _, again := seen[key]; !again {
				seen[key] = struct{}{}
				ops = append(ops, Get(k, key))
			}
		}
		for len(ops) > 0 {
			n := min(len(ops), page)
			results, err := r.Do(ctx, ops[:n]...)
			if err != nil {
				return err
			}
			for i := range results {
				if results[i].OK && !f(ops[i].key, results[i].Value) {
					return nil
				}
			}
			ops = ops[n:]
		}
		if cursor = next; cursor == 0 {
			return r.ready(ctx.Err())
		}
	}
}

// glob takes their meaning from the characters of a pattern.
var glob = strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `^`, `\^`, `\`, `\\`)

// ready returns the first reason why a call cannot begin.
func (r *redis) ready(err error) error {
	if err == nil && r.closed.Load() {
		return ErrClosed
	}
	return err
}

func (r *redis) Ping(ctx context.Context) error {
	if err := r.ready(ctx.Err()); err != nil {
		return err
	}
	return r.fault(ctx, r.client.Ping(ctx).Err())
}

func (r *redis) Warnings() []string { return r.warnings }

func (r *redis) Close() error {
	if r.closed.Swap(true) {
		return nil
	}
	close(r.lines.ended)
	return r.client.Close()
}
