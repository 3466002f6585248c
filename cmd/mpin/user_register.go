package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/sim/client"
)

// pollActivation is how often a waiting client asks whether it was activated.
const pollActivation = 2 * time.Second

func newUserRegister(f *userFlags) *cobra.Command {
	var pin pinFlags
	var r client.Registration
	var outbox, again bool
	c := &cobra.Command{
		Use:   "register USER",
		Short: "Register a user, and choose a PIN",
		Long: `register registers a user with the deployment and, if that is activated at once,
fetches the client secret, takes the PIN out of it and stores the token. Where the
deployment sends a link first, follow it and run mpin user activate.`,
		Example: "  mpin user register alice@example.com --pin 1234\n  mpin user register bob@example.com --outbox --pin-file pin.txt",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, func() (*userResult, error) {
				ctx := c.Context()
				d, err := f.open(ctx)
				if err != nil {
					return nil, err
				}
				defer d.Close()
				r.UserID = args[0]
				old, err := d.Wallet.Find(ctx, d.Server(), r.UserID)
				switch {
				case err == nil && old.State == client.StateActive && !again:
					return nil, fmt.Errorf("%w: %s is registered; --again registers anew", client.ErrState, old)
				case err != nil && !errors.Is(err, client.ErrNotFound):
					return nil, err
				}
				// A PIN that cannot be is found out before anybody is asked.
				if pin.text != "" {
					p, err := pin.read(c, "")
					if err != nil {
						return nil, err
					}
					defer p.Wipe()
					if err := d.CheckPIN(p); err != nil {
						return nil, err
					}
				}
				id, err := d.Register(ctx, r)
				if err != nil {
					return nil, err
				}
				result, err := activate(c, d, id, &pin, outbox, 0)
				if errors.Is(err, client.ErrNotActivated) {
					return &userResult{
						Result: "pending", User: id.UserID, MpinID: id.MpinID, Server: id.Server, Expires: id.Expires.UTC().Format(time.RFC3339),
						Message: fmt.Sprintf("%s is registered and not active yet: follow the link that was sent to you,\nthen run: mpin user activate %s", id.UserID, id.UserID),
					}, nil
				}
				return result, err
			})
		},
	}
	pin.add(c, "pin", "the PIN")
	c.Flags().StringVar(&r.DeviceName, "device", "", "a name for this device")
	c.Flags().StringVar(&r.UserData, "user-data", "", "data to pass on to the relying party")
	c.Flags().BoolVar(&r.Mobile, "mobile", false, "register as a phone")
	c.Flags().BoolVar(&outbox, "outbox", false, "follow the link in our own deployment's outbox, which only its operator can read")
	c.Flags().BoolVar(&again, "again", false, "register anew a user who has a token; it is dropped once the new one is there")
	return c
}

func newUserActivate(f *userFlags) *cobra.Command {
	var pin pinFlags
	var outbox bool
	var waiting time.Duration
	c := &cobra.Command{
		Use:   "activate [USER]",
		Short: "Choose the PIN of a registration whose link was followed",
		Long: `activate fetches the client secret of a registration that was activated, takes the
PIN out of it and stores the token. With --wait it waits for the activation.`,
		Example: "  mpin user activate alice@example.com --wait 5m",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, func() (*userResult, error) {
				ctx := c.Context()
				d, err := f.open(ctx)
				if err != nil {
					return nil, err
				}
				defer d.Close()
				id, err := f.find(ctx, d.Wallet, args)
				if err != nil {
					return nil, err
				}
				return activate(c, d, id, &pin, outbox, waiting)
			})
		},
	}
	pin.add(c, "pin", "the PIN")
	c.Flags().BoolVar(&outbox, "outbox", false, "follow the link in our own deployment's outbox, which only its operator can read")
	c.Flags().DurationVar(&waiting, "wait", 0, "how long to wait for the activation")
	return c
}

// activate gets a pending identity its token. The user is asked for the PIN when
// the client secret is there, and not before.
func activate(c *cobra.Command, d *client.Device, id *client.Identity, pin *pinFlags, outbox bool, waiting time.Duration) (*userResult, error) {
	ctx := c.Context()
	if id.State != client.StatePending {
		return nil, fmt.Errorf("%w: %s has its token already", client.ErrState, id)
	}
	if outbox {
		if err := d.ActivateByOutbox(ctx, id); err != nil && !errors.Is(err, client.ErrNotFound) {
			return nil, err
		}
	}
	var chosen *client.PIN
	if pin.text != "" || pin.file != "" {
		var err error
		if chosen, err = pin.read(c, ""); err != nil {
			return nil, err
		}
		defer chosen.Wipe()
		if err := d.CheckPIN(chosen); err != nil {
			return nil, err
		}
	}
	e, err := d.Enrol(ctx, id)
	if errors.Is(err, client.ErrNotActivated) && waiting > 0 {
		fmt.Fprintln(c.ErrOrStderr(), "waiting for the link to be followed")
		inner, cancel := context.WithTimeoutCause(ctx, waiting, client.ErrNotActivated)
		defer cancel()
		e, err = d.EnrolWhenActive(inner, id, pollActivation)
	}
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		p := chosen
		if p == nil {
			if p, err = pin.read(c, "choose a PIN for "+id.UserID); err != nil {
				return nil, err
			}
		}
		err = d.Finish(ctx, id, e, p)
		if p != chosen {
			p.Wipe()
		}
		if err == nil {
			break
		}
		// The secret is fetched once: at a terminal a PIN that will not do is
		// asked for again.
		if chosen != nil || !errors.Is(err, client.ErrPIN) || attempt == 4 {
			return nil, err
		}
		fmt.Fprintln(c.ErrOrStderr(), err)
	}
	return &userResult{Result: "ok", User: id.UserID, MpinID: id.MpinID, Server: id.Server, Message: id.UserID + " is registered and can log in"}, nil
}
