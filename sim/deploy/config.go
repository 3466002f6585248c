package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
)

// ErrConfig: a configuration that cannot be; its text says what to change.
var ErrConfig = errors.New("configuration")

// Config says what a deployment is made of. The zero value is the default
// deployment in every field but Data, which it needs. The names in a YAML file
// are those of the flags of `mpin serve`.
type Config struct {
	// Suite is the deployment's, "rfc9380/bls12-381" where empty, and Backend
	// the library, the first that serves the suite where empty.
	Suite   string `yaml:"suite,omitempty"`
	Backend string `yaml:"backend,omitempty"`
	// Listen is the RPA's address, "127.0.0.1:8080" where empty. The other
	// servers listen on the ports after it, or, for port 0, all on free ones.
	Listen string `yaml:"listen,omitempty"`
	// Host is the name by which clients reach this machine; "" means the host of
	// Listen, which is needed where that is no address of its own (0.0.0.0).
	Host string `yaml:"host,omitempty"`
	// Data is the folder of everything that outlives a run.
	Data string `yaml:"data,omitempty"`
	// Store is "bbolt", also where empty, "memory", "redis" (a redis-server of
	// the deployment's own), or the URL of a Redis server. It holds the state
	// of RPS and RPA; the API's never leaves its machine.
	Store string `yaml:"store,omitempty"`
	// DTAs is the number of D-TAs, 2 where 0. Threshold is how many of them
	// issue together; 0 is all, without a threshold scheme.
	DTAs      int `yaml:"dtas,omitempty"`
	Threshold int `yaml:"threshold,omitempty"`
	// Seal is how secrets lie in Data: "none" (also where empty), "age" or a
	// pkcs11: URI; see package seal.
	Seal string `yaml:"seal,omitempty"`
	// MaxAttempts is the number of wrong PINs that blocks, 3 where 0. Lockout is
	// "token" or "any", by the suite's dialect where empty.
	MaxAttempts int    `yaml:"max-attempts,omitempty"`
	Lockout     string `yaml:"lockout,omitempty"`
	// Batching verifies logins together when many come at a time.
	Batching bool `yaml:"batching,omitempty"`
	// PINDigits is the greatest number of digits of a PIN, 6 where 0.
	PINDigits int `yaml:"pin-digits,omitempty"`
	// VerifyByMail tells the user IDs that are activated through the outbox.
	VerifyByMail string `yaml:"verify-by-mail,omitempty"`
	// RequestOTP asks clients for one-time passwords instead of sessions.
	RequestOTP bool `yaml:"request-otp,omitempty"`
	// TLSCert and TLSKey are PEM files for what clients reach.
	TLSCert string `yaml:"tls-cert,omitempty"`
	TLSKey  string `yaml:"tls-key,omitempty"`
	// Remember is how long the RPA keeps sessions and the RPS the U of each login,
	// at least a minute; 0 is what they do by themselves, 8 h and 24 h. Shorter than
	// that it is for measuring: a U that is forgotten can be used once more.
	Remember time.Duration `yaml:"remember,omitempty"`
	// Rate is the requests a second of each source on every public listener;
	// 0 means no limit where only this machine can connect, else
	// [PublicRate], and a negative one none.
	Rate float64 `yaml:"rate,omitempty"`
	// LogLevel is debug, info (also where empty), warn or error.
	LogLevel string `yaml:"log-level,omitempty"`
	// RPS is the number of RPS instances, 1 where 0; several need Redis and get
	// a balancer before them.
	RPS int `yaml:"rps,omitempty"`
	// Role is the one to run here, RoleAll where empty, and Index which of
	// several, from 1.
	Role  Role `yaml:"role,omitempty"`
	Index int  `yaml:"index,omitempty"`
	// Addresses are where the servers are; nil counts them from Listen.
	Addresses *Addresses `yaml:"addresses,omitempty"`

	// State is the folder of the stores' bbolt files, where it is not Data. It has
	// to be there.
	State string `yaml:"state,omitempty"`
	// Gate is the file of a gate before the stores; see fault.Gate. Empty is none.
	Gate string `yaml:"gate,omitempty"`

	// CPUs are those on which the processes of nodes run, from their first
	// instruction on and after every start; nil leaves it to the system. Linux
	// only; elsewhere it does nothing.
	CPUs []int `yaml:"-"`
	// Processes runs every node as a process of its own, which Command makes
	// from a configuration file; nil is this program with `serve --config`.
	Processes bool                              `yaml:"-"`
	Command   func(configFile string) *exec.Cmd `yaml:"-"`
	// Pages makes the RPA's pages; nil leaves the plain ones.
	Pages func(Origins) http.Handler `yaml:"-"`
	// Wrap, if not nil, is put around every handler of a node in this process:
	// to look on, or to break things.
	Wrap func(node string, h http.Handler) http.Handler `yaml:"-"`
	// Clock gives roles in this process another time.
	Clock map[Role]func() time.Time `yaml:"-"`
	// Log gets the logs of all nodes; nil keeps them for Node.Logs only.
	Log io.Writer `yaml:"-"`

	sealWork int // seal.Options.WorkFactor; tests have less
}

