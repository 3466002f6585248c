//go:build !cgo || !(amd64 || arm64)

package blst

import "testing"

func TestUnavailable(t *testing.T) {
	e := New()
	if e.Backend != nil || e.Reason == "" || e.Info.ID != id {
		t.Errorf("entry of a build without blst: %+v", e)
	}
}
