package protocol

import (
	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

// groups is a backend with the optional capabilities looked up once, and the
// generic way in the place of those it lacks.
type groups struct {
	backends.Backend
	curve   backends.Curve
	hasher  backends.Hasher
	encoder backends.Encoder
	short   backends.ShortScalar
	fixed   backends.FixedG2
}

func newGroups(b backends.Backend) groups {
	g := groups{Backend: b, curve: b.Info().Curve}
	g.hasher, _ = b.(backends.Hasher)
	g.encoder, _ = b.(backends.Encoder)
	g.short, _ = b.(backends.ShortScalar)
	g.fixed, _ = b.(backends.FixedG2)
	return g
}

// hashToG1 is hash_to_curve of RFC 9380, by the backend or on paper.
func (g *groups) hashToG1(dst, msg []byte) (backends.G1, error) {
	if g.hasher != nil {
		return g.hasher.HashToG1(dst, msg), nil
	}
	return g.point(h2c.HashToG1(g.curve, dst, msg))
}

// encodeToG1 is encode_to_curve of RFC 9380, by the backend or on paper.
func (g *groups) encodeToG1(dst, msg []byte) (backends.G1, error) {
	if g.encoder != nil {
		return g.encoder.EncodeToG1(dst, msg), nil
	}
	return g.point(h2c.EncodeToG1(g.curve, dst, msg))
}

// point brings a point computed on paper into the backend.
func (g *groups) point(p h2c.Point, err error) (backends.G1, error) {
	if err != nil {
		return nil, err
	}
	return g.DecodeG1(p.Encode(g.curve))
}

// mulShort returns k·p for k < 2^bits; bits is public.
func (g *groups) mulShort(p backends.G1, k backends.Scalar, bits int) backends.G1 {
	if g.short != nil {
		return g.short.MulShort(p, k, bits)
	}
	return p.Mul(k)
}

// fixG2 prepares a pairing product with fixed G2 arguments.
func (g *groups) fixG2(q ...backends.G2) backends.FixedCheck {
	if g.fixed != nil {
		return g.fixed.FixG2(q...)
	}
	return &plainCheck{g.Backend, q}
}

// plainCheck is the FixedCheck of backends that cannot prepare anything.
type plainCheck struct {
	b backends.Backend
	q []backends.G2
}

func (c *plainCheck) PairingCheck(p ...backends.G1) bool { return c.b.PairingCheck(p, c.q) }
