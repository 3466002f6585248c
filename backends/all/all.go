// Package all lists every backend that is built in. Adding one is a line here.
package all

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"mpinlab/backends"
	"mpinlab/backends/amcl"
	"mpinlab/backends/blst"
	"mpinlab/backends/circl"
	"mpinlab/backends/gnark"
	"mpinlab/backends/kilic"
	"mpinlab/backends/miracl"
	"mpinlab/backends/reference"
)

// Entries lists every backend, also those that cannot run here, with the
// reason.
func Entries() []backends.Entry { return slices.Clone(entries()) }

// entries makes every backend once: elements of two instances do not mix.
var entries = sync.OnceValue(func() []backends.Entry {
	list := gnark.New()
	list = append(list, circl.New(), blst.New(), kilic.New(), miracl.New(), amcl.New())
	return append(list, reference.New()...)
})

// Backends lists those that can run here.
func Backends() []backends.Backend {
	var bs []backends.Backend
	for _, e := range Entries() {
		if e.Backend != nil {
			bs = append(bs, e.Backend)
		}
	}
	return bs
}

// Get returns the backend with the given ID. The error lists those there are,
// or says why that one cannot run here.
func Get(id string) (backends.Backend, error) {
	var ids []string
	for _, e := range Entries() {
		if e.Info.ID == id {
			if e.Backend == nil {
				return nil, fmt.Errorf("backend %s cannot run here: %s", id, e.Reason)
			}
			return e.Backend, nil
		}
		ids = append(ids, e.Info.ID)
	}
	return nil, fmt.Errorf("unknown backend %q; there are %s", id, strings.Join(ids, ", "))
}
