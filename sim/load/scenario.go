package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Scenario is what is to be done to which deployment. Its YAML form is strict,
// with the names below; scenario.schema.json describes it for editors.
type Scenario struct {
	Name        string `yaml:"name"`
	Title       string `yaml:"title"`
	Description string `yaml:"description,omitempty"`

	Deployment Deployment `yaml:"deployment,omitempty"`
	Population Population `yaml:"population,omitempty"`
	Client     Client     `yaml:"client,omitempty"`
	Mix        Mix        `yaml:"mix,omitempty"`
	Behaviour  Behaviour  `yaml:"behaviour,omitempty"`

	// WarmUp is cut off from all that is reported.
	WarmUp Duration `yaml:"warm-up,omitempty"`
	Stages []Stage  `yaml:"stages,omitempty"`
	Faults []Fault  `yaml:"faults,omitempty"`
	SLOs   []SLO    `yaml:"slos,omitempty"`

	// Saturation searches the knee in place of stages.
	Saturation *Saturation `yaml:"saturation,omitempty"`

	scale float64
	// lines tells where in the file a path of names is.
	file  string
	lines func(path string) int
}

// Deployment is what is loaded: one that is started for the run and ended with
// it, or one that is there.
type Deployment struct {
	// External is the base URL of a deployment that is there; all else but
	// Suite is its own affair then.
	External  string `yaml:"external,omitempty"`
	Suite     string `yaml:"suite,omitempty"`
	Backend   string `yaml:"backend,omitempty"`
	DTAs      int    `yaml:"dtas,omitempty"`
	Threshold int    `yaml:"threshold,omitempty"`
	// Store is memory, bbolt or redis (a redis-server of its own).
	Store    string `yaml:"store,omitempty"`
	RPS      int    `yaml:"rps,omitempty"`
	Batching bool   `yaml:"batching,omitempty"`
	// Lockout and MaxAttempts are as for mpin serve.
	Lockout     string `yaml:"lockout,omitempty"`
	MaxAttempts int    `yaml:"max-attempts,omitempty"`
	TLS         bool   `yaml:"tls,omitempty"`
	// Run is in-process (beside the generator), process (all servers in one
	// process) or processes (each in its own).
	Run string `yaml:"run,omitempty"`
	// Cores keeps the servers on so many CPUs and the generator on the others;
	// 0 leaves it to the system.
	Cores int `yaml:"cores,omitempty"`
	// Remember is how long the servers keep sessions and the U of each login, at
	// least a minute; 0 is 8 h and 24 h, so that a run of minutes sees its memory
	// grow with every login.
	Remember Duration `yaml:"remember,omitempty"`
	// Clock is the time of day, UTC, at which the servers' clocks begin, as in
	// 23:59:50; in-process only.
	Clock string `yaml:"clock,omitempty"`
	// Links are the connections with a delay or a bound from the start; see
	// Fault for the names.
	Links []Link `yaml:"links,omitempty"`
}

// Link is a slow connection, as long as the run.
type Link struct {
	Between   string   `yaml:"between"`
	Delay     Duration `yaml:"delay,omitempty"`
	Jitter    Duration `yaml:"jitter,omitempty"`
	Bandwidth Size     `yaml:"bandwidth,omitempty"` // bytes a second, each way
}

// Population is who logs in.
type Population struct {
	// Users are made when they first come; a million cost nothing ahead.
	Users int `yaml:"users,omitempty"`
	// Devices is how many identities each user has.
	Devices   int `yaml:"devices,omitempty"`
	PINDigits int `yaml:"pin-digits,omitempty"`
	// Enrol is issued (the generator issues tokens with the D-TAs' shares of the
	// deployment that it started) or registered (over the wire, as users do).
	Enrol string `yaml:"enrol,omitempty"`
	// Prepare makes so many users before the run; 0 is all up to 2000.
	Prepare int `yaml:"prepare,omitempty"`
}

// Client is how the virtual users work.
type Client struct {
	Cost      string `yaml:"cost,omitempty"`      // real or precomputed
	Transport string `yaml:"transport,omitempty"` // http or websocket
	Redeem    string `yaml:"redeem,omitempty"`    // rpa, or rps: its private listener, as a relying party would
	Backend   string `yaml:"backend,omitempty"`
	// Timeout is for one request.
	Timeout Duration `yaml:"timeout,omitempty"`
	// InFlight bounds the operations under way; what comes beyond is dropped.
	InFlight int `yaml:"in-flight,omitempty"`
	// Late is from when on an operation counts as started late.
	Late Duration `yaml:"late,omitempty"`
	// Prepared is how many proofs are made ahead in mode precomputed; 0 is what
	// the stages will need, at most 200000.
	Prepared int `yaml:"prepared,omitempty"`
}

// Mix gives the weights of the operations.
type Mix struct {
	Login        float64 `yaml:"login,omitempty"`
	AccessNumber float64 `yaml:"access-number,omitempty"`
	Register     float64 `yaml:"register,omitempty"`
	Permit       float64 `yaml:"permit,omitempty"`
	Sign         float64 `yaml:"sign,omitempty"`
}

// Behaviour is what goes wrong on the users' side, as shares of logins.
type Behaviour struct {
	WrongPINs Share `yaml:"wrong-pins,omitempty"`
	Abandoned Share `yaml:"abandoned,omitempty"`
	Replays   Share `yaml:"replays,omitempty"`
}

