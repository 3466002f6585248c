package dta

import (
	"errors"
	"fmt"

	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/wire"
)

// ErrSet: a set of D-TAs that this one cannot issue for: none in a threshold
// deployment, one of the wrong size or without this D-TA, or any in an additive
// deployment.
var ErrSet = errors.New("wrong set of D-TAs")

// Issuer is a D-TA's share of an application's master secret. It is safe for
// concurrent use.
type Issuer interface {
	// Index is the D-TA's, from 1.
	Index() int
	// Threshold is how many D-TAs issue together, 0 for all.
	Threshold() int
	// Master returns the share to issue with beside the others of the set.
	// Error: ErrSet.
	Master(set wire.Set) (*protocol.MasterSecret, error)
	// Key is the key of the share, before anything is done for a set.
	Key() *protocol.ShareKey
	// encode writes the share for a keystore.
	encode() stored
}

// Additive makes the issuer of a D-TA whose share is a summand of the master
// secret. Error: threshold.ErrIndex.
func Additive(index int, m *protocol.MasterSecret) (Issuer, error) {
	if index < 1 || index > wire.MaxMembers {
		return nil, fmt.Errorf("%w: a D-TA is 1 to %d, not %d", threshold.ErrIndex, wire.MaxMembers, index)
	}
	return &additive{index, m, m.ShareKey()}, nil
}

type additive struct {
	index  int
	master *protocol.MasterSecret
	key    *protocol.ShareKey
}

func (a *additive) Index() int              { return a.index }
func (a *additive) Threshold() int          { return 0 }
func (a *additive) Key() *protocol.ShareKey { return a.key }

func (a *additive) Master(set wire.Set) (*protocol.MasterSecret, error) {
	if len(set) != 0 {
		return nil, fmt.Errorf("%w: all D-TAs of this deployment issue together", ErrSet)
	}
	return a.master, nil
}

// Shared makes the issuer of a D-TA that holds a value of a polynomial.
func Shared(s *threshold.Share) Issuer { return &shared{s, s.Key()} }

type shared struct {
	share *threshold.Share
	key   *protocol.ShareKey
}

func (s *shared) Index() int              { return s.share.Index() }
func (s *shared) Threshold() int          { return s.share.Group().Threshold() }
func (s *shared) Key() *protocol.ShareKey { return s.key }

func (s *shared) Master(set wire.Set) (*protocol.MasterSecret, error) {
	m, err := s.share.Additive(set)
	if err != nil {
		return nil, fmt.Errorf("%w: %d of this deployment's D-TAs issue together, this one among them", ErrSet, s.Threshold())
	}
	return m, nil
}
