package protocol

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The ways in which a Keyring refuses a generation.
var (
	// ErrUnknownGeneration: the keyring never held the generation.
	ErrUnknownGeneration = errors.New("unknown generation of the master secret")
	// ErrGenerationRetired: the generation's time is over.
	ErrGenerationRetired = errors.New("retired generation of the master secret")
	// ErrGenerationExists: a generation's number is used once.
	ErrGenerationExists = errors.New("generation of the master secret exists already")
)

// Generation numbers a master secret. Numbers grow: the D-TAs of a deployment
// draw new shares together and count on by one. The number is public.
type Generation uint32

// Keyring is the server's side of replacing the master secret: it holds a
// Verifier for each generation in service. It is safe for concurrent use, and
// looking a generation up takes no lock.
//
// To rotate, the D-TAs draw new shares and issue the new server secret; the
// server adds it under the next number and gives the old generation a date of
// retirement; clients enrol again and replace their tokens before that date;
// after it the old tokens are refused by name, so that a client knows that it
// must enrol and not that its PIN is wrong. If a master secret may be known to
// others, retire its generation at once.
//
// Tokens are issued anew and not brought forward by a difference
// (s_new − s_old)·A, which would carry along whoever stole the token or learnt
// the old master secret.
//
// # On the wire
//
// A login names its generation in the first message, and the client stores the
// number beside its token. The number needs no protection of its own, since a
// proof made with one secret fails under another (ErrRejected). A server
// should take it once, before the challenge: a [Challenge] belongs to the
// generation whose Verifier drew it. Identity points and U do not depend on s,
// so one cache of identities and one of used commitments serve all
// generations. Lock-out counters belong to the identity, not to the
// generation, or two generations in service give a thief twice the guesses.
type Keyring struct {
	suite *Suite
	write sync.Mutex // held while a new map is made
	rings atomic.Pointer[map[Generation]ring]
}

// ring is a generation. Its verifier is nil once it is forgotten.
type ring struct {
	verifier *Verifier
	notAfter time.Time // zero: no end
}

func (r ring) retired(now time.Time) bool {
	return r.verifier == nil || !r.notAfter.IsZero() && !now.Before(r.notAfter)
}

// NewKeyring returns an empty keyring.
func (s *Suite) NewKeyring() *Keyring {
	k := &Keyring{suite: s}
	k.rings.Store(&map[Generation]ring{})
	return k
}

// Add puts a generation into service until notAfter, or without an end where
// that is the zero time. Errors: ErrSuiteMismatch, and ErrGenerationExists for
// a number that was used before, even by a forgotten generation.
func (k *Keyring) Add(g Generation, v *Verifier, notAfter time.Time) error {
	if !k.suite.same(v.suite) {
		return ErrSuiteMismatch
	}
	return k.change(g, func(r ring, known bool) (ring, error) {
		if known {
			return r, ErrGenerationExists
		}
		return ring{v, notAfter}, nil
	})
}

// Retire ends a generation's service at the given time, which may have
// passed. An end that is set already can be brought forward and not put off: a
// later one changes nothing. Error: ErrUnknownGeneration.
func (k *Keyring) Retire(g Generation, at time.Time) error {
	if at.IsZero() {
		at = time.Unix(0, 0) // the zero time would mean no end
	}
	return k.change(g, func(r ring, known bool) (ring, error) {
		if !known {
			return r, ErrUnknownGeneration
		}
		if r.notAfter.IsZero() || at.Before(r.notAfter) {
			r.notAfter = at
		}
		return r, nil
	})
}

// Forget drops a generation's server secret. Its number stays taken, and
// logins that name it get ErrGenerationRetired. Challenges that its Verifier
// drew can still be answered. Error: ErrUnknownGeneration.
func (k *Keyring) Forget(g Generation) error {
	return k.change(g, func(r ring, known bool) (ring, error) {
		if !known {
			return r, ErrUnknownGeneration
		}
		return ring{}, nil
	})
}

// change replaces the map by one with another value for g.
func (k *Keyring) change(g Generation, f func(r ring, known bool) (ring, error)) error {
	k.write.Lock()
	defer k.write.Unlock()
	rings := *k.rings.Load()
	old, known := rings[g]
	r, err := f(old, known)
	if err != nil {
		return fmt.Errorf("generation %d: %w", g, err)
	}
	rings = maps.Clone(rings)
	rings[g] = r
	k.rings.Store(&rings)
	return nil
}

// Verifier returns the Verifier of the generation that a login names, if it is
// in service at the given time. Errors: ErrUnknownGeneration and, from the
// moment of retirement on, ErrGenerationRetired.
func (k *Keyring) Verifier(g Generation, now time.Time) (*Verifier, error) {
	r, known := (*k.rings.Load())[g]
	if !known {
		return nil, fmt.Errorf("generation %d: %w", g, ErrUnknownGeneration)
	}
	if r.retired(now) {
		return nil, fmt.Errorf("generation %d: %w", g, ErrGenerationRetired)
	}
	return r.verifier, nil
}

// Generations returns the generations in service at the given time, the newest
// first: that is the one that clients should hold tokens of.
func (k *Keyring) Generations(now time.Time) []Generation {
	var in []Generation
	for g, r := range *k.rings.Load() {
		if !r.retired(now) {
			in = append(in, g)
		}
	}
	slices.Sort(in)
	slices.Reverse(in)
	return in
}
