package protocol

import (
	"fmt"
	"io"

	"mpinlab/backends"
)

// MasterSecret is one D-TA's share s_i of the master secret, or the whole of
// it. The whole is the sum of the shares.
type MasterSecret struct {
	suite *Suite
	s     backends.Scalar
}

// NewMasterSecret draws a share from rand, or from the system's source where
// rand is nil.
func (s *Suite) NewMasterSecret(rand io.Reader) (*MasterSecret, error) {
	k, err := backends.RandomScalar(s.backend, random(rand))
	if err != nil {
		return nil, err
	}
	return &MasterSecret{s, k}, nil
}

// DecodeMasterSecret reads a share. Errors: backends.ErrLength,
// backends.ErrNotCanonical, ErrZeroScalar.
func (s *Suite) DecodeMasterSecret(b []byte) (*MasterSecret, error) {
	k, err := s.nonZeroScalar(b)
	if err != nil {
		return nil, fmt.Errorf("master secret: %w", err)
	}
	return &MasterSecret{s, k}, nil
}

// Bytes returns the share's encoding: the secret itself.
func (m *MasterSecret) Bytes() []byte { return m.suite.EncodeScalar(m.s) }

// ClientShare issues s_i·A, this D-TA's share of the identity's client secret.
// Constant-time where the backend is.
func (m *MasterSecret) ClientShare(id *Identity) (*ClientSecret, error) {
	if !m.suite.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	return &ClientSecret{m.suite, id.point.Mul(m.s)}, nil
}

// ServerShare issues s_i·Q, this D-TA's share of the server secret.
// Constant-time where the backend is.
func (m *MasterSecret) ServerShare() *ServerSecret {
	return &ServerSecret{m.suite, m.suite.backend.G2().Mul(m.s)}
}

// PermitShare issues s_i·A_T, this D-TA's share of the identity's permit for a
// day. Errors: ErrNoPermits, ErrDate, ErrSuiteMismatch. Constant-time where
// the backend is.
func (m *MasterSecret) PermitShare(id *Identity, date Date) (*Permit, error) {
	if !m.suite.same(id.suite) {
		return nil, ErrSuiteMismatch
	}
	t, err := id.PermitPoint(date)
	if err != nil {
		return nil, err
	}
	return &Permit{m.suite, date, t.Mul(m.s)}, nil
}

// ServerSecret is s·Q or a share of it.
type ServerSecret struct {
	suite *Suite
	point backends.G2
}

// DecodeServerSecret reads a server secret or share. Errors: those of
// Suite.DecodeG2.
func (s *Suite) DecodeServerSecret(b []byte) (*ServerSecret, error) {
	p, err := s.DecodeG2(b)
	if err != nil {
		return nil, fmt.Errorf("server secret: %w", err)
	}
	return &ServerSecret{s, p}, nil
}

// Bytes returns the secret's encoding.
func (q *ServerSecret) Bytes() []byte { return q.suite.EncodeG2(q.point) }

// ClientSecret is s·A or a share of it, complete: no factor has been taken out.
type ClientSecret struct {
	suite *Suite
	point backends.G1
}

// DecodeClientSecret reads a client secret or share. Errors: those of
// Suite.DecodeG1.
func (s *Suite) DecodeClientSecret(b []byte) (*ClientSecret, error) {
	p, err := s.DecodeG1(b)
	if err != nil {
		return nil, fmt.Errorf("client secret: %w", err)
	}
	return &ClientSecret{s, p}, nil
}

// Bytes returns the secret's encoding.
func (c *ClientSecret) Bytes() []byte { return c.suite.EncodeG1(c.point) }

// Permit is s·A_T for a day, or a share of it.
type Permit struct {
	suite *Suite
	date  Date
	point backends.G1
}

// DecodePermit reads a permit or share for the given day. Errors: those of
// Suite.DecodeG1, ErrNoPermits, ErrDate.
func (s *Suite) DecodePermit(date Date, b []byte) (*Permit, error) {
	if !s.id.TimePermits() {
		return nil, ErrNoPermits
	}
	if date <= 0 {
		return nil, fmt.Errorf("permit: %w: %d", ErrDate, date)
	}
	p, err := s.DecodeG1(b)
	if err != nil {
		return nil, fmt.Errorf("permit: %w", err)
	}
	return &Permit{s, date, p}, nil
}

// Bytes returns the permit's encoding.
func (t *Permit) Bytes() []byte { return t.suite.EncodeG1(t.point) }

// Date returns the permit's day.
func (t *Permit) Date() Date { return t.date }
