package vectors

import (
	"fmt"
	"path/filepath"
	"strings"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// milagroCase is an object of a Milagro file. The names vary between its C and
// JavaScript libraries.
type milagroCase struct {
	Identity  strictjson.Hex `json:"MPIN_ID_HEX"`
	Identity2 strictjson.Hex `json:"MPINId"`
	Hash      strictjson.Hex `json:"HASH_MPIN_ID_HEX"`
	MS1       strictjson.Hex `json:"MS1"`
	MS2       strictjson.Hex `json:"MS2"`
	SS1       strictjson.Hex `json:"SS1"`
	SS2       strictjson.Hex `json:"SS2"`
	Server    strictjson.Hex `json:"SERVER_SECRET"`
	Server2   strictjson.Hex `json:"SS"`
	CS1       strictjson.Hex `json:"CS1"`
	CS2       strictjson.Hex `json:"CS2"`
	Client    strictjson.Hex `json:"CLIENT_SECRET"`
	Client2   strictjson.Hex `json:"CS"`
	TP1       strictjson.Hex `json:"TP1"`
	TP2       strictjson.Hex `json:"TP2"`
	Permit    strictjson.Hex `json:"TIME_PERMIT"`
	Date      int32          `json:"DATE"`
	PIN1      *int64         `json:"PIN1"`
	PIN2      *int64         `json:"PIN2"`
	Token     strictjson.Hex `json:"TOKEN"`
	X         strictjson.Hex `json:"X"`
	Y         strictjson.Hex `json:"Y"`
	U         strictjson.Hex `json:"U"`
	UT        strictjson.Hex `json:"UT"`
	Secret    strictjson.Hex `json:"SEC"`
	V         strictjson.Hex `json:"V"`
	Output    *int64         `json:"SERVER_OUTPUT"`
	Output2   *int64         `json:"AuthResult"`
	Time      *int64         `json:"TimeValue"`
	Curve     string         `json:"CURVE"`
	Number    *int64         `json:"test_no"`
}

// milagroSet reads a Milagro file: a JSON array of logins.
func milagroSet(name string, data []byte) (*Set, error) {
	var objects []milagroCase
	if err := strictjson.Decode(data, &objects, strictjson.Lenient); err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("expected at least one case, found an empty array")
	}
	curve, err := milagroCurve(name, &objects[0])
	if err != nil {
		return nil, err
	}
	set := &Set{Format: "milagro", Suite: protocol.SuiteID{Dialect: protocol.Milagro, Curve: curve}}
	for i := range objects {
		c, err := objects[i].convert(i)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		set.checks = append(set.checks, caseCheck(set.Suite, c))
	}
	return set, nil
}

// milagroCurve tells the curve from the file's own word or from its name.
func milagroCurve(name string, c *milagroCase) (backends.Curve, error) {
	// BN254CX comes before BN254, which it contains.
	names := []struct {
		text  string
		curve backends.Curve
	}{{"BN254CX", backends.BN254CX}, {"BN254N", backends.BN254N}, {"BN254", backends.BN254N}, {"FP256BN", backends.FP256BN}, {"BLS12381", backends.BLS12381}}
	text := c.Curve
	if text == "" {
		text = filepath.Base(name)
	}
	text = strings.NewReplacer("_", "", "-", "").Replace(strings.ToUpper(text))
	for _, n := range names {
		if !strings.Contains(text, n.text) {
			continue
		}
		if want := 1 + 2*n.curve.Params().FieldBytes; c.Token != nil && len(c.Token) != want {
			return 0, fmt.Errorf("named after %s, whose points have %d bytes, but TOKEN has %d", n.curve, want, len(c.Token))
		}
		return n.curve, nil
	}
	return 0, fmt.Errorf("cannot tell the curve of %q; say it with --suite milagro/<curve>", filepath.Base(name))
}

// convert brings an object into the project's own form. Its names for what is
// given and what is wanted overlap: what starts a chain is given, the rest is
// wanted.
func (m *milagroCase) convert(i int) (*Case, error) {
	c := &Case{ID: fmt.Sprint("case ", i), Protocol: "two-pass"}
	if m.Number != nil {
		c.ID = fmt.Sprint("test_no ", *m.Number)
	}
	if m.Time != nil {
		c.Protocol = "one-pass"
		c.In.Time = *m.Time
	}
	c.In.Identity = first(m.Identity, m.Identity2)
	if c.In.Identity == nil {
		return nil, fmt.Errorf("expected MPIN_ID_HEX or MPINId")
	}
	c.In.Date, c.In.PINSetup, c.In.PINLogin, c.In.X = m.Date, m.PIN1, m.PIN2, m.X
	for _, pin := range []*int64{m.PIN1, m.PIN2} {
		if pin != nil && (*pin < 0 || *pin >= 1_000_000_000_000) {
			return nil, fmt.Errorf("a PIN has at most 12 digits, found %d", *pin)
		}
	}
	c.Out.IdentityHash = m.Hash
	if m.MS1 != nil && m.MS2 != nil {
		c.In.MasterSecrets = []strictjson.Hex{m.MS1, m.MS2}
		c.Out.ClientSecretShares = pair(m.CS1, m.CS2)
		c.Out.ServerSecretShares = pair(m.SS1, m.SS2)
		c.Out.PermitShares = pair(m.TP1, m.TP2)
		c.Out.ServerSecret, c.Out.ClientSecret = first(m.Server, m.Server2), first(m.Client, m.Client2)
		if m.Date != 0 {
			c.Out.Permit = m.Permit
		}
	} else {
		c.In.ServerSecret, c.In.ClientSecret = first(m.Server, m.Server2), first(m.Client, m.Client2)
		if m.Date != 0 {
			c.In.Permit = m.Permit
		}
	}
	c.Out.Token = m.Token
	c.Out.U, c.Out.UT = m.U, m.UT
	c.Out.V = m.V
	if c.Protocol == "one-pass" {
		// The client turns SEC into V where it stands.
		c.Out.Y, c.Out.V = m.Y, first(m.V, m.Secret)
	} else {
		c.In.Y = m.Y
		c.Out.Secret = m.Secret
	}
	out := m.Output
	if out == nil {
		out = m.Output2
	}
	if out != nil {
		accept := *out == 0
		c.Out.Accept = &accept
	}
	return c, nil
}

func first(values ...strictjson.Hex) strictjson.Hex {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// pair makes a list of two shares, or nil unless both are there.
func pair(a, b strictjson.Hex) []strictjson.Hex {
	if a == nil || b == nil {
		return nil
	}
	return []strictjson.Hex{a, b}
}
