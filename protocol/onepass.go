package protocol

import (
	"errors"
	"fmt"
)

// ErrNoOnePass: the suite's dialect has no one-pass protocol.
var ErrNoOnePass = errors.New("this dialect has no one-pass protocol")

// OnePassChallenge computes the challenge that both sides of the one-pass
// protocol derive for themselves: y = H(time ‖ U' ‖ message) mod r, where U'
// is the commitment in the suite's encoding, time is in seconds since the
// epoch, and message is empty but for signatures. Errors: ErrNoOnePass, and
// ErrDate for a time that the dialect's encoding cannot hold.
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
