package reference

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"mpinlab/backends"
	"mpinlab/backends/arith/ec"
	"mpinlab/backends/encoding"
)

func TestRoundTrips(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		p := b.info.Curve.Params()
		check(t, 4, map[string]gopter.Prop{
			"decode(encode(x)) = x": prop.ForAll(func(k scalar) bool {
				P, Q := b.G1().Mul(k), b.G2().Mul(k)
				for _, form := range [][]byte{P.Bytes(), P.BytesCompressed()} {
					if back, err := b.DecodeG1(form); err != nil || !back.Equal(P) {
						return false
					}
				}
				for _, form := range [][]byte{Q.Bytes(), Q.BytesCompressed()} {
					if back, err := b.DecodeG2(form); err != nil || !back.Equal(Q) {
						return false
					}
				}
				back, err := b.DecodeScalar(k.Bytes())
				return err == nil && back.Equal(k) &&
					len(P.Bytes()) == p.G1Bytes && len(P.BytesCompressed()) == p.G1CompressedBytes &&
					len(Q.Bytes()) == p.G2Bytes && len(Q.BytesCompressed()) == p.G2CompressedBytes
			}, genScalar(b)),
		})
	})
}

// stray returns the uncompressed and the compressed encoding of a point of the
// curve that is outside the subgroup, and a compressed x that no point has.
func stray[E any](t *testing.T, g group[E], x func(int64) E) (whole, short, none []byte) {
	t.Helper()
	for i := int64(1); whole == nil || none == nil; i++ {
		p := ec.Point[E]{X: x(i)}
		y, ok := g.sqrt(g.curve.RightSide(p.X))
		p.Y = y
		switch {
		case !ok && none == nil:
			none = g.compress(ec.Point[E]{X: p.X, Y: x(0)})
		case ok && whole == nil && !g.curve.Mul(p, g.order).Identity:
			whole, short = g.encode(p), g.compress(p)
		}
		if i == 50 && whole == nil {
			return nil, nil, none
		}
	}
	return whole, short, none
}

func TestHostileBytes(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		p, c := b.info.Curve.Params(), b.info.Curve
		decode1 := func(v []byte) error { _, err := b.DecodeG1(v); return err }
		decode2 := func(v []byte) error { _, err := b.DecodeG2(v); return err }
		is := func(what string, err, kind error) {
			t.Helper()
			if !errors.Is(err, kind) {
				t.Errorf("%s: error %v, not %v", what, err, kind)
			}
		}

		is("an empty point", decode1(nil), backends.ErrLength)
		is("a byte too many", decode2(append(b.G2().Bytes(), 0)), backends.ErrLength)
		is("a scalar too short", second(b.DecodeScalar(make([]byte, p.ScalarBytes-1))), backends.ErrLength)
		is("the scalar r", second(b.DecodeScalar(p.R.FillBytes(make([]byte, p.ScalarBytes)))), backends.ErrNotCanonical)

		flagged := b.G1().Bytes()
		flagged[0] |= 0xe0
		is("flags of no form", decode1(flagged), backends.ErrFlags)

		big1 := encoding.G1(c).Encode([]*big.Int{p.P}, []*big.Int{big.NewInt(1)})
		is("x = p", decode1(big1), backends.ErrNotCanonical)

		off := b.G1().Bytes()
		off[len(off)-1] ^= 1
		is("another y", decode1(off), backends.ErrNotOnCurve)
		off = b.G2().Bytes()
		off[len(off)-1] ^= 1
		is("another y in G2", decode2(off), backends.ErrNotOnCurve)

		whole, short, none := stray(t, b.g1, func(i int64) fp { return big.NewInt(i) })
		is("an x of no point", decode1(none), backends.ErrNotOnCurve)
		if (whole == nil) != (p.Cofactor.Cmp(big.NewInt(1)) == 0) {
			t.Error("points outside G1 and the cofactor do not agree")
		}
		if whole != nil {
			is("a point outside G1", decode1(whole), backends.ErrNotInSubgroup)
			is("a compressed point outside G1", decode1(short), backends.ErrNotInSubgroup)
		}
		whole, short, none = stray(t, b.g2, func(i int64) fp2 { return fp2{A: big.NewInt(i), B: big.NewInt(i * i)} })
		is("an x of no point in G2", decode2(none), backends.ErrNotOnCurve)
		is("a point outside G2", decode2(whole), backends.ErrNotInSubgroup)
		is("a compressed point outside G2", decode2(short), backends.ErrNotInSubgroup)
	})
}

func second(_ backends.Scalar, err error) error { return err }

// Each of the two signs of y is encoded by its own compressed form, also where
// only one coefficient of y is not zero.
func TestSigns(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		f := b.pairing.tower.Fp2
		for _, y := range []fp2{
			{A: big.NewInt(1), B: big.NewInt(0)}, {A: big.NewInt(0), B: big.NewInt(1)},
			{A: big.NewInt(2), B: big.NewInt(3)}, {A: f.Base.One(), B: f.Base.Neg(f.Base.One())},
		} {
			if b.g2.upper(y) == b.g2.upper(f.Neg(y)) {
				t.Errorf("%v and its negative have the same sign", y)
			}
		}
		if b.g2.upper(f.Zero()) || b.g1.upper(f.Base.Zero()) {
			t.Error("0 has a sign")
		}
	})
}

func TestHashes(t *testing.T) {
	each(t, func(t *testing.T, b *Backend) {
		for _, h := range []func(dst, msg []byte) backends.G1{b.HashToG1, b.EncodeToG1} {
			p := h([]byte("tag"), []byte("message"))
			if back, err := b.DecodeG1(p.Bytes()); err != nil || !back.Equal(p) || p.IsIdentity() {
				t.Errorf("a hash is %v, error %v", p, err)
			}
			if !h([]byte("tag"), []byte("message")).Equal(p) || h([]byte("tag"), []byte("Message")).Equal(p) ||
				bytes.Equal(h([]byte("Tag"), []byte("message")).Bytes(), p.Bytes()) {
				t.Error("the hash does not tell tags or messages apart")
			}
		}
	})
}
