package wire

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
)

// AccessNumberDigits is the length of an access number with its check digit.
const AccessNumberDigits = 7

// NewAccessNumber draws an access number from random (the system's source where
// nil): six digits and a check digit. Numbers whose check would be 10 or 0 are
// not drawn.
func NewAccessNumber(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	for range 1000 {
		n, err := rand.Int(random, big.NewInt(1_000_000))
		if err != nil {
			return "", fmt.Errorf("access number: %w", err)
		}
		six := fmt.Sprintf("%06d", n)
		if c := checkDigit(six); c != 0 && c != 10 {
			return fmt.Sprintf("%s%d", six, c), nil
		}
	}
	return "", fmt.Errorf("access number: the source of randomness repeats itself")
}

// CheckAccessNumber returns ErrAccessNumber unless s is seven digits of which
// the last is the check digit.
func CheckAccessNumber(s string) error {
	if len(s) != AccessNumberDigits {
		return fmt.Errorf("%w: %d characters, not %d", ErrAccessNumber, len(s), AccessNumberDigits)
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return fmt.Errorf("%w: not all digits", ErrAccessNumber)
		}
	}
	if c := checkDigit(s[:6]); c == 0 || c == 10 || byte('0'+c) != s[6] {
		return fmt.Errorf("%w: wrong check digit", ErrAccessNumber)
	}
	return nil
}

// checkDigit is (11 − Σ w_i·d_i mod 11) mod 11 with weights 7, 6, 5, 4, 3, 2.
func checkDigit(six string) int {
	sum := 0
	for i := range 6 {
		sum += (7 - i) * int(six[i]-'0')
	}
	return (11 - sum%11) % 11
}
