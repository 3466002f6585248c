package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits bound what connections may cost.
type Limits struct {
	// ReadHeader is how long the headers may take from the first byte on, Read
	// the whole request, Write the answer, Idle the wait for a request.
	ReadHeader, Read, Write, Idle time.Duration
	// Drain is how long a shutdown waits for requests in flight.
	Drain time.Duration
	// MaxHeader is the greatest header in bytes.
	MaxHeader int
	// MaxConns is the greatest number of connections, at least 1; others wait
	// in the listener's backlog.
	MaxConns int
}

// DefaultLimits are for servers on the Internet. Write is longer than the 10 s
// that a phone waits for its browser.
var DefaultLimits = Limits{
	ReadHeader: 5 * time.Second,
	Read:       15 * time.Second,
	Write:      30 * time.Second,
	Idle:       120 * time.Second,
	Drain:      10 * time.Second,
	MaxHeader:  16 << 10,
	MaxConns:   16384,
}

// Serve answers the requests on a listener with DefaultLimits until ctx ends;
// tls is nil for plain HTTP.
func Serve(ctx context.Context, l net.Listener, h http.Handler, config *tls.Config, log *slog.Logger) error {
	return DefaultLimits.Serve(ctx, l, h, config, log)
}

// Serve answers the requests on a listener until ctx ends, then takes no more,
// waits for those in flight, and closes what is left after Drain. It closes the
// listener. It returns nil after an orderly shutdown. log, which may be nil,
// gets what the HTTP server has to say.
func (o Limits) Serve(ctx context.Context, l net.Listener, h http.Handler, config *tls.Config, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l = &listener{Listener: l, idle: o.Idle, slots: make(chan struct{}, o.MaxConns), done: make(chan struct{})}
	// Requests do not end with ctx: they are what the drain waits for.
	base := context.WithoutCancel(ctx)
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: o.ReadHeader,
		ReadTimeout:       o.Read,
		WriteTimeout:      o.Write,
		IdleTimeout:       o.Idle,
		MaxHeaderBytes:    o.MaxHeader,
		TLSConfig:         config,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() {
		if config != nil {
			failed <- srv.ServeTLS(l, "", "")
		} else {
			failed <- srv.Serve(l)
		}
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(base, o.Drain)
	defer cancel()
	err := srv.Shutdown(drain)
	if err != nil {
		// WebSockets and requests that hang are cut.
		err = errors.Join(fmt.Errorf("draining: %w", err), srv.Close())
	}
	<-failed
	return err
}
