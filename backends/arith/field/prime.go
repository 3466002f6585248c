package field

import "math/big"

// Prime is F_p for an odd prime p. Its elements are integers from 0 to p−1;
// what its methods are given must be in that range.
type Prime struct {
	P *big.Int
}

var _ Field[*big.Int] = (*Prime)(nil)

// NewPrime returns F_p.
func NewPrime(p *big.Int) *Prime { return &Prime{P: p} }

// Int returns v modulo p.
func (f *Prime) Int(v int64) *big.Int { return f.Reduce(big.NewInt(v)) }

// Reduce returns v modulo p.
func (f *Prime) Reduce(v *big.Int) *big.Int { return new(big.Int).Mod(v, f.P) }

// Bytes returns the big-endian integer in b modulo p.
func (f *Prime) Bytes(b []byte) *big.Int { return f.Reduce(new(big.Int).SetBytes(b)) }

func (f *Prime) Zero() *big.Int { return new(big.Int) }

func (f *Prime) One() *big.Int { return big.NewInt(1) }

func (f *Prime) Add(a, b *big.Int) *big.Int {
	tally(addition)
	s := new(big.Int).Add(a, b)
	if s.Cmp(f.P) >= 0 {
		s.Sub(s, f.P)
	}
	return s
}

func (f *Prime) Sub(a, b *big.Int) *big.Int {
	tally(addition)
	d := new(big.Int).Sub(a, b)
	if d.Sign() < 0 {
		d.Add(d, f.P)
	}
	return d
}

func (f *Prime) Neg(a *big.Int) *big.Int { return f.Sub(new(big.Int), a) }

func (f *Prime) Mul(a, b *big.Int) *big.Int {
	tally(multiplication)
	m := new(big.Int).Mul(a, b)
	return m.Mod(m, f.P)
}

func (f *Prime) Sqr(a *big.Int) *big.Int {
	tally(squaring)
	m := new(big.Int).Mul(a, a)
	return m.Mod(m, f.P)
}

// Inv returns 1/a, and 0 for a = 0.
func (f *Prime) Inv(a *big.Int) *big.Int {
	tally(inversion)
	if a.Sign() == 0 {
		return f.Zero()
	}
	return new(big.Int).ModInverse(a, f.P)
}

// IsSquare reports whether a is a square; 0 is one (RFC 9380, section 4).
func (f *Prime) IsSquare(a *big.Int) bool {
	tally(symbol)
	return big.Jacobi(a, f.P) >= 0
}

// Sqrt returns a square root of a, or false where a is no square. Which of
// the two roots it returns is not specified.
func (f *Prime) Sqrt(a *big.Int) (*big.Int, bool) {
	tally(root)
	r := new(big.Int).ModSqrt(a, f.P)
	return r, r != nil
}

// Sgn0 returns the sign of a as RFC 9380, section 4.1, has it: its parity.
func (f *Prime) Sgn0(a *big.Int) uint { return a.Bit(0) }

func (f *Prime) Equal(a, b *big.Int) bool { return a.Cmp(b) == 0 }

func (f *Prime) IsZero(a *big.Int) bool { return a.Sign() == 0 }
