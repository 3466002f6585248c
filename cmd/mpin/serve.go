package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mpinlab/sim/deploy"
	"mpinlab/sim/pinpad"
	"mpinlab/sim/seal"
)

// pages makes the RPA's pages: the PIN pad.
func pages(o deploy.Origins) http.Handler { return pinpad.Handler(o) }

func newServe() *cobra.Command {
	c := deploy.Config{
		Suite: "rfc9380/bls12-381", Listen: "127.0.0.1:8080", Data: "mpin-data", Store: "bbolt", DTAs: 2, Seal: seal.KindNone,
		MaxAttempts: 3, PINDigits: 6, Role: deploy.RoleAll, Index: 1, RPS: 1, LogLevel: "warn",
	}
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a whole M-Pin deployment, or one role of it, on local ports",
		Long: `serve runs what an M-Pin Core customer and MIRACL ran between them: two D-TAs, the
D-TA proxy, the registration API with the permit storage, the RPS with the M-Pin
server, and a relying party application (RPA) that users log in to. Clients that
were written for Apache Milagro's server work with it.

When everything answers it prints one line of JSON on standard output,

  {"ready":true,"rpa":URL,"rps":URL,"rpsPrivate":URL,"certivox":URL,"dta":[URL,…]}

and runs until it is interrupted. The first start sets the deployment up in the
folder of --data; later ones continue there, so users stay registered. The RPA
has the port of --listen and shows the RPS under /rps; the other servers have the
ports after it, in the order of the line.

One role alone (--role) runs on the set-up that a start of all has made in --data,
or on a copy of it, and takes its port out of the same order; a YAML file's
addresses say where the roles are if they are elsewhere.

Mail to users whom --verify-by-mail selects is not sent: GET {rpa}/outbox?user=ID.

The API answers under certivox too: {certivox}time, {certivox}apiSettings, and
POST {certivox}applications, which registers one more application and tells its
app_id and app_key, to sign requests to proxy and D-TAs with. Programs on this
machine need no token for that while --listen is a loopback address; D-TAs with
a --threshold take no more applications.

A passphrase for --seal age is taken from MPIN_PASSPHRASE, from the file that
MPIN_PASSPHRASE_FILE names, or typed; a PIN for --seal pkcs11: from the URI's
pin-source or from MPIN_PKCS11_PIN.

The exit status is 0 after an interrupt, 1 if the deployment cannot run, and 2
for wrong flags.`,
		Example: `  mpin serve
  mpin serve --listen 127.0.0.1:0 --suite milagro/fp256bn --data /tmp/fp256bn
  mpin serve --dtas 3 --threshold 2 --seal age
  mpin serve --seal 'pkcs11:token=mpin;object=master?module-path=/usr/lib/softhsm/libsofthsm2.so'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				if err := readServeConfig(file, &c, cmd.Flags()); err != nil {
					return misuse(err)
				}
			}
			return atLine(file, cmd.Flags(), runServe(cmd, c))
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "config", "", "read the flags from a YAML `FILE` with their names; flags on the command line win")
	f.StringVar(&c.Listen, "listen", c.Listen, "the RPA's `HOST:PORT`; the others take the ports after it, or with port 0 all any")
	f.StringVar(&c.Host, "host", "", "the `NAME` by which clients reach this machine (default the host of --listen)")
	f.StringVar(&c.Data, "data", c.Data, "the `FOLDER` of all that outlives a run")
	f.StringVar(&c.Suite, "suite", c.Suite, "the suite, one with time permits of `mpin suites`")
	f.StringVar(&c.Backend, "backend", "", "the backend, an `ID` of `mpin suites` (default the suite's first)")
	f.StringVar((*string)(&c.Role), "role", string(c.Role), "run all, dta, proxy, api, rps or rpa")
	f.IntVar(&c.Index, "index", c.Index, "which D-TA or RPS --role dta and rps run, from 1")
	f.StringVar(&c.Store, "store", c.Store, "state: memory, bbolt, redis (starts a redis-server), or redis://…")
	f.IntVar(&c.DTAs, "dtas", c.DTAs, "number of D-TAs")
	f.IntVar(&c.Threshold, "threshold", 0, "how many D-TAs issue together, so that others may be down (default all, always)")
	f.IntVar(&c.RPS, "rps", c.RPS, "number of RPS instances behind a balancer; several need Redis")
	f.StringVar(&c.Seal, "seal", c.Seal, "how secrets lie in the data folder: none, age or a pkcs11: URI")
	f.IntVar(&c.MaxAttempts, "max-attempts", c.MaxAttempts, "wrong PINs that block an identity")
	f.StringVar(&c.Lockout, "lockout", "", "failures that count: token (those of the token's holder) or any (default token, in milagro any)")
	f.IntVar(&c.PINDigits, "pin-digits", c.PINDigits, "greatest number of digits of a PIN, 4 to 8")
	f.BoolVar(&c.Batching, "batching", false, "verify logins in batches when many come at a time")
	f.StringVar(&c.VerifyByMail, "verify-by-mail", "", "user IDs that are activated through the outbox, a `REGEX` (default none)")
	f.BoolVar(&c.RequestOTP, "request-otp", false, "have clients ask for one-time passwords")
	f.StringVar(&c.TLSCert, "tls-cert", "", "certificate chain for what clients reach, a PEM `FILE`")
	f.StringVar(&c.TLSKey, "tls-key", "", "its key, a PEM `FILE`")
	f.Float64Var(&c.Rate, "rate", 0, fmt.Sprintf("requests a second of each source and public server; negative is no limit (default %d, on loopback none)", deploy.PublicRate))
	f.StringVar(&c.LogLevel, "log-level", c.LogLevel, "log from this level on to standard error, as JSON: debug, info (requests), warn or error")
	return cmd
}

// readServeConfig reads a file over c, and over that the flags that were given.
func readServeConfig(file string, c *deploy.Config, flags *pflag.FlagSet) error {
	given := map[*pflag.Flag]string{}
	flags.Visit(func(f *pflag.Flag) { given[f] = f.Value.String() })
	if err := deploy.ReadConfig(file, c); err != nil {
		return err
	}
	for f, value := range given {
		if err := f.Value.Set(value); err != nil {
			return &flagError{f.Name, err}
		}
	}
	return nil
}

// setting finds the name of the flag that an error of package deploy is about.
var setting = regexp.MustCompile(`^configuration: (?:bad --)?([a-z-]+)\b`)

// atLine adds to an error about a setting the line of the file that set it.
func atLine(file string, flags *pflag.FlagSet, err error) error {
	if err == nil || file == "" || !errors.Is(err, deploy.ErrConfig) {
		return err
	}
	name := setting.FindStringSubmatch(err.Error())
	if name == nil || flags.Changed(name[1]) {
		return err
	}
	b, readErr := os.ReadFile(file)
	if readErr != nil {
		return err
	}
	line := 0
	for text := range strings.Lines(string(b)) {
		if line++; strings.HasPrefix(text, name[1]+":") {
			return misuse(fmt.Errorf("%s:%d: %w", file, line, err))
		}
	}
	return err
}

// checkGiven refuses zeros where package deploy takes them for the default.
func checkGiven(c *deploy.Config) error {
	for _, n := range []struct {
		name string
		n    int
	}{{"dtas", c.DTAs}, {"max-attempts", c.MaxAttempts}, {"pin-digits", c.PINDigits}, {"rps", c.RPS}, {"index", c.Index}} {
		if n.n == 0 {
			return misuse(fmt.Errorf("%w: %s: 0 is too few", deploy.ErrConfig, n.name))
		}
	}
	return nil
}

func runServe(cmd *cobra.Command, c deploy.Config) error {
	if err := checkGiven(&c); err != nil {
		return err
	}
	c.Pages = pages
	err := deploy.Serve(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
	if errors.Is(err, deploy.ErrConfig) {
		return misuse(err)
	}
	return finding(err)
}
