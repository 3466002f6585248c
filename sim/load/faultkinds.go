package load

import (
	"fmt"
	"slices"
	"strings"
)

// The kinds of fault.
const (
	FaultKill      = "kill"
	FaultPause     = "pause"
	FaultRestart   = "restart"
	FaultLatency   = "latency"
	FaultBandwidth = "bandwidth"
	FaultCut       = "cut"
	FaultPackets   = "packet-delay"
	FaultStoreStop = "store-stop"
	FaultDiskFull  = "disk-full"
	FaultClock     = "clock-skew"
	FaultLyingDTA  = "lying-dta"
)

// FaultKind tells what a kind of fault is and what it needs.
type FaultKind struct {
	Name string
	// Does is what happens, and what comes of it; Needs what has to be there,
	// empty for nothing.
	Does, Needs string
	// Takes are the keys that it has besides kind, at and for. Those after a "?"
	// may be left out.
	Takes []string
}

// String is one line for readers: name, keys, what it does, what it needs.
func (k FaultKind) String() string {
	text := k.Name
	if len(k.Takes) > 0 {
		var keys []string
		for _, t := range k.Takes {
			if name, optional := strings.CutPrefix(t, "?"); optional {
				t = "[" + name + "]"
			}
			keys = append(keys, t)
		}
		text += " (" + strings.Join(keys, ", ") + ")"
	}
	text += ": " + k.Does
	if k.Needs != "" {
		text += ". Needs " + k.Needs
	}
	return text
}

var faultKinds = []FaultKind{
	{FaultKill, "a server is killed as by kill -9, and started again at the end: what it acknowledged is kept, with store memory it is lost",
		"", []string{"node"}},
	{FaultPause, "a server's process is stopped (SIGSTOP), and goes on at the end: nobody gets an answer meanwhile",
		"run process or processes, or node redis; Linux", []string{"node"}},
	{FaultRestart, "a server ends in good order and is started again at once", "", []string{"node"}},
	{FaultLatency, "bytes between two roles take longer, each way, in order",
		"", []string{"between", "delay", "?jitter"}},
	{FaultBandwidth, "so many bytes a second pass on each connection between two roles, each way",
		"", []string{"between", "bandwidth"}},
	{FaultCut, "connections between two roles are reset and new ones refused", "", []string{"between"}},
	{FaultPackets, "packets between two roles take longer, are lost, or find the line full, each way; TCP does what it does then",
		"root on Linux (network namespaces, /dev/net/tun)", []string{"between", "?delay", "?jitter", "?loss", "?bandwidth"}},
	{FaultStoreStop, "the stores stand still: calls wait, and go on at the end",
		"Linux; with store redis it is the server's process that is stopped", nil},
	{FaultDiskFull, "the store can keep nothing more: what would be kept is refused with 5xx, and goes through again at the end",
		"store bbolt or redis; with bbolt Linux, and root or run process or processes: without root every write to a file fails, and the servers are started anew at the end", nil},
	{FaultClock, "the clocks of a server and of all of its role are wrong by skew", "run in-process", []string{"node", "skew"}},
	{FaultLyingDTA, "a D-TA issues shares that are not its own: who fetches one finds out", "run in-process", []string{"node"}},
}

// FaultKinds are all kinds of fault, in the order of the schema.
func FaultKinds() []FaultKind { return slices.Clone(faultKinds) }

// given are the keys of a fault that are set, apart from kind, at and for.
func (f *Fault) given() []string {
	var list []string
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"node", f.Node != ""}, {"between", f.Between != ""}, {"delay", f.Delay != 0}, {"jitter", f.Jitter != 0},
		{"bandwidth", f.Bandwidth != 0}, {"loss", f.Loss != 0}, {"skew", f.Skew != 0},
	} {
		if k.set {
			list = append(list, k.name)
		}
	}
	return list
}

