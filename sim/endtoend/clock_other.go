//go:build !linux

package endtoend

func threadTime() (int64, error) { return 0, ErrUnsupported }
