package vectors_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/vectors"
)

// withoutPairer hides all optional capabilities of a backend.
type withoutPairer struct{ backends.Backend }

// TestUndefinedProtocolsAreSkipped gives cases to suites and backends that
// cannot run them: each is skipped with its reason.
func TestUndefinedProtocolsAreSkipped(t *testing.T) {
	for _, c := range []struct {
		suite, protocol string
		hide            bool
		reason          string
	}{
		{"milagro/bls12-381", "full", false, "not defined in this suite"},
		{"miracl-core/bn254", "full", false, "not defined in this suite"},
		{"miracl-core/bn254", "signature", false, "no one-pass protocol"},
		{"miracl-core/bn254", "one-pass", false, "no one-pass protocol"},
		{"rfc9380/bn254", "full", true, "does not give the pairing's value"},
		{"rfc9380/bn254", "share", false, "no fields for the indices"},
	} {
		doc := fmt.Sprintf(`{"format": "mpin-vectors/1", "suite": %q, "source": "test", "cases": [
			{"id": "a", "protocol": %q, "in": {"identity": "61"}, "out": {"accept": true}}]}`, c.suite, c.protocol)
		set, err := vectors.Read("a.json", strings.NewReader(doc), "")
		if err != nil {
			t.Fatal(err)
		}
		b := fastest(t, set.Suite.Curve)
		if c.hide {
			b = withoutPairer{b}
		}
		r, err := vectors.Run(context.Background(), []*vectors.Set{set}, vectors.Options{Backends: []backends.Backend{b}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Skipped != 1 || r.Failed != 0 || r.Passed != 0 {
			t.Errorf("%s in %s: %+v", c.protocol, c.suite, r)
		}
		for reason := range r.Sets[0].Reasons {
			if !strings.Contains(reason, c.reason) {
				t.Errorf("%s in %s: skipped because %q", c.protocol, c.suite, reason)
			}
		}
	}
}

// TestFullIsNotGeneratedWithoutPairing demands an error, not a file that lacks
// what other backends would write.
func TestFullIsNotGeneratedWithoutPairing(t *testing.T) {
	id, err := protocol.ParseSuiteID("rfc9380/bn254")
	if err != nil {
		t.Fatal(err)
	}
	s, err := protocol.New(id, withoutPairer{fastest(t, id.Curve)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vectors.Generate(s, []string{"full"}, 1, nil); err == nil {
		t.Error("no error")
	}
}
