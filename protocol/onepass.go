package protocol

import (
	"errors"
	"fmt"
	"io"
)

var (
	// ErrNoOnePass: the suite's dialect has no one-pass protocol and hence no
	// signatures.
	ErrNoOnePass = errors.New("this dialect has no one-pass protocol")
	// ErrWindow: the proof's time is outside the window in which proofs are
	// accepted.
	ErrWindow = errors.New("time outside the window")
	// ErrReplay: the commitment was accepted before.
	ErrReplay = errors.New("replayed proof")
	// ErrReplayCacheFull: no further proof can be remembered, and so none
	// accepted, until earlier ones leave the window.
	ErrReplayCacheFull = errors.New("replay cache is full")
)

// HasOnePass reports whether the suite's dialect has the one-pass protocol and
// signatures.
func (s *Suite) HasOnePass() bool { return s.dialect.hasOnePass() }

// OnePassProof is the message of the one-pass protocol.
//
// In the one-pass protocol the client computes its own challenge, from the
// time, and sends everything at once. Nothing of the server's is in a proof:
// what keeps one from being used again is the server's window of time and its
// memory of the proofs seen in it, a [ReplayCache].
type OnePassProof struct {
	// Time is the client's, in seconds since the epoch.
	Time int64
	Pass1
	// V is the answer to the challenge H(Time ‖ U').
	V []byte
}

// NewOnePass proves an identity in one message at the given time in seconds
// since the epoch; the server's clock must be near. permit is nil for a log-in
// without a time permit; x is drawn from rand (the system's source where nil).
// Errors: ErrNoOnePass, ErrDate for a time that the dialect's encoding cannot
// hold (milagro: 31 bits), and those of Suite.NewProver. Constant-time where
// the backend is.
func (s *Suite) NewOnePass(id *Identity, secret *ClientSecret, permit *Permit, time int64, rand io.Reader) (*OnePassProof, error) {
	return s.proveAt(id, secret, permit, time, nil, rand)
}

// proveAt proves an identity under the challenge H(time ‖ U' ‖ message).
func (s *Suite) proveAt(id *Identity, secret *ClientSecret, permit *Permit, time int64, message []byte, rand io.Reader) (*OnePassProof, error) {
	p, err := s.NewProver(id, secret, permit, rand)
	if err != nil {
		return nil, err
	}
	var date Date
	if permit != nil {
		date = permit.date
	}
	y, err := s.OnePassChallenge(id, time, p.pass1.commitment(date), message)
	if err != nil {
		return nil, err
	}
	v, err := p.Pass2(y)
	if err != nil {
		return nil, err
	}
	return &OnePassProof{time, p.pass1, v}, nil
}

// commitment is U', which the server's equation uses: U without a date, U_T
// with one.
func (m Pass1) commitment(date Date) []byte {
	if date != 0 {
		return m.UT
	}
	return m.U
}

// OnePassChallenge computes the challenge that both sides of the one-pass
// protocol derive for themselves: y = H(time ‖ U' ‖ message) mod r, where U'
// is the commitment in the suite's uncompressed encoding, time is in seconds
// since the epoch, and message is empty but for signatures. Errors:
// ErrNoOnePass, ErrSuiteMismatch, and ErrDate for a time that the dialect's
// encoding cannot hold.
func (s *Suite) OnePassChallenge(id *Identity, time int64, u, message []byte) ([]byte, error) {
	if !s.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	b, err := s.dialect.challenge(id.hash, time, u, message)
	if err != nil {
		return nil, fmt.Errorf("one-pass challenge: %w", err)
	}
	return s.EncodeScalar(s.backend.ReduceScalar(b)), nil
}

// transcriptAt rebuilds what a two-pass server would have seen, with U' in the
// one encoding that is hashed and remembered, however it travelled.
func (s *Suite) transcriptAt(id *Identity, date Date, m *OnePassProof, message []byte) (*Transcript, error) {
	if !s.HasOnePass() {
		return nil, fmt.Errorf("suite %s: %w", s.id, ErrNoOnePass)
	}
	u, err := s.uncompressed(m.commitment(date))
	if err != nil {
		return nil, fmt.Errorf("commitment U: %w", err)
	}
	y, err := s.OnePassChallenge(id, m.Time, u, message)
	if err != nil {
		return nil, err
	}
	return &Transcript{Date: date, U: u, Y: y, V: m.V}, nil
}

// OnePassVerifier is the server's side of the one-pass protocol. It is safe
// for concurrent use.
type OnePassVerifier struct {
	verifier *Verifier
	cache    *ReplayCache
}

// NewOnePassVerifier makes a verifier that accepts what v accepts and cache
// has not seen. Several verifiers may share a cache, as those of two
// generations of a master secret must. Error: ErrNoOnePass.
func NewOnePassVerifier(v *Verifier, cache *ReplayCache) (*OnePassVerifier, error) {
	if !v.suite.HasOnePass() {
		return nil, fmt.Errorf("suite %s: %w", v.suite.id, ErrNoOnePass)
	}
	return &OnePassVerifier{v, cache}, nil
}

// Verify checks a proof of the given identity and remembers it if it holds;
// date is the day of the permit that the client must have, 0 for none. Of any
// number of calls with one commitment at most one returns nil. A proof that
// fails leaves no trace, so that nobody fills the cache without a secret.
// Errors: ErrWindow, ErrReplay, ErrReplayCacheFull, and those of
// Verifier.Verify. Variable-time in public values only.
func (o *OnePassVerifier) Verify(id *Identity, date Date, m *OnePassProof) error {
	s := o.verifier.suite
	if !s.same(id.suite) {
		return ErrSuiteMismatch
	}
	t, err := s.transcriptAt(id, date, m, nil)
	if err != nil {
		return err
	}
	key := replayKey(id, t.U)
	// Looked at twice: before the pairing to save it, and after, when the
	// proof is entered in the same step.
	if err := o.cache.check(key, m.Time); err != nil {
		return err
	}
	if err := o.verifier.Verify(id, t); err != nil {
		return err
	}
	return o.cache.enter(key, m.Time)
}