// keys refuses keys that a kind does not have, and the want of those that it
// must have.
func (k *FaultKind) keys(s *Scenario, f *Fault, path string) error {
	var takes []string
	given := f.given()
	for _, t := range k.Takes {
		name, optional := strings.CutPrefix(t, "?")
		takes = append(takes, name)
		if !optional && !slices.Contains(given, name) {
			return s.problem(path, "%s needs %s", k.Name, name)
		}
	}
	for _, g := range given {
		if !slices.Contains(takes, g) {
			has := "only kind, at and for"
			if len(takes) > 0 {
				has = strings.Join(takes, ", ")
			}
			return s.problem(path+"."+g, "%s has none; it has %s", k.Name, has)
		}
	}
	return nil
}

func (s *Scenario) checkFaults() error {
	if s.Saturation != nil && len(s.Faults) > 0 {
		return s.problem("faults", "a search for saturation has none")
	}
	var names []string
	for _, k := range faultKinds {
		names = append(names, k.Name)
	}
	for i := range s.Faults {
		f, path := &s.Faults[i], fmt.Sprintf("faults.%d", i)
		if err := s.oneOf(path+".kind", f.Kind, names...); err != nil {
			return err
		}
		if f.At < 0 || f.For < 0 || f.At+f.For > s.Length() {
			return s.problem(path+".at", "from %v for %v is not within the stages, which take %v", f.At.D(), f.For.D(), s.Length().D())
		}
		kind := &faultKinds[slices.Index(names, f.Kind)]
		if err := first(kind.keys(s, f, path), s.checkNode(f, path), s.checkAmount(f, path)); err != nil {
			return err
		}
		if f.Between != "" {
			if err := s.checkLink(path, f.Between); err != nil {
				return err
			}
		}
		if f.Kind == FaultDiskFull && s.Deployment.Store == "memory" {
			return s.problem(path+".kind", "store memory is on no disk: disk-full needs store bbolt or redis")
		}
	}
	return nil
}

// checkNode refuses servers that are not there or that this cannot happen to.
func (s *Scenario) checkNode(f *Fault, path string) error {
	inProcess := s.Deployment.Run == runInProcess
	switch {
	case f.Node == "":
		return nil
	case (f.Kind == FaultClock || f.Kind == FaultLyingDTA) && !inProcess:
		return s.problem(path+".kind", "%s needs run in-process", f.Kind)
	case !slices.Contains(s.nodes(), f.Node):
		return s.problem(path+".node", "%q is none of %s", f.Node, strings.Join(s.nodes(), ", "))
	case f.Kind == FaultPause && inProcess && f.Node != "redis":
		return s.problem(path+".kind", "pause needs a process: run process or processes")
	case f.Kind == FaultLyingDTA && !strings.HasPrefix(f.Node, "dta-"):
		return s.problem(path+".node", "%s is no D-TA: dta-1 to dta-%d are", f.Node, s.Deployment.DTAs)
	case f.Kind == FaultClock && f.Node == "redis":
		return s.problem(path+".node", "redis has the system's clock: name another server")
	}
	return nil
}

// checkAmount refuses what is none.
func (s *Scenario) checkAmount(f *Fault, path string) error {
	switch {
	case f.Delay < 0 || f.Jitter < 0:
		return s.problem(path+".delay", "nothing arrives before it is sent: delay and jitter are from 0 on")
	case f.Kind == FaultPackets && f.Delay == 0 && f.Jitter == 0 && f.Loss == 0 && f.Bandwidth == 0:
		return s.problem(path, "packet-delay needs delay, jitter, loss or bandwidth")
	}
	return nil
}

// detail says by how much.
func (f *Fault) detail() string {
	switch f.Kind {
	case FaultLatency:
		return "+" + f.Delay.D().String()
	case FaultBandwidth:
		return fmt.Sprintf("%d KB/s", int64(f.Bandwidth)/1000)
	case FaultClock:
		return f.Skew.D().String()
	case FaultPackets:
		var parts []string
		if f.Delay > 0 {
			parts = append(parts, "+"+f.Delay.D().String())
		}
		if f.Loss > 0 {
			parts = append(parts, string(percent(float64(f.Loss)))+" lost")
		}
		if f.Bandwidth > 0 {
			parts = append(parts, fmt.Sprintf("%d KB/s", int64(f.Bandwidth)/1000))
		}
		return strings.Join(parts, ", ")
	}
	return ""
}
