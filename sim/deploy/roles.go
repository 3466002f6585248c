package deploy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/api"
	"mpinlab/sim/dta"
	"mpinlab/sim/fault"
	"mpinlab/sim/proxy"
	"mpinlab/sim/quorum"
	"mpinlab/sim/rpa"
	"mpinlab/sim/rps"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// parts are what a server is built from.
type parts struct {
	ctx       context.Context
	config    *Config
	settings  *settings
	vault     *vault
	suite     *protocol.Suite
	log       *slog.Logger
	now       func() time.Time
	transport *http.Transport
	public    *tls.Config
	registry  *service.Registry
}

// builder makes the parts for a build function.
func (d *Deployment) builder(build func(*parts) (*server, error)) func(context.Context, *Config, *slog.Logger) (*server, error) {
	return func(ctx context.Context, c *Config, log *slog.Logger) (*server, error) {
		suite, err := c.suite()
		if err != nil {
			return nil, err
		}
		roots, err := c.roots()
		if err != nil {
			return nil, err
		}
		public, err := c.tlsConfig()
		if err != nil {
			return nil, err
		}
		return build(&parts{
			ctx: ctx, config: c, settings: d.settings, vault: d.vault, suite: suite, log: log, now: c.Clock[c.Role],
			transport: newTransport(roots), public: public, registry: service.NewRegistry(),
		})
	}
}

// rate limits the requests of each source on a public listener.
func (p *parts) rate() service.Rate {
	r := p.config.Rate
	if r == 0 && !p.config.loopbackOnly() {
		r = PublicRate
	}
	if r <= 0 {
		return service.Rate{}
	}
	return service.Rate{PerSecond: r, Burst: int(2 * r)}
}

// lease is how long an RPS may take to judge a login: as long as the RPA waits for
// the verdict. The attempt of one that was killed is held as long.
const lease = 10 * time.Second

// forwarders are the deployment's own: they stand before the public listeners
// of this machine.
var forwarders = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// ownAddresses are those from which this machine's servers reach each other's
// public listeners: where these are not on loopback, also those of its network
// interfaces.
func (c *Config) ownAddresses() ([]netip.Prefix, error) {
	if c.loopbackOnly() {
		return forwarders, nil
	}
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("this machine's addresses: %w", err)
	}
	own := slices.Clone(forwarders)
	for _, a := range list {
		p, err := netip.ParsePrefix(a.String())
		if err == nil {
			own = append(own, netip.PrefixFrom(p.Addr(), p.Addr().BitLen()))
		}
	}
	return own, nil
}

// open opens the store of a role. Customer's roles may share a Redis.
func (p *parts) open(role Role, o store.Options) (store.Store, error) {
	spec := p.config.store()
	if role == RoleAPI && p.config.onRedis() {
		spec = "bbolt" // MIRACL's state does not go to the customer's Redis
	}
	folder := p.config.State
	if folder == "" {
		folder = p.config.Data
	}
	o.Path = filepath.Join(folder, string(role)+".db")
	o.Now = p.now
	s, err := store.Open(spec, o)
	if err != nil {
		if errors.Is(err, store.ErrLocked) {
			err = errors.Join(err, errors.New("another deployment runs on this data folder: stop it, or give another --data"))
		}
		return nil, err
	}
	if p.config.Gate == "" {
		return s, nil
	}
	g, err := fault.Gated(s, p.config.Gate)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("gate: %w", err), s.Close())
	}
	return g, nil
}

