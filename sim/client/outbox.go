package client

import (
	"context"
	"fmt"
	"net/url"

	"mpinlab/sim/client/internal/http"
	"mpinlab/sim/wire"
)

// ActivateByOutbox plays the user who opens the mail with the activation link:
// it reads the link from the outbox that our relying party has in the place of
// e-mail, and follows it. Only its operator can read the outbox. Errors:
// ErrNotFound where there is nothing for the user, ErrRefused, ErrExpired,
// ErrServer, ErrUnreachable, ErrBusy.
func (c *Client) ActivateByOutbox(ctx context.Context, id *Identity) error {
	base, err := url.Parse(c.base)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	at := base.JoinPath("outbox")
	at.RawQuery = url.Values{"user": {id.UserID}}.Encode()
	var mail wire.OutboxAnswer
	_, err = c.do(ctx, &request{
		step: StepOutbox, method: http.MethodGet, url: at, out: &mail, again: true,
		kinds: map[int]error{http.StatusNotFound: ErrNotFound},
	})
	if err != nil {
		return err
	}
	if mail.MpinID != id.MpinID {
		return fmt.Errorf("%w: the outbox has a link for another registration of %s", ErrNotFound, id.UserID)
	}
	link, err := at.Parse(mail.Link)
	if err != nil || link.Host != base.Host || link.Scheme != base.Scheme {
		return nonsense(StepOutbox, "the link leads elsewhere")
	}
	_, err = c.do(ctx, &request{
		step: StepActivate, method: http.MethodGet, url: link,
		kinds: map[int]error{http.StatusGone: ErrExpired, http.StatusRequestTimeout: ErrExpired},
	})
	return err
}
