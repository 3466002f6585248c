package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"math/rand"
	"slices"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
	"mpinlab/backends/outside"
)

var decodeLaws = append(append(append(
	both("refuses lengths", refuseLengths[backends.G1], refuseLengths[backends.G2]),
	both("refuses flags", refuseFlags[backends.G1], refuseFlags[backends.G2])...),
	both("refuses coordinates at or above p", refuseNonCanonical[backends.G1], refuseNonCanonical[backends.G2])...),
	both("refuses what is off the curve or outside the subgroup", refusePoints[backends.G1], refusePoints[backends.G2])...)

// refused checks that data is refused with the wanted kind of error and
// nothing beside it.
func (g group[E]) refused(what string, data []byte, want error) error {
	_, err := g.decode(data)
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: error %v, not %v, for %x", what, err, want, data)
	}
	return nil
}

// someForms returns encodings of a few points, the identity among them.
func someForms[E element[E]](g group[E]) [][]byte {
	p := g.generator
	q := p.Mul(backends.SmallScalar(g.b, 123456789))
	o := p.Sub(p)
	return [][]byte{p.Bytes(), q.Bytes(), o.Bytes(), p.BytesCompressed(), q.BytesCompressed(), o.BytesCompressed()}
}

func refuseLengths[E element[E]](g group[E], _ Effort) error {
	for _, data := range someForms(g) {
		for _, c := range []struct {
			what string
			data []byte
		}{
			{"a trailing byte", append(bytes.Clone(data), 0)},
			{"a leading byte", append([]byte{0}, data...)},
			{"a byte short", data[:len(data)-1]},
			{"first byte gone", data[1:]},
			{"the point twice", append(bytes.Clone(data), data...)},
		} {
			// Twice the compressed form is as long as the uncompressed one.
			if len(c.data) == g.long || len(c.data) == g.short {
				continue
			}
			if err := g.refused(c.what, c.data, backends.ErrLength); err != nil {
				return err
			}
		}
	}
	for _, n := range []int{0, 1, g.short - 1, g.long + 1, 3 * g.long} {
		if err := g.refused(fmt.Sprint(n, " zero bytes"), make([]byte, n), backends.ErrLength); err != nil {
			return err
		}
	}
	return nil
}

