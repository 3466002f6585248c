package load

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"mpinlab/sim/deploy"
	"mpinlab/sim/fault"
)

// What a fault of a scenario needs is put into the deployment when it is started:
// relays, a gate, a disk; events then makes the faults themselves.

const (
	gateFile = "gate"
	// diskSize bounds the data on a disk that is to be made full; what is not
	// used takes nothing.
	diskSize = 4 << 30
)

// prepareStore makes what faults of the store need.
func (t *target) prepareStore(s *Scenario) error {
	for _, f := range s.Faults {
		var err error
		switch {
		case s.Deployment.Store == "redis":
		case f.Kind == FaultStoreStop && t.gate == nil:
			t.gate, err = fault.NewGate(filepath.Join(t.folder, gateFile))
		case f.Kind == FaultDiskFull && t.disk == nil:
			t.disk, err = fault.NewDisk(diskSize)
			switch {
			case err == nil:
			case errors.Is(err, fault.ErrUnsupported) && s.Deployment.Run != runInProcess:
				err = nil // fault.FullFiles then
			default:
				err = fmt.Errorf("%w; run process or processes does without", err)
			}
		}
		if err != nil {
			return fmt.Errorf("fault %s of store %s: %w", f.Kind, s.Deployment.Store, err)
		}
	}
	return nil
}

// stall has the store stand still.
func (t *target) stall(s *Scenario) fault.Fault {
	if s.Deployment.Store == "redis" {
		return fault.Pause(t.deployment.ByRole(deploy.RoleRedis)[0])
	}
	return fault.Stall(t.gate)
}

// fill leaves the store no room.
func (t *target) fill(s *Scenario) fault.Fault {
	switch {
	case s.Deployment.Store == "redis":
		return fault.FullStore(t.deployment.ByRole(deploy.RoleRedis)[0].URL())
	case t.disk != nil:
		return fault.FullDisk(t.disk)
	}
	var with []fault.LimitedNode
	for _, n := range t.nodes() {
		switch n.node.Role() {
		case deploy.RoleAll, deploy.RoleRPS, deploy.RoleRPA, deploy.RoleAPI:
			with = append(with, n.node)
		}
	}
	return fault.FullFiles(with...)
}

// mendAll ends what there was for faults.
func (t *target) mendAll() error {
	var errs []error
	for name, list := range t.relays {
		for _, r := range list {
			if len(t.lines[name]) == 0 {
				errs = append(errs, r.Close())
			}
		}
		for _, l := range t.lines[name] {
			errs = append(errs, l.Close())
		}
	}
	if t.gate != nil {
		errs = append(errs, t.gate.Close())
	}
	if t.disk != nil {
		errs = append(errs, t.disk.Close())
	}
	return errors.Join(errs...)
}

