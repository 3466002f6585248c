package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mpinlab/sim/client"
)

func newUserLogin(f *userFlags) *cobra.Command {
	var pin pinFlags
	var otp, stay bool
	c := &cobra.Command{
		Use:     "login [USER]",
		Short:   "Log in",
		Long:    "login logs a user in and, unless --stay is given, out again: a command has no use for a session.",
		Example: "  mpin user login alice@example.com --pin 1234\n  mpin user login --websocket --otp",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, func() (*userResult, error) {
				ctx := c.Context()
				d, id, p, err := f.withPIN(c, args, &pin)
				if err != nil {
					return nil, err
				}
				defer d.Close()
				defer p.Wipe()
				s, err := d.Login(ctx, id, p, client.LoginOptions{OTP: otp})
				if err != nil {
					return nil, err
				}
				if !stay && s.LogoutURL != "" {
					if err := d.Logout(ctx, s); err != nil {
						fmt.Fprintln(c.ErrOrStderr(), "mpin: logged in, but could not log out again:", err)
					}
				}
				r := &userResult{Result: "ok", User: id.UserID, MpinID: id.MpinID, Server: id.Server, OTP: s.OTP, Message: "logged in as " + id.UserID}
				if s.OTP != "" {
					r.Message += "\none-time password: " + s.OTP
				}
				return r, nil
			})
		},
	}
	pin.add(c, "pin", "the PIN")
	c.Flags().BoolVar(&otp, "otp", false, "ask for a one-time password")
	c.Flags().BoolVar(&stay, "stay", false, "do not log out again")
	return c
}

// withPIN reaches the deployment, finds the identity, and asks for its PIN.
func (f *userFlags) withPIN(c *cobra.Command, args []string, pin *pinFlags) (*client.Device, *client.Identity, *client.PIN, error) {
	w, err := f.wallet()
	if err != nil {
		return nil, nil, nil, err
	}
	id, err := f.find(c.Context(), w, args)
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := pin.read(c, "PIN of "+id.UserID)
	if err != nil {
		return nil, nil, nil, err
	}
	d, err := f.open(c.Context())
	if err != nil {
		p.Wipe()
		return nil, nil, nil, err
	}
	return d, id, p, nil
}

func newUserPermit(f *userFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "permit [USER]",
		Short:   "Fetch today's time permit: not to be had once revoked",
		Long:    "permit fetches the identity's time permit for today and keeps the storage's half of it. It tells without a login whether the identity was revoked.",
		Example: "  mpin user permit alice@example.com",
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
				if !d.Suite().ID().TimePermits() {
					return nil, fmt.Errorf("%w: %s has no time permits", client.ErrSuite, d.Suite().ID())
				}
				if err := d.Permit(ctx, id); err != nil {
					return nil, err
				}
				return &userResult{Result: "ok", User: id.UserID, MpinID: id.MpinID, Server: id.Server, Message: id.UserID + " has a permit for today"}, nil
			})
		},
	}
}

func newUserChangePIN(f *userFlags) *cobra.Command {
	var old, new pinFlags
	c := &cobra.Command{
		Use:   "change-pin [USER]",
		Short: "Change the PIN",
		Long: `change-pin changes the PIN on this device, without the D-TAs, and logs in with the
new one before it forgets the old: a wrong old PIN is found out that way and costs
an attempt. A copy of the old token goes on working with the old PIN.`,
		Example: "  mpin user change-pin alice@example.com --pin 1234 --new-pin 8642",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, func() (*userResult, error) {
				d, id, was, err := f.withPIN(c, args, &old)
				if err != nil {
					return nil, err
				}
				defer d.Close()
				defer was.Wipe()
				is, err := new.read(c, "new PIN of "+id.UserID)
				if err != nil {
					return nil, err
				}
				defer is.Wipe()
				if err := d.ChangePIN(c.Context(), id, was, is); err != nil {
					return nil, err
				}
				return &userResult{Result: "ok", User: id.UserID, MpinID: id.MpinID, Server: id.Server, Message: "the PIN of " + id.UserID + " was changed"}, nil
			})
		},
	}
	old.add(c, "pin", "the old PIN")
	new.add(c, "new-pin", "the new PIN")
	return c
}
