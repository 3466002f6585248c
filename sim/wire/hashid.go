package wire

import (
	"encoding/hex"
	"fmt"

	"mpinlab/protocol"
)

// IdentityOf makes the identity whose raw bytes have the hash hash_mpin_id, as a
// D-TA does. In milagro the hash is padded to the length of p, which is where
// suite.Identity of the raw bytes and this agree. Errors: ErrMalformed, and
// protocol.ErrNoPermits for a dialect that does not hash identities so, which
// is the one without permits.
func IdentityOf(s *protocol.Suite, hashID string) (*protocol.Identity, error) {
	if !s.ID().TimePermits() {
		return nil, fmt.Errorf("%s: %w", s.ID(), protocol.ErrNoPermits)
	}
	if err := CheckHash(hashID); err != nil {
		return nil, err
	}
	h, err := hex.DecodeString(hashID)
	if err != nil {
		return nil, fmt.Errorf("%w: hash_mpin_id is hex", ErrMalformed)
	}
	if n := s.ID().Curve.Params().FieldBytes; s.ID().Dialect == protocol.Milagro && n > len(h) {
		h = append(make([]byte, n-len(h)), h...)
	}
	return s.IdentityFromHash(h)
}
