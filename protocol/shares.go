package protocol

import (
	"errors"

	"mpinlab/backends"
)

// ErrBadShare: a share was not made with the secret that it should have been
// made with.
var ErrBadShare = errors.New("bad share")

// VerifyShare checks a client share, or the whole secret, against the server
// share of the same D-TA, or the whole server secret: e(s_i·A, Q) = e(A, s_i·Q).
// Errors: ErrBadShare, ErrSuiteMismatch.
//
// It is for those who hold s_i·Q anyway: the server, and the D-TAs among each
// other. Clients must not be given it. The server shares of all D-TAs add up
// to s·Q, and whoever has that and a stolen token finds the PIN without asking
// anyone, by e(token + PIN·A, Q) = e(A, s·Q). A client uses
// [ShareKey.VerifyClientShare]. Variable-time in the share.
func (c *ClientSecret) VerifyShare(id *Identity, server *ServerSecret) error {
	if !c.suite.same(id.suite) || !c.suite.same(server.suite) {
		return ErrSuiteMismatch
	}
	return c.suite.sameLog(c.point, c.suite.backend.G2(), id.point, server.point)
}

// VerifyShare checks a permit share, or the whole permit, as
// ClientSecret.VerifyShare does: e(s_i·A_T, Q) = e(A_T, s_i·Q). A permit for
// another identity or day is ErrBadShare.
func (t *Permit) VerifyShare(id *Identity, server *ServerSecret) error {
	if !t.suite.same(id.suite) || !t.suite.same(server.suite) {
		return ErrSuiteMismatch
	}
	at, err := id.PermitPoint(t.date)
	if err != nil {
		return err
	}
	return t.suite.sameLog(t.point, t.suite.backend.G2(), at, server.point)
}

// sameLog returns ErrBadShare unless e(p, q) = e(a, b).
func (s *Suite) sameLog(p backends.G1, q backends.G2, a backends.G1, b backends.G2) error {
	if !s.backend.PairingCheck([]backends.G1{p, a.Neg()}, []backends.G2{q, b}) {
		return ErrBadShare
	}
	return nil
}
