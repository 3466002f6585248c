package load

import (
	"fmt"
	"os"
	"slices"

	"mpinlab/sim/deploy"
)

// serverCPUs are the CPUs for servers that may use so many: the last of those
// that this process has; nil for 0, which is all.
func serverCPUs(n int) ([]int, error) {
	if n == 0 {
		return nil, nil
	}
	mine, err := deploy.OwnCPUs()
	if err != nil {
		return nil, fmt.Errorf("%w: deployment.cores: %w", ErrScenario, err)
	}
	if n >= len(mine) {
		return nil, fmt.Errorf("%w: deployment.cores: %d of %d CPUs leave none for the generator", ErrScenario, n, len(mine))
	}
	return mine[len(mine)-n:], nil
}

// pinSelf keeps this process off the servers' CPUs, and returns what undoes it.
func pinSelf(servers []int) (undo func(), err error) {
	if len(servers) == 0 {
		return func() {}, nil
	}
	before, err := deploy.OwnCPUs()
	if err != nil {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(before), func(c int) bool { return slices.Contains(servers, c) })
	if err := deploy.Pin(os.Getpid(), rest); err != nil {
		return nil, err
	}
	return func() { _ = deploy.Pin(os.Getpid(), before) }, nil
}