func buildDTA(p *parts) (*server, error) {
	i := p.config.Index
	// Where the credentials are not, nobody can add applications.
	var token string
	switch cred, err := p.vault.credentials(p.ctx); {
	case err == nil:
		token = cred.AdminToken
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	d, err := dta.New(dta.Config{
		Suite: p.suite, Index: i, Logger: p.log, Now: p.now, Keystore: p.vault.keystore(p.config, secretsFolder, i),
		AdminToken: token, Registry: p.registry,
	})
	if err != nil {
		return nil, err
	}
	// A file of another set-up would issue shares that fit no token.
	key, ok := d.ShareKey(p.settings.AppID)
	if !ok || key != p.settings.ShareKeys[i-1] {
		return nil, errors.Join(d.Close(), errors.New("its share is missing or not the one that clients know by its key: restore it from a backup"))
	}
	return &server{[]endpoint{{dtaName(i), p.config.Addresses.DTA[i-1], d.Handler(), nil}}, d.Close, nil}, nil
}

func buildAPI(p *parts) (*server, error) {
	cred, err := p.vault.credentials(p.ctx)
	if err != nil {
		return nil, err
	}
	st, err := p.open(RoleAPI, store.Options{})
	if err != nil {
		return nil, err
	}
	var dtas []string
	for i := range p.config.DTAs {
		dtas = append(dtas, p.config.dtaURL(i+1))
	}
	var internal []netip.Prefix
	if p.config.loopbackOnly() {
		internal = forwarders
	}
	a, err := api.New(api.Config{
		Suite: p.suite, Logger: p.log, Now: p.now, Store: st, AdminToken: cred.AdminToken, ServiceToken: cred.ServiceToken,
		Internal: internal, DTAs: dtas, DTAToken: cred.AdminToken, Threshold: p.settings.Threshold,
		CertivoxURL: p.config.proxyURL() + "/", StorageURL: p.config.storageURL(), Transport: p.transport, Rate: p.rate(), Registry: p.registry,
	})
	if err == nil {
		err = a.Adopt(p.ctx, wire.Application{
			AppID: cred.AppID, AppKey: cred.AppKey, Name: "demonstration", Threshold: p.settings.Threshold, ShareKeys: p.settings.ShareKeys,
		})
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &server{
		[]endpoint{{"api", p.config.Addresses.API, a.Handler(), p.public}},
		func() error { return errors.Join(a.Close(), st.Close()) },
		nil,
	}, nil
}

func (c *Config) storageURL() string { return c.apiURL() + "/permits" }

// members are the D-TAs from one to another.
func (c *Config) members(from, to int) []quorum.Member {
	var list []quorum.Member
	for i := from; i <= to; i++ {
		list = append(list, quorum.Member{Index: i, URL: c.dtaURL(i)})
	}
	return list
}

func buildProxy(p *parts) (*server, error) {
	cred, err := p.vault.credentials(p.ctx)
	if err != nil {
		return nil, err
	}
	first := 2 // D-TA 1 is the customer's
	if p.settings.Threshold > 0 {
		first = 1
	}
	remote := &proxy.Remote{URL: p.config.apiURL(), Storage: p.config.storageURL(), Token: cred.ServiceToken, Transport: p.transport}
	x, err := proxy.New(proxy.Config{
		Suite: p.suite, Logger: p.log, Now: p.now, Applications: remote, Storage: remote, DefaultApp: cred.AppID,
		Members: p.config.members(first, p.config.DTAs), Quorum: quorum.Config{Transport: p.transport},
		Rate: p.rate(), Registry: p.registry,
	})
	if err != nil {
		return nil, err
	}
	h := withAPI(x.Handler(), p.config.apiURL(), p.transport, !p.config.loopbackOnly())
	return &server{[]endpoint{{"proxy", p.config.Addresses.Proxy, h, p.public}}, x.Close, nil}, nil
}

// withAPI shows the API's public paths beside the proxy's: in the original both
// have one address, certivoxURL. forwarded says who asks, so that the API takes
// no one for the operator.
func withAPI(h http.Handler, api string, transport http.RoundTripper, forwarded bool) http.Handler {
	to, err := url.Parse(api)
	if err != nil {
		return h
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, ""
			// That another proxy stands between must not be lost.
			for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
				if said := r.In.Header[name]; said != nil {
					r.Out.Header[name] = said
				}
			}
			if forwarded {
				r.SetXForwarded()
			}
		},
		Transport: transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			_ = service.WriteJSON(w, http.StatusBadGateway, wire.Refusal{Message: "the API does not answer"})
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r = service.Joined(r); strings.TrimSuffix(r.URL.Path, "/") {
		case "/time", "/apiSettings", "/applications":
			r.Body = http.MaxBytesReader(w, r.Body, wire.MaxBody)
			forward.ServeHTTP(w, r)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

func buildRPS(p *parts) (*server, error) {
	c := p.config
	cred, err := p.vault.credentials(p.ctx)
	if err != nil {
		return nil, err
	}
	last := 1 // D-TA 1 is the customer's
	if p.settings.Threshold > 0 {
		last = c.DTAs
	}
	q, err := quorum.New(quorum.Config{
		Suite: p.suite, AppID: cred.AppID, AppKey: cred.AppKey, Threshold: p.settings.Threshold, Members: c.members(1, last),
		Keys: p.settings.ShareKeys, Proxy: c.proxyURL() + "/", Transport: p.transport, Now: p.now, Logger: p.log, Registry: p.registry, Name: "rps",
	})
	if err != nil {
		return nil, err
	}
	own, err := c.ownAddresses()
	if err != nil {
		return nil, errors.Join(err, q.Close())
	}
	st, err := p.open(RoleRPS, store.Options{Observe: rps.StoreObserver(p.registry)})
	if err != nil {
		return nil, errors.Join(err, q.Close())
	}
	var batching *protocol.BatchingOptions
	if c.Batching {
		batching = &protocol.BatchingOptions{}
	}
	s, err := rps.New(rps.Config{
		Suite: p.suite, Logger: p.log, Now: p.now, Store: st, Shares: q, AppID: cred.AppID, AppKey: cred.AppKey,
		BaseURL: c.rpsURL() + rps.Prefix, CertivoxURL: c.proxyURL() + "/", PermitStorageURL: c.storageURL(),
		AuthenticateURL: c.rpaURL() + "/mpinAuthenticate", RedirectURL: c.rpaURL() + "/",
		VerifyURL: c.rpaURL() + "/mpinVerify", PermitURL: c.rpaURL() + "/mpinPermitUser", Transport: p.transport,
		ShareKeys: p.settings.ShareKeys, Threshold: p.settings.Threshold, MaxAttempts: c.MaxAttempts, Lockout: rps.Lockout(c.Lockout),
		PINDigits: wire.PINDigits{Min: 4, Max: c.PINDigits}, Batching: batching, RequestOTP: c.RequestOTP, SetDeviceName: true,
		Rate: p.rate(), TrustedProxies: own, Registry: p.registry, Profile: true,
		Lease: lease, RememberU: c.Remember,
	})
	if err != nil {
		return nil, errors.Join(err, st.Close(), q.Close())
	}
	public := endpoint{"rps", c.Addresses.RPS[c.Index-1], prefixed(s.Public()), p.public}
	if c.RPS > 1 {
		public.tls = nil // the balancer has it
	}
	return &server{
		[]endpoint{public, {"rps-private", c.Addresses.RPSPrivate[c.Index-1], s.Private(), nil}},
		func() error { return errors.Join(s.Close(), st.Close(), q.Close()) },
		s.Ready(),
	}, nil
}

// prefixed answers /x as /rps/x: clients are given the RPS's URL with or
// without the prefix.
func prefixed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = service.Joined(r)
		if path := r.URL.Path; !strings.HasPrefix(path, rps.Prefix+"/") && path != wire.StatusPath && path != wire.MetricsPath {
			u := *r.URL
			u.Path, u.RawPath = rps.Prefix+path, ""
			r2 := *r
			r2.URL = &u
			r = &r2
		}
		h.ServeHTTP(w, r)
	})
}

