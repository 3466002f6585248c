//go:build !linux

package deploy

import "fmt"

// OwnCPUs is known on Linux only: ErrUnsupported.
func OwnCPUs() ([]int, error) {
	return nil, fmt.Errorf("choosing CPUs needs Linux: %w", ErrUnsupported)
}

// Pin works on Linux only: ErrUnsupported.
func Pin(int, []int) error { return fmt.Errorf("choosing CPUs needs Linux: %w", ErrUnsupported) }
