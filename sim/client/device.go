package client

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Device is a client with the wallet that it keeps its identities in: everything
// that changes an identity is stored before a call returns. Calls with one
// *Identity must not run at the same time; with several they may.
type Device struct {
	*Client
	Wallet *Wallet
}

// NewDevice puts the two together.
func NewDevice(c *Client, w *Wallet) *Device { return &Device{c, w} }

// Register registers a user and stores the pending identity. Another pending
// registration of that user at that server is dropped; an identity with a token
// stays until the new one is activated. Errors: those of [Client.Register] and
// [Vault.Update].
func (d *Device) Register(ctx context.Context, r Registration) (*Identity, error) {
	ids, err := d.Wallet.List(ctx) // a wallet that does not open is found out now
	if err != nil {
		return nil, err
	}
	id, err := d.Client.Register(ctx, r)
	if err != nil {
		return nil, err
	}
	var replaced []string
	for _, old := range ids {
		if old.Server == id.Server && old.UserID == id.UserID && old.State == StatePending {
			replaced = append(replaced, old.MpinID)
		}
	}
	return id, d.Wallet.Put(ctx, id, replaced...)
}

// RegisterAgain is [Client.RegisterAgain], stored.
func (d *Device) RegisterAgain(ctx context.Context, id *Identity) error {
	was := id.MpinID
	if err := d.Client.RegisterAgain(ctx, id); err != nil {
		return err
	}
	return d.Wallet.Put(ctx, id, was)
}

// Activate gets a pending identity its token: it waits until the user has
// followed the link, asking every now and then, or asks once if every is 0. The
// token is stored before the deployment is told that setup is done; other
// identities of the user at that server are dropped. Errors: those of
// [Client.EnrolWhenActive], [Enrolment.SetPIN], [Vault.Update]. Where the token is
// stored and only telling the deployment fails there is no error: the next login
// does it.
func (d *Device) Activate(ctx context.Context, id *Identity, pin *PIN, every time.Duration) error {
	if err := d.CheckPIN(pin); err != nil {
		return err
	}
	var e *Enrolment
	var err error
	if every > 0 {
		e, err = d.EnrolWhenActive(ctx, id, every)
	} else {
		e, err = d.Enrol(ctx, id)
	}
	if err != nil {
		return err
	}
	return d.Finish(ctx, id, e, pin)
}

// Finish is the end of Activate, for who has an enrolment already and asks for
// the PIN only then.
func (d *Device) Finish(ctx context.Context, id *Identity, e *Enrolment, pin *PIN) error {
	if err := e.SetPIN(pin); err != nil {
		return err
	}
	ids, err := d.Wallet.List(ctx)
	if err != nil {
		return err
	}
	var replaced []string
	for _, old := range ids {
		if old.Server == id.Server && old.UserID == id.UserID {
			replaced = append(replaced, old.MpinID)
		}
	}
	if err := d.Wallet.Put(ctx, id, replaced...); err != nil {
		return err
	}
	return d.announce(ctx, id)
}

// announce tells the deployment that setup is done, if it was not told yet. Only
// a failure to store that it was told is an error.
func (d *Device) announce(ctx context.Context, id *Identity) error {
	if id.Announced || d.SetupDone(ctx, id) != nil {
		return nil
	}
	return d.Wallet.Put(ctx, id)
}

// use does something with an identity's token and stores what became of the
// identity: its permit, and whether it is blocked.
func (d *Device) use(ctx context.Context, id *Identity, f func() error) error {
	if id.State == StateBlocked {
		return fmt.Errorf("%w (%s)", ErrBlocked, id)
	}
	before, err := id.Record()
	if err != nil {
		return err
	}
	defer clear(before)
	result := f()
	if errors.Is(result, ErrBlocked) {
		id.State = StateBlocked
	}
	after, err := id.Record()
	if err != nil {
		return err
	}
	defer clear(after)
	if string(before) == string(after) {
		return result
	}
	// What happened is more important than that it could not be noted down,
	// unless it went well.
	if err := d.Wallet.Put(ctx, id); err != nil && result == nil {
		return err
	}
	return result
}

// Login is [Client.Login], with what it changes stored. A blocked identity is
// ErrBlocked without asking.
func (d *Device) Login(ctx context.Context, id *Identity, pin *PIN, opt LoginOptions) (*Session, error) {
	var s *Session
	err := d.use(ctx, id, func() (err error) {
		if err = d.announce(ctx, id); err == nil {
			s, err = d.Client.Login(ctx, id, pin, opt)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Approve is [Client.Approve], with what it changes stored.
func (d *Device) Approve(ctx context.Context, id *Identity, pin *PIN, code string) (*Approval, error) {
	var a *Approval
	err := d.use(ctx, id, func() (err error) {
		if err = d.announce(ctx, id); err == nil {
			a, err = d.Client.Approve(ctx, id, pin, code)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// ChangePIN is [Client.ChangePIN], with the new token stored.
func (d *Device) ChangePIN(ctx context.Context, id *Identity, old, new *PIN) error {
	s, err := d.ReplacePIN(ctx, id, old, new)
	if err != nil {
		return err
	}
	return d.endTrial(ctx, s)
}

// ReplacePIN is [Client.ReplacePIN], with the new token stored.
func (d *Device) ReplacePIN(ctx context.Context, id *Identity, old, new *PIN) (*Session, error) {
	var s *Session
	err := d.use(ctx, id, func() (err error) {
		s, err = d.Client.ReplacePIN(ctx, id, old, new)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Permit is [Client.Permit], stored. It is a way to find out whether an identity
// was revoked without a login.
func (d *Device) Permit(ctx context.Context, id *Identity) error {
	return d.use(ctx, id, func() error {
		_, err := d.Client.Permit(ctx, id)
		return err
	})
}

// Forget removes an identity from the wallet. The deployment is not told.
func (d *Device) Forget(ctx context.Context, id *Identity) error {
	return d.Wallet.Delete(ctx, id.MpinID)
}
