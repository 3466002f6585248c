package protocol

import (
	"fmt"
	"io"
	"math/big"

	"mpinlab/backends"
)

// challengeShape is the set from which a server draws y. All sets have at least
// 2^128 − 1 elements, zero left out.
//
// A smaller set than all of F_r is as sound as long as nobody can guess: for one
// U', a client that can answer two challenges y ≠ y' modulo r knows
// V − V' = (y' − y)·s·A' and with it the secret, so that one without the secret
// can answer one element of the set at most, and meets that one with
// probability 2^-128. That the set is public, or has a structure, does not
// enter; that its elements differ modulo r does. Short integers differ because
// r > 2^128. For a + b·λ with λ² + λ + 1 = 0 modulo r, two equal elements would
// give (c, d) ≠ 0 with c + d·λ = 0 and |c|, |d| < 2^64, hence r divides
// c² − c·d + d², which is not zero and below 3·2^128 < r.
//
// What goes over the wire is a canonical scalar as ever. Every verifier takes
// any y, and so does every prover.
type challengeShape uint8

const (
	// anyChallenge is all of F_r.
	anyChallenge challengeShape = iota
	// shortChallenge is the integers below 2^128.
	shortChallenge
	// splitChallenge is a + b·λ with a and b below 2^64: an endomorphism
	// (x, y) ↦ (β·x, y) multiplies by λ, and libraries that use it take half as
	// many doublings, as they find a and b by themselves.
	splitChallenge
)

// challengeShapes lists the backends on which a shape of y makes y·A' cheaper.
// Measured for all three shapes (any, short, split) in µs: gnark on bls12-381 84,
// 65, 48; bn254 48, 40, 33; bls12-377 81, 64, 48; bls24-315 62, 50, 37;
// bls24-317 64, 50, 57; bw6-633 217, 146, 202; bw6-761 345, 195, 231; blst 78,
// 60, 78; kilic 73, 63, 46; MIRACL Core 554, 535, 375; AMCL 604, 558, 415. circl
// takes 182 for each.
var challengeShapes = map[string]challengeShape{
	"gnark/bls12-381": splitChallenge,
	"gnark/bn254":     splitChallenge,
	"gnark/bls12-377": splitChallenge,
	"gnark/bls24-315": splitChallenge,
	"gnark/bls24-317": shortChallenge,
	"gnark/bw6-633":   shortChallenge,
	"gnark/bw6-761":   shortChallenge,
	"blst/bls12-381":  shortChallenge,
	"kilic/bls12-381": splitChallenge,
	"miracl/fp256bn":  splitChallenge,
	"amcl/fp256bn":    splitChallenge,
}

// shortBits is the length of short challenges.
const shortBits = 128

// challenger draws the challenges of a suite.
type challenger struct {
	backend backends.Backend
	shape   challengeShape
	lambda  backends.Scalar // for splitChallenge
}

func newChallenger(b backends.Backend) challenger {
	c := challenger{backend: b, shape: challengeShapes[b.Info().ID]}
	if c.shape == splitChallenge {
		c.lambda = b.ReduceScalar(cubeRoot(b.Info().Curve.Params().R).Bytes())
	}
	return c
}

// draw draws a challenge other than zero.
func (c *challenger) draw(rand io.Reader) (backends.Scalar, error) {
	if c.shape == anyChallenge {
		return backends.RandomScalar(c.backend, rand)
	}
	var buf [shortBits / 8]byte
	for range 4 {
		if _, err := io.ReadFull(rand, buf[:]); err != nil {
			return nil, fmt.Errorf("drawing a challenge: %w", err)
		}
		if y := c.number(buf[:]); !y.IsZero() {
			return y, nil
		}
	}
	return nil, fmt.Errorf("drawing a challenge: the source gave zero four times")
}

// number returns the element of the set that has the number v, 128 bits long.
func (c *challenger) number(v []byte) backends.Scalar {
	if c.shape == shortChallenge {
		return c.backend.ReduceScalar(v)
	}
	half := len(v) / 2
	return c.backend.ReduceScalar(v[:half]).Add(c.backend.ReduceScalar(v[half:]).Mul(c.lambda))
}

// cubeRoot returns a λ with λ² + λ + 1 = 0 modulo r. Which of the two does not
// matter: a + b·λ² = (a − b) − b·λ.
func cubeRoot(r *big.Int) *big.Int {
	one := big.NewInt(1)
	third := new(big.Int).Div(new(big.Int).Sub(r, one), big.NewInt(3)) // 3 divides r − 1
	for g := int64(2); ; g++ {
		if l := new(big.Int).Exp(big.NewInt(g), third, r); l.Cmp(one) != 0 {
			return l
		}
	}
}

// mulChallenge returns y·p, at the price of a short multiplication where y is
// short. Variable-time: challenges are public.
func (g *groups) mulChallenge(p backends.G1, y backends.Scalar) backends.G1 {
	if g.short != nil && new(big.Int).SetBytes(y.Bytes()).BitLen() <= shortBits {
		return g.short.MulShort(p, y, shortBits)
	}
	return p.Mul(y)
}
