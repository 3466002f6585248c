//go:build !darwin

package bench

import "os"

// systemInfo gives what can be had without Linux's files: "cpu", "os",
// "kernel". Windows has the processor in its environment variables.
func systemInfo(what string) string {
	if what == "cpu" {
		return os.Getenv("PROCESSOR_IDENTIFIER")
	}
	return ""
}
