package threshold

import (
	"errors"
	"fmt"
	"io"

	"mpinlab/protocol"
)

// A client must not hold the commitments, but can be given keys in G1, s_i·G,
// and proofs to check shares with (see protocol.ShareKey for what that gives
// away: nothing that finds a PIN). D-TAs and servers check the keys against
// the commitments. A key is good for its epoch.

// Key returns s_i·G for clients. Constant-time where the backend is.
func (s *Share) Key() *protocol.ShareKey { return s.master().ShareKey() }

// master is the share as package protocol knows it.
func (s *Share) master() *protocol.MasterSecret {
	m, err := s.group.suite.DecodeMasterSecret(s.group.suite.EncodeScalar(s.value))
	if err != nil {
		panic(err) // newShare lets no zero in
	}
	return m
}

// ProveClientShare is ClientShare with a proof for clients, which draws from
// random, or from the system's source where random is nil. Errors:
// protocol.ErrSuiteMismatch and those of random. Constant-time where the
// backend is.
func (s *Share) ProveClientShare(id *protocol.Identity, random io.Reader) (*ClientShare, []byte, error) {
	_, proof, err := s.master().ProveClientShare(id, random)
	if err != nil {
		return nil, nil, err
	}
	c, err := s.ClientShare(id)
	return c, proof, err
}

// ProvePermitShare is ProveClientShare for a permit share. Errors also:
// protocol.ErrNoPermits, protocol.ErrDate.
func (s *Share) ProvePermitShare(id *protocol.Identity, date protocol.Date, random io.Reader) (*PermitShare, []byte, error) {
	_, proof, err := s.master().ProvePermitShare(id, date, random)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.PermitShare(id, date)
	return p, proof, err
}

// VerifyKey checks a member's key against the commitments: e(s_i·G, Q) =
// e(G, s_i·Q). Errors: ErrIndex, protocol.ErrSuiteMismatch; as *Fault of the
// member ErrWrongShare.
func (g *Group) VerifyKey(index int, key *protocol.ShareKey) error {
	p, err := g.PublicShare(index)
	if err != nil {
		return err
	}
	q, err := g.suite.ServerSecretOf(p)
	if err != nil {
		return &Fault{index, err}
	}
	return blame(index, key.VerifyServerShare(q))
}

// VerifyProof checks the proof of a client share with the key of the D-TA that
// issued it. Errors: protocol.ErrSuiteMismatch; as *Fault of that D-TA
// ErrWrongShare, backends.ErrLength and backends.ErrNotCanonical.
func (c *ClientShare) VerifyProof(id *protocol.Identity, key *protocol.ShareKey, proof []byte) error {
	secret, err := c.suite.ClientSecretOf(c.point)
	if err != nil {
		return &Fault{c.index, err}
	}
	return blame(c.index, key.VerifyClientShare(id, secret, proof))
}

// VerifyProof is ClientShare.VerifyProof for a permit share.
func (p *PermitShare) VerifyProof(id *protocol.Identity, key *protocol.ShareKey, proof []byte) error {
	permit, err := p.suite.PermitOf(p.date, p.point)
	if err != nil {
		return &Fault{p.index, err}
	}
	return blame(p.index, key.VerifyPermitShare(id, permit, proof))
}

// blame names the author of what package protocol found wrong.
func blame(index int, err error) error {
	switch {
	case err == nil, errors.Is(err, protocol.ErrSuiteMismatch):
		return err
	case errors.Is(err, protocol.ErrBadShare):
		return &Fault{index, fmt.Errorf("%w: %w", ErrWrongShare, err)}
	}
	return &Fault{index, err}
}
