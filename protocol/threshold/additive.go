package threshold

import (
	"fmt"
	"math/big"
	"slices"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// Where clients know nothing of thresholds, those of Apache Milagro for
// example, and add up what the D-TAs send them, the D-TAs can agree on who
// serves: each multiplies its share by its Lagrange coefficient for that set,
// and is one of t additive D-TAs from there on.

// Additive returns λ_i·s_i, λ_i being this D-TA's Lagrange coefficient for a
// set of exactly t members that contains it. Over the set these add up to s,
// and everything of package protocol that adds up works on them:
// CombineClientSecrets, CombinePermits, CombineServerSecrets, proofs and keys.
// The order of indices is of no consequence.
//
// Whoever is issued λ_i·s_i·A has s_i·A, because λ_i follows from the set: it
// is a multiple, known to all, of what the D-TA issues anyway, and shares for
// many sets tell no more than one. They carry neither set nor epoch, though.
// Shares for different sets, or of different epochs, add up to no secret, and
// no one notices before the sum is checked (protocol.ClientSecret.VerifyShare
// with the server secret) or used. The result is a secret like the share, and
// goes with its epoch.
//
// Errors: ErrIndex for an index that is no member's and for a set without this
// D-TA, ErrDuplicate, ErrTooFew, ErrTooMany. Variable-time in the indices;
// constant-time in the share where the backend is.
func (s *Share) Additive(set []int) (*protocol.MasterSecret, error) {
	lambda, err := s.group.coefficient(s.index, set)
	if err != nil {
		return nil, fmt.Errorf("additive share: %w", err)
	}
	scaled := &Share{s.group, s.index, s.value.Mul(lambda)}
	return scaled.master(), nil
}

// AdditiveKey returns λ_i·s_i·G, the key to Additive's share, from the key
// s_i·G of the D-TA with the index. It is for clients, who have keys and no
// Group, so that it cannot see whether the set is one of t members: to be sure
// that shares add up to s, a client takes the set from where it has the keys.
// Errors: ErrIndex for an index that is not 1 to MaxMembers and for a set
// without this D-TA, ErrDuplicate. Variable-time: all of it is public.
func AdditiveKey(key *protocol.ShareKey, index int, set []int) (*protocol.ShareKey, error) {
	lambda, err := coefficient(key.Suite().Backend(), index, set)
	if err != nil {
		return nil, fmt.Errorf("additive key: %w", err)
	}
	return key.Suite().ShareKeyOf(key.Point().Mul(lambda))
}

// coefficient returns λ_i for a set of t members.
func (g *Group) coefficient(index int, set []int) (backends.Scalar, error) {
	switch {
	case len(set) < g.t:
		return nil, fmt.Errorf("%w: %d indices of %d", ErrTooFew, len(set), g.t)
	case len(set) > g.t:
		return nil, fmt.Errorf("%w: %d indices of %d", ErrTooMany, len(set), g.t)
	}
	for _, j := range set {
		if !slices.Contains(g.members, j) {
			return nil, fmt.Errorf("%w: %d is not a member", ErrIndex, j)
		}
	}
	return coefficient(g.suite.Backend(), index, set)
}

// coefficient returns λ_i = Π j/(j − i) over the j ≠ i of the set. It is not
// zero, since no index and no difference of two reaches r.
func coefficient(b backends.Backend, index int, set []int) (backends.Scalar, error) {
	if _, err := sorted("set", set); err != nil {
		return nil, err
	}
	if !slices.Contains(set, index) {
		return nil, fmt.Errorf("%w: %d is not in the set", ErrIndex, index)
	}
	num, den := big.NewInt(1), big.NewInt(1)
	for _, j := range set {
		if j != index {
			num.Mul(num, big.NewInt(int64(j)))
			den.Mul(den, big.NewInt(int64(j-index)))
		}
	}
	return scalarOf(b, num).Mul(scalarOf(b, den).Inverse()), nil
}