// Origins are where the pages' scripts connect to besides their own origin, as
// a Content-Security-Policy's connect-src takes them.
type Origins []string

// PublicRate is the default limit of requests a second and source where others
// than this machine can connect.
const PublicRate = 200

// Addresses are host and port of every server, as others reach them on this
// machine.
type Addresses struct {
	RPA string `yaml:"rpa"`
	// RPS and RPSPrivate are the public and private listeners of each instance;
	// RPSFront and RPSPrivateFront what others use: balancers, or the only
	// instance.
	RPS             []string `yaml:"rps"`
	RPSPrivate      []string `yaml:"rps-private"`
	RPSFront        string   `yaml:"rps-front"`
	RPSPrivateFront string   `yaml:"rps-private-front"`
	Proxy           string   `yaml:"proxy"`
	API             string   `yaml:"api"`
	DTA             []string `yaml:"dta"`
	Redis           string   `yaml:"redis,omitempty"`
}

// ReadConfig reads a YAML file into c, over what it has. Unknown names are
// errors; all errors name file and line.
func ReadConfig(path string, c *Config) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return decodeConfig(path, b, c)
}

func decodeConfig(path string, b []byte, c *Config) error {
	err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(c)
	if err == nil || errors.Is(err, io.EOF) { // nothing but comments
		return nil
	}
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		line, message := y.GetToken().Position.Line, y.GetMessage()
		// The library names Go's field; the reader knows the key.
		if _, kind, ok := strings.Cut(message, " of type "); ok && strings.HasPrefix(message, "cannot unmarshal") {
			message = "not a value of type " + kind
			if lines := bytes.Split(b, []byte("\n")); line >= 1 && line <= len(lines) {
				if key, _, ok := bytes.Cut(lines[line-1], []byte(":")); ok {
					message = string(bytes.TrimSpace(key)) + ": " + message
				}
			}
		}
		return fmt.Errorf("%w: %s:%d: %s", ErrConfig, path, line, message)
	}
	return fmt.Errorf("%w: %s: %w", ErrConfig, path, err)
}

