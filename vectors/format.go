// Package vectors reads, runs and generates known answers for M-Pin: the
// project's own format mpin-vectors/1, and those of Milagro, RFC 9380 and
// Wycheproof as they are published.
//
// A file is run on every backend of its curve. What a case gives is taken as
// it is, what it does not give is derived through package protocol, and what
// it wants is compared field by field. Cases of the protocol share are read and
// skipped, since the format cannot say who takes part in a t-of-n sharing; known
// answers for those are in package protocol/threshold.
package vectors

import (
	"fmt"
	"slices"
	"strings"

	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// Format is the identifier of the project's own format.
const Format = "mpin-vectors/1"

// File is a document in the project's own format.
type File struct {
	Format string            `json:"format"`
	Suite  string            `json:"suite"`
	Source string            `json:"source"`
	Notes  map[string]string `json:"notes,omitempty"`
	Cases  []Case            `json:"cases"`
}

// Case is one known answer.
type Case struct {
	ID       string   `json:"id"`
	Protocol string   `json:"protocol"`
	Flags    []string `json:"flags,omitempty"`
	Comment  string   `json:"comment,omitempty"`
	In       In       `json:"in"`
	Out      Out      `json:"out"`
}

// In is what a case gives, from any point of the chain onwards.
type In struct {
	Identity      strictjson.Hex   `json:"identity,omitzero"`
	DST           string           `json:"dst,omitempty"`
	MasterSecrets []strictjson.Hex `json:"master_secrets,omitempty"`
	Date          int32            `json:"date,omitempty"`
	PINSetup      *int64           `json:"pin_setup,omitempty"`
	PINLogin      *int64           `json:"pin_login,omitempty"`
	X             strictjson.Hex   `json:"x,omitzero"`
	Y             strictjson.Hex   `json:"y,omitzero"`
	Time          int64            `json:"time,omitempty"`
	Message       strictjson.Hex   `json:"message,omitzero"`
	R             strictjson.Hex   `json:"r,omitzero"`
	W             strictjson.Hex   `json:"w,omitzero"`
	Z             strictjson.Hex   `json:"z,omitzero"`
	ClientSecret  strictjson.Hex   `json:"client_secret,omitzero"`
	Permit        strictjson.Hex   `json:"permit,omitzero"`
	Token         strictjson.Hex   `json:"token,omitzero"`
	ServerSecret  strictjson.Hex   `json:"server_secret,omitzero"`
	U             strictjson.Hex   `json:"u,omitzero"`
	UT            strictjson.Hex   `json:"ut,omitzero"`
	V             strictjson.Hex   `json:"v,omitzero"`

	// Of decode cases.
	Group string         `json:"group,omitempty"`
	Bytes strictjson.Hex `json:"bytes,omitzero"`
}

// Out is what a case wants. A field that is absent is not checked.
type Out struct {
	IdentityHash       strictjson.Hex   `json:"identity_hash,omitzero"`
	IdentityPoint      strictjson.Hex   `json:"identity_point,omitzero"`
	PermitPoint        strictjson.Hex   `json:"permit_point,omitzero"`
	ClientSecretShares []strictjson.Hex `json:"client_secret_shares,omitempty"`
	ClientSecret       strictjson.Hex   `json:"client_secret,omitzero"`
	PermitShares       []strictjson.Hex `json:"permit_shares,omitempty"`
	Permit             strictjson.Hex   `json:"permit,omitzero"`
	ServerSecretShares []strictjson.Hex `json:"server_secret_shares,omitempty"`
	ServerSecret       strictjson.Hex   `json:"server_secret,omitzero"`
	Token              strictjson.Hex   `json:"token,omitzero"`
	Secret             strictjson.Hex   `json:"secret,omitzero"`
	U                  strictjson.Hex   `json:"u,omitzero"`
	UT                 strictjson.Hex   `json:"ut,omitzero"`
	Y                  strictjson.Hex   `json:"y,omitzero"`
	V                  strictjson.Hex   `json:"v,omitzero"`
	Accept             *bool            `json:"accept,omitempty"`
	PINError           *int64           `json:"pin_error,omitempty"`
	TranscriptHash     strictjson.Hex   `json:"transcript_hash,omitzero"`
	ClientKey          strictjson.Hex   `json:"client_key,omitzero"`
	ServerKey          strictjson.Hex   `json:"server_key,omitzero"`
	RPoint             strictjson.Hex   `json:"r_point,omitzero"`
	WPoint             strictjson.Hex   `json:"w_point,omitzero"`
	PublicKey          strictjson.Hex   `json:"public_key,omitzero"`

	// Of decode cases.
	Valid     *bool          `json:"valid,omitempty"`
	Error     string         `json:"error,omitempty"`
	Canonical strictjson.Hex `json:"canonical,omitzero"`
}

// protocols are the kinds of case of the format. Cases of share are read and
// skipped: see noShares.
var protocols = []string{"two-pass", "one-pass", "full", "signature", "share", "decode"}

// Flags are the flags that files may use without describing them, with what
// they mean.
var Flags = map[string]string{
	"TimePermit":       "the login needs a permit for its day",
	"WrongPIN":         "the PIN entered is not the one that was set",
	"WrongIdentity":    "the token belongs to another identity than the one claimed",
	"WrongMessage":     "the message is not the one that was signed",
	"WrongTime":        "the time is not the one that was signed",
	"KeyPair":          "the client's secret is bound to a key pair of its own",
	"WrongToken":       "the token was issued by other authorities",
	"WrongChallenge":   "the answer was made for another challenge",
	"ExpiredPermit":    "the permit is for another day than the login",
	"IdentityPoint":    "a point is the group's identity",
	"NotInSubgroup":    "a point is on the curve but not in the subgroup",
	"NotOnCurve":       "no point of the curve has these coordinates",
	"NonCanonical":     "a coordinate is not below the field's modulus",
	"TrailingBytes":    "the encoding is followed by more bytes",
	"WrongLength":      "the encoding is too short or too long",
	"BadFlags":         "flag bits or the prefix are not those of any encoding of this length",
	"SmallOrder":       "a point has a small order",
	"ZeroScalar":       "a scalar is zero",
	"ScalarNotReduced": "a scalar is not below the group order",
	"Compressed":       "the encoding is the compressed one",
	"Valid":            "a well-formed encoding",
}

// ParseFile reads a document of the project's own format strictly. Errors name
// line and path.
func ParseFile(data []byte) (*File, error) {
	var f File
	if err := strictjson.Decode(data, &f, strictjson.Strict); err != nil {
		return nil, err
	}
	if f.Format != Format {
		return nil, fmt.Errorf("format: expected %q, found %q", Format, f.Format)
	}
	id, err := protocol.ParseSuiteID(f.Suite)
	if err != nil {
		return nil, fmt.Errorf("suite: %w", err)
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("cases: expected at least one")
	}
	ids := map[string]bool{}
	for i := range f.Cases {
		c := &f.Cases[i]
		if err := c.check(f.Notes, id); err != nil {
			return nil, fmt.Errorf("cases[%d]%w", i, err)
		}
		if ids[c.ID] {
			return nil, fmt.Errorf("cases[%d].id: %q is there twice", i, c.ID)
		}
		ids[c.ID] = true
	}
	return &f, nil
}

// check refuses what the types cannot.
func (c *Case) check(notes map[string]string, id protocol.SuiteID) error {
	if c.ID == "" {
		return fmt.Errorf(".id: expected a name")
	}
	if !slices.Contains(protocols, c.Protocol) {
		return fmt.Errorf(" (%s).protocol: unknown %q; there are %s", c.ID, c.Protocol, strings.Join(protocols, ", "))
	}
	for i, flag := range c.Flags {
		if _, ok := notes[flag]; !ok && Flags[flag] == "" {
			return fmt.Errorf(" (%s).flags[%d]: unknown %q; describe it under notes", c.ID, i, flag)
		}
	}
	if c.Protocol != "decode" && (c.In.Group != "" || c.In.Bytes != nil || c.Out.Valid != nil || c.Out.Error != "" || c.Out.Canonical != nil) {
		return fmt.Errorf(" (%s): group, bytes, valid, error and canonical belong to decode cases", c.ID)
	}
	if c.Protocol == "decode" {
		return c.checkDecode()
	}
	if c.In.DST != "" && id.Dialect != protocol.MIRACLCore {
		return fmt.Errorf(" (%s).in.dst: suite %s fixes its tag", c.ID, id)
	}
	if c.In.Date < 0 {
		return fmt.Errorf(" (%s).in.date: expected a number of days, found %d", c.ID, c.In.Date)
	}
	for name, pin := range map[string]*int64{"pin_setup": c.In.PINSetup, "pin_login": c.In.PINLogin} {
		if pin != nil && (*pin < 0 || *pin >= 1_000_000_000_000) {
			return fmt.Errorf(" (%s).in.%s: expected at most 12 digits, found %d", c.ID, name, *pin)
		}
	}
	return c.checkSizes(id)
}

// decodeErrors are the names of errors in decode cases, in the order in which
// they are looked for.
var decodeErrors = []string{"length", "flags", "not-canonical", "not-on-curve", "not-in-subgroup", "identity"}

func (c *Case) checkDecode() error {
	if !slices.Contains([]string{"g1", "g2", "scalar"}, c.In.Group) {
		return fmt.Errorf(" (%s).in.group: expected g1, g2 or scalar, found %q", c.ID, c.In.Group)
	}
	if c.In.Bytes == nil {
		return fmt.Errorf(" (%s).in.bytes: expected hexadecimal digits", c.ID)
	}
	if c.Out.Error != "" && !slices.Contains(decodeErrors, c.Out.Error) {
		return fmt.Errorf(" (%s).out.error: unknown %q; there are %s", c.ID, c.Out.Error, strings.Join(decodeErrors, ", "))
	}
	return nil
}
