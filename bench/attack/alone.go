package attack

import (
	"context"
	"fmt"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// Alone is the search with the token alone. It finds nothing: for every k there
// is a master secret s_k = s − PIN + k under which the token is that of PIN k,
//
//	token = s·A − PIN·A = s_k·A − k·A,
//
// and what its owner would then send with PIN k is accepted by the server of
// s_k. A token fits all PINs alike; only s·Q, or somebody who has it and gives
// an answer, tells them apart.
type Alone struct {
	// PINs is the number of PINs tried, and Fit how many of them the token fits.
	PINs int `json:"pins"`
	Fit  int `json:"fit"`
	// Logins were carried out whole, each with another PIN under its master
	// secret, and Accepted of them accepted. Elsewhere is how many of them the
	// real server accepted: one, that with the true PIN.
	Logins    int `json:"logins"`
	Accepted  int `json:"accepted"`
	Elsewhere int `json:"elsewhere"`
}

// alone tries four-digit PINs, and carries one login in a hundred out, and that
// of the true PIN.
func alone(ctx context.Context, s *protocol.Suite, o Options) (*Alone, error) {
	const pin = 4711
	step := uint64(1)
	if o.Quick {
		step = 37
	}
	v, err := newVictim(s, o.Seed)
	if err != nil {
		return nil, err
	}
	stolen, err := v.token(pin, 4)
	if err != nil {
		return nil, err
	}
	t, err := s.DecodeG1(stolen.Bytes())
	if err != nil {
		return nil, err
	}
	r := &Alone{}
	b, a := s.Backend(), v.id.Point()
	base := b.ReduceScalar(v.master.Bytes()).Sub(backends.SmallScalar(b, pin)) // s − PIN
	for k := pin % step; k < protocol.FourDigits; k += step {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.PINs++
		sk := base.Add(backends.SmallScalar(b, k))
		if !t.Add(a.Mul(backends.SmallScalar(b, k))).Equal(a.Mul(sk)) {
			continue
		}
		r.Fit++
		if k != pin && k%(100*step) != pin%step {
			continue
		}
		here, there, err := v.tryAlone(stolen, k, sk)
		if err != nil {
			return nil, fmt.Errorf("PIN %d: %w", k, err)
		}
		r.Logins++
		if here {
			r.Accepted++
		}
		if there {
			r.Elsewhere++
		}
	}
	return r, nil
}

// tryAlone logs in with the token and PIN k, at the server of s_k and at the
// real one.
func (v *victim) tryAlone(stolen *protocol.Token, k uint64, sk backends.Scalar) (here, there bool, err error) {
	f, err := v.suite.PINNumber(k, 4)
	if err != nil {
		return false, false, err
	}
	secret, err := stolen.Secret(v.id, f)
	if err != nil {
		return false, false, err
	}
	m, err := v.suite.DecodeMasterSecret(v.suite.EncodeScalar(sk))
	if err != nil {
		return false, false, err
	}
	if here, err = accepted(v.suite, m.ServerShare(), v.id, secret, v.rng); err != nil {
		return false, false, err
	}
	there, err = accepted(v.suite, v.server, v.id, secret, v.rng)
	return here, there, err
}
