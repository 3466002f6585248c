// Package encoding holds the canonical point encodings of each curve and
// checks lengths, flags and coordinates before a pairing library sees a byte.
//
// Libraries differ in what malformed input they let through; checking here
// first makes every backend of a curve accept and refuse the same bytes with
// the same kind of error. What is left to the library is whether the point is
// on the curve and in the subgroup.
//
// There are three families (backends.Style). ThreeFlags is ZCash's form for
// bls12-381, which gnark-crypto uses on every curve with three spare bits;
// TwoFlags is gnark-crypto's form for bn254; Prefixed is 04 ‖ x ‖ y or
// 02/03 ‖ x after SEC 1, section 2.3, as MIRACL Core writes it, with the
// identity as MIRACL's x = 0, y = 1 (all zero on the curve where b is 1, since
// (0, 1) is a point of order 3 there). Coordinates in extension fields are
// written highest coefficient first in all three.
package encoding

import (
	"bytes"
	"fmt"
	"math/big"

	"mpinlab/backends"
)

// Form tells which of its encodings a point came in.
type Form uint8

const (
	Uncompressed Form = iota
	Compressed
	// Identity is the identity, in either length.
	Identity
)

// Codec checks and writes encodings of one group of one curve. It is
// immutable and safe for concurrent use.
type Codec struct {
	curve        backends.Curve
	group        string
	style        backends.Style
	field        int // bytes of one coefficient
	degree       int // coefficients of one coordinate
	uncompressed int
	compressed   int
	modulus      []byte
	identityY    byte // y of the Prefixed identity
}

// G1 returns the codec of c's G1.
func G1(c backends.Curve) *Codec {
	p := c.Params()
	return newCodec(c, "G1", 1, p.G1Bytes, p.G1CompressedBytes)
}

// G2 returns the codec of c's G2.
func G2(c backends.Curve) *Codec {
	p := c.Params()
	return newCodec(c, "G2", p.G2Degree, p.G2Bytes, p.G2CompressedBytes)
}

// PrefixedG1 and PrefixedG2 return codecs of the Prefixed style for any curve,
// whatever its canonical style: the form in which MIRACL's M-Pin exchanges
// points.
func PrefixedG1(c backends.Curve) *Codec { return prefixed(c, "G1", 1) }

// PrefixedG2: see PrefixedG1.
func PrefixedG2(c backends.Curve) *Codec { return prefixed(c, "G2", c.Params().G2Degree) }

func prefixed(c backends.Curve, group string, degree int) *Codec {
	coordinate := degree * c.Params().FieldBytes
	codec := newCodec(c, group, degree, 1+2*coordinate, 1+coordinate)
	codec.style = backends.Prefixed
	return codec
}

func newCodec(c backends.Curve, group string, degree, uncompressed, compressed int) *Codec {
	p := c.Params()
	codec := &Codec{curve: c, group: group, style: p.Style, field: p.FieldBytes, degree: degree,
		uncompressed: uncompressed, compressed: compressed, modulus: p.P.FillBytes(make([]byte, p.FieldBytes))}
	if p.B.Cmp(big.NewInt(1)) != 0 {
		codec.identityY = 1
	}
	return codec
}

// CheckUncompressed is Check for peers that send no compressed points: a
// compressed length is ErrLength.
func (c *Codec) CheckUncompressed(b []byte) (Form, error) {
	if len(b) != c.uncompressed {
		return 0, c.Error(fmt.Errorf("%w: %d bytes, not %d", backends.ErrLength, len(b), c.uncompressed))
	}
	return c.Check(b)
}

// Check tells the form of b, or which kind of error it is: ErrLength, ErrFlags
// or ErrNotCanonical. It says nothing about the curve equation.
func (c *Codec) Check(b []byte) (Form, error) {
	if len(b) != c.uncompressed && len(b) != c.compressed {
		return 0, c.Error(fmt.Errorf("%w: %d bytes, not %d or %d", backends.ErrLength, len(b), c.uncompressed, c.compressed))
	}
	form, mask, ok := c.flags(b)
	if !ok {
		return 0, c.Error(fmt.Errorf("%w: first byte %02x in %d bytes", backends.ErrFlags, b[0], len(b)))
	}
	if form == Identity {
		return form, nil
	}
	if c.style == backends.Prefixed {
		b = b[1:]
	}
	if err := c.canonical(b, mask); err != nil {
		return 0, err
	}
	if c.style != backends.ThreeFlags && form == Uncompressed && c.isIdentity(b) {
		return Identity, nil
	}
	return form, nil
}

