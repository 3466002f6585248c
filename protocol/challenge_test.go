package protocol_test

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"math/rand"
	"testing"

	"mpinlab/protocol"
)

// TestChallengeShapes: whatever shape the backend's challenges have, logins
// work, challenges differ, and V does not answer another.
func TestChallengeShapes(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		w := newWorld(s, rng, 1)
		u := w.user("alice@example.com")
		m := w.prover(u, u.pin, nil).Pass1()
		seen := map[string]bool{}
		for range 20 * cases {
			y := must(w.verifier.Challenge(u.id, m, 0, rng)).Y()
			if seen[string(y)] {
				t.Fatal("the same challenge twice")
			}
			seen[string(y)] = true
			if k := must(s.DecodeScalar(y)); k.IsZero() {
				t.Fatal("the challenge is zero")
			}
		}
		for range cases {
			if err := w.login(w.prover(u, u.pin, nil), u.id, 0); err != nil {
				t.Error(err)
			}
			if err := w.login(w.prover(u, (u.pin+1)%10000, nil), u.id, 0); !errors.Is(err, protocol.ErrRejected) {
				t.Errorf("wrong PIN: %v", err)
			}
		}
	})
}

// TestChallengeBoundary verifies with challenges around the length at which the
// multiplication changes.
func TestChallengeBoundary(t *testing.T) {
	eachSuite(t, func(t *testing.T, s *protocol.Suite, rng *rand.Rand, cases int) {
		if cases < 2 {
			t.Skip("the reference has one multiplication")
		}
		w := newWorld(s, rng, 1)
		u := w.user("alice@example.com")
		_, _, size := s.ID().Sizes()
		half := new(big.Int).Lsh(big.NewInt(1), 128)
		last := new(big.Int).Sub(s.ID().Curve.Params().R, big.NewInt(1))
		for _, y := range []*big.Int{big.NewInt(1), new(big.Int).Sub(half, big.NewInt(1)), half, last} {
			b := y.FillBytes(make([]byte, size))
			p := w.prover(u, u.pin, nil)
			tr := &protocol.Transcript{U: p.Pass1().U, Y: b, V: must(p.Pass2(b))}
			if err := w.verifier.Verify(u.id, tr); err != nil {
				t.Errorf("y = %x: %v", y, err)
			}
		}
	})
}

func TestChallengeWithoutRandomness(t *testing.T) {
	for _, backend := range []string{"gnark/bls12-381", "blst/bls12-381", "circl/bls12-381"} {
		w := fastWorld(t, backend)
		u := w.user("alice@example.com")
		m := w.prover(u, u.pin, nil).Pass1()
		if _, err := w.verifier.Challenge(u.id, m, 0, bytes.NewReader(make([]byte, 15))); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: a source of 15 bytes: %v", backend, err)
		}
		if _, err := w.verifier.Challenge(u.id, m, 0, bytes.NewReader(make([]byte, 1<<12))); err == nil {
			t.Errorf("%s: a source of zeros gave a challenge", backend)
		}
	}
}
