package threshold

import (
	"crypto/rand"
	"fmt"
	"io"

	"mpinlab/protocol"
)

// Split shares a master secret that somebody holds, t of the D-TAs 1 to n, as
// epoch 1. It is the way from a deployment with one D-TA to a threshold, and
// serves tests and measurements; a new deployment generates its secret
// instead, so that nobody ever held it. The system's source is used where
// random is nil. Errors: ErrThreshold, protocol.ErrSuiteMismatch for a secret
// of another suite, as far as its bytes tell. Constant-time where the backend
// is. Source: Feldman, FOCS 1987.
func Split(s *protocol.Suite, m *protocol.MasterSecret, t, n int, random io.Reader) (*Group, []*Share, error) {
	if err := checkThreshold(t, n); err != nil {
		return nil, nil, fmt.Errorf("split: %w", err)
	}
	if random == nil {
		random = rand.Reader
	}
	secret, err := s.DecodeScalar(m.Bytes())
	if err != nil {
		return nil, nil, fmt.Errorf("split: %w: %w", protocol.ErrSuiteMismatch, err)
	}
	b := s.Backend()
	p, err := randomPolynomial(b, secret, t, random)
	if err != nil {
		return nil, nil, err
	}
	members := make([]int, n)
	for i := range members {
		members[i] = i + 1
	}
	g, err := newGroup(s, t, 1, members, p.commit(b))
	if err != nil {
		return nil, nil, err
	}
	shares := make([]*Share, n)
	for k, i := range members {
		v := p.at(b, i)
		if v.IsZero() {
			return nil, nil, fmt.Errorf("split: %w", protocol.ErrZeroScalar)
		}
		shares[k] = &Share{g, i, v}
	}
	return g, shares, nil
}
