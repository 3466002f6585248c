package protocol

import (
	"fmt"
	"io"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

// ShareKey is what a D-TA publishes of its share s_i of the master secret, so
// that clients can check what it issues to them: s_i·G, where G generates G1.
//
// A key in G2 would make the check a mere pairing, but it would be s_i·Q, the
// server's secret (see [ClientSecret.VerifyShare]). With the key in G1 a token
// stays safe: to test a PIN against it one would have to tell s·A, given s·G,
// from other points, which is the decisional Diffie-Hellman problem in G1 and
// taken to be hard where G1 and G2 have no efficient map between them. So the
// D-TA proves that its share and its key have the same logarithm, without
// interaction: Chaum and Pedersen, "Wallet databases with observers", CRYPTO
// 1992, with the challenge hashed.
type ShareKey struct {
	suite *Suite
	point backends.G1
}

// ShareKey returns s_i·G. Constant-time where the backend is.
func (m *MasterSecret) ShareKey() *ShareKey {
	return &ShareKey{m.suite, m.suite.backend.G1().Mul(m.s)}
}

// DecodeShareKey reads a key. Errors: those of Suite.DecodeG1.
func (s *Suite) DecodeShareKey(b []byte) (*ShareKey, error) {
	p, err := s.DecodeG1(b)
	if err != nil {
		return nil, fmt.Errorf("share key: %w", err)
	}
	return &ShareKey{s, p}, nil
}

// Bytes returns the key's encoding.
func (k *ShareKey) Bytes() []byte { return k.suite.EncodeG1(k.point) }

// Suite returns the suite the key belongs to.
func (k *ShareKey) Suite() *Suite { return k.suite }

// Point returns s_i·G.
func (k *ShareKey) Point() backends.G1 { return k.point }

// ProveClientShare issues a client share together with a proof for clients,
// two scalars long. It draws from rand, or from the system's source where rand
// is nil: two proofs of different shares under one draw would give s_i away.
// Errors: ErrSuiteMismatch and those of rand. Constant-time where the backend
// is.
func (m *MasterSecret) ProveClientShare(id *Identity, rand io.Reader) (*ClientSecret, []byte, error) {
	c, err := m.ClientShare(id)
	if err != nil {
		return nil, nil, err
	}
	proof, err := m.prove(id.point, c.point, rand)
	return c, proof, err
}

// ProvePermitShare is ProveClientShare for a permit share. Errors: also
// ErrNoPermits, ErrDate.
func (m *MasterSecret) ProvePermitShare(id *Identity, date Date, rand io.Reader) (*Permit, []byte, error) {
	t, err := m.PermitShare(id, date)
	if err != nil {
		return nil, nil, err
	}
	at, err := id.PermitPoint(date)
	if err != nil {
		return nil, nil, err
	}
	proof, err := m.prove(at, t.point, rand)
	return t, proof, err
}

// VerifyClientShare checks, before a token is made of it, that a client share
// is s_i·A for the s_i of the key. Errors: ErrBadShare, backends.ErrLength and
// backends.ErrNotCanonical for the proof, ErrSuiteMismatch. Variable-time in
// the share.
func (k *ShareKey) VerifyClientShare(id *Identity, c *ClientSecret, proof []byte) error {
	if !k.suite.same(id.suite) || !k.suite.same(c.suite) {
		return ErrSuiteMismatch
	}
	return k.verify(id.point, c.point, proof)
}

// VerifyPermitShare is VerifyClientShare for a permit share. A permit for
// another identity or day is ErrBadShare.
func (k *ShareKey) VerifyPermitShare(id *Identity, t *Permit, proof []byte) error {
	if !k.suite.same(id.suite) || !k.suite.same(t.suite) {
		return ErrSuiteMismatch
	}
	at, err := id.PermitPoint(t.date)
	if err != nil {
		return err
	}
	return k.verify(at, t.point, proof)
}

// VerifyServerShare checks that a server share is s_i·Q for the s_i of the
// key: e(s_i·G, Q) = e(G, s_i·Q). A server that does so, and clients that check
// theirs, know that the D-TA serves both with one secret. Errors: ErrBadShare,
// ErrSuiteMismatch.
func (k *ShareKey) VerifyServerShare(q *ServerSecret) error {
	if !k.suite.same(q.suite) {
		return ErrSuiteMismatch
	}
	b := k.suite.backend
	return k.suite.sameLog(k.point, b.G2(), b.G1(), q.point)
}

// prove shows that share = s_i·a and the key have one logarithm: c and
// z = t + c·s_i for a random t and c = H(key, a, share, t·G, t·a).
func (m *MasterSecret) prove(a, share backends.G1, rand io.Reader) ([]byte, error) {
	s := m.suite
	t, err := backends.RandomScalar(s.backend, random(rand))
	if err != nil {
		return nil, err
	}
	g := s.backend.G1()
	c, err := s.shareChallenge(g.Mul(m.s), a, share, g.Mul(t), a.Mul(t))
	if err != nil {
		return nil, err
	}
	return append(s.EncodeScalar(c), s.EncodeScalar(t.Add(c.Mul(m.s)))...), nil
}

func (k *ShareKey) verify(a, share backends.G1, proof []byte) error {
	s := k.suite
	_, _, size := s.id.Sizes()
	if len(proof) != 2*size {
		return fmt.Errorf("share proof: %w: %d bytes, not %d", backends.ErrLength, len(proof), 2*size)
	}
	c, err := s.DecodeScalar(proof[:size])
	if err != nil {
		return fmt.Errorf("share proof: %w", err)
	}
	z, err := s.DecodeScalar(proof[size:])
	if err != nil {
		return fmt.Errorf("share proof: %w", err)
	}
	g := s.backend.G1()
	want, err := s.shareChallenge(k.point, a, share, g.Mul(z).Sub(k.point.Mul(c)), a.Mul(z).Sub(share.Mul(c)))
	if err != nil {
		return err
	}
	if !c.Equal(want) {
		return ErrBadShare
	}
	return nil
}

const shareDST = "MPIN-V01-CS01-SHARE"

// shareChallenge hashes the suite's name and the points, each with its length,
// to a scalar.
func (s *Suite) shareChallenge(points ...backends.G1) (backends.Scalar, error) {
	name := s.id.String()
	msg := append([]byte{byte(len(name))}, name...)
	for _, p := range points {
		msg = appendSized(msg, s.EncodeG1(p))
	}
	b, err := h2c.ExpandMessageXMD([]byte(shareDST), msg, (s.id.Curve.Params().R.BitLen()+128+7)/8)
	if err != nil {
		return nil, fmt.Errorf("share proof: %w", err)
	}
	return s.backend.ReduceScalar(b), nil
}
