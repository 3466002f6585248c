package deploy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"mpinlab/sim/wire"
)

// Balancer spreads requests over several instances of a server, in turn. A
// request that certainly reached no instance (the connection was refused), or
// that can be repeated (GET, HEAD, OPTIONS), goes to the next one; any other
// failure is told to the client as 502, for nobody knows what came of it. An
// instance that failed is left out for a while unless all have.
type Balancer struct {
	instances []*instance
	next      atomic.Uint64
	proxy     *httputil.ReverseProxy
	transport *http.Transport
	trusted   []netip.Prefix // whose X-Forwarded-For is passed on
}

// avoidFor is how long an instance that failed is left out.
const avoidFor = time.Second

type instance struct {
	base    *url.URL
	avoid   atomic.Int64 // until, in ns since the epoch
	served  atomic.Uint64
	refused atomic.Uint64
}

// NewBalancer returns a Balancer over the instances at these base URLs. client
// is for https instances; nil is the system's roots.
func NewBalancer(log *slog.Logger, transport *http.Transport, bases ...string) (*Balancer, error) {
	if len(bases) == 0 {
		return nil, errors.New("balancer: no instance")
	}
	if transport == nil {
		transport = newTransport(nil)
	}
	b := &Balancer{transport: transport, trusted: forwarders}
	for _, base := range bases {
		u, err := url.Parse(base)
		if err != nil {
			return nil, err
		}
		b.instances = append(b.instances, &instance{base: u})
	}
	b.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http" // RoundTrip chooses
			if b.trusts(r.In) {
				// The RPA, whose clients must not count as one.
				r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			}
			r.SetXForwarded()
		},
		Transport: b,
		ErrorLog:  slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			status := http.StatusBadGateway
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			log.LogAttrs(r.Context(), slog.LevelWarn, "no instance answers", slog.String("error", errorKind(err)))
			http.Error(w, http.StatusText(status), status)
		},
	}
	return b, nil
}

// ServeHTTP passes a request on. Bodies are bounded and read whole before, so
// that they can be sent again.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody && r.Header.Get("Upgrade") == "" {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxBody))
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			http.Error(w, "request too large", http.StatusRequestEntityTooLarge)
			return
		} else if err != nil {
			http.Error(w, "request not readable", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.ContentLength = int64(len(body))
	}
	b.proxy.ServeHTTP(w, r)
}

// RoundTrip sends one request to an instance, and to others as the type's
// comment says.
func (b *Balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	first := b.next.Add(1)
	var last error
	// Those in good standing first, then whoever is left.
	for _, desperate := range []bool{false, true} {
		for i := range uint64(len(b.instances)) {
			in := b.instances[(first+i)%uint64(len(b.instances))]
			if (time.Now().UnixNano() < in.avoid.Load()) != desperate {
				continue
			}
			out := r.Clone(r.Context())
			out.URL.Scheme, out.URL.Host = in.base.Scheme, in.base.Host
			if r.GetBody != nil {
				out.Body, _ = r.GetBody()
			}
			answer, err := b.transport.RoundTrip(out)
			if err == nil {
				in.served.Add(1)
				return answer, nil
			}
			last = err
			if r.Context().Err() != nil {
				return nil, err
			}
			in.avoid.Store(time.Now().Add(avoidFor).UnixNano())
			if refused(err) {
				in.refused.Add(1)
			} else if !repeatable(r) {
				return nil, err
			}
		}
	}
	return nil, last
}

// trusts tells whether whom X-Forwarded-For names is to be believed.
func (b *Balancer) trusts(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(b.trusted, func(p netip.Prefix) bool { return p.Contains(peer.Addr().Unmap()) })
}

// Served returns how many requests each instance has answered.
func (b *Balancer) Served() []uint64 {
	counts := make([]uint64, len(b.instances))
	for i, in := range b.instances {
		counts[i] = in.served.Load()
	}
	return counts
}

// Close drops idle connections.
func (b *Balancer) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// refused tells of an error that says that no byte of the request was taken.
func refused(err error) bool {
	var op *net.OpError
	return errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &op) && op.Op == "dial"
}

func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return r.Header.Get("Upgrade") == ""
	}
	return false
}

// errorKind describes an error of the network without the URL in it, which may
// hold a query.
func errorKind(err error) string {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "the client went away"
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	}
	return err.Error()
}
