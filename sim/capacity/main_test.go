package capacity

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"mpinlab/sim/deploy"
)

// childVariable names the configuration file of a process that this test binary
// is to be: a node of a deployment under test.
const childVariable = "MPIN_TEST_NODE"

func TestMain(m *testing.M) {
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
