package client

import (
	"context"
	"errors"
	"fmt"
)

// ChangePIN puts a new PIN in the old one's place, without any D-TA. Whether the
// old PIN is right cannot be seen from here, so a login with the new token and
// the new PIN has to succeed before the identity gets the token; until then, and
// if anything fails, the old PIN stays. A wrong old PIN is ErrWrongPIN and costs
// an attempt. The session of that login is ended again; [Client.ReplacePIN] leaves
// it. The field Token changes.
//
// Whoever copied the old token and knows the old PIN can go on using them: a
// change of PIN helps against someone who saw it typed, not against someone who
// has the token. Errors: ErrPIN, and those of Login.
func (c *Client) ChangePIN(ctx context.Context, id *Identity, old, new *PIN) error {
	s, err := c.ReplacePIN(ctx, id, old, new)
	if err != nil {
		return err
	}
	return c.endTrial(ctx, s)
}

// endTrial ends the session of the login that tested a PIN.
func (c *Client) endTrial(ctx context.Context, s *Session) error {
	if err := c.Logout(ctx, s); err != nil && !errors.Is(err, ErrState) {
		return fmt.Errorf("the PIN was changed, but the login that tested it goes on: %w", err)
	}
	return nil
}

// ReplacePIN is ChangePIN without the log-out at its end: for a browser, where a
// login takes the place of the session that there is. Errors: ErrPIN, and those of
// Login.
func (c *Client) ReplacePIN(ctx context.Context, id *Identity, old, new *PIN) (*Session, error) {
	if err := c.CheckPIN(new); err != nil {
		return nil, err
	}
	point, _, err := id.secret(c.suite, old)
	if err != nil {
		return nil, err
	}
	token, err := id.decodedToken(c.suite)
	if err != nil {
		return nil, err
	}
	was, err := old.factor(c.suite)
	if err != nil {
		return nil, err
	}
	is, err := new.factor(c.suite)
	if err != nil {
		return nil, err
	}
	if token, err = token.ChangeFactor(point, was, is); err != nil {
		return nil, err
	}
	id.mu.Lock()
	trial := &Identity{
		MpinID: id.MpinID, UserID: id.UserID, Mobile: id.Mobile, Server: id.Server, Suite: id.Suite,
		State: id.State, Token: token.Bytes(), permit: id.permit, point: id.point,
	}
	id.mu.Unlock()
	s, err := c.Login(ctx, trial, new, LoginOptions{})
	trial.mu.Lock()
	permit := trial.permit
	trial.mu.Unlock()
	id.mu.Lock()
	id.permit = permit
	id.mu.Unlock()
	if err != nil {
		return nil, err
	}
	id.Token = trial.Token
	return s, nil
}
