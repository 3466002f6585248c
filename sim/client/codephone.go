package client

import (
	"context"

	"mpinlab/sim/wire"
)

// Scanned tells the page that shows a code that a phone has read it, and who is
// about to log it in once userID is not empty. [Client.Approve] does so too; this
// is for phones that ask for the PIN in between. Errors: ErrUnknownCode,
// ErrExpired, those of ctx.
func (c *Client) Scanned(ctx context.Context, code, userID string) error {
	wid, err := c.readCode(code)
	if err != nil {
		return err
	}
	if userID == "" {
		return c.codeStatus(ctx, wire.CodeStatusRequest{Status: wire.CodeWID, WID: wid})
	}
	return c.codeStatus(ctx, wire.CodeStatusRequest{Status: wire.CodeUser, WID: wid, UserID: userID})
}

// Decline gives a code up: the page that shows it is told that it has expired.
// Errors: as Scanned.
func (c *Client) Decline(ctx context.Context, code string) error {
	wid, err := c.readCode(code)
	if err != nil {
		return err
	}
	return c.codeStatus(ctx, wire.CodeStatusRequest{Status: wire.CodeExpired, WID: wid})
}
