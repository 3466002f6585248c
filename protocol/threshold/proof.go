package threshold

import (
	"io"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

// proof shows that a dealer knows all coefficients c_k of the polynomial it
// commits to: Schnorr's proof for many logarithms at once (Gennaro, Leigh,
// Sundaram and Yerazunis, "Batching Schnorr Identification Scheme with
// Applications to Privacy-Preserving Authorization and Low-Bandwidth
// Communication Devices", Asiacrypt 2004), made non-interactive with the
// ceremony and the dealer's index in the hash:
//
//	R = k·Q,  e = H(ceremony ‖ dealer ‖ C_0 ‖ … ‖ R),  z = k + Σ e^(j+1)·c_j
//	holds iff  e = H(… ‖ z·Q − Σ e^(j+1)·C_j)
type proof struct {
	e, z backends.Scalar
}

const proofDST = "MPIN-V01-CS01-DTA-PROOF"

// prove makes the proof, with a nonce k from rand. Constant-time where the
// backend is.
func (c *Ceremony) prove(dealer int, p polynomial, points commitments, rand io.Reader) (proof, error) {
	b := c.suite.Backend()
	k, err := backends.RandomScalar(b, rand)
	if err != nil {
		return proof{}, err
	}
	e, err := c.challenge(dealer, points, b.G2().Mul(k))
	if err != nil {
		return proof{}, err
	}
	// Horner: Σ e^(j+1)·c_j = e·(c_0 + e·(c_1 + …)).
	sum := p[len(p)-1]
	for j := len(p) - 2; j >= 0; j-- {
		sum = sum.Mul(e).Add(p[j])
	}
	return proof{e, sum.Mul(e).Add(k)}, nil
}

// proves verifies the proof. Variable-time: all of it is public.
func (c *Ceremony) proves(dealer int, points commitments, p proof) bool {
	sum := points[len(points)-1]
	for j := len(points) - 2; j >= 0; j-- {
		sum = sum.Mul(p.e).Add(points[j])
	}
	r := c.suite.Backend().G2().Mul(p.z).Sub(sum.Mul(p.e))
	e, err := c.challenge(dealer, points, r)
	return err == nil && e.Equal(p.e)
}

func (c *Ceremony) challenge(dealer int, points commitments, r backends.G2) (backends.Scalar, error) {
	msg := append(c.id[:], byte(dealer), byte(len(points)))
	msg = appendPoints(msg, c.suite, points)
	msg = append(msg, c.suite.EncodeG2(r)...)
	// 128 bits more than r, so that reducing leaves no bias.
	length := (c.suite.ID().Curve.Params().R.BitLen() + 128 + 7) / 8
	b, err := h2c.ExpandMessageXMD([]byte(proofDST), msg, length)
	if err != nil {
		return nil, err
	}
	return c.suite.Backend().ReduceScalar(b), nil
}
