package client

import (
	"fmt"
	"sync"

	"mpinlab/protocol"
)

// PIN is a user's PIN, kept as a number so that it can be wiped. It never prints
// itself. It is safe for concurrent use.
type PIN struct {
	mu     sync.Mutex
	number uint64
	digits int // 0 when wiped
}

// NewPIN reads 4 to 12 decimal digits. The bytes stay the caller's, to be wiped
// with [Wipe]. Error: ErrPIN, which never quotes them. Variable-time in the
// position of what is not a digit.
func NewPIN(digits []byte) (*PIN, error) {
	if len(digits) < 4 || len(digits) > 12 {
		return nil, fmt.Errorf("%w: 4 to 12 digits, not %d", ErrPIN, len(digits))
	}
	p := &PIN{digits: len(digits)}
	for i, c := range digits {
		if c < '0' || c > '9' {
			p.Wipe()
			return nil, fmt.Errorf("%w: character %d is no digit", ErrPIN, i+1)
		}
		p.number = 10*p.number + uint64(c-'0')
	}
	return p, nil
}

// Wipe overwrites the PIN. What is done with it afterwards fails with ErrPIN.
func (p *PIN) Wipe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number, p.digits = 0, 0
}

// Len returns the number of digits, 0 when wiped.
func (p *PIN) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.digits
}

// factor returns the PIN as a suite's factor.
func (p *PIN) factor(s *protocol.Suite) (protocol.Factor, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.digits == 0 {
		return protocol.Factor{}, fmt.Errorf("%w: it was wiped", ErrPIN)
	}
	return s.PINNumber(p.number, p.digits)
}

// Format prints a placeholder, whatever the verb.
func (p *PIN) Format(f fmt.State, _ rune) { fmt.Fprint(f, "PIN") }

// MarshalText refuses: a PIN is not to be stored.
func (p *PIN) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("%w: a PIN is not stored", ErrPIN)
}

// Wipe overwrites bytes with zeros.
func Wipe(b []byte) { clear(b) }
