// Package deploy puts a whole deployment together and runs it: D-TAs, proxy,
// API with permit storage, RPS, relying party application, and where wanted
// several RPS behind a balancer and a Redis server.
//
// [Start] takes a [Config] and returns a running [Deployment]. Its servers are
// nodes (see [Node]), all in this process or each in one of its own, which can
// be killed, paused, restarted and replaced one by one. What a deployment needs
// to go on later (the D-TAs' sealed shares, their pinned keys, the
// application's credentials, state) is in its data folder: starting it there
// again continues where it ended.
//
//	d, err := deploy.Start(ctx, deploy.Config{Listen: "127.0.0.1:0", Data: dir})
//	if err != nil { … }
//	defer d.Close()
//	c, err := client.Open(ctx, d.Ready().RPA, …)
//
// A process of a deployment is this program with the arguments
// `serve --config FILE`, so a program that starts deployments of processes has
// to know this command (cmd/mpin does), or set Config.Command and call [Serve]
// in the process.
//
// # Who runs what
//
// In the original MIRACL runs the API, the proxy and its D-TA, the customer the
// rest. Here all of them start from one folder on one machine, for tests and
// measurements; still each reads only its own files of it, talks to the others
// over their sockets only, and the D-TAs never talk to each other.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Deployment is a running deployment.
type Deployment struct {
	config  Config
	nodes   []Node // in the order in which they start
	release func()
	client  *http.Client
	tmp     string // the processes' configuration files

	vault    *vault
	settings *settings
}

// stopTimeout bounds the orderly end of all nodes together.
const stopTimeout = 15 * time.Second

