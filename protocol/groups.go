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
	multi   backends.MultiScalar
	members backends.BatchSubgroup
}

func newGroups(b backends.Backend) groups {
	g := groups{Backend: b, curve: b.Info().Curve}
	g.hasher, _ = b.(backends.Hasher)
	g.encoder, _ = b.(backends.Encoder)
	g.short, _ = b.(backends.ShortScalar)
	g.fixed, _ = b.(backends.FixedG2)
	g.multi, _ = b.(backends.MultiScalar)
	g.members, _ = b.(backends.BatchSubgroup)
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

// sum returns Σ k[i]·p[i]. The first short of the scalars are below
// 2^weightBits. Variable-time: for public scalars only.
func (g *groups) sum(p []backends.G1, k []backends.Scalar, short int) backends.G1 {
	if g.multi != nil {
		return g.multi.MultiScalarG1(p, k)
	}
	var sum backends.G1
	for i := range p {
		var t backends.G1
		if i < short {
			t = g.mulShort(p[i], k[i], weightBits)
		} else {
			t = p[i].Mul(k[i])
		}
		if sum == nil {
			sum = t
		} else {
			sum = sum.Add(t)
		}
	}
	return sum
}

// lenient is the backend for decoding points whose membership in the subgroup
// is checked afterwards, all of them together. It is the backend itself where
// that is not to be had.
func (g *groups) lenient() backends.Backend {
	if g.members == nil {
		return g.Backend
	}
	return unchecked{g.Backend, g.members}
}

// unchecked leaves the subgroup check out of decoding.
type unchecked struct {
	backends.Backend
	members backends.BatchSubgroup
}

func (u unchecked) DecodeG1(b []byte) (backends.G1, error) { return u.members.DecodeG1Unchecked(b) }

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
