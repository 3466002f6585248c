package deploy

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Ready is the line that `mpin serve` prints when everything answers.
type Ready struct {
	Ready      bool     `json:"ready"`
	RPA        string   `json:"rpa"`
	RPS        string   `json:"rps"`
	RPSPrivate string   `json:"rpsPrivate"`
	Certivox   string   `json:"certivox"`
	DTA        []string `json:"dta"`
}

// place gives every server its address and returns what keeps them. Ports count
// from Listen's in the order rpa, rps, rps private, proxy, api, D-TAs, then
// the instances behind balancers; port 0 takes free ones.
func (c *Config) place() (release func(), err error) {
	var held []func()
	free := func() {
		for _, f := range held {
			f()
		}
	}
	defer func() {
		if err != nil {
			free()
		}
	}()
	if c.Addresses != nil {
		if err := c.Addresses.check(c); err != nil {
			return nil, err
		}
		return free, nil
	}
	host, portText, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	if c.Role != RoleAll && port == 0 {
		return nil, fmt.Errorf("%w: listen: roles find each other by the ports after a given one, not by any; or give addresses", ErrConfig)
	}
	// Servers that only the deployment itself talks to are not shown to others.
	inner := host
	if !c.loopbackOnly() {
		inner = "127.0.0.1"
	}
	next := func(host, who string) string {
		if err != nil {
			return ""
		}
		if c.Role != RoleAll {
			// Others have theirs already.
			address := net.JoinHostPort(host, strconv.Itoa(port))
			port++
			return address
		}
		var address string
		var give func()
		address, give, err = reserve(net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			err = fmt.Errorf("%s cannot listen on port %d: %w; choose other ports with --listen HOST:PORT, or port 0 for any", who, port, err)
			return ""
		}
		held = append(held, give)
		if port != 0 {
			port++
		}
		return address
	}
	a := &Addresses{}
	a.RPA = next(host, "rpa")
	a.RPSFront = next(host, "rps")
	a.RPSPrivateFront = next(inner, "rps (private)")
	a.Proxy = next(host, "proxy")
	a.API = next(host, "api")
	for i := range c.DTAs {
		a.DTA = append(a.DTA, next(inner, fmt.Sprintf("dta-%d", i+1)))
	}
	if c.RPS == 1 {
		a.RPS, a.RPSPrivate = []string{a.RPSFront}, []string{a.RPSPrivateFront}
	} else {
		for i := range c.RPS {
			a.RPS = append(a.RPS, next(inner, fmt.Sprintf("rps-%d", i+1)))
			a.RPSPrivate = append(a.RPSPrivate, next(inner, fmt.Sprintf("rps-%d (private)", i+1)))
		}
	}
	if c.Store == "redis" {
		a.Redis = next(inner, "redis")
	}
	if err != nil {
		return nil, err
	}
	c.Addresses = a
	return free, nil
}

func (a *Addresses) check(c *Config) error {
	all := append([]string{a.RPA, a.RPSFront, a.RPSPrivateFront, a.Proxy, a.API}, a.DTA...)
	all = append(append(all, a.RPS...), a.RPSPrivate...)
	for _, s := range all {
		if _, _, err := net.SplitHostPort(s); err != nil {
			return fmt.Errorf("%w: addresses: %q is not like 127.0.0.1:8080; all servers need one", ErrConfig, s)
		}
	}
	if len(a.DTA) != c.DTAs || len(a.RPS) != c.RPS || len(a.RPSPrivate) != c.RPS {
		return fmt.Errorf("%w: addresses: %d of D-TAs and %d and %d of RPS for dtas %d and rps %d",
			ErrConfig, len(a.DTA), len(a.RPS), len(a.RPSPrivate), c.DTAs, c.RPS)
	}
	return nil
}

// publicURL is where clients reach an address of this machine.
func (c *Config) publicURL(address string) string {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + c.clientHost(address)
}

func (c *Config) clientHost(address string) string {
	if c.Host == "" {
		return address
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return net.JoinHostPort(c.Host, port)
}

func innerURL(address string) string { return "http://" + address }

// The URLs of the servers.
func (c *Config) rpaURL() string        { return c.publicURL(c.Addresses.RPA) }
func (c *Config) rpsURL() string        { return c.publicURL(c.Addresses.RPSFront) }
func (c *Config) rpsPrivateURL() string { return innerURL(c.Addresses.RPSPrivateFront) }
func (c *Config) proxyURL() string      { return c.publicURL(c.Addresses.Proxy) }
func (c *Config) apiURL() string        { return c.publicURL(c.Addresses.API) }
func (c *Config) dtaURL(i int) string   { return innerURL(c.Addresses.DTA[i-1]) }

// ready is the line for the servers as they are placed.
func (c *Config) ready() Ready {
	r := Ready{Ready: true, RPA: c.rpaURL(), RPS: c.rpsURL(), RPSPrivate: c.rpsPrivateURL(), Certivox: c.proxyURL() + "/"}
	for i := range c.DTAs {
		r.DTA = append(r.DTA, c.dtaURL(i+1))
	}
	return r
}

// store returns the spec of RPS's and RPA's store for package store.
func (c *Config) store() string {
	if c.Store == "redis" {
		return "redis://" + c.Addresses.Redis
	}
	return c.Store
}

// origins are those that a page of the RPA connects to.
func (c *Config) origins() Origins {
	o := Origins{c.rpsURL(), strings.Replace(c.rpsURL(), "http", "ws", 1), c.proxyURL(), c.apiURL()}
	return o
}
