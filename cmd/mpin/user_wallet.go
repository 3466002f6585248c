package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mpinlab/protocol"
	"mpinlab/sim/client"
)

// identityJSON is a row of `mpin user list --json`. Tools read it: its names do
// not change.
type identityJSON struct {
	User   string `json:"user"`
	Server string `json:"server"`
	Suite  string `json:"suite"`
	State  string `json:"state"`
	Device string `json:"device"`
	MpinID string `json:"mpinId"`
}

func newUserList(f *userFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the identities in the wallet",
		Example: "  mpin user list --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w, err := f.wallet()
			if err != nil {
				return err
			}
			ids, err := w.List(c.Context())
			if err != nil {
				return outcome(err)
			}
			rows := []identityJSON{}
			var cells [][]string
			for _, id := range ids {
				rows = append(rows, identityJSON{id.UserID, id.Server, id.Suite, string(id.State), id.DeviceName, id.MpinID})
				cells = append(cells, []string{id.UserID, id.Server, id.Suite, string(id.State), id.DeviceName})
			}
			if f.asJSON {
				return writeJSON(c.OutOrStdout(), rows)
			}
			return table(c.OutOrStdout(), []string{"USER", "SERVER", "SUITE", "STATE", "DEVICE"}, cells)
		},
	}
}

func newUserForget(f *userFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "forget USER",
		Short:   "Remove a user's identity from the wallet",
		Long:    "forget removes a user's token from the wallet. The deployment is not told; to log in again the user has to register again.",
		Example: "  mpin user forget alice@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, func() (*userResult, error) {
				w, err := f.wallet()
				if err != nil {
					return nil, err
				}
				id, err := f.find(c.Context(), w, args)
				if err != nil {
					return nil, err
				}
				if err := w.Delete(c.Context(), id.MpinID); err != nil {
					return nil, err
				}
				return &userResult{Result: "ok", User: id.UserID, MpinID: id.MpinID, Server: id.Server, Message: id.UserID + " is forgotten"}, nil
			})
		},
	}
}

func newUserSign(f *userFlags) *cobra.Command {
	var pin pinFlags
	var output string
	c := &cobra.Command{
		Use:   "sign [USER] FILE",
		Short: "Sign a file for the deployment's server, offline",
		Long: `sign signs a file of up to 1 MiB and writes the signature, a small JSON file. No
connection is needed. Only who holds the deployment's server secret can verify it,
from the signature and the file; a wrong PIN shows there and not here. In Go that
is client.ParseSigned and Signed.Verify; any M-Pin implementation with signatures
can: it is a one-pass proof at the signature's time, with the file's bytes in the
hash, for the identity behind mpinId, and without a time permit.`,
		Example: "  mpin user sign alice@example.com contract.txt -o contract.sig --pin 1234",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, func() (*userResult, error) {
				path := args[len(args)-1]
				message, err := readMessage(path)
				if err != nil {
					return nil, misuse(err)
				}
				w, err := f.wallet()
				if err != nil {
					return nil, err
				}
				id, err := f.find(c.Context(), w, args[:len(args)-1])
				if err != nil {
					return nil, err
				}
				suite, err := protocol.ParseSuiteID(id.Suite)
				if err != nil {
					return nil, err
				}
				s, err := f.suites(suite)
				if err != nil {
					return nil, misuse(err)
				}
				p, err := pin.read(c, "PIN of "+id.UserID)
				if err != nil {
					return nil, err
				}
				defer p.Wipe()
				sig, err := client.Sign(s, id, p, time.Now().Unix(), message, nil)
				if err != nil {
					return nil, err
				}
				to := output
				if to == "" {
					to = path + ".sig"
				}
				if to == "-" {
					_, err := c.OutOrStdout().Write(sig.Bytes())
					return &userResult{Result: "ok"}, err
				}
				if err := os.WriteFile(to, sig.Bytes(), 0o644); err != nil {
					return nil, fmt.Errorf("cannot write the signature: %w", err)
				}
				return &userResult{Result: "ok", User: id.UserID, MpinID: id.MpinID, Server: id.Server, File: to, Message: "wrote " + to}, nil
			})
		},
	}
	pin.add(c, "pin", "the PIN")
	c.Flags().StringVarP(&output, "output", "o", "", "file to write (default FILE.sig); - is standard output")
	return c
}

func readMessage(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, protocol.MaxMessage+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) == 0:
		return nil, errors.New(path + " is empty")
	case len(b) > protocol.MaxMessage:
		return nil, fmt.Errorf("%s has more than %d bytes: sign its hash", path, protocol.MaxMessage)
	}
	return b, nil
}

// deploymentJSON is `mpin user status --json`. Tools read it: its names do not
// change.
type deploymentJSON struct {
	Server      string `json:"server"`
	Suite       string `json:"suite"`
	Backend     string `json:"backend"`
	TimePermits bool   `json:"time_permits"`
	WebSocket   bool   `json:"websocket"`
	DTAs        int    `json:"dtas"`
	Threshold   int    `json:"threshold"`
}

func newUserStatus(f *userFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show what a deployment says of itself",
		Long:    "status reads the deployment's settings. DTAS counts those whose keys are published, with which shares are checked.",
		Example: "  mpin user status --server https://example.com",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := f.open(c.Context())
			if err != nil {
				return err
			}
			defer d.Close()
			s := d.Settings()
			r := deploymentJSON{
				Server: d.Server(), Suite: d.Suite().ID().String(), Backend: d.Suite().Backend().Info().ID,
				TimePermits: d.Suite().ID().TimePermits(), WebSocket: s.UseWebSocket,
				DTAs: len(s.ShareKeys), Threshold: s.Threshold,
			}
			if f.asJSON {
				return writeJSON(c.OutOrStdout(), r)
			}
			issue := "all"
			if r.Threshold > 0 {
				issue = strconv.Itoa(r.Threshold)
			}
			return table(c.OutOrStdout(), []string{"SERVER", "SUITE", "BACKEND", "WEBSOCKET", "DTAS", "ISSUE TOGETHER"},
				[][]string{{r.Server, r.Suite, r.Backend, strings.ToLower(strconv.FormatBool(r.WebSocket)), strconv.Itoa(r.DTAs), issue}})
		},
	}
}
