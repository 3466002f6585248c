package leak

import (
	"crypto/subtle"
	"errors"
	"math/rand/v2"
)

// plantedBytes is the length of the planted comparisons. An early exit saves
// some microseconds on it, which no busy machine hides.
const plantedBytes = 4096

// planted are the two comparisons of a stored secret with an input. The fixed
// class is the secret itself, a random input differs from it at once.
func planted() []Target {
	return []Target{
		{Op: EarlyExit, Backend: Planted, Fixed: Drawn, setup: plant(equalUntilDifference)},
		{Op: ConstantTime, Backend: Planted, Fixed: Drawn, setup: plant(func(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 })},
	}
}

// equalUntilDifference is the comparison that nobody should use on secrets.
func equalUntilDifference(a, b []byte) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

var errPlanted = errors.New("the planted comparison is wrong")

func plant(equal func(a, b []byte) bool) func(*rand.ChaCha8) (*trial, error) {
	return func(rng *rand.ChaCha8) (*trial, error) {
		secret, drawn := make([]byte, plantedBytes), make([]byte, plantedBytes)
		rng.Read(secret)
		var inputs [batch][plantedBytes]byte
		var fixed [batch]bool
		var got [batch]bool
		return &trial{
			prepare: func(i int, isFixed bool) error {
				fixed[i] = isFixed
				rng.Read(drawn)
				choose(inputs[i][:], secret, drawn, isFixed)
				inputs[i][0] ^= subtleNot(isFixed)
				return nil
			},
			run: func(i int) error {
				got[i] = equal(secret, inputs[i][:])
				if got[i] != fixed[i] {
					return errPlanted
				}
				return nil
			},
		}, nil
	}
}

// choose copies the fixed or the drawn bytes, reading both.
func choose(to, fixed, drawn []byte, isFixed bool) {
	mask := subtleNot(isFixed) * 0xff
	for i := range to {
		to[i] = fixed[i] ^ (fixed[i]^drawn[i])&mask
	}
}

func subtleNot(b bool) byte {
	if b {
		return 0
	}
	return 1
}
