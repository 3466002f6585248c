package deploy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"mpinlab/sim/store"
)

// newRedis is a redis-server as a node. What it acknowledges is on disk, for
// the promise of package store.
func newRedis(c Config) (*process, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errors.New("store redis needs the program redis-server, which is not installed; give another --store, or the redis:// URL of a server elsewhere")
	}
	host, port, err := net.SplitHostPort(c.Addresses.Redis)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(filepath.Join(c.Data, "redis"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return &process{
		name: "redis", role: RoleRedis, url: c.store(), config: c, log: &logBuffer{tee: c.Log},
		command: func(*Config) (*exec.Cmd, error) {
			cmd := exec.Command(path, "--bind", host, "--port", port, "--dir", folder, "--save", "",
				"--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no")
			cmd.Dir = folder
			return cmd, nil
		},
		ready: redisReady,
	}, nil
}

// redisReady waits until the server answers a PING, which it does not while it
// reads its log.
func redisReady(ctx context.Context, p *process, ended <-chan struct{}, why func() error) error {
	for {
		err := func() error {
			s, err := store.OpenRedis(p.url, store.Options{Timeout: time.Second, PoolSize: 1})
			if err != nil {
				return err
			}
			defer s.Close()
			return s.Ping(ctx)
		}()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("%w: it has ended: %w", ErrNotReady, why())
		case <-ctx.Done():
			return fmt.Errorf("%w: %w, last %w", ErrNotReady, ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