func buildRPA(p *parts) (*server, error) {
	c := p.config
	byMail, err := c.verifyByMail()
	if err != nil {
		return nil, err
	}
	cred, err := p.vault.credentials(p.ctx)
	if err != nil {
		return nil, err
	}
	st, err := p.open(RoleRPA, store.Options{})
	if err != nil {
		return nil, err
	}
	var pages http.Handler
	if c.Pages != nil {
		pages = c.Pages(c.origins())
	}
	own, err := c.ownAddresses()
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	s, err := rpa.New(rpa.Config{
		Internal: own,
		Store:    st, URL: c.rpaURL(), RPS: c.rpsURL(), RPSPrivate: c.rpsPrivateURL(), VerifyByMail: byMail, Pages: pages,
		SessionTTL: c.Remember, AdminToken: cred.AdminToken, Rate: p.rate(), Transport: p.transport, Registry: p.registry, Logger: p.log, Now: p.now,
	})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &server{
		[]endpoint{{"rpa", c.Addresses.RPA, s.Handler(), p.public}},
		func() error { return errors.Join(s.Close(), st.Close()) },
		nil,
	}, nil
}

func buildBalancer(p *parts) (*server, error) {
	own, err := p.config.ownAddresses()
	if err != nil {
		return nil, err
	}
	front := func(addresses []string) (*Balancer, error) {
		var bases []string
		for _, a := range addresses {
			bases = append(bases, innerURL(a))
		}
		b, err := NewBalancer(p.log, newTransport(nil), bases...)
		if err == nil {
			b.trusted = own
		}
		return b, err
	}
	public, err := front(p.config.Addresses.RPS)
	if err != nil {
		return nil, err
	}
	private, err := front(p.config.Addresses.RPSPrivate)
	if err != nil {
		return nil, err
	}
	return &server{
		[]endpoint{
			{"balancer", p.config.Addresses.RPSFront, public, p.public},
			{"balancer-private", p.config.Addresses.RPSPrivateFront, private, nil},
		},
		func() error { return errors.Join(public.Close(), private.Close()) },
		nil,
	}, nil
}
