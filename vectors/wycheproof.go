package vectors

import (
	"encoding/hex"
	"fmt"
	"slices"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// wycheproofFile is a Wycheproof file about BLS signatures on bls12-381. M-Pin
// signs nothing of that kind, but it decodes the same points: keys in G1,
// signatures in G2.
type wycheproofFile struct {
	Algorithm  string `json:"algorithm"`
	TestGroups []struct {
		Type      string `json:"type"`
		PublicKey struct {
			PK    string `json:"pk"`
			Group string `json:"group"`
		} `json:"publicKey"`
		Tests []wycheproofTest `json:"tests"`
	} `json:"testGroups"`
}

type wycheproofTest struct {
	ID      int64    `json:"tcId"`
	Comment string   `json:"comment"`
	PubKeys []string `json:"pubkeys"`
	Sig     string   `json:"sig"`
	Result  string   `json:"result"`
	Flags   []string `json:"flags"`
}

// wycheproofDecode are the flags of invalid tests in which a point must be
// refused, whatever was signed.
var wycheproofDecode = []string{"InvalidFlags", "InvalidEncoding", "NotOnCurve", "NotInSubgroup", "IdentityPoint", "TruncatedSignature"}

func wycheproofSet(data []byte) (*Set, error) {
	var f wycheproofFile
	if err := strictjson.Decode(data, &f, strictjson.Lenient); err != nil {
		return nil, err
	}
	if f.Algorithm != "BLS" {
		return nil, fmt.Errorf("algorithm: expected BLS, found %q", f.Algorithm)
	}
	set := &Set{Format: "wycheproof", Suite: protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}}
	for _, g := range f.TestGroups {
		for _, t := range g.Tests {
			c := check{id: fmt.Sprintf("tcId %d: %s", t.ID, t.Comment)}
			keys := t.PubKeys
			if g.PublicKey.PK != "" {
				keys = []string{g.PublicKey.PK}
			}
			refused := slices.ContainsFunc(t.Flags, func(flag string) bool { return slices.Contains(wycheproofDecode, flag) })
			switch {
			case g.Type != "BlsSigVerify" && g.Type != "BlsAggregateVerify":
				c.skip = "M-Pin hashes to G1 only"
			case g.PublicKey.Group != "" && g.PublicKey.Group != "G1":
				c.skip = "keys in " + g.PublicKey.Group
			case t.Result != "valid" && !refused:
				c.skip = "about a signature of well-formed points, which M-Pin has no use for"
			default:
				c.run = func(b backends.Backend) (*Failure, error) { return wycheproofRun(b, keys, t.Sig, t.Result == "valid") }
			}
			set.checks = append(set.checks, c)
		}
	}
	if len(set.checks) == 0 {
		return nil, fmt.Errorf("testGroups: expected at least one test")
	}
	return set, nil
}

// wycheproofRun decodes the keys and the signature of a test. All must decode,
// and none be the identity, iff the test is valid.
func wycheproofRun(b backends.Backend, keys []string, sig string, valid bool) (*Failure, error) {
	s, err := protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}, b)
	if err != nil {
		return nil, err
	}
	refusal := ""
	refuse := func(what string, err error) {
		if err != nil && refusal == "" {
			refusal = what + ": " + err.Error()
		}
	}
	for i, key := range keys {
		data, err := hex.DecodeString(key)
		if err == nil {
			_, err = s.DecodeG1(data)
		}
		refuse(fmt.Sprintf("key %d", i), err)
	}
	data, err := hex.DecodeString(sig)
	if err == nil {
		_, err = s.DecodeG2(data)
	}
	refuse("signature", err)
	switch {
	case valid && refusal != "":
		return &Failure{Field: "result", Want: "points that decode", Got: refusal}, nil
	case !valid && refusal == "":
		return &Failure{Field: "result", Want: "a point that is refused", Got: "all decode"}, nil
	}
	return nil, nil
}
