package client

import (
	"crypto/rand"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// Prepare computes ahead of a login what needs neither the PIN nor an answer, for
// instance while the PIN is being typed: the identity's point, those of the token
// and of the permit that the identity has, and the point of the permit's day. They
// are kept with the identity in memory; nothing is stored or sent. What a thief of
// that memory finds of the token was there before, as bytes.
//
// It also goes through a whole proof, with A in the place of the secret and of the
// permit and a challenge of its own, and throws it away: in a browser, code that
// has run often is compiled better. The next login draws an x of its own. Errors:
// ErrState, ErrSuite, ErrDamaged, those of Options.Rand. The token is read in
// variable time, as at a login; no PIN comes in.
func (c *Client) Prepare(id *Identity) error {
	defer c.traceNow(StepPrepare)()
	if err := id.usable(c.suite); err != nil {
		return err
	}
	point, err := id.hashed(c.suite)
	if err != nil {
		return err
	}
	if _, err := id.decodedToken(c.suite); err != nil {
		return err
	}
	permit, err := c.preparedPermit(id, point)
	if err != nil {
		return err
	}
	secret, err := c.suite.ClientSecretOf(point.Point())
	if err != nil {
		return err
	}
	prover, err := c.suite.NewProver(point, secret, permit, c.opt.Rand)
	if err != nil {
		return err
	}
	if permit != nil && c.binds() {
		if _, err := prover.ProveBinding(c.opt.Rand); err != nil {
			return err
		}
	}
	source := c.opt.Rand
	if source == nil {
		source = rand.Reader
	}
	y, err := backends.RandomScalar(c.suite.Backend(), source)
	if err != nil {
		return err
	}
	_, err = prover.Pass2(c.suite.EncodeScalar(y))
	return err
}

// preparedPermit reads the permit that the identity has. It returns one that opens
// nothing, for the same day, or where there is none for that of this machine's
// clock; nil where the suite has no permits.
func (c *Client) preparedPermit(id *Identity, point *protocol.Identity) (*protocol.Permit, error) {
	if !c.suite.ID().TimePermits() {
		return nil, nil
	}
	date, err := protocol.DateOf(c.opt.Now())
	if err != nil {
		return nil, err
	}
	id.mu.Lock()
	kept := id.permit
	id.mu.Unlock()
	if kept != nil {
		if sum, err := kept.read(c); err == nil { // where it is damaged, the login gets another
			id.keep(kept, sum, c.suite)
			date = sum.Date()
		}
	}
	return c.suite.PermitOf(date, point.Point())
}
