//go:build race

package all_test

func init() { instrumented = true }
