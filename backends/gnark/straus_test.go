package gnark

import (
	"math/big"
	"math/rand"
	"testing"
)

// TestSignedDigits checks the digits against their definition.
func TestSignedDigits(t *testing.T) {
	one := big.NewInt(1)
	ks := []*big.Int{new(big.Int)}
	for bits := uint(1); bits < 400; bits += 3 {
		top := new(big.Int).Lsh(one, bits)
		ks = append(ks, top, new(big.Int).Sub(top, one), new(big.Int).Add(top, one),
			new(big.Int).Rand(rand.New(rand.NewSource(int64(bits))), top))
	}
	for _, k := range ks {
		sum, last := new(big.Int), -digitBits
		for i, d := range signedDigits(k) {
			if d == 0 {
				continue
			}
			if d%2 == 0 || d >= 1<<(digitBits-1) || d <= -1<<(digitBits-1) || i-last < digitBits {
				t.Fatalf("%x: digit %d at %d, after one at %d", k, d, i, last)
			}
			last = i
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(i)))
		}
		if sum.Cmp(k) != 0 {
			t.Fatalf("%x comes back as %x", k, sum)
		}
	}
}
