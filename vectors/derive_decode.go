package vectors

import (
	"errors"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// deriveDecode computes the outcome of a decode case.
func deriveDecode(s *protocol.Suite, c *Case) *Out {
	var canonical []byte
	var err error
	switch c.In.Group {
	case "g1":
		var p backends.G1
		if p, err = s.DecodeG1(c.In.Bytes); err == nil {
			canonical = s.EncodeG1(p)
		}
	case "g2":
		var p backends.G2
		if p, err = s.DecodeG2(c.In.Bytes); err == nil {
			canonical = s.EncodeG2(p)
		}
	case "scalar":
		var k backends.Scalar
		if k, err = s.DecodeScalar(c.In.Bytes); err == nil {
			canonical = s.EncodeScalar(k)
		}
	}
	valid := err == nil
	return &Out{Valid: &valid, Error: errorName(err), Canonical: canonical}
}

// errorName is the name of a decoder's error in decode cases.
func errorName(err error) string {
	if err == nil {
		return ""
	}
	for i, kind := range []error{backends.ErrLength, backends.ErrFlags, backends.ErrNotCanonical, backends.ErrNotOnCurve,
		backends.ErrNotInSubgroup, protocol.ErrIdentityPoint} {
		if errors.Is(err, kind) {
			return decodeErrors[i]
		}
	}
	return "an error of no named kind: " + err.Error()
}