// Fault is something that breaks and is mended.
type Fault struct {
	// Kind is one of FaultKinds, which tells what it needs of the rest.
	Kind string   `yaml:"kind"`
	At   Duration `yaml:"at"`
	For  Duration `yaml:"for,omitempty"`
	// Node is the server to be broken: rpa, rps-1, proxy, api, dta-1, redis, or
	// all with run process.
	Node string `yaml:"node,omitempty"`
	// Between is the connection to be broken: clients-rpa, clients-rps,
	// clients-proxy, clients-api, rps-dta-1, rps-proxy, rps-rpa, rpa-rps,
	// proxy-dta-2, proxy-api.
	Between   string   `yaml:"between,omitempty"`
	Delay     Duration `yaml:"delay,omitempty"`
	Jitter    Duration `yaml:"jitter,omitempty"`
	Bandwidth Size     `yaml:"bandwidth,omitempty"`
	// Loss is the share of packets that are lost.
	Loss Share `yaml:"loss,omitempty"`
	// Skew is by how much the clock of a role goes wrong.
	Skew Duration `yaml:"skew,omitempty"`
}

// SLO is a promise: a metric and the most or the least that it may be.
type SLO struct {
	// Metric is p50, p90, p95, p99, p999 or max (of Phase's response or
	// service time), errors (share of outcomes that are no success of the
	// system), dropped, late (shares), rate (achieved over offered), or
	// speed-up (the knee of the last search over that of the first).
	Metric string `yaml:"metric"`
	Phase  string `yaml:"phase,omitempty"`
	Max    *Value `yaml:"max,omitempty"`
	Min    *Value `yaml:"min,omitempty"`
}

// Saturation is a search for the knee: the greatest rate whose p99 keeps a limit.
type Saturation struct {
	From  float64  `yaml:"from"`
	To    float64  `yaml:"to"`
	Probe Duration `yaml:"probe"`
	Limit Duration `yaml:"limit"`
	// Precision ends the search: the relative width of the bracket.
	Precision Share `yaml:"precision,omitempty"`
	// Compare names what is compared: single and batching verifiers, rps-1,
	// rps-2 and so on (numbers of RPS), bad-0, bad-5 … (percent of wrong PINs).
	Compare []string `yaml:"compare,omitempty"`
}

// Duration is a time such as 500ms, 10s or 2m.
type Duration time.Duration

// D returns it as the standard library's.
func (d Duration) D() time.Duration { return time.Duration(d) }

// Seconds returns it in seconds.
func (d Duration) Seconds() float64 { return time.Duration(d).Seconds() }

// UnmarshalYAML reads it.
func (d *Duration) UnmarshalYAML(node ast.Node) error {
	v, err := time.ParseDuration(plain(node))
	if err != nil {
		return bad(node, "%q is no duration: 500ms, 10s and 2m are", plain(node))
	}
	*d = Duration(v)
	return nil
}

// MarshalYAML writes it.
func (d Duration) MarshalYAML() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Share is a part of a whole, written as 5% or 0.05.
type Share float64

// UnmarshalYAML reads it.
func (s *Share) UnmarshalYAML(node ast.Node) error {
	text := plain(node)
	number, isPercent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if isPercent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return bad(node, "%q is no share: 5%% and 0.05 are", text)
	}
	*s = Share(v)
	return nil
}

// MarshalYAML writes it.
func (s Share) MarshalYAML() ([]byte, error) { return percent(float64(s)), nil }

func percent(v float64) []byte { return append(strconv.AppendFloat(nil, v*100, 'g', -1, 64), '%') }

// Size is bytes a second, written as 64KB or 1MB.
type Size int64

// UnmarshalYAML reads it.
func (s *Size) UnmarshalYAML(node ast.Node) error {
	text, factor := plain(node), 1.0
	for _, unit := range []struct {
		name   string
		factor float64
	}{{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}} {
		if n, ok := strings.CutSuffix(text, unit.name); ok {
			text, factor = n, unit.factor
			break
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0 && v*factor <= 1e12) {
		return bad(node, "%q is no number of bytes a second: 64KB and 1MB are", plain(node))
	}
	*s = Size(v * factor)
	return nil
}

// MarshalYAML writes it.
func (s Size) MarshalYAML() ([]byte, error) {
	return []byte(strconv.FormatInt(int64(s), 10) + "B"), nil
}

// Value is a bound of an SLO: a duration, a share or a number.
type Value struct {
	Number float64 // ms for a duration
	Unit   string  // ms, % or nothing
}

// UnmarshalYAML reads it.
func (v *Value) UnmarshalYAML(node ast.Node) error {
	text := plain(node)
	if d, err := time.ParseDuration(text); err == nil && text != "0" {
		*v = Value{float64(d) / float64(time.Millisecond), "ms"}
		return nil
	}
	if strings.HasSuffix(text, "%") {
		s, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		*v = Value{s / 100, "%"}
		if err == nil {
			return nil
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return bad(node, "%q is no bound: 100ms, 0.1%% and 2.2 are", text)
	}
	*v = Value{Number: n}
	return nil
}

// MarshalYAML writes it.
func (v Value) MarshalYAML() ([]byte, error) {
	switch v.Unit {
	case "ms":
		return []byte(time.Duration(v.Number * float64(time.Millisecond)).String()), nil
	case "%":
		return percent(v.Number), nil
	}
	return strconv.AppendFloat(nil, v.Number, 'g', -1, 64), nil
}

// plain is a YAML scalar without quotes.
func plain(node ast.Node) string {
	if t := node.GetToken(); t != nil {
		return t.Value
	}
	return node.String()
}

// valueError is a value that its key cannot have, with its place.
type valueError struct {
	path string
	line int
	text string
}

func (e *valueError) Error() string { return e.text }

func bad(node ast.Node, format string, a ...any) error {
	e := &valueError{path: strings.TrimPrefix(strings.NewReplacer("[", ".", "]", "").Replace(node.GetPath()), "$."), text: fmt.Sprintf(format, a...)}
	if t := node.GetToken(); t != nil && t.Position != nil {
		e.line = t.Position.Line
	}
	return e
}
