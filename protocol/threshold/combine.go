package threshold

import (
	"errors"
	"fmt"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// The plain combinations, for a client that has no commitments: t shares in,
// the secret out. They verify nothing: see VerifyProof for how a client does.
// Of more than t shares the first t count. Errors of all three: ErrThreshold
// for a t that is not 1 to MaxMembers, ErrTooFew, ErrDuplicate, ErrEpoch and
// ErrGroup for shares that are not of one sharing, protocol.ErrSuiteMismatch,
// protocol.ErrIdentityPoint. Variable-time in the indices, which are public.

// CombineClientSecrets makes Σ λ_i·(s_i·A) = s·A.
func CombineClientSecrets(t int, shares ...*ClientShare) (*protocol.ClientSecret, error) {
	tags, points := make([]tag, len(shares)), make([]backends.G1, len(shares))
	for i, c := range shares {
		tags[i], points[i] = c.tag, c.point
	}
	p, err := combineG1(t, tags, points)
	if err != nil {
		return nil, fmt.Errorf("client secret: %w", err)
	}
	return tags[0].suite.ClientSecretOf(p)
}

// CombinePermits makes Σ λ_i·(s_i·A_T) = s·A_T. Error also: protocol.ErrDate
// for shares of different days.
func CombinePermits(t int, shares ...*PermitShare) (*protocol.Permit, error) {
	tags, points := make([]tag, len(shares)), make([]backends.G1, len(shares))
	for i, p := range shares {
		if p.date != shares[0].date {
			return nil, fmt.Errorf("permit: %w: shares for %s and %s", protocol.ErrDate, shares[0].date, p.date)
		}
		tags[i], points[i] = p.tag, p.point
	}
	p, err := combineG1(t, tags, points)
	if err != nil {
		return nil, fmt.Errorf("permit: %w", err)
	}
	return tags[0].suite.PermitOf(shares[0].date, p)
}

// CombineServerSecrets makes Σ λ_i·(s_i·Q) = s·Q. Group.ServerSecret has it
// without any D-TA's help.
func CombineServerSecrets(t int, shares ...*ServerShare) (*protocol.ServerSecret, error) {
	tags, points := make([]tag, len(shares)), make([]backends.G2, len(shares))
	for i, q := range shares {
		tags[i], points[i] = q.tag, q.point
	}
	xs, err := choose(t, tags)
	if err != nil {
		return nil, fmt.Errorf("server secret: %w", err)
	}
	suite := tags[0].suite
	return suite.ServerSecretOf(lagrange(xs, 0).sumG2(suite.Backend(), points[:t]))
}

func combineG1(t int, tags []tag, points []backends.G1) (backends.G1, error) {
	xs, err := choose(t, tags)
	if err != nil {
		return nil, err
	}
	return lagrange(xs, 0).sumG1(tags[0].suite.Backend(), points[:t]), nil
}

// choose checks that all shares go together and returns the first t indices.
func choose(t int, tags []tag) ([]int, error) {
	if err := checkThreshold(t, MaxMembers); err != nil {
		return nil, err
	}
	if len(tags) < t {
		return nil, fmt.Errorf("%w: %d shares of %d", ErrTooFew, len(tags), t)
	}
	var there [MaxMembers + 1]bool
	xs := make([]int, len(tags))
	for i, tag := range tags {
		if err := tags[0].same(tag); err != nil {
			return nil, &Fault{tag.index, err}
		}
		if there[tag.index] {
			return nil, &Fault{tag.index, ErrDuplicate}
		}
		there[tag.index], xs[i] = true, tag.index
	}
	return xs[:t], nil
}

// The robust combinations, for whoever holds the group's commitments: every
// share is verified, wrong ones are named with their authors and left out, and
// the first t good ones are combined. The error is ErrTooFew if fewer are
// good, and protocol.ErrSuiteMismatch for an identity of another suite. The
// cost is a product of two pairings a share.

// CombineClientSecrets makes an identity's client secret.
func (g *Group) CombineClientSecrets(id *protocol.Identity, shares ...*ClientShare) (*protocol.ClientSecret, []*Fault, error) {
	if !g.suite.Same(id.Suite()) {
		return nil, nil, protocol.ErrSuiteMismatch
	}
	good, faults, err := sift(g, shares, func(c *ClientShare) (int, error) { return c.index, g.VerifyClientShare(id, c) })
	if err != nil {
		return nil, faults, fmt.Errorf("client secret: %w", err)
	}
	s, err := CombineClientSecrets(g.t, good...)
	return s, faults, err
}

// CombinePermits makes an identity's permit for a day; a share for another day
// is a fault, protocol.ErrDate.
func (g *Group) CombinePermits(id *protocol.Identity, date protocol.Date, shares ...*PermitShare) (*protocol.Permit, []*Fault, error) {
	if !g.suite.Same(id.Suite()) {
		return nil, nil, protocol.ErrSuiteMismatch
	}
	good, faults, err := sift(g, shares, func(p *PermitShare) (int, error) {
		if p.date != date {
			return p.index, fmt.Errorf("%w: %s, not %s", protocol.ErrDate, p.date, date)
		}
		return p.index, g.VerifyPermitShare(id, p)
	})
	if err != nil {
		return nil, faults, fmt.Errorf("permit: %w", err)
	}
	s, err := CombinePermits(g.t, good...)
	return s, faults, err
}

// CombineServerSecrets makes the server secret.
func (g *Group) CombineServerSecrets(shares ...*ServerShare) (*protocol.ServerSecret, []*Fault, error) {
	good, faults, err := sift(g, shares, func(q *ServerShare) (int, error) { return q.index, g.VerifyServerShare(q) })
	if err != nil {
		return nil, faults, fmt.Errorf("server secret: %w", err)
	}
	s, err := CombineServerSecrets(g.t, good...)
	return s, faults, err
}

// sift parts good shares from bad ones.
func sift[S any](g *Group, shares []S, verify func(S) (int, error)) (good []S, faults []*Fault, err error) {
	var there [MaxMembers + 1]bool
	for _, s := range shares {
		index, err := verify(s)
		var f *Fault
		switch {
		case errors.As(err, &f):
			faults = append(faults, f)
		case err != nil:
			faults = append(faults, &Fault{index, err})
		case there[index]:
			faults = append(faults, &Fault{index, ErrDuplicate})
		default:
			there[index] = true
			good = append(good, s)
		}
	}
	if len(good) < g.t {
		return nil, faults, fmt.Errorf("%w: %d good shares of %d", ErrTooFew, len(good), g.t)
	}
	return good, faults, nil
}
