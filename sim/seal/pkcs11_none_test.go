//go:build !cgo

package seal

import (
	"errors"
	"testing"
)

func TestWithoutCgo(t *testing.T) {
	if _, err := Parse("pkcs11:token=mpin;object=master?module-path=/m", Options{}); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	// A value that is wrong in every build is called wrong in this one too.
	if _, err := Parse("pkcs11:token=mpin", Options{}); !errors.Is(err, ErrSpec) {
		t.Error(err)
	}
}
