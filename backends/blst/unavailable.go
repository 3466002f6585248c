//go:build !cgo || !(amd64 || arm64)

package blst

import (
	"runtime"

	"mpinlab/backends"
)

// New returns the entry of a backend that is missing from this build.
func New() backends.Entry {
	reason := "built without cgo: install a C compiler and set CGO_ENABLED=1"
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		reason = "no assembly for " + runtime.GOARCH + ": blst is offered on amd64 and arm64"
	}
	return backends.Entry{Info: info(), Reason: reason}
}
