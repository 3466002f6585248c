package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/sim/client"
	"mpinlab/sim/wire"
)

const defaultServer = "http://127.0.0.1:8080"

// userFlags are the flags that all of mpin user's commands have.
type userFlags struct {
	server, store, passphraseFile string
	suite, backend                string
	webSocket, asJSON             bool
}

func newUser() *cobra.Command {
	f := new(userFlags)
	c := &cobra.Command{
		Use:   "user",
		Short: "Be a user of a deployment: register, log in, sign",
		Long: `user is an M-Pin client on the command line. It works with any deployment that
speaks the API of the M-Pin Core and Apache Milagro server, ours or another's.

What a user has, the token, is kept in a wallet: one file, encrypted under a key
file beside it or, with --passphrase-file, under a passphrase. A stolen wallet
that was opened does not tell the PIN, nor whether a PIN is right: only the server
can, and it counts.

The exit status is 0 if what was asked for was done, 1 if it was refused (wrong
PIN, blocked, revoked, not activated) or failed, with a text that says which, and
2 for wrong arguments.`,
		Example: `  mpin user register alice@example.com --pin 1234
  mpin user login alice@example.com --pin 1234`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	p := c.PersistentFlags()
	p.StringVar(&f.server, "server", defaultServer, "base address of the deployment's RPA or RPS")
	p.StringVar(&f.store, "store", "", "the wallet's file (default mpinlab/wallet in the user's configuration folder)")
	p.StringVar(&f.passphraseFile, "passphrase-file", "", "the wallet is under the passphrase on this file's first line")
	p.StringVar(&f.suite, "suite", "", "suite of a deployment that does not name its own (default "+client.DefaultSuite+")")
	p.StringVar(&f.backend, "backend", "", "backend that computes (default the first of the curve that claims to be constant-time)")
	p.BoolVar(&f.webSocket, "websocket", false, "log in over a WebSocket where the deployment has one")
	p.BoolVar(&f.asJSON, "json", false, "print JSON")
	c.AddCommand(newUserRegister(f), newUserActivate(f), newUserLogin(f), newUserList(f), newUserForget(f), newUserPermit(f),
		newUserChangePIN(f), newUserCode(f), newUserApprove(f), newUserSign(f), newUserStatus(f))
	return c
}

// wallet opens the wallet.
func (f *userFlags) wallet() (*client.Wallet, error) {
	path := f.store
	if path == "" {
		folder, err := os.UserConfigDir()
		if err != nil {
			return nil, misuse(fmt.Errorf("no --store was given, and %w", err))
		}
		path = filepath.Join(folder, "mpinlab", "wallet")
	}
	key := client.DeviceKey(path + ".key")
	if f.passphraseFile != "" {
		text, err := firstLine(f.passphraseFile)
		if err != nil {
			return nil, misuse(&flagError{"passphrase-file", err})
		}
		key = client.Passphrase(text)
	}
	return client.NewWallet(client.OpenFileVault(path, key)), nil
}

// open reaches the deployment.
func (f *userFlags) open(ctx context.Context) (*client.Device, error) {
	w, err := f.wallet()
	if err != nil {
		return nil, err
	}
	if f.suite != "" {
		if _, err := protocol.ParseSuiteID(f.suite); err != nil {
			return nil, misuse(&flagError{"suite", err})
		}
	}
	if f.backend != "" {
		if _, err := all.Get(f.backend); err != nil {
			return nil, misuse(&flagError{"backend", err})
		}
	}
	c, err := client.Open(ctx, f.address(), client.Options{Suites: f.suites, Suite: f.suite, WebSocket: f.webSocket})
	if err != nil {
		return nil, outcome(err)
	}
	return client.NewDevice(c, w), nil
}

// suites makes a suite on the backend that was asked for, or else on one that is
// meant to be constant-time: a client has secrets, and time for them.
func (f *userFlags) suites(id protocol.SuiteID) (*protocol.Suite, error) {
	if f.backend != "" {
		b, err := all.Get(f.backend)
		if err != nil {
			return nil, err
		}
		return protocol.New(id, b)
	}
	var careful, other []backends.Backend
	for _, b := range all.Backends() {
		if b.Info().ConstantTime == backends.ConstantTimeClaimed {
			careful = append(careful, b)
		} else {
			other = append(other, b)
		}
	}
	return client.SuitesOf(append(careful, other...)...)(id)
}

// address is the server as identities have it, however it was typed: scheme and
// host in lower case, without the scheme's own port and slashes at the end. What
// is no address stays as it is, for client.Open to refuse.
func (f *userFlags) address() string {
	u, err := url.Parse(f.server)
	if err != nil || u.Host == "" {
		return strings.TrimRight(f.server, "/")
	}
	u.Host = strings.ToLower(u.Host) // url.Parse does it for the scheme
	if port := u.Port(); port == "" || port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	return strings.TrimRight(u.String(), "/")
}

// outcome marks an error as misuse or as the outcome.
func outcome(err error) error {
	if errors.Is(err, client.ErrAddress) || errors.Is(err, client.ErrPIN) || errors.Is(err, wire.ErrMalformed) || errors.Is(err, protocol.ErrMessageLength) {
		return misuse(err)
	}
	var s *statusError
	if errors.As(err, &s) {
		return err
	}
	return finding(err)
}

// results are the names that --json has for refusals. Tools read them.
var results = []struct {
	name string
	err  error
}{
	{"wrong-pin", client.ErrWrongPIN},
	{"blocked", client.ErrBlocked},
	{"revoked", client.ErrRevoked},
	{"not-activated", client.ErrNotActivated},
	{"expired", client.ErrExpired},
	{"unknown-code", client.ErrUnknownCode},
	{"unknown-identity", client.ErrUnknownIdentity},
	{"not-found", client.ErrNotFound},
	{"bad-share", client.ErrBadShare},
	{"wrong-state", client.ErrState},
	{"wallet-locked", client.ErrLocked},
	{"wallet-damaged", client.ErrDamaged},
	{"busy", client.ErrBusy},
	{"refused", client.ErrRefused},
	{"unreachable", client.ErrUnreachable},
	{"suite", client.ErrSuite},
	{"server", client.ErrServer},
}

// userResult is what mpin user prints with --json, one line.
type userResult struct {
	// Result is "ok", "pending", or the name of a refusal.
	Result  string `json:"result"`
	Message string `json:"message,omitempty"`
	User    string `json:"user,omitempty"`
	MpinID  string `json:"mpinId,omitempty"`
	Server  string `json:"server,omitempty"`
	OTP     string `json:"otp,omitempty"`
	Code    string `json:"code,omitempty"`
	File    string `json:"file,omitempty"`
	Expires string `json:"expires,omitempty"`
}

// run runs a command's work and prints what came of it.
func (f *userFlags) run(c *cobra.Command, work func() (*userResult, error)) error {
	r, err := work()
	if err == nil {
		if f.asJSON {
			return writeJSON(c.OutOrStdout(), r)
		}
		if r.Message != "" {
			fmt.Fprintln(c.OutOrStdout(), r.Message)
		}
		return nil
	}
	err = outcome(err)
	var s *statusError
	if f.asJSON && errors.As(err, &s) && s.status == exitFinding {
		r := userResult{Result: "failed", Message: err.Error()}
		for _, known := range results {
			if errors.Is(err, known.err) {
				r.Result = known.name
				break
			}
		}
		if err := writeJSON(c.OutOrStdout(), r); err != nil {
			return err
		}
	}
	return err
}

// pinFlags are where a PIN comes from.
type pinFlags struct{ name, text, file string }

// add adds the two flags.
func (p *pinFlags) add(c *cobra.Command, name, what string) {
	p.name = name
	c.Flags().StringVar(&p.text, name, "", what+"; others on this machine may see it in the list of processes")
	c.Flags().StringVar(&p.file, name+"-file", "", what+", on the file's first line; - is standard input")
	c.MarkFlagsMutuallyExclusive(name, name+"-file")
}

// read reads the PIN from the flag, the file, the terminal, or standard input.
func (p *pinFlags) read(c *cobra.Command, question string) (*client.PIN, error) {
	var digits []byte
	var err error
	in, isFile := c.InOrStdin().(*os.File)
	switch {
	case p.text != "":
		digits = []byte(p.text)
	case p.file != "" && p.file != "-":
		if digits, err = firstLine(p.file); err != nil {
			return nil, misuse(&flagError{p.name + "-file", err})
		}
	case p.file == "" && isFile && term.IsTerminal(int(in.Fd())):
		fmt.Fprint(c.ErrOrStderr(), question+": ")
		digits, err = term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(c.ErrOrStderr())
		if err != nil {
			return nil, finding(fmt.Errorf("cannot read the PIN: %w", err))
		}
	default:
		if digits, err = lineOf(c.InOrStdin()); err != nil {
			return nil, misuse(fmt.Errorf("no PIN: give --%s-file, or the PIN on standard input", p.name))
		}
	}
	defer client.Wipe(digits)
	pin, err := client.NewPIN(digits)
	return pin, outcome(err)
}

// maxLine is the greatest line that is read from a file of secrets.
const maxLine = 4096

func firstLine(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return lineOf(file)
}

// lineOf reads a line that is not empty, without its end.
func lineOf(r io.Reader) ([]byte, error) {
	s := bufio.NewScanner(io.LimitReader(r, maxLine))
	if !s.Scan() || len(s.Bytes()) == 0 {
		return nil, errors.New("there is nothing on its first line")
	}
	return bytes.Clone(s.Bytes()), nil
}

// find finds the identity that is meant: the user's at the server, or the
// server's only one.
func (f *userFlags) find(ctx context.Context, w *client.Wallet, args []string) (*client.Identity, error) {
	user := ""
	if len(args) > 0 {
		user = args[0]
	}
	return w.Find(ctx, f.address(), user)
}