// link puts relays where the scenario has slow or breakable connections.
func (t *target) link(ctx context.Context, s *Scenario, ready deploy.Ready) error {
	paths, packets := map[string]fault.Path{}, map[string]bool{}
	for _, f := range s.Faults {
		if f.Between != "" {
			paths[f.Between] = fault.Path{}
			packets[f.Between] = packets[f.Between] || f.Kind == FaultPackets
		}
	}
	for _, l := range s.Deployment.Links {
		paths[l.Between] = fault.Path{Delay: l.Delay.D(), Jitter: l.Jitter.D(), Bandwidth: int64(l.Bandwidth)}
	}
	if len(paths) == 0 {
		return nil
	}
	host := func(base string) string {
		u, err := url.Parse(base)
		if err != nil {
			return ""
		}
		return u.Host
	}
	relay := func(name, address string) (string, error) {
		if packets[name] {
			l, err := fault.NewLine(address, fault.Packets{})
			if err != nil {
				return "", fmt.Errorf("fault %s: %w; latency, bandwidth and cut need nothing of this", FaultPackets, err)
			}
			l.Set(paths[name])
			t.lines[name], t.relays[name] = append(t.lines[name], l), append(t.relays[name], l.Relay)
			return l.Address(), nil
		}
		r, err := fault.NewRelay(address, paths[name])
		if err != nil {
			return "", err
		}
		t.relays[name] = append(t.relays[name], r)
		return r.Address(), nil
	}
	changes := map[string][]func(*deploy.Addresses){}
	for name := range paths {
		from, to, _ := strings.Cut(name, "-")
		var a *deploy.Addresses
		if t.deployment != nil {
			a = t.deployment.Config().Addresses
		}
		if from == "clients" {
			at := map[string]string{"rpa": ready.RPA, "rps": ready.RPS, "proxy": ready.Certivox}[to]
			if to == "api" { // not of one process: checked
				at = "http://" + a.API
			}
			address, err := relay(name, host(at))
			if err != nil {
				return err
			}
			t.via[host(at)] = address
			continue
		}
		add := func(target string, set func(*deploy.Addresses, string)) error {
			address, err := relay(name, target)
			if err != nil {
				return err
			}
			// Servers tell clients the addresses that they have themselves; those
			// of a way between servers are not the clients'.
			t.via[address] = target
			changes[from] = append(changes[from], func(a *deploy.Addresses) { set(a, address) })
			return nil
		}
		var err error
		switch {
		case strings.HasPrefix(to, "dta-"):
			i, _ := strconv.Atoi(strings.TrimPrefix(to, "dta-")) // checked
			err = add(a.DTA[i-1], func(a *deploy.Addresses, x string) { a.DTA[i-1] = x })
		case to == "proxy":
			err = add(a.Proxy, func(a *deploy.Addresses, x string) { a.Proxy = x })
		case to == "rpa":
			err = add(a.RPA, func(a *deploy.Addresses, x string) { a.RPA = x })
		case to == "api":
			err = add(a.API, func(a *deploy.Addresses, x string) { a.API = x })
		case to == "rps":
			err = errors.Join(
				add(a.RPSFront, func(a *deploy.Addresses, x string) { a.RPSFront = x }),
				add(a.RPSPrivateFront, func(a *deploy.Addresses, x string) { a.RPSPrivateFront = x }))
		}
		if err != nil {
			return err
		}
	}
	// An address that leads to a relay between servers leads clients to where it
	// would, by their own relay if there is one.
	for address, to := range t.via {
		if further, ok := t.via[to]; ok {
			t.via[address] = further
		}
	}
	for role, list := range changes {
		for _, n := range t.deployment.ByRole(deploy.Role(role)) {
			err := n.Replace(ctx, func(c *deploy.Config) {
				a := *c.Addresses
				a.DTA = append([]string(nil), a.DTA...)
				for _, f := range list {
					f(&a)
				}
				c.Addresses = &a
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// events makes the scenario's faults. forget is called where a node that keeps
// its state in memory loses it.
func (t *target) events(s *Scenario, forget func()) []fault.Event {
	var list []fault.Event
	for _, f := range s.Faults {
		var made fault.Fault
		var node deploy.Node
		for _, n := range t.nodes() {
			if n.name == f.Node {
				node = n.node
			}
		}
		worsen := func(change func(*fault.Path)) fault.Fault {
			var all []fault.Fault
			for _, r := range t.relays[f.Between] {
				all = append(all, fault.Worsen(r, change))
			}
			return fault.Together(all...)
		}
		switch f.Kind {
		case FaultKill:
			made = fault.Kill(node)
		case FaultPause:
			made = fault.Pause(node)
		case FaultRestart:
			made = fault.Restart(node)
		case FaultLatency:
			made = worsen(func(p *fault.Path) { p.Delay, p.Jitter = f.Delay.D(), f.Jitter.D() })
		case FaultBandwidth:
			made = worsen(func(p *fault.Path) { p.Bandwidth = int64(f.Bandwidth) })
		case FaultCut:
			made = worsen(func(p *fault.Path) { p.Cut = true })
		case FaultPackets:
			var all []fault.Fault
			for _, l := range t.lines[f.Between] {
				all = append(all, fault.WorsenPackets(l, func(p *fault.Packets) {
					*p = fault.Packets{Delay: f.Delay.D(), Jitter: f.Jitter.D(), Loss: float64(f.Loss), Rate: int64(f.Bandwidth)}
				}))
			}
			made = fault.Together(all...)
		case FaultStoreStop:
			made = t.stall(s)
		case FaultDiskFull:
			made = t.fill(s)
		case FaultClock:
			made = fault.WrongClock(t.clocks[node.Role()], f.Skew.D())
		case FaultLyingDTA:
			made = fault.Lie(t.liars[f.Node])
		}
		if (f.Kind == FaultKill || f.Kind == FaultRestart) && s.Deployment.Store == "memory" {
			made = forgetting{made, forget}
		}
		list = append(list, fault.Event{Fault: made, At: f.At.D(), For: f.For.D()})
	}
	return list
}

// forgetting is a fault by which a node in memory loses its state.
type forgetting struct {
	fault.Fault
	forget func()
}

func (f forgetting) Begin(ctx context.Context) error {
	f.forget()
	defer f.forget() // what was judged meanwhile is forgotten too
	return f.Fault.Begin(ctx)
}
