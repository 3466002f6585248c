package all_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/backends/backendtest"
)

// effort suits the number of cases to the speed of a backend.
func effort(b backends.Backend) backendtest.Effort {
	e := backendtest.Effort{Cases: 20, Seed: time.Now().UnixNano()}
	switch {
	case strings.HasPrefix(b.Info().ID, "reference/"):
		e.Cases = 2
	case b.Info().Curve == backends.FP256BN, b.Info().Curve == backends.BW6633, b.Info().Curve == backends.BW6761:
		e.Cases = 4
	}
	if testing.Short() {
		e.Cases = 2
	}
	return e
}

func TestConformance(t *testing.T) {
	for _, entry := range all.Entries() {
		t.Run(entry.Info.ID, func(t *testing.T) {
			if entry.Backend == nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("unavailable in CI: %s", entry.Reason)
				}
				t.Skip(entry.Reason)
			}
			t.Parallel()
			backendtest.Run(t, entry.Backend, effort(entry.Backend))
		})
	}
}

// TestAgreement compares the backends of each curve with the first of them.
func TestAgreement(t *testing.T) {
	for c, bs := range byCurve() {
		for _, b := range bs[1:] {
			t.Run(bs[0].Info().ID+" and "+b.Info().ID, func(t *testing.T) {
				t.Parallel()
				e := effort(b)
				if err := backendtest.Agree(bs[0], b, e); err != nil {
					t.Errorf("%s (seed %d): %v", c, e.Seed, err)
				}
			})
		}
	}
}

func byCurve() map[backends.Curve][]backends.Backend {
	m := map[backends.Curve][]backends.Backend{}
	for _, b := range all.Backends() {
		c := b.Info().Curve
		m[c] = append(m[c], b)
	}
	return m
}

func TestGetNamesWhatThereIs(t *testing.T) {
	if _, err := all.Get("nosuch/bls12-381"); err == nil || !strings.Contains(err.Error(), "gnark/bls12-381") {
		t.Errorf("error %v", err)
	}
	b, err := all.Get("gnark/bn254")
	if err != nil || b.Info().ID != "gnark/bn254" {
		t.Errorf("gnark/bn254: %v, %v", b, err)
	}
}

// ceilings are what each library's adapter may allocate, by measurement: most
// of it is the library's own doing.
var ceilings = map[string]backendtest.Allocations{
	"gnark":  {G1Add: 2, G1Mul: 18, G1Decode: 30, PairingCheck: 12},
	"circl":  {G1Add: 2, G1Mul: 3, G1Decode: 4, PairingCheck: 6},
	"blst":   {G1Add: 2, G1Mul: 2, G1Decode: 2, PairingCheck: 10},
	"kilic":  {G1Add: 2, G1Mul: 45, G1Decode: 60, PairingCheck: 15},
	"miracl": {G1Add: 60, G1Mul: 8000, G1Decode: 35, PairingCheck: 180_000},
	"amcl":   {G1Add: 110, G1Mul: 8000, G1Decode: 35, PairingCheck: 180_000},
}

// instrumented is true under the race detector, which allocates by itself.
var instrumented bool

func TestAllocations(t *testing.T) {
	if instrumented {
		t.Skip("the race detector's own allocations would count")
	}
	for _, b := range all.Backends() {
		library, _, _ := strings.Cut(b.Info().ID, "/")
		ceiling, ok := ceilings[library]
		if !ok {
			continue // the reference is not meant to be lean
		}
		if err := ceiling.Within(b); err != nil {
			t.Errorf("%s: %v", b.Info().ID, err)
		}
	}
}
