package fault

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Kernel is what this machine can do to packets.
type Kernel struct {
	// Namespaces: network namespaces can be made. Netem and TBF: those queueing
	// disciplines of tc can be had within one: delay and loss of packets, and a
	// bound on their rate.
	Namespaces, Netem, TBF bool
	// Why says what is missing.
	Why string
}

// String says it in words.
func (k Kernel) String() string {
	var has []string
	for _, x := range []struct {
		is   bool
		name string
	}{{k.Namespaces, "network namespaces"}, {k.Netem, "netem"}, {k.TBF, "tbf"}} {
		if x.is {
			has = append(has, x.name)
		}
	}
	s := "TCP relay"
	if len(has) > 0 {
		s += ", " + strings.Join(has, ", ")
	}
	if k.Why != "" {
		s += " (" + k.Why + ")"
	}
	return s
}

// Detect tries it out in a namespace of its own, which is gone afterwards.
func Detect(ctx context.Context) Kernel {
	if runtime.GOOS != "linux" {
		return Kernel{Why: "network namespaces are Linux's"}
	}
	if os.Geteuid() != 0 {
		return Kernel{Why: "network namespaces need root"}
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return Kernel{Why: "the program unshare is not installed"}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	within := func(command string) (bool, string) {
		cmd := exec.CommandContext(ctx, unshare, "--net", "sh", "-c", command)
		var said bytes.Buffer
		cmd.Stderr = &said
		err := cmd.Run()
		line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return err == nil, line
	}
	var k Kernel
	var why string
	if k.Namespaces, why = within("true"); !k.Namespaces {
		k.Why = why
		return k
	}
	if _, err := exec.LookPath("tc"); err != nil {
		k.Why = "the program tc is not installed"
		return k
	}
	if k.Netem, why = within("tc qdisc add dev lo root netem delay 1ms"); !k.Netem {
		k.Why = "no netem: " + why
	}
	k.TBF, _ = within("tc qdisc add dev lo root tbf rate 1mbit burst 32kbit latency 50ms")
	return k
}
