package protocol

import (
	"fmt"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

// Factor is something that the user knows or has, as a number that is taken
// out of the client secret and put back at log-in: a PIN, or the hash of
// anything else.
type Factor struct {
	suite *Suite
	k     backends.Scalar
	bits  int // public bound: k < 2^bits
	// exponent takes k's place in the target group of M-Pin Full, nil where it
	// is k itself.
	exponent backends.Scalar
}

// PIN reads a PIN of 4 to 12 decimal digits as the integer they spell; a
// deployment fixes the length, because 0123 and 00123 are the same number. The
// milagro and miracl-core dialects keep the last four digits only, as their
// peers do. Error: ErrPIN, which never quotes the PIN.
func (s *Suite) PIN(digits string) (Factor, error) {
	if len(digits) < 4 || len(digits) > 12 {
		return Factor{}, fmt.Errorf("%w, not %d", ErrPIN, len(digits))
	}
	var v uint64
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return Factor{}, fmt.Errorf("%w; character %d is something else", ErrPIN, i+1)
		}
		v = 10*v + uint64(d)
	}
	return s.PINNumber(v, len(digits))
}

// PINNumber is PIN for a PIN given as a number of at most the given count of
// digits, 4 to 12.
func (s *Suite) PINNumber(number uint64, digits int) (Factor, error) {
	if digits < 4 || digits > 12 || number >= powersOfTen[digits] {
		return Factor{}, ErrPIN
	}
	k, bits := s.dialect.pin(number, digits)
	e := s.dialect.pinExponent(number)
	return Factor{suite: s, k: backends.SmallScalar(s.backend, k), bits: bits, exponent: backends.SmallScalar(s.backend, e)}, nil
}

var powersOfTen = func() (p [13]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

const (
	factorDST   = "MPIN-V01-CS01-FACTOR"
	factorBytes = 16
)

// HashedFactor makes a 128-bit factor of any bytes: a passphrase, a device
// secret, a biometric template that reads the same each time.
func (s *Suite) HashedFactor(secret []byte) (Factor, error) {
	b, err := h2c.ExpandMessageXMD([]byte(factorDST), secret, factorBytes)
	if err != nil {
		return Factor{}, fmt.Errorf("hashing a factor: %w", err)
	}
	return Factor{suite: s, k: s.backend.ReduceScalar(b), bits: 8 * factorBytes}, nil
}

// times returns k·A. Constant-time where the backend is.
func (f Factor) times(id *Identity) backends.G1 {
	return id.suite.group.mulShort(id.point, f.k, f.bits)
}
