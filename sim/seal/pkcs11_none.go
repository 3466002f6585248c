//go:build !cgo

package seal

// newToken says that PKCS#11 modules, which are C libraries, cannot be used.
func newToken(*uri, bool) (Sealer, error) { return nil, ErrUnavailable }
