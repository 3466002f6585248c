package protocol

import (
	"fmt"
	"strings"

	"mpinlab/backends"
)

// Dialect is a family of encodings and hashes under which M-Pin is spoken.
type Dialect uint8

const (
	// RFC9380 is this project's own dialect: RFC 9380 hashing, canonical
	// encodings of the curve.
	RFC9380 Dialect = iota + 1
	// Milagro is byte-compatible with AMCL 2 and 3 and Apache Milagro.
	Milagro
	// MIRACLCore is byte-compatible with MIRACL Core. It has no time permits.
	MIRACLCore
)

// Dialects lists every dialect.
func Dialects() []Dialect { return []Dialect{RFC9380, Milagro, MIRACLCore} }

// String returns the dialect's identifier, for example "rfc9380".
func (d Dialect) String() string {
	switch d {
	case RFC9380:
		return "rfc9380"
	case Milagro:
		return "milagro"
	case MIRACLCore:
		return "miracl-core"
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// ParseDialect reads a dialect's identifier; the error lists those there are.
func ParseDialect(s string) (Dialect, error) {
	var known []string
	for _, d := range Dialects() {
		if d.String() == s {
			return d, nil
		}
		known = append(known, d.String())
	}
	return 0, fmt.Errorf("unknown dialect %q; there are %s", s, strings.Join(known, ", "))
}

// SuiteID names a suite: a dialect on a curve.
type SuiteID struct {
	Dialect Dialect
	Curve   backends.Curve
}

// String returns "<dialect>/<curve>", for example "rfc9380/bls12-381".
func (id SuiteID) String() string { return id.Dialect.String() + "/" + id.Curve.String() }

// TimePermits reports whether the suite's dialect has time permits.
func (id SuiteID) TimePermits() bool { return id.Dialect != MIRACLCore }

// SuiteIDs lists every suite that is defined, with or without a backend that
// serves it. The two MIRACL dialects are defined where G2's coordinates lie in
// F_p², and miracl-core moreover only on curves whose non-uniform hash takes
// as many bytes as MIRACL Core's.
func SuiteIDs() []SuiteID {
	var ids []SuiteID
	for _, d := range Dialects() {
		for _, c := range backends.Curves() {
			if d == RFC9380 || d == Milagro && c.Params().G2Degree == 2 || d == MIRACLCore && onMIRACLCore(c) {
				ids = append(ids, SuiteID{d, c})
			}
		}
	}
	return ids
}

// ParseSuiteID reads "<dialect>/<curve>"; the error lists the suites there
// are.
func ParseSuiteID(s string) (SuiteID, error) {
	var known []string
	for _, id := range SuiteIDs() {
		if id.String() == s {
			return id, nil
		}
		known = append(known, id.String())
	}
	return SuiteID{}, fmt.Errorf("unknown suite %q; there are %s", s, strings.Join(known, ", "))
}

// Suite is a dialect on a curve, served by a backend. It is immutable and safe
// for concurrent use.
type Suite struct {
	id      SuiteID
	backend backends.Backend
	dialect dialect
	key     string
	group   groups
}

// New binds a suite to a backend. It fails if the backend is of another curve
// or the suite is not defined there.
func New(id SuiteID, b backends.Backend) (*Suite, error) {
	info := b.Info()
	if info.Curve != id.Curve {
		return nil, fmt.Errorf("suite %s cannot run on %s, which is of another curve", id, info.ID)
	}
	if _, err := ParseSuiteID(id.String()); err != nil {
		return nil, err
	}
	s := &Suite{id: id, backend: b, group: newGroups(b)}
	switch id.Dialect {
	case RFC9380:
		s.dialect = newRFC9380(id.Curve)
	case Milagro:
		s.dialect = newMilagro(id.Curve)
	case MIRACLCore:
		s.dialect = newMIRACLCore(id.Curve, defaultMIRACLCoreDST(id.Curve))
	}
	s.key = id.String() + " " + info.ID
	if _, err := s.dialect.identityPoint(&s.group, []byte("probe")); err != nil {
		return nil, fmt.Errorf("suite %s on %s: %w", id, info.ID, err)
	}
	return s, nil
}

// WithIdentityDST returns a suite that hashes identities under dst. Only the
// miracl-core dialect leaves the tag to the caller.
func (s *Suite) WithIdentityDST(dst string) (*Suite, error) {
	if s.id.Dialect != MIRACLCore {
		return nil, fmt.Errorf("suite %s fixes its domain separation tag", s.id)
	}
	if dst == "" || len(dst) > MaxIdentity {
		return nil, fmt.Errorf("a domain separation tag is 1 to %d bytes, not %d", MaxIdentity, len(dst))
	}
	t := *s
	t.dialect = newMIRACLCore(s.id.Curve, dst)
	t.key = s.id.String() + " " + s.backend.Info().ID + " " + dst
	return &t, nil
}

// ID returns the suite's name.
func (s *Suite) ID() SuiteID { return s.id }

// Backend returns the backend that serves the suite.
func (s *Suite) Backend() backends.Backend { return s.backend }

// same reports whether values of t may be used with values of s.
func (s *Suite) same(t *Suite) bool { return s == t || t != nil && s.key == t.key }

// EncodeG1 writes a point in the suite's encoding.
func (s *Suite) EncodeG1(p backends.G1) []byte { return s.dialect.encodeG1(p) }

// EncodeG2 writes a point in the suite's encoding.
func (s *Suite) EncodeG2(p backends.G2) []byte { return s.dialect.encodeG2(p) }

// EncodeScalar writes a scalar in the suite's encoding: big-endian, as long as
// r in rfc9380 and as long as p in the other dialects.
func (s *Suite) EncodeScalar(k backends.Scalar) []byte { return s.dialect.encodeScalar(k) }

// DecodeG1 reads a point of the r-subgroup other than the identity. Errors:
// those of backends.Backend.DecodeG1, and ErrIdentityPoint.
func (s *Suite) DecodeG1(b []byte) (backends.G1, error) {
	p, err := s.dialect.decodeG1(s.backend, b)
	if err != nil {
		return nil, err
	}
	if p.IsIdentity() {
		return nil, fmt.Errorf("%s G1 point: %w", s.id.Curve, ErrIdentityPoint)
	}
	return p, nil
}

// DecodeG2 reads a point of the r-subgroup other than the identity. Errors:
// those of backends.Backend.DecodeG2, and ErrIdentityPoint.
func (s *Suite) DecodeG2(b []byte) (backends.G2, error) {
	p, err := s.dialect.decodeG2(s.backend, b)
	if err != nil {
		return nil, err
	}
	if p.IsIdentity() {
		return nil, fmt.Errorf("%s G2 point: %w", s.id.Curve, ErrIdentityPoint)
	}
	return p, nil
}

// DecodeScalar reads a scalar below r; zero decodes. Errors:
// backends.ErrLength, backends.ErrNotCanonical.
func (s *Suite) DecodeScalar(b []byte) (backends.Scalar, error) {
	return s.dialect.decodeScalar(s.backend, b)
}

// nonZeroScalar is DecodeScalar for secrets and challenges: ErrZeroScalar for
// zero.
func (s *Suite) nonZeroScalar(b []byte) (backends.Scalar, error) {
	k, err := s.DecodeScalar(b)
	if err != nil {
		return nil, err
	}
	if k.IsZero() {
		return nil, ErrZeroScalar
	}
	return k, nil
}

// Sizes returns the lengths in bytes of the suite's encodings of points of G1
// and G2, uncompressed, and of scalars.
func (id SuiteID) Sizes() (g1, g2, scalar int) {
	p := id.Curve.Params()
	switch id.Dialect {
	case Milagro:
		return 1 + 2*p.FieldBytes, 4 * p.FieldBytes, p.FieldBytes
	case MIRACLCore:
		return 1 + 2*p.FieldBytes, 1 + 4*p.FieldBytes, p.FieldBytes
	}
	return p.G1Bytes, p.G2Bytes, p.ScalarBytes
}
