package vectors

import (
	"bytes"
	"fmt"
	"math/big"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
	"mpinlab/backends/outside"
	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// decodeCases makes a case for each way in which an encoding can be right or
// wrong in the suite.
func (g *generator) decodeCases() ([]Case, error) {
	d := &decodeGenerator{generator: g, params: g.s.ID().Curve.Params()}
	d.scalars()
	d.points(d.form("g1"))
	d.points(d.form("g2"))
	return d.cases, d.err
}

type decodeGenerator struct {
	*generator
	params *backends.Params
	cases  []Case
	err    error
}

// add makes a case and checks that its outcome is the one meant: "" for valid.
func (d *decodeGenerator) add(group, name, flag string, data []byte, want string) {
	c := Case{ID: fmt.Sprintf("decode-%s-%s-%03d", group, name, len(d.cases)+1), Protocol: "decode", Flags: []string{flag}}
	c.In.Group, c.In.Bytes = group, append(strictjson.Hex{}, data...)
	c.Out = *deriveDecode(d.s, &c)
	if c.Out.Error != want && d.err == nil {
		d.err = fmt.Errorf("%s: error %q, not %q", c.ID, c.Out.Error, want)
	}
	d.cases = append(d.cases, c)
}

func (d *decodeGenerator) scalars() {
	k := d.scalar()
	n := len(k)
	r := d.params.R
	of := func(v *big.Int) []byte { return v.FillBytes(make([]byte, n)) }
	one := big.NewInt(1)
	d.add("scalar", "valid", "Valid", k, "")
	d.add("scalar", "one", "Valid", of(one), "")
	d.add("scalar", "greatest", "Valid", of(new(big.Int).Sub(r, one)), "")
	d.add("scalar", "zero", "ZeroScalar", make([]byte, n), "")
	d.add("scalar", "order", "ScalarNotReduced", of(r), "not-canonical")
	d.add("scalar", "order-plus-one", "ScalarNotReduced", of(new(big.Int).Add(r, one)), "not-canonical")
	d.add("scalar", "all-ones", "ScalarNotReduced", bytes.Repeat([]byte{0xff}, n), "not-canonical")
	d.add("scalar", "empty", "WrongLength", nil, "length")
	d.add("scalar", "short", "WrongLength", k[1:], "length")
	d.add("scalar", "trailing", "TrailingBytes", append(bytes.Clone(k), 0), "length")
}

// form is how a group's points are written in the suite.
type form struct {
	group  string
	codec  *encoding.Codec // canonical, to take coordinates from
	valid  []byte          // the canonical encoding of some point
	write  func(x, y []*big.Int) []byte
	zero   []byte // the identity
	short  []byte // the point compressed, nil where the suite has no such form
	nought []byte // the identity compressed
	// flagBits is how many top bits of the first byte are flags; 8 is a
	// prefix byte; 0 is neither.
	flagBits int
	outside  []byte // canonical encoding of a point outside the subgroup
}

func (d *decodeGenerator) form(group string) *form {
	curve := d.s.ID().Curve
	k := backends.SmallScalar(d.s.Backend(), 1+d.rng.Uint64())
	rfc := d.s.ID().Dialect == protocol.RFC9380
	bits := map[backends.Style]int{backends.ThreeFlags: 3, backends.TwoFlags: 2, backends.Prefixed: 8}[d.params.Style]
	if !rfc {
		bits = 8
	}
	var f *form
	if group == "g1" {
		p := d.s.Backend().G1().Mul(k)
		o := p.Sub(p)
		f = &form{codec: encoding.G1(curve), valid: p.Bytes(), zero: d.s.EncodeG1(o), outside: outside.Point(curve, "G1"),
			write: encoding.PrefixedG1(curve).Encode}
		if rfc {
			f.short, f.nought = p.BytesCompressed(), o.BytesCompressed()
		}
	} else {
		p := d.s.Backend().G2().Mul(k)
		o := p.Sub(p)
		f = &form{codec: encoding.G2(curve), valid: p.Bytes(), zero: d.s.EncodeG2(o), outside: outside.Point(curve, "G2"),
			write: encoding.PrefixedG2(curve).Encode}
		if rfc {
			f.short, f.nought = p.BytesCompressed(), o.BytesCompressed()
		}
		if d.s.ID().Dialect == protocol.Milagro {
			f.write, bits = d.realFirst, 0
		}
	}
	if rfc {
		f.write = f.codec.Encode
	}
	f.group, f.flagBits = group, bits
	return f
}

// realFirst writes x.a ‖ x.b ‖ y.a ‖ y.b.
func (d *decodeGenerator) realFirst(x, y []*big.Int) []byte {
	var b []byte
	for _, v := range []*big.Int{x[0], x[1], y[0], y[1]} {
		b = append(b, v.FillBytes(make([]byte, d.params.FieldBytes))...)
	}
	return b
}

func (d *decodeGenerator) points(f *form) {
	x, y := f.codec.Coordinates(f.valid)
	good := f.write(x, y)
	d.add(f.group, "valid", "Valid", good, "")
	d.add(f.group, "identity", "IdentityPoint", f.zero, "identity")

	d.add(f.group, "empty", "WrongLength", nil, "length")
	d.add(f.group, "short", "WrongLength", good[:len(good)-1], "length")
	d.add(f.group, "trailing", "TrailingBytes", append(bytes.Clone(good), 0), "length")

	d.flags(f, good)
	d.nonCanonical(f, x, y)

	for i := range y {
		d.add(f.group, fmt.Sprint("y-plus-one-", i), "NotOnCurve", f.write(x, d.plusOne(y, i)), "not-on-curve")
	}
	d.add(f.group, "exchanged", "NotOnCurve", f.write(y, x), "not-on-curve")
	if f.outside != nil {
		d.add(f.group, "outside", "NotInSubgroup", f.write(f.codec.Coordinates(f.outside)), "not-in-subgroup")
	}
	d.orderThree(f)
	if f.short != nil {
		d.compressed(f)
	}
}

// flags tries the wrong flags or prefixes on an uncompressed point.
func (d *decodeGenerator) flags(f *form, good []byte) {
	switch f.flagBits {
	case 0:
	case 8:
		for _, prefix := range []byte{0, 1, 2, 3, 5, 6, 7, 0x84, 0xff} {
			d.add(f.group, fmt.Sprintf("prefix-%02x", prefix), "BadFlags", append([]byte{prefix}, good[1:]...), "flags")
		}
	default:
		for v := 1; v < 1<<f.flagBits; v++ {
			b := bytes.Clone(good)
			b[0] |= byte(v << (8 - f.flagBits))
			d.add(f.group, fmt.Sprintf("flags-%0*b", f.flagBits, v), "BadFlags", b, "flags")
		}
	}
}

// nonCanonical writes each coefficient as p, and as itself plus p, where that
// fits beside the flags.
func (d *decodeGenerator) nonCanonical(f *form, x, y []*big.Int) {
	free := uint(8 * d.params.FieldBytes)
	all := append(append([]*big.Int(nil), x...), y...)
	for i := range all {
		limit := new(big.Int).Lsh(big.NewInt(1), free)
		// The first coefficient written shares its first byte with the flags.
		if i == len(x)-1 && f.flagBits < 8 {
			limit.Rsh(limit, uint(f.flagBits))
		}
		for _, c := range []struct {
			name string
			v    *big.Int
		}{{"p", d.params.P}, {"plus-p", new(big.Int).Add(all[i], d.params.P)}} {
			if c.v.Cmp(limit) >= 0 {
				continue
			}
			changed := append([]*big.Int(nil), all...)
			changed[i] = c.v
			d.add(f.group, fmt.Sprintf("coefficient-%d-%s", i, c.name), "NonCanonical", f.write(changed[:len(x)], changed[len(x):]), "not-canonical")
		}
	}
}

func (d *decodeGenerator) plusOne(v []*big.Int, i int) []*big.Int {
	w := append([]*big.Int(nil), v...)
	w[i] = new(big.Int).Mod(new(big.Int).Add(w[i], big.NewInt(1)), d.params.P)
	return w
}

// orderThree adds the point (0, √b) of G1's curve, which has order 3, where b
// is a square and the curve has points outside the subgroup.
func (d *decodeGenerator) orderThree(f *form) {
	root := new(big.Int).ModSqrt(d.params.B, d.params.P)
	if f.group != "g1" || f.outside == nil || root == nil {
		return
	}
	d.add(f.group, "order-three", "SmallOrder", f.write([]*big.Int{new(big.Int)}, []*big.Int{root}), "not-in-subgroup")
}

// compressed adds the compressed form, right and wrong.
func (d *decodeGenerator) compressed(f *form) {
	d.add(f.group, "compressed", "Compressed", f.short, "")
	d.add(f.group, "compressed-identity", "IdentityPoint", f.nought, "identity")
	d.add(f.group, "compressed-trailing", "TrailingBytes", append(bytes.Clone(f.short), 0), "length")
	flags, ok := map[int][]int{3: {0b000, 0b001, 0b010, 0b011, 0b110, 0b111}, 2: {0b00, 0b01}}[f.flagBits]
	for _, v := range flags {
		b := bytes.Clone(f.short)
		b[0] = b[0]&(0xff>>f.flagBits) | byte(v<<(8-f.flagBits))
		d.add(f.group, fmt.Sprintf("compressed-flags-%0*b", f.flagBits, v), "BadFlags", b, "flags")
	}
	if !ok {
		b := append([]byte{4}, f.short[1:]...)
		d.add(f.group, "compressed-prefix-04", "BadFlags", b, "flags")
	}
	// An x without a y: about half of all have none.
	for range 64 {
		b := bytes.Clone(f.short)
		d.rng.Read(b[len(b)/2:])
		c := Case{In: In{Group: f.group, Bytes: b}}
		if out := deriveDecode(d.s, &c); out.Error == "not-on-curve" {
			d.add(f.group, "compressed-no-y", "NotOnCurve", b, "not-on-curve")
			return
		}
	}
}
