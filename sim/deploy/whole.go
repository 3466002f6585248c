package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Whole is a deployment in one process of its own, as `mpin serve` runs it: for
// measuring servers apart from their clients, and for killing all at once.
type Whole struct {
	Node
	ready   Ready
	release func()
	tmp     *Deployment // owns the configuration file
}

// StartWhole starts a deployment in one process and waits until all of it is
// ready. Config is as for [Start]; what cannot be written into a file (Wrap,
// Clock, Pages) stays away, and Log gets the process's output.
func StartWhole(ctx context.Context, c Config) (_ *Whole, err error) {
	c = c.withDefaults()
	c.Role, c.Processes = RoleAll, false
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Store == "redis" {
		return nil, fmt.Errorf("%w: store redis in a deployment of one process; give a redis:// URL", ErrConfig)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	release, err := c.place()
	if err != nil {
		return nil, err
	}
	w := &Whole{ready: c.ready(), release: release}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	w.tmp = &Deployment{config: c, client: &http.Client{Transport: newTransport(roots), Timeout: 5 * time.Second}}
	p, err := w.tmp.newProcess("all", c.rpaURL(), c.rpsPrivateURL(), c, &logBuffer{tee: c.Log})
	if err != nil {
		return nil, err
	}
	// The RPA starts last, and the RPS is ready last.
	p.ready = func(ctx context.Context, p *process, ended <-chan struct{}, why func() error) error {
		for _, url := range []string{p.url, p.privateURL} {
			if err := pollReady(ctx, w.tmp.client, url, ended, why); err != nil {
				return err
			}
		}
		return nil
	}
	w.Node = p
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	return w, p.Ready(ctx)
}

// Addresses is what `mpin serve` prints: where the servers are.
func (w *Whole) Addresses() Ready { return w.ready }

// Close stops the process within 15 s.
func (w *Whole) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	if w.Node != nil {
		if w.PID() != 0 {
			_ = w.Continue() // what is paused cannot end
		}
		errs = append(errs, w.Stop(ctx))
	}
	w.release()
	if w.tmp != nil {
		errs = append(errs, w.tmp.Stop(ctx))
	}
	return errors.Join(errs...)
}
