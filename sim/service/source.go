package service

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// Rate is how many requests one source may make. A source is an IPv4 address or
// an IPv6 network of 64 bits.
type Rate struct {
	// PerSecond is the lasting rate; 0 means no limit.
	PerSecond float64
	// Burst is how many may come at once; 0 means PerSecond's next integer.
	Burst int
	// Sources is how many sources are remembered, the latest; 0 means 65536.
	// Each takes about 200 bytes. One that was forgotten starts with a full
	// burst.
	Sources int
}

// sources tells requests' sources and limits their rates.
type sources struct {
	limit rate.Limit
	burst int
	known *lru.Cache[netip.Addr, *rate.Limiter] // nil without a limit
}

func newSources(r Rate) (*sources, error) {
	if r.PerSecond < 0 || r.Burst < 0 || r.Sources < 0 {
		return nil, fmt.Errorf("service: a negative rate")
	}
	if r.PerSecond == 0 {
		return &sources{}, nil
	}
	s := &sources{limit: rate.Limit(r.PerSecond), burst: r.Burst}
	if s.burst == 0 {
		s.burst = int(r.PerSecond) + 1
	}
	if r.Sources == 0 {
		r.Sources = 65536
	}
	var err error
	s.known, err = lru.New[netip.Addr, *rate.Limiter](r.Sources)
	return s, err
}

type source struct {
	addr    netip.Addr
	trusted bool // the peer is a trusted proxy
}

// of returns who sent a request: the peer, or whom the last trusted proxy names
// that is not one itself.
func (s *sources) of(r *http.Request, proxies []netip.Prefix) source {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return source{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	if !within(addr, proxies) {
		return source{addr: addr}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap().WithZone("")
		if !within(addr, proxies) {
			break
		}
	}
	return source{addr: addr, trusted: true}
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// allow takes a token of the source's, or tells when there will be one.
func (s *sources) allow(a netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if s.known == nil {
		return 0, true
	}
	if a.Is6() {
		p, err := a.Prefix(64)
		if err == nil {
			a = p.Addr()
		}
	}
	l, ok := s.known.Get(a)
	if !ok {
		l = rate.NewLimiter(s.limit, s.burst)
		if old, found, _ := s.known.PeekOrAdd(a, l); found {
			l = old // another request of the source came first
		}
	}
	if l.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - l.TokensAt(now)
	return time.Duration(missing / float64(s.limit) * float64(time.Second)), false
}

// loopback tells whether a request comes from this machine itself and not
// through something that forwards.
func loopback(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && Direct(r)
}

// forwarding are the headers by which proxies tell that they are one.
var forwarding = []string{"X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Real-Ip", "Via"}

// Direct tells whether a request whose peer is one of the operator's machines
// can be the operator's own. It is not if a proxy says that it stands between,
// and not if it is for a name that somebody else may have given to this
// machine's address: a browser here that shows that name's page asks in the
// page's name (DNS rebinding). Names without a dot, addresses and the given
// hosts are the operator's.
func Direct(r *http.Request, hosts ...string) bool {
	for _, name := range forwarding {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || !strings.Contains(host, ".") {
		return true
	}
	return slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) })
}
