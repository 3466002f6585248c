package vectors

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// rfcFile is a file of hash-to-curve vectors as the authors of RFC 9380
// publish them.
type rfcFile struct {
	Ciphersuite  string `json:"ciphersuite"`
	Curve        string `json:"curve"`
	DST          string `json:"dst"`
	RandomOracle *bool  `json:"randomOracle"`
	Vectors      []struct {
		P struct {
			X string `json:"x"`
			Y string `json:"y"`
		} `json:"P"`
		Msg string `json:"msg"`
	} `json:"vectors"`
}

// rfcSet reads an RFC 9380 file. Only the suites of bls12-381's G1 concern
// M-Pin; the others are refused by name.
func rfcSet(data []byte) (*Set, error) {
	var f rfcFile
	if err := strictjson.Decode(data, &f, strictjson.Lenient); err != nil {
		return nil, err
	}
	set := &Set{Format: "rfc9380", Suite: protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}}
	if len(f.Vectors) == 0 {
		return nil, fmt.Errorf("vectors: expected at least one")
	}
	why := ""
	switch {
	case strings.HasPrefix(f.Ciphersuite, "BLS12381G2_"):
		why = "M-Pin hashes to G1 only"
	case !strings.HasPrefix(f.Ciphersuite, "BLS12381G1_"):
		return nil, fmt.Errorf("ciphersuite: expected one of BLS12381G1 or BLS12381G2, found %q", f.Ciphersuite)
	case f.RandomOracle == nil:
		return nil, fmt.Errorf("randomOracle: expected true or false")
	}
	for i, v := range f.Vectors {
		c := check{id: fmt.Sprintf("%s %d", f.Ciphersuite, i), skip: why}
		if why == "" {
			want, err := rfcPoint(v.P.X, v.P.Y)
			if err != nil {
				return nil, fmt.Errorf("vectors[%d].P: %w", i, err)
			}
			ro := *f.RandomOracle
			c.run = func(b backends.Backend) (*Failure, error) { return rfcRun(b, ro, f.DST, v.Msg, want) }
		}
		set.checks = append(set.checks, c)
	}
	return set, nil
}

// rfcRun hashes on one backend.
func rfcRun(b backends.Backend, ro bool, dst, msg string, want []byte) (*Failure, error) {
	var p backends.G1
	if h, ok := b.(backends.Hasher); ok && ro {
		p = h.HashToG1([]byte(dst), []byte(msg))
	} else if h, ok := b.(backends.Encoder); ok && !ro {
		p = h.EncodeToG1([]byte(dst), []byte(msg))
	} else {
		return nil, errSkip{"the library has no such hash"}
	}
	if got := p.Bytes(); string(got) != string(want) {
		return &Failure{Field: "P", Want: hex.EncodeToString(want), Got: hex.EncodeToString(got)}, nil
	}
	return nil, nil
}

// rfcPoint reads coordinates written as 0x….
func rfcPoint(x, y string) ([]byte, error) {
	var v [2]*big.Int
	for i, s := range []string{x, y} {
		n, ok := new(big.Int).SetString(strings.TrimPrefix(s, "0x"), 16)
		if !ok || len(s) > 128 || n.Sign() < 0 || n.Cmp(backends.BLS12381.Params().P) >= 0 {
			return nil, fmt.Errorf("expected a field element as 0x…, found %.40q", s)
		}
		v[i] = n
	}
	return encoding.G1(backends.BLS12381).Encode(v[:1], v[1:]), nil
}