// refuseFlags tries every value of the flag bits or prefix on every form.
func refuseFlags[E element[E]](g group[E], _ Effort) error {
	style := g.b.Info().Curve.Params().Style
	bits := map[backends.Style]int{backends.ThreeFlags: 3, backends.TwoFlags: 2, backends.Prefixed: 8}[style]
	for _, data := range someForms(g)[:5] { // all but the compressed identity
		for v := range 1 << bits {
			changed := bytes.Clone(data)
			changed[0] = changed[0]&(0xff>>bits) | byte(v<<(8-bits))
			if g.flagsAllowed(style, data, v) {
				continue
			}
			if err := g.refused(fmt.Sprintf("flags %0*b", bits, v), changed, backends.ErrFlags); err != nil {
				return err
			}
		}
	}
	if style != backends.Prefixed {
		// A flagged identity with something in the rest.
		identity := g.generator.Sub(g.generator)
		forms := [][]byte{identity.BytesCompressed()}
		if style == backends.ThreeFlags {
			forms = append(forms, identity.Bytes())
		}
		for _, data := range forms {
			for _, at := range []int{len(data) / 2, len(data) - 1} {
				changed := bytes.Clone(data)
				changed[at] ^= 1
				if err := g.refused("identity with more", changed, backends.ErrFlags); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// flagsAllowed reports whether the form of data may carry the flags v: its own,
// or the other y of a compressed point. An uncompressed identity without its
// flag is the point (0, 0), which other laws refuse.
func (g group[E]) flagsAllowed(style backends.Style, data []byte, v int) bool {
	short := len(data) == g.short
	identity := bytes.Equal(data, g.codec.IdentityBytes()) || bytes.Equal(data, g.codec.IdentityCompressed())
	switch style {
	case backends.Prefixed:
		return short && (v == 2 || v == 3) || !short && v == 4
	case backends.TwoFlags:
		return !short && v == 0b00 || short && (v == 0b10 || v == 0b11) || short && identity && v == 0b01
	default:
		return !short && v == 0b000 || !short && identity && v == 0b010 ||
			short && (v == 0b100 || v == 0b101) || short && identity && v == 0b110
	}
}

// refuseNonCanonical adds p to coordinates, and sets them to p and to the
// greatest value that fits.
func refuseNonCanonical[E element[E]](g group[E], _ Effort) error {
	params := g.b.Info().Curve.Params()
	prefix := 0
	if params.Style == backends.Prefixed {
		prefix = 1
	}
	mask := map[backends.Style]byte{backends.ThreeFlags: 0xe0, backends.TwoFlags: 0xc0}[params.Style]
	room := new(big.Int).Lsh(big.NewInt(1), uint(8*params.FieldBytes))
	for _, data := range someForms(g) {
		form, err := g.codec.Check(data)
		if err != nil {
			return err
		}
		if form == encoding.Identity {
			continue
		}
		for i := range (len(data) - prefix) / params.FieldBytes {
			at := prefix + i*params.FieldBytes
			old := bytes.Clone(data[at : at+params.FieldBytes])
			limit, flags := room, byte(0)
			if i == 0 && mask != 0 {
				flags = old[0] & mask
				old[0] &^= mask
				limit = new(big.Int).Rsh(room, uint(map[byte]int{0xe0: 3, 0xc0: 2}[mask]))
			}
			greatest := new(big.Int).Sub(limit, big.NewInt(1))
			for _, v := range []*big.Int{new(big.Int).Add(new(big.Int).SetBytes(old), params.P), params.P, greatest} {
				if v.Cmp(limit) >= 0 {
					continue
				}
				changed := bytes.Clone(data)
				v.FillBytes(changed[at : at+params.FieldBytes])
				changed[at] |= flags
				if err := g.refused(fmt.Sprintf("coefficient %d not below p", i), changed, backends.ErrNotCanonical); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// refusePoints changes, swaps and makes up coordinates.
func refusePoints[E element[E]](g group[E], e Effort) error {
	p := g.generator.Mul(backends.SmallScalar(g.b, 987654321))
	x, y := g.codec.Coordinates(p.Bytes())
	bump := func(v []*big.Int, i int) []*big.Int {
		w := append([]*big.Int(nil), v...)
		w[i] = new(big.Int).Mod(new(big.Int).Add(w[i], big.NewInt(1)), g.b.Info().Curve.Params().P)
		return w
	}
	off := map[string][]byte{"coordinates exchanged": g.codec.Encode(y, x)}
	for i := range g.degree {
		off[fmt.Sprint("y + 1 in coefficient ", i)] = g.codec.Encode(x, bump(y, i))
		off[fmt.Sprint("x + 1 in coefficient ", i)] = g.codec.Encode(bump(x, i), y)
	}
	if g.degree == 2 {
		swap := func(v []*big.Int) []*big.Int { return []*big.Int{v[1], v[0]} }
		off["real and imaginary parts exchanged"] = g.codec.Encode(swap(x), swap(y))
	}
	for what, data := range off {
		if err := g.refused(what, data, backends.ErrNotOnCurve); err != nil {
			return err
		}
	}
	if data := outside.Point(g.b.Info().Curve, g.name); data != nil {
		if err := g.refused("a point of another order", data, backends.ErrNotInSubgroup); err != nil {
			return err
		}
	}
	if err := g.refuseSmallOrders(); err != nil {
		return err
	}
	return g.refuseRandom(e)
}

// refuseSmallOrders decodes points whose order is a small factor of the
// cofactor.
func (g group[E]) refuseSmallOrders() error {
	batch, _ := g.b.(backends.BatchSubgroup)
	for _, s := range outside.Small(g.b.Info().Curve, g.name) {
		if err := g.refused(fmt.Sprint("a point of order ", s.Order), s.Point, backends.ErrNotInSubgroup); err != nil {
			return err
		}
		if batch == nil || g.name != "G1" {
			continue
		}
		p, err := batch.DecodeG1Unchecked(s.Point)
		if err != nil {
			return fmt.Errorf("unchecked decoding of a point of order %d: %w", s.Order, err)
		}
		// Alone, and hidden in a sum with a point of the subgroup.
		for _, q := range []backends.G1{p, p.Add(g.b.G1())} {
			if batch.InSubgroupG1(q) || batch.InSubgroupG1(slices.Repeat([]backends.G1{q}, 200)...) {
				return fmt.Errorf("the subgroup check accepts a point with a part of order %d", s.Order)
			}
		}
	}
	return nil
}

// refuseRandom decodes compressed points with random x. About half of them are
// on the curve; where the cofactor is large none is in the subgroup.
func (g group[E]) refuseRandom(e Effort) error {
	params := g.b.Info().Curve.Params()
	rng := rand.New(rand.NewSource(e.Seed + 2))
	template := g.generator.BytesCompressed()
	prefix := g.short - g.degree*params.FieldBytes
	var offCurve, elsewhere, inside int
	for range 24 {
		data := bytes.Clone(template)
		for i := range g.degree {
			at := prefix + i*params.FieldBytes
			v := new(big.Int).Rand(rng, params.P).FillBytes(make([]byte, params.FieldBytes))
			if i == 0 && prefix == 0 {
				mask := map[backends.Style]byte{backends.ThreeFlags: 0xe0, backends.TwoFlags: 0xc0}[params.Style]
				v[0] |= template[0] & mask
			}
			copy(data[at:], v)
		}
		_, err := g.decode(data)
		switch {
		case err == nil:
			inside++
		case errors.Is(err, backends.ErrNotOnCurve):
			offCurve++
		case errors.Is(err, backends.ErrNotInSubgroup):
			elsewhere++
		default:
			return fmt.Errorf("random x: %v", err)
		}
	}
	if offCurve == 0 || offCurve == 24 || g.hasOutside && inside > 0 || !g.hasOutside && elsewhere > 0 {
		return fmt.Errorf("of 24 random x, %d were off the curve, %d outside the subgroup, %d accepted", offCurve, elsewhere, inside)
	}
	return nil
}
