package protocol

import (
	"fmt"
	"io"

	"mpinlab/backends"
)

// KeyPair is a client's own secret z with the public key Pa = z⁻¹·Q, for
// proofs and signatures that the D-TAs cannot make.
type KeyPair struct {
	suite  *Suite
	z      backends.Scalar
	public PublicKey
}

// PublicKey is Pa = z⁻¹·Q.
type PublicKey struct {
	suite *Suite
	point backends.G2
}

// NewKeyPair draws z from rand, the system's source where nil. Constant-time
// where the backend's multiplication in G2 and inversion modulo r are.
func (s *Suite) NewKeyPair(rand io.Reader) (*KeyPair, error) {
	z, err := backends.RandomScalar(s.backend, random(rand))
	if err != nil {
		return nil, err
	}
	return s.keyPair(z), nil
}

// DecodeKeyPair reads z and computes the public key. Errors: those of
// Suite.DecodeScalar, ErrZeroScalar. Timing: as NewKeyPair.
func (s *Suite) DecodeKeyPair(z []byte) (*KeyPair, error) {
	k, err := s.nonZeroScalar(z)
	if err != nil {
		return nil, fmt.Errorf("key pair: %w", err)
	}
	return s.keyPair(k), nil
}

func (s *Suite) keyPair(z backends.Scalar) *KeyPair {
	return &KeyPair{s, z, PublicKey{s, s.backend.G2().Mul(z.Inverse())}}
}

// Bytes returns z.
func (k *KeyPair) Bytes() []byte { return k.suite.EncodeScalar(k.z) }

// Public returns the public key.
func (k *KeyPair) Public() *PublicKey { return &k.public }

// BindSecret returns z·s·A, which takes the place of s·A: take the PIN out of
// it, and the token is worth something only with z's public key. z may be
// thrown away then. Error: ErrSuiteMismatch. Constant-time where the backend
// is.
func (k *KeyPair) BindSecret(c *ClientSecret) (*ClientSecret, error) {
	if !k.suite.same(c.suite) {
		return nil, ErrSuiteMismatch
	}
	return &ClientSecret{c.suite, c.point.Mul(k.z)}, nil
}

// BindPermit returns z·s·A_T, which takes the place of s·A_T beside a bound
// secret. Error: ErrSuiteMismatch. Constant-time where the backend is.
func (k *KeyPair) BindPermit(t *Permit) (*Permit, error) {
	if !k.suite.same(t.suite) {
		return nil, ErrSuiteMismatch
	}
	return &Permit{t.suite, t.date, t.point.Mul(k.z)}, nil
}

// DecodePublicKey reads a public key. Errors: those of Suite.DecodeG2, among
// them ErrIdentityPoint, under which e(V, Pa) would say nothing about V.
func (s *Suite) DecodePublicKey(b []byte) (*PublicKey, error) {
	p, err := s.DecodeG2(b)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	return &PublicKey{s, p}, nil
}

// Bytes returns the key's encoding.
func (k *PublicKey) Bytes() []byte { return k.suite.EncodeG2(k.point) }