// write puts the configuration into a file that ReadConfig reads.
func (c *Config) write(path string) error {
	b, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// withDefaults fills in what is left out.
func (c Config) withDefaults() Config {
	for _, s := range []struct {
		at   *string
		text string
	}{{&c.Suite, "rfc9380/bls12-381"}, {&c.Listen, "127.0.0.1:8080"}, {&c.Store, "bbolt"}, {&c.Seal, "none"}} {
		if *s.at == "" {
			*s.at = s.text
		}
	}
	for _, n := range []struct {
		at *int
		n  int
	}{{&c.DTAs, 2}, {&c.MaxAttempts, 3}, {&c.PINDigits, 6}, {&c.RPS, 1}, {&c.Index, 1}} {
		if *n.at == 0 {
			*n.at = n.n
		}
	}
	if c.Role == "" {
		c.Role = RoleAll
	}
	return c
}

// check refuses what cannot be.
func (c *Config) check() error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrConfig}, a...)...)
	}
	if _, err := c.suite(); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return bad("listen: %q is not like 127.0.0.1:8080", c.Listen)
	}
	if p, err := strconv.Atoi(port); err != nil || p < 0 || p > 65535-c.nodes() {
		return bad("listen: %q is no port number with %d free after it", port, c.nodes())
	}
	if ip := net.ParseIP(host); c.Host == "" && (host == "" || ip != nil && ip.IsUnspecified()) {
		return bad("listen on all addresses needs host: the name or address by which clients reach this machine")
	}
	switch {
	case c.Data == "":
		return bad("data: no folder")
	case c.DTAs < 2 || c.DTAs > threshold.MaxMembers:
		return bad("dtas: %d, not 2 to %d", c.DTAs, threshold.MaxMembers)
	case c.Threshold != 0 && (c.Threshold < 2 || c.Threshold > c.DTAs):
		return bad("threshold: %d, not 0 or 2 to %d", c.Threshold, c.DTAs)
	case c.Remember != 0 && c.Remember < time.Minute || c.Remember > 30*24*time.Hour:
		return bad("remember: %v, not a minute to 30 days", c.Remember)
	case c.MaxAttempts < 1 || c.MaxAttempts > 100:
		return bad("max-attempts: %d, not 1 to 100", c.MaxAttempts)
	case c.Lockout != "" && c.Lockout != "token" && c.Lockout != "any":
		return bad("lockout: %q is neither token nor any", c.Lockout)
	case c.PINDigits < 4 || c.PINDigits > 8:
		return bad("pin-digits: %d, not 4 to 8", c.PINDigits)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return bad("tls-cert and tls-key go together")
	case c.RPS < 1 || c.RPS > 64:
		return bad("rps: %d instances, not 1 to 64", c.RPS)
	case c.RPS > 1 && !c.onRedis():
		return bad("rps: several instances need one Redis: store redis or redis://…")
	case c.Store != "bbolt" && c.Store != "memory" && !c.onRedis():
		return bad("store: none of memory, bbolt, redis, redis://…")
	}
	if c.LogLevel != "" && new(slog.LevelVar).UnmarshalText([]byte(c.LogLevel)) != nil {
		return bad("log-level: %q is none of debug, info, warn, error", c.LogLevel)
	}
	if _, err := c.verifyByMail(); err != nil {
		return bad("verify-by-mail: %w", err)
	}
	switch c.Role {
	case RoleAll, RoleProxy, RoleAPI, RoleRPA:
	case RoleDTA:
		if c.Index < 1 || c.Index > c.DTAs {
			return bad("index: %d, not 1 to %d", c.Index, c.DTAs)
		}
	case RoleRPS:
		if c.Index < 1 || c.Index > c.RPS {
			return bad("index: %d, not 1 to %d", c.Index, c.RPS)
		}
	default:
		return bad("role: %q is none of all, dta, proxy, api, rps, rpa", c.Role)
	}
	return nil
}

// nodes is an upper bound on the ports in use.
func (c *Config) nodes() int { return 6 + c.DTAs + 2*c.RPS }

func (c *Config) onRedis() bool {
	for _, scheme := range []string{"redis://", "rediss://", "unix://"} {
		if strings.HasPrefix(c.Store, scheme) {
			return true
		}
	}
	return c.Store == "redis"
}

func (c *Config) verifyByMail() (*regexp.Regexp, error) {
	if c.VerifyByMail == "" {
		return nil, nil
	}
	return regexp.Compile(c.VerifyByMail)
}

// suite returns the deployment's suite on its backend.
func (c *Config) suite() (*protocol.Suite, error) {
	id, err := protocol.ParseSuiteID(c.Suite)
	if err != nil {
		return nil, fmt.Errorf("%w: suite: %w", ErrConfig, err)
	}
	if !id.TimePermits() {
		return nil, fmt.Errorf("%w: suite: %s has no time permits, which a deployment needs; `mpin suites` lists others", ErrConfig, id)
	}
	var b backends.Backend
	if c.Backend != "" {
		if b, err = all.Get(c.Backend); err != nil {
			return nil, fmt.Errorf("%w: backend: %w", ErrConfig, err)
		}
	} else {
		for _, candidate := range all.Backends() {
			if candidate.Info().Curve == id.Curve {
				b = candidate
				break
			}
		}
		if b == nil {
			return nil, fmt.Errorf("%w: suite: no backend here serves %s", ErrConfig, id)
		}
	}
	s, err := protocol.New(id, b)
	if err != nil {
		return nil, fmt.Errorf("%w: backend: %w", ErrConfig, err)
	}
	return s, nil
}

// loopbackOnly tells whether only this machine can connect.
func (c *Config) loopbackOnly() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Warnings are what the operator should know before others use the deployment.
func (c *Config) Warnings() []string {
	var w []string
	d := c.withDefaults()
	if d.Seal == "none" {
		w = append(w, fmt.Sprintf("secrets lie unencrypted in %s, in files that only their owner may read; --seal age or --seal pkcs11:… encrypts them", filepath.Join(d.Data, secretsFolder)))
	}
	if !d.loopbackOnly() {
		w = append(w, "other machines can connect to "+d.Listen)
		if d.TLSCert == "" {
			w = append(w, "what they send and get is not encrypted; give --tls-cert and --tls-key")
		}
	}
	return w
}
