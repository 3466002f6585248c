//go:build !linux

package load

import "fmt"

func serverCPUs(n int) ([]int, error) {
	if n == 0 {
		return nil, nil
	}
	return nil, fmt.Errorf("%w: deployment.cores needs Linux", ErrScenario)
}

func pinSelf([]int) (func(), error) { return func() {}, nil }
