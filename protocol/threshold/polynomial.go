package threshold

import (
	"io"
	"math/big"

	"mpinlab/backends"
)

// polynomial is Σ c_k·x^k over the scalars, lowest coefficient first. Its
// arithmetic is constant-time where the backend's scalars are.
type polynomial []backends.Scalar

// randomPolynomial draws a polynomial with the given number of coefficients,
// none of them zero, so that no commitment is the identity: that shifts the
// distribution by less than 2^-240. A first coefficient that is given is kept.
func randomPolynomial(b backends.Backend, first backends.Scalar, size int, rand io.Reader) (polynomial, error) {
	p := make(polynomial, size)
	for k := range p {
		if k == 0 && first != nil {
			p[k] = first
			continue
		}
		c, err := backends.RandomScalar(b, rand)
		if err != nil {
			return nil, err
		}
		p[k] = c
	}
	return p, nil
}

// at evaluates the polynomial at an index.
func (p polynomial) at(b backends.Backend, x int) backends.Scalar {
	point := backends.SmallScalar(b, uint64(x))
	v := p[len(p)-1]
	for k := len(p) - 2; k >= 0; k-- {
		v = v.Mul(point).Add(p[k])
	}
	return v
}

// commit returns c_k·Q.
func (p polynomial) commit(b backends.Backend) commitments {
	c := make(commitments, len(p))
	for k := range p {
		c[k] = b.G2().Mul(p[k])
	}
	return c
}

// commitments are a polynomial in the exponent: C_k = c_k·Q.
type commitments []backends.G2

// at evaluates the polynomial in the exponent at an index.
func (c commitments) at(x int) backends.G2 {
	v := c[len(c)-1]
	for k := len(c) - 2; k >= 0; k-- {
		v = times(v, x).Add(c[k])
	}
	return v
}

// times returns x·p for a small, public x of either sign, by doubling and
// adding: eight doublings where Mul takes as many as r has bits.
func times(p backends.G2, x int) backends.G2 {
	if x < 0 {
		p, x = p.Neg(), -x
	}
	sum := p.Sub(p)
	for bit := big.NewInt(int64(x)).BitLen() - 1; bit >= 0; bit-- {
		sum = sum.Add(sum)
		if x>>bit&1 == 1 {
			sum = sum.Add(p)
		}
	}
	return sum
}
