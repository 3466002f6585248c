package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/sim/client"
	"mpinlab/sim/wire"
)

// pollCode is how often a browser asks how far the phone has come.
const pollCode = time.Second

func newUserCode(f *userFlags) *cobra.Command {
	var qr bool
	c := &cobra.Command{
		Use:   "code",
		Short: "Be a browser that a phone logs in: show an access number",
		Long: `code gets an access number, or with --qr the text of a QR code, prints it and waits
for a phone (mpin user approve) to log it in.`,
		Example: "  mpin user code",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.run(c, func() (*userResult, error) {
				ctx := c.Context()
				d, err := f.open(ctx)
				if err != nil {
					return nil, err
				}
				defer d.Close()
				get, shown := d.AccessNumber, "access number"
				if qr {
					get, shown = d.QRCode, "QR code"
				}
				code, err := get(ctx)
				if err != nil {
					return nil, err
				}
				text := code.Number + code.QrURL
				if f.asJSON {
					err = writeJSON(c.OutOrStdout(), userResult{Result: "pending", Code: text, Server: d.Server(), Expires: code.Expires.UTC().Format(time.RFC3339)})
				} else {
					_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", shown, text)
				}
				if err != nil {
					return nil, err
				}
				s, err := d.AwaitCode(ctx, code, pollCode, func(s client.CodeState) {
					switch s.Status {
					case wire.CodeWID:
						fmt.Fprintln(c.ErrOrStderr(), "a phone has the code")
					case wire.CodeUser:
						fmt.Fprintln(c.ErrOrStderr(), "a phone is about to log in", s.UserID)
					}
				})
				if err != nil {
					return nil, err
				}
				return &userResult{Result: "ok", User: s.UserID, Server: d.Server(), Code: text, Message: "logged in as " + s.UserID}, nil
			})
		},
	}
	c.Flags().BoolVar(&qr, "qr", false, "a QR code instead of an access number")
	return c
}

func newUserApprove(f *userFlags) *cobra.Command {
	var pin pinFlags
	var logout bool
	c := &cobra.Command{
		Use:   "approve [USER] CODE",
		Short: "Be the phone: log a browser in with the code it shows",
		Long: `approve logs the browser in that shows CODE, an access number or the text of a QR
code, and returns when the browser has taken the login over.`,
		Example: "  mpin user approve alice@example.com 2469135 --pin 1234",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, func() (*userResult, error) {
				ctx := c.Context()
				code := args[len(args)-1]
				d, id, p, err := f.withPIN(c, args[:len(args)-1], &pin)
				if err != nil {
					return nil, err
				}
				defer d.Close()
				defer p.Wipe()
				a, err := d.Approve(ctx, id, p, code)
				if err != nil {
					return nil, err
				}
				r := &userResult{Result: "ok", User: id.UserID, MpinID: id.MpinID, Server: id.Server, Code: code, Message: "the browser is logged in as " + id.UserID}
				if logout {
					if err := d.LogoutBrowser(ctx, a); err != nil {
						return nil, err
					}
					r.Message += ", and out again"
				}
				return r, nil
			})
		},
	}
	pin.add(c, "pin", "the PIN")
	c.Flags().BoolVar(&logout, "logout", false, "log the browser out again at once")
	return c
}
