package rps

import (
	"context"
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/sim/wire"
)

// verifier judges proofs with s·Q, one by one or in batches.
type verifier struct {
	*protocol.Verifier
	batching *protocol.BatchingVerifier // nil: one by one
	// unchecked, with batching, decodes points whose subgroup the batches
	// check; nil where the backend or the dialect does not tell the two apart.
	unchecked backends.BatchSubgroup
}

func (s *Server) newVerifier(secret *protocol.ServerSecret) (*verifier, error) {
	v, err := s.suite.NewVerifier(secret)
	if err != nil {
		return nil, fmt.Errorf("server secret: %w", err)
	}
	if s.cfg.Batching == nil {
		return &verifier{Verifier: v}, nil
	}
	opt := *s.cfg.Batching
	if opt.Rand == nil {
		opt.Rand = s.random
	}
	sizes, observe := s.metrics.batchSizes(), opt.Observe
	opt.Observe = func(n int) {
		sizes.Observe(float64(n))
		if observe != nil {
			observe(n)
		}
	}
	b := &verifier{Verifier: v, batching: protocol.NewBatchingVerifier(v, opt)}
	if s.suite.ID().Dialect == protocol.RFC9380 { // whose encoding is the backend's
		b.unchecked, _ = s.suite.Backend().(backends.BatchSubgroup)
	}
	s.metrics.watch(b)
	return b, nil
}

// identities keeps the points of the users who logged in last. Users enter
// after a login that was accepted only, so that strangers, whose identities
// cost nothing, cannot push them out.
type identities struct {
	suite   *protocol.Suite
	known   *lru.Cache[[32]byte, *protocol.Identity]
	metrics *metrics
}

func newIdentities(s *protocol.Suite, size int, m *metrics) (*identities, error) {
	known, err := lru.New[[32]byte, *protocol.Identity](size)
	if err != nil {
		return nil, fmt.Errorf("identity cache of %d entries: %w", size, err)
	}
	return &identities{s, known, m}, nil
}

// get returns the identity with the given raw bytes and their hash.
func (c *identities) get(hash *[32]byte, raw []byte) (*protocol.Identity, error) {
	if id, ok := c.known.Get(*hash); ok {
		c.metrics.identityHits.Inc()
		return id, nil
	}
	c.metrics.identityMisses.Inc()
	return c.suite.Identity(raw)
}

// has tells whether somebody with the hash has logged in lately.
func (c *identities) has(hash *[32]byte) bool { return c.known.Contains(*hash) }

func (c *identities) keep(hash *[32]byte, id *protocol.Identity) { c.known.Add(*hash, id) }

// challenges keeps what this instance has decoded at pass 1 until the login is
// judged, by y, which no two have in common. It is a cache: the store has all
// that is needed.
type challenges struct {
	open *lru.Cache[string, opened]
}

type opened struct {
	id        *protocol.Identity
	challenge *protocol.Challenge
}

func newChallenges(size int) (*challenges, error) {
	open, err := lru.New[string, opened](size)
	if err != nil {
		return nil, fmt.Errorf("challenge cache of %d entries: %w", size, err)
	}
	return &challenges{open}, nil
}

func (c *challenges) put(y []byte, o opened) { c.open.Add(string(y), o) }

func (c *challenges) take(y []byte) (opened, bool) {
	o, ok := c.open.Peek(string(y))
	if ok {
		c.open.Remove(string(y))
	}
	return o, ok
}

// verify judges a login: nil, protocol.ErrRejected, or what is malformed;
// protocol.ErrOverloaded, protocol.ErrClosed and ctx's errors say that it was
// not judged. The days whose permits are taken are those of its pass 1.
func (s *Server) verify(ctx context.Context, v *verifier, l *login, id *protocol.Identity, challenge *protocol.Challenge) error {
	dates, err := wire.Accepted(l.begun)
	if err != nil {
		return err
	}
	for i, date := range dates {
		switch {
		case i == 0 && challenge != nil && v.batching != nil:
			err = v.batching.VerifyChallenge(ctx, challenge, l.v)
		case i == 0 && challenge != nil:
			err = challenge.Verify(l.v)
		case v.batching != nil:
			err = v.batching.Verify(ctx, id, &protocol.Transcript{Date: date, U: l.ut, Y: l.y, V: l.v})
		default:
			err = v.Verify(id, &protocol.Transcript{Date: date, U: l.ut, Y: l.y, V: l.v})
		}
		if !errors.Is(err, protocol.ErrRejected) {
			return err
		}
	}
	return err
}

// undecided tells whether an error of verify is no verdict.
func undecided(err error) bool {
	return errors.Is(err, protocol.ErrOverloaded) || errors.Is(err, protocol.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
