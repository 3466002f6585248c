package attack

import (
	"context"
	"fmt"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
)

// ThresholdRow is what comes of k compromised D-TAs of a threshold t of n.
//
// Below t the shares fit every s alike: a polynomial of degree t − 1 goes
// through k ≤ t − 1 of its points and any value at 0. With t they give s, and
// with it every client secret. The commitments of the D-TAs, s·Q among them,
// are another matter: they fix s, and who has them is kept from it by the
// discrete logarithm alone.
type ThresholdRow struct {
	Threshold   int `json:"threshold"`
	Members     int `json:"members"`
	Compromised int `json:"compromised"`
	// Candidates for s were tried, the true one among them, and Fit of them
	// fitted by a polynomial through the shares.
	Candidates int `json:"candidates"`
	Fit        int `json:"fit"`
	// Forged says whether a login with a client secret made of the shares was
	// accepted, for an identity that no D-TA ever issued to, and Seconds how
	// long making the secret took.
	Forged  bool    `json:"forged"`
	Seconds float64 `json:"seconds"`
}

var thresholds = []struct{ t, n int }{{2, 2}, {2, 3}, {3, 5}, {5, 9}}

// share is a point of the polynomial: index and value.
type share struct{ x, y backends.Scalar }

func compromise(ctx context.Context, s *protocol.Suite, o Options) (rows []ThresholdRow, err error) {
	candidates := 1000
	if o.Quick {
		candidates = 10
	}
	for _, c := range thresholds {
		v, err := newVictim(s, o.Seed+uint64(c.n))
		if err != nil {
			return rows, err
		}
		_, all, err := threshold.Split(s, v.master, c.t, c.n, v.rng)
		if err != nil {
			return rows, err
		}
		for k := 1; k <= c.t; k++ {
			if err := ctx.Err(); err != nil {
				return rows, err
			}
			row := ThresholdRow{Threshold: c.t, Members: c.n, Compromised: k, Candidates: candidates}
			taken := all[:k]
			points, err := pointsOf(s, taken)
			if err != nil {
				return rows, err
			}
			for i := range candidates {
				candidate := s.Backend().ReduceScalar(v.master.Bytes())
				if i > 0 {
					if candidate, err = backends.RandomScalar(s.Backend(), v.rng); err != nil {
						return rows, err
					}
				}
				if fits(s.Backend(), points, c.t, candidate, v) {
					row.Fit++
				}
			}
			if row.Forged, row.Seconds, err = forge(v, taken); err != nil {
				return rows, fmt.Errorf("%d of %d: %w", k, c.t, err)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// pointsOf reads the values out of stolen shares: the scalar is the end of the
// encoding.
func pointsOf(s *protocol.Suite, taken []*threshold.Share) (list []share, err error) {
	_, _, length := s.ID().Sizes()
	for _, t := range taken {
		b := t.Bytes()
		y, err := s.DecodeScalar(b[len(b)-length:])
		if err != nil {
			return nil, err
		}
		list = append(list, share{backends.SmallScalar(s.Backend(), uint64(t.Index())), y})
	}
	return list, nil
}

// fits reports whether a polynomial of degree below t goes through the stolen
// points and the candidate at 0. Where points are missing it chooses them at
// random, as the honest D-TAs' shares may be; then it looks at the polynomial's
// values.
func fits(b backends.Backend, stolen []share, t int, candidate backends.Scalar, v *victim) bool {
	zero := backends.SmallScalar(b, 0)
	through := append([]share{{zero, candidate}}, stolen...)
	for i := uint64(200); len(through) < t; i++ {
		y, err := backends.RandomScalar(b, v.rng)
		if err != nil {
			return false
		}
		through = append(through, share{backends.SmallScalar(b, i), y})
	}
	// t points fix the polynomial; any further one must lie on it.
	for _, p := range append([]share{{zero, candidate}}, stolen...) {
		if !valueAt(b, through[:t], p.x).Equal(p.y) {
			return false
		}
	}
	return true
}

// valueAt evaluates the polynomial through the points at x by Lagrange's
// formula.
func valueAt(b backends.Backend, points []share, x backends.Scalar) backends.Scalar {
	sum := backends.SmallScalar(b, 0)
	for i, p := range points {
		term := p.y
		for j, q := range points {
			if i != j {
				term = term.Mul(x.Sub(q.x)).Mul(p.x.Sub(q.x).Inverse())
			}
		}
		sum = sum.Add(term)
	}
	return sum
}

// forge makes a client secret out of the shares as if they were enough, for an
// identity that nobody registered, and logs in with it.
func forge(v *victim, taken []*threshold.Share) (accept bool, seconds float64, err error) {
	mallory, err := v.suite.Identity([]byte("mallory@example.org"))
	if err != nil {
		return false, 0, err
	}
	start := time.Now()
	var issued []*threshold.ClientShare
	for _, t := range taken {
		c, err := t.ClientShare(mallory)
		if err != nil {
			return false, 0, err
		}
		issued = append(issued, c)
	}
	secret, err := threshold.CombineClientSecrets(len(issued), issued...)
	took := time.Since(start)
	if err != nil {
		return false, 0, err
	}
	accept, err = accepted(v.suite, v.server, mallory, secret, v.rng)
	return accept, took.Seconds(), err
}
