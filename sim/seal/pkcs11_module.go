//go:build cgo

package seal

import (
	"errors"
	"fmt"
	"sync"

	"github.com/miekg/pkcs11"
)

// module is a PKCS#11 library, loaded once for all Sealers of the process that
// use it: it may be initialised only once, and is finalised by the last.
type module struct {
	path string
	ctx  *pkcs11.Ctx
	// connecting is held while a Sealer connects: log-ins and new keys of one
	// process do not cross.
	connecting sync.Mutex
	users      int  // guarded by modules
	ours       bool // initialised here, so to be finalised here
}

var modules = struct {
	sync.Mutex
	loaded map[string]*module
}{loaded: map[string]*module{}}

// useModule returns the library at a path. Every call needs a release.
func useModule(path string) (*module, error) {
	modules.Lock()
	defer modules.Unlock()
	m := modules.loaded[path]
	if m == nil {
		ctx := pkcs11.New(path)
		if ctx == nil {
			return nil, fmt.Errorf("%w: %s", ErrModule, path)
		}
		m = &module{path: path, ctx: ctx}
		modules.loaded[path] = m
	}
	m.users++
	return m, nil
}

// release finalises the library when its last user leaves. It stays loaded:
// unloading C libraries that started threads or registered handlers crashes.
func (m *module) release() {
	modules.Lock()
	defer modules.Unlock()
	if m.users--; m.users == 0 {
		m.finalize()
	}
}

// finalize ends all sessions of the library; the caller holds modules.
func (m *module) finalize() {
	if m.ours {
		m.ctx.Finalize()
		m.ours = false
	}
}

// initialize is safe to repeat. Other code in the process may have initialised
// the library, or finalised it since.
func (m *module) initialize() error {
	modules.Lock()
	defer modules.Unlock()
	err := m.ctx.Initialize()
	switch {
	case err == nil:
		m.ours = true
	case !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)):
		return fmt.Errorf("%w: %s: %v", ErrModule, m.path, err)
	}
	return nil
}

// restart finalises and initialises the library, if nobody else uses it: many
// libraries, SoftHSM among them, notice new tokens only then.
func (m *module) restart() bool {
	modules.Lock()
	alone := m.users == 1 && m.ours
	if alone {
		m.finalize()
	}
	modules.Unlock()
	return alone && m.initialize() == nil
}
