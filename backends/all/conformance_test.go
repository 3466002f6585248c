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