// flags reads the flag bits or prefix of b, whose length is one of the two.
func (c *Codec) flags(b []byte) (form Form, mask byte, ok bool) {
	short := len(b) == c.compressed
	form = Uncompressed
	if short {
		form = Compressed
	}
	switch c.style {
	case backends.Prefixed:
		if short && restZero(b, 0) {
			return Identity, 0, true
		}
		return form, 0, short && (b[0] == 2 || b[0] == 3) || !short && b[0] == 4
	case backends.TwoFlags:
		switch b[0] >> 6 {
		case 0b00:
			return form, 0, !short
		case 0b01:
			return Identity, 0, short && restZero(b, 0x40)
		default:
			return form, 0xc0, short
		}
	default:
		switch b[0] >> 5 {
		case 0b000:
			return form, 0, !short
		case 0b010:
			return Identity, 0, !short && restZero(b, 0x40)
		case 0b100, 0b101:
			return form, 0xe0, short
		case 0b110:
			return Identity, 0, short && restZero(b, 0xc0)
		}
		return form, 0, false
	}
}

// restZero reports whether b is first followed by zeros.
func restZero(b []byte, first byte) bool {
	return b[0] == first && allZero(b[1:])
}

func allZero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// canonical checks that each coefficient in b, flags in mask aside, is below
// the modulus.
func (c *Codec) canonical(b []byte, mask byte) error {
	for i := 0; i < len(b); i += c.field {
		v := b[i : i+c.field]
		over := bytes.Compare(v, c.modulus) >= 0
		if i == 0 && mask != 0 {
			first := v[0] &^ mask
			over = first > c.modulus[0] || first == c.modulus[0] && bytes.Compare(v[1:], c.modulus[1:]) >= 0
		}
		if over {
			return c.Error(fmt.Errorf("%w: coefficient %d is not below the modulus", backends.ErrNotCanonical, i/c.field))
		}
	}
	return nil
}

// isIdentity recognises the coordinates that stand for the identity where no
// flag does: all zero, and for MIRACL's form also x = 0, y = 1 where that is no
// point of the curve.
func (c *Codec) isIdentity(xy []byte) bool {
	last := len(xy) - 1
	if !allZero(xy[:last]) {
		return false
	}
	return xy[last] == 0 || c.style == backends.Prefixed && xy[last] == c.identityY
}

// IdentityBytes returns the uncompressed encoding of the identity.
func (c *Codec) IdentityBytes() []byte {
	b := make([]byte, c.uncompressed)
	switch c.style {
	case backends.ThreeFlags:
		b[0] = 0x40
	case backends.Prefixed:
		b[0], b[len(b)-1] = 4, c.identityY
	}
	return b
}

// IdentityCompressed returns the compressed encoding of the identity: all
// zero in the Prefixed style, after the 00 of SEC 1, section 2.3.3.
func (c *Codec) IdentityCompressed() []byte {
	b := make([]byte, c.compressed)
	switch c.style {
	case backends.ThreeFlags:
		b[0] = 0xc0
	case backends.TwoFlags:
		b[0] = 0x40
	}
	return b
}

// Encode returns the uncompressed encoding of the point with the given
// coordinates, each a list of coefficients from the lowest.
func (c *Codec) Encode(x, y []*big.Int) []byte {
	b := make([]byte, c.uncompressed)
	at := 0
	if c.style == backends.Prefixed {
		b[0], at = 4, 1
	}
	for _, coordinate := range [][]*big.Int{x, y} {
		for i := c.degree - 1; i >= 0; i-- {
			coordinate[i].FillBytes(b[at : at+c.field])
			at += c.field
		}
	}
	return b
}

// Coordinates reads the coefficients, from the lowest, of an encoding that
// Check found Uncompressed.
func (c *Codec) Coordinates(b []byte) (x, y []*big.Int) {
	if c.style == backends.Prefixed {
		b = b[1:]
	}
	read := func(b []byte) []*big.Int {
		v := make([]*big.Int, c.degree)
		for i := range v {
			at := (c.degree - 1 - i) * c.field
			v[i] = new(big.Int).SetBytes(b[at : at+c.field])
		}
		return v
	}
	half := c.field * c.degree
	return read(b[:half]), read(b[half:])
}

// Error wraps err with the curve and group.
func (c *Codec) Error(err error) error {
	return fmt.Errorf("%s %s point: %w", c.curve, c.group, err)
}
