package capacity

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"mpinlab/sim/deploy"
)

// childVariable names the configuration file of a process that this test binary
// is to be: a node of a deployment under test.
const childVariable = "MPIN_TEST_NODE"

// pulseVariable names the CPUs whose pulse a process of this test binary is to take.
const pulseVariable = "MPIN_TEST_PULSE"

func TestMain(m *testing.M) {
	if cpus := os.Getenv(pulseVariable); cpus != "" {
		var list []int
		for c := range strings.SplitSeq(cpus, ",") {
			n, err := strconv.Atoi(c)
			if err != nil {
				panic(err)
			}
			list = append(list, n)
		}
		if err := Pulse(os.Stdin, os.Stdout, list); err != nil {
			fmt.Fprintln(os.Stderr, "mpin:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if file := os.Getenv(childVariable); file != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		var c deploy.Config
		err := deploy.ReadConfig(file, &c)
		if err == nil {
			err = deploy.Serve(ctx, c, os.Stdout, os.Stderr)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "mpin:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// node makes a process of a deployment from this test binary.
func node(file string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+file)
	return cmd
}

// beside makes the process that takes the pulse from this test binary.
func beside(cpus string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), pulseVariable+"="+cpus)
	return cmd
}
