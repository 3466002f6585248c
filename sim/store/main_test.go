package store

import (
	"fmt"
	"os"
	"testing"
)

// TestMain is also the process that the crash test kills.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		fmt.Fprintln(os.Stderr, crashChild(path))
		os.Exit(1)
	}
	var err error
	if redisSpace, err = os.MkdirTemp("", "store"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	for _, end := range atEnd {
		end()
	}
	os.RemoveAll(redisSpace)
	os.Exit(code)
}
