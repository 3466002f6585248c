package protocol

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"mpinlab/backends"
)

var (
	// ErrNoFull: M-Pin Full is not defined in this dialect on this curve, or
	// the backend does not give the pairing's value.
	ErrNoFull = errors.New("no M-Pin Full here")
	// ErrNotConfirmed: the other side's tag is wrong: it has another key
	// or saw other messages.
	ErrNotConfirmed = errors.New("key not confirmed")
)

const (
	fullDST      = "MPIN-V01-CS01-FULL"
	fullKeyBytes = 16
	tagBytes     = sha256.Size
)

// FullTranscript is one log-in with key agreement: what both sides have seen.
//
// M-Pin Full is the two-pass log-in with a key agreement beside it. The client
// draws r and sends R = r·A with pass 1, the server draws w and sends W = w·A'
// with the challenge; R is a multiple of A alone also where there is a permit.
// With H the hash of the transcript, both sides come to know
//
//	g = e(s·A, Q)^(r + H) = e(R + H·A, s·Q)   and   P = x·W = w·U'
//
// and derive a key of 128 bits from them. The exponent H binds g to A and to
// the transcript: without it a client B could send R = r·B and know g. The
// scheme is Scott's "M-Pin: a multi-factor zero knowledge authentication
// protocol" with the transcript's hash as AMCL 3 puts it in
// (MPIN_HASH_ALL, MPIN_CLIENT_KEY, MPIN_SERVER_KEY).
//
// In rfc9380, with enc the uncompressed encoding, GT.Bytes for g, h the
// identity's hash and L as in the one-pass challenge:
//
//	τ   = expand_message_xmd(SHA-256, h ‖ int32be(date) ‖ enc(U') ‖ enc(V) ‖ y ‖ enc(R) ‖ enc(W),
//	                         DST "MPIN-V01-CS01-FULL", L)
//	H   = OS2IP(τ) mod r
//	key = HKDF-SHA-256(salt τ, ikm enc(g) ‖ enc(P), info "MPIN-V01-CS01-FULL-KEY", 16 bytes)
//
// In milagro on fp256bn, bn254n and bn254cx, with Tr the trace to F_p⁴:
//
//	τ   = SHA-256(h ‖ U' ‖ V ‖ y ‖ R ‖ W)
//	H   = OS2IP(τ) mod r
//	key = first 16 bytes of SHA-256(Tr(g) ‖ P.x ‖ P.y)
//
// Elsewhere there is no Full: ErrNoFull.
//
// Key confirmation is this project's own in both dialects. ikm is what the key
// was derived from (Tr(g) ‖ P.x ‖ P.y in milagro):
//
//	client's tag = HMAC-SHA-256(HKDF-SHA-256(salt τ, ikm, info "MPIN-V01-CS01-FULL-CLIENT", 32 bytes), τ)
//	server's tag = HMAC-SHA-256(HKDF-SHA-256(salt τ, ikm, info "MPIN-V01-CS01-FULL-SERVER", 32 bytes), τ)
type FullTranscript struct {
	Transcript
	// R is r·A and W is w·A'.
	R, W []byte
}

// HasFull reports whether the suite has M-Pin Full on this backend.
func (s *Suite) HasFull() bool {
	_, ok := s.backend.(backends.Pairer)
	return ok && s.dialect.hasFull()
}

// pairer returns the pairing for M-Pin Full, or ErrNoFull.
func (s *Suite) pairer() (backends.Pairer, error) {
	if !s.HasFull() {
		return nil, fmt.Errorf("suite %s on %s: %w", s.id, s.backend.Info().ID, ErrNoFull)
	}
	return s.backend.(backends.Pairer), nil
}

// FullTranscriptHash returns τ, the hash of the transcript: as long as the
// one-pass challenge's bytes in rfc9380 (48 on bls12-381), 32 in milagro. The
// points are hashed uncompressed, however they travelled. Errors: ErrNoFull,
// ErrSuiteMismatch, those of Suite.DecodeScalar for y,
// and those of Suite.DecodeG1 for compressed points.
func (s *Suite) FullTranscriptHash(id *Identity, t *FullTranscript) ([]byte, error) {
	if !s.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	if !s.dialect.hasFull() {
		return nil, fmt.Errorf("suite %s: %w", s.id, ErrNoFull)
	}
	if _, err := s.DecodeScalar(t.Y); err != nil {
		return nil, fmt.Errorf("challenge y: %w", err)
	}
	canonical := *t
	for _, f := range []struct {
		name string
		b    *[]byte
	}{{"U", &canonical.U}, {"V", &canonical.V}, {"R", &canonical.R}, {"W", &canonical.W}} {
		b, err := s.uncompressed(*f.b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		*f.b = b
	}
	return s.dialect.transcript(id.hash, &canonical)
}

// uncompressed returns the one encoding of a point that is uncompressed: b
// itself unless b is compressed. It checks no more than it needs for that.
func (s *Suite) uncompressed(b []byte) ([]byte, error) {
	if size, _, _ := s.id.Sizes(); len(b) == size {
		return b, nil
	}
	p, err := s.DecodeG1(b)
	if err != nil {
		return nil, err
	}
	return s.EncodeG1(p), nil
}

// SharedKey is what the two sides of M-Pin Full share afterwards.
type SharedKey struct {
	key          []byte
	mine, theirs []byte // tags
}

// newSharedKey derives the key and both tags.
func (s *Suite) newSharedKey(hash []byte, g backends.GT, p backends.G1, client bool) (*SharedKey, error) {
	if p.IsIdentity() {
		return nil, fmt.Errorf("shared point: %w", ErrIdentityPoint)
	}
	material, key, err := s.dialect.fullKey(hash, g, p)
	if err != nil {
		return nil, err
	}
	tag := func(side string) []byte {
		mk, e := hkdf.Key(sha256.New, material, hash, fullDST+side, tagBytes)
		if e != nil {
			err = e
		}
		mac := hmac.New(sha256.New, mk)
		mac.Write(hash)
		return mac.Sum(nil)
	}
	k := &SharedKey{key: key, mine: tag("-CLIENT"), theirs: tag("-SERVER")}
	if !client {
		k.mine, k.theirs = k.theirs, k.mine
	}
	return k, err
}

// Tag returns this side's key confirmation, 32 bytes, to be sent to the other.
// It gives nothing away about the key or the PIN to who has neither the server
// secret nor the client's.
func (k *SharedKey) Tag() []byte { return append([]byte(nil), k.mine...) }

// Confirm checks the other side's tag and returns the key, 16 bytes. Error:
// ErrNotConfirmed. The comparison is constant-time.
func (k *SharedKey) Confirm(tag []byte) ([]byte, error) {
	if !hmac.Equal(tag, k.theirs) {
		return nil, ErrNotConfirmed
	}
	return k.Unconfirmed(), nil
}

// Unconfirmed returns the key, 16 bytes, without proof that the other side has
// it: for peers that send no tags. The first message that it authenticates is
// the confirmation then.
func (k *SharedKey) Unconfirmed() []byte { return append([]byte(nil), k.key...) }
