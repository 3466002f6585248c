package deploy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"mpinlab/sim/service"
)

// server is one role, built and not yet listening.
type server struct {
	endpoints []endpoint
	close     func() error
	// ready is closed once it has what it needs; nil is at once.
	ready <-chan struct{}
}

// endpoint is one listener of a server.
type endpoint struct {
	name    string // for Config.Wrap
	address string
	handler http.Handler
	tls     *tls.Config // nil for plain HTTP
}

// local is a node in this process.
type local struct {
	name            string
	role            Role
	url, privateURL string
	config          Config
	build           func(ctx context.Context, c *Config, log *slog.Logger) (*server, error)
	client          *http.Client // asks for /status
	log             *logBuffer

	turn turn
	run  atomic.Pointer[localRun]
}

// localRun is one life of it.
type localRun struct {
	stop      context.CancelFunc
	listeners []*abortable
	ready     <-chan struct{}
	ended     chan struct{} // closed when all listeners have ended and the server is closed
	err       error         // why, after ended
	killed    atomic.Bool
}

var _ Node = (*local)(nil)

func (n *local) Name() string       { return n.name }
func (n *local) Role() Role         { return n.role }
func (n *local) URL() string        { return n.url }
func (n *local) PrivateURL() string { return n.privateURL }
func (n *local) Logs() []byte       { return n.log.Bytes() }
func (n *local) Pause() error       { return fmt.Errorf("%s: pausing: %w", n.name, ErrUnsupported) }
func (n *local) Continue() error    { return fmt.Errorf("%s: continuing: %w", n.name, ErrUnsupported) }

func (n *local) living() *localRun {
	r := n.run.Load()
	if r == nil {
		return nil
	}
	select {
	case <-r.ended:
		return nil
	default:
		return r
	}
}

func (n *local) PID() int {
	if n.living() == nil {
		return 0
	}
	return os.Getpid()
}

func (n *local) Start(ctx context.Context) error {
	defer n.turn.take()()
	return n.start(ctx)
}

func (n *local) start(ctx context.Context) error {
	if n.living() != nil {
		return fmt.Errorf("%s: %w", n.name, ErrRunning)
	}
	log := newLogger(n.log, n.config.LogLevel).With("node", n.name)
	s, err := n.build(ctx, &n.config, log)
	if err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	r := &localRun{ready: s.ready, ended: make(chan struct{})}
	for _, e := range s.endpoints {
		l, err := net.Listen("tcp", e.address)
		if err != nil {
			for _, l := range r.listeners {
				l.Close()
			}
			return fmt.Errorf("%s: %w; choose other ports with --listen HOST:PORT, or port 0 for any", n.name, errors.Join(err, s.close()))
		}
		r.listeners = append(r.listeners, newAbortable(l))
	}
	var run context.Context
	run, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	errs := make([]error, len(s.endpoints))
	for i, e := range s.endpoints {
		h := e.handler
		if n.config.Wrap != nil {
			h = n.config.Wrap(e.name, h)
		}
		all.Go(func() {
			errs[i] = service.Serve(run, r.listeners[i], h, e.tls, log)
			r.stop() // one without the other is no server
		})
	}
	go func() {
		all.Wait()
		r.err = errors.Join(append(errs, s.close())...)
		if r.killed.Load() {
			r.err = errors.New("killed")
		} else if r.err != nil {
			log.Error("ended", "error", r.err)
		} else {
			r.err = errors.New("stopped")
		}
		close(r.ended)
	}()
	n.run.Store(r)
	return nil
}

func (n *local) Ready(ctx context.Context) error {
	r := n.run.Load()
	if r == nil {
		return fmt.Errorf("%s: %w", n.name, ErrNotRunning)
	}
	if r.ready != nil {
		select {
		case <-r.ready:
		case <-r.ended:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", n.name, ErrNotReady, ctx.Err())
		}
	}
	url := n.privateURL
	if url == "" {
		url = n.url
	}
	if err := pollReady(ctx, n.client, url, r.ended, func() error { return r.err }); err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	return nil
}

func (n *local) Stop(ctx context.Context) error {
	defer n.turn.take()()
	return n.stop(ctx)
}

func (n *local) stop(ctx context.Context) error {
	r := n.living()
	if r == nil {
		return nil
	}
	r.stop()
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
		r.kill()
		<-r.ended
		return fmt.Errorf("%s: cut off, for it did not end: %w", n.name, ctx.Err())
	}
}

func (n *local) Kill() error {
	defer n.turn.take()()
	if r := n.living(); r != nil {
		r.kill()
		<-r.ended
	}
	return nil
}

func (r *localRun) kill() {
	r.killed.Store(true)
	for _, l := range r.listeners {
		l.abort()
	}
	r.stop()
}

func (n *local) Restart(ctx context.Context) error { return n.Replace(ctx, nil) }

func (n *local) Replace(ctx context.Context, change func(*Config)) error {
	if err := func() error {
		defer n.turn.take()()
		if err := n.stop(ctx); err != nil && ctx.Err() != nil {
			return err
		}
		if change != nil {
			change(&n.config)
		}
		return n.start(ctx)
	}(); err != nil {
		return err
	}
	return n.Ready(ctx)
}