// Start sets a deployment up, or finds it in its data folder, starts its nodes
// (those of Config.Role) and waits until they are ready. When it fails nothing
// is left running. Errors: ErrConfig, ErrData, ErrNotReady, those of package
// seal; a port that is taken is the system's error.
func Start(ctx context.Context, c Config) (_ *Deployment, err error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	d := &Deployment{}
	if d.release, err = c.place(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	d.config, d.client = c, &http.Client{Transport: newTransport(roots), Timeout: 5 * time.Second}
	suite, err := c.suite()
	if err != nil {
		return nil, err
	}
	if d.vault, err = newVault(&c); err != nil {
		return nil, err
	}
	if d.settings, err = setUp(ctx, &c, suite, d.vault); err != nil {
		return nil, err
	}
	if d.nodes, err = d.makeNodes(); err != nil {
		return nil, err
	}
	for _, n := range d.nodes {
		if err := n.Start(ctx); err != nil {
			return nil, err
		}
		if n.Role() == RoleRedis {
			if err := n.Ready(ctx); err != nil {
				return nil, err
			}
		}
	}
	for _, n := range d.nodes {
		if err := n.Ready(ctx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Ready is what `mpin serve` prints.
func (d *Deployment) Ready() Ready { return d.config.ready() }

// Config returns the configuration with everything filled in.
func (d *Deployment) Config() Config { return d.config }

// Nodes returns all nodes in the order in which they are started.
func (d *Deployment) Nodes() []Node { return slices.Clone(d.nodes) }

// Node returns the node of a name, such as "rps-2", or nil.
func (d *Deployment) Node(name string) Node {
	for _, n := range d.nodes {
		if n.Name() == name {
			return n
		}
	}
	return nil
}

// ByRole returns the nodes of a role.
func (d *Deployment) ByRole(r Role) []Node {
	var list []Node
	for _, n := range d.nodes {
		if n.Role() == r {
			list = append(list, n)
		}
	}
	return list
}

// WaitReady waits until all nodes are ready again, after some have failed.
func (d *Deployment) WaitReady(ctx context.Context) error {
	for _, n := range d.nodes {
		if err := n.Ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends all nodes in good order, the last first, and leaves nothing behind
// but the data folder. Those that do not end before ctx does are killed.
func (d *Deployment) Stop(ctx context.Context) error {
	var errs []error
	for _, n := range slices.Backward(d.nodes) {
		// What is paused cannot end.
		if n.PID() != 0 {
			if err := n.Continue(); err != nil && !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrNotRunning) {
				errs = append(errs, err)
			}
		}
		errs = append(errs, n.Stop(ctx))
	}
	if d.release != nil {
		d.release()
	}
	if d.client != nil {
		d.client.CloseIdleConnections()
	}
	if d.vault != nil {
		errs = append(errs, d.vault.close())
	}
	if d.tmp != "" {
		errs = append(errs, os.RemoveAll(d.tmp))
	}
	return errors.Join(errs...)
}

// Close is Stop within 15 s.
func (d *Deployment) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return d.Stop(ctx)
}

// Wait returns when ctx ends, with nil, or when a node has ended by itself,
// with its error. Nodes that somebody kills and restarts must not be waited
// for.
func (d *Deployment) Wait(ctx context.Context) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for _, n := range d.nodes {
			if n.PID() == 0 {
				return fmt.Errorf("%s has ended: %s", n.Name(), lastLines(n.Logs(), 3))
			}
		}
	}
}

// makeNodes makes the nodes of the configured role.
func (d *Deployment) makeNodes() ([]Node, error) {
	c := &d.config
	var nodes []Node
	var err error
	add := func(role Role, index int, name, url, privateURL string, b func(*parts) (*server, error)) {
		if err != nil || c.Role != RoleAll && (c.Role != role || index != 0 && c.Index != index) {
			return
		}
		mine := *c
		mine.Role, mine.Index = role, max(index, 1)
		log := &logBuffer{tee: c.Log}
		if !c.Processes {
			nodes = append(nodes, &local{
				name: name, role: role, url: url, privateURL: privateURL, config: mine,
				build: d.builder(b), client: d.client, log: log,
			})
			return
		}
		var n *process
		n, err = d.newProcess(name, url, privateURL, mine, log)
		nodes = append(nodes, n)
	}
	if c.Store == "redis" && c.Role == RoleAll {
		n, err := newRedis(*c)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	add(RoleAPI, 0, "api", c.apiURL(), "", buildAPI)
	for i := range c.DTAs {
		add(RoleDTA, i+1, dtaName(i+1), c.dtaURL(i+1), "", buildDTA)
	}
	add(RoleProxy, 0, "proxy", c.proxyURL(), "", buildProxy)
	for i := range c.RPS {
		url := c.rpsURL()
		if c.RPS > 1 {
			url = innerURL(c.Addresses.RPS[i])
		}
		add(RoleRPS, i+1, fmt.Sprintf("rps-%d", i+1), url, innerURL(c.Addresses.RPSPrivate[i]), buildRPS)
	}
	if err == nil && c.RPS > 1 && c.Role == RoleAll {
		// The balancer stays in this process: it is not what is tested.
		nodes = append(nodes, &local{
			name: "rps", role: RoleBalancer, url: c.rpsURL(), privateURL: c.rpsPrivateURL(), config: *c,
			build: d.builder(buildBalancer), client: d.client, log: &logBuffer{tee: c.Log},
		})
	}
	add(RoleRPA, 0, "rpa", c.rpaURL(), "", buildRPA)
	return nodes, err
}

// newProcess makes a node that runs the role of its configuration in a process
// of its own.
func (d *Deployment) newProcess(name, url, privateURL string, c Config, log *logBuffer) (*process, error) {
	if d.tmp == "" {
		var err error
		if d.tmp, err = os.MkdirTemp("", "mpin-deploy-"); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(d.tmp, name+".yaml")
	make := c.Command
	if make == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		make = func(file string) *exec.Cmd { return exec.Command(self, "serve", "--config", file) }
	}
	return &process{
		name: name, role: c.Role, url: url, privateURL: privateURL, config: c, log: log,
		command: func(c *Config) (*exec.Cmd, error) {
			if err := c.write(file); err != nil {
				return nil, err
			}
			return make(file), nil
		},
		ready: statusReady(d.client),
	}, nil
}

// newLogger writes JSON lines from a level on: debug, info (also where empty),
// warn, error.
func newLogger(to *logBuffer, level string) *slog.Logger {
	var l slog.Level
	if level != "" {
		// Checked with the configuration.
		_ = l.UnmarshalText([]byte(level))
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: l}))
}

// lastLines returns the last lines of a log.
func lastLines(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
