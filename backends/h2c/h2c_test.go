package h2c

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/arith/field"
)

// inGroup reports whether p is on the curve of c and r·p is the identity.
func inGroup(c backends.Curve, p Point) bool {
	_, curve := arithmetic(c)
	if p.IsIdentity() {
		return true
	}
	q := curve.Affine(p.X, p.Y)
	return curve.Contains(q) && curve.Mul(q, c.Params().R).Identity
}

func TestHashesLieInG1(t *testing.T) {
	for c := range suites {
		for i := range 8 {
			msg := []byte{byte(i)}
			for name, hash := range map[string]func(backends.Curve, []byte, []byte) (Point, error){
				"HashToG1": HashToG1, "EncodeToG1": EncodeToG1,
			} {
				if p, err := hash(c, []byte("tag"), msg); err != nil || p.IsIdentity() || !inGroup(c, p) {
					t.Errorf("%s %s: %v, error %v", c, name, p, err)
				}
			}
		}
	}
}

// The field elements on which a map divides by zero, and their neighbours.
func TestMapsAreTotal(t *testing.T) {
	for c := range suites {
		s, err := suiteOf(c)
		if err != nil {
			t.Fatal(err)
		}
		f, curve := arithmetic(c)
		inputs := []*big.Int{f.Zero(), f.One(), f.Neg(f.One())}
		switch c.Params().Map {
		case "SVDW": // u² = ±1/g(Z)
			for _, z := range []int64{1, -1} {
				inv := f.Inv(curve.RightSide(f.Int(z)))
				for _, v := range []*big.Int{inv, f.Neg(inv)} {
					if u, ok := f.Sqrt(v); ok {
						inputs = append(inputs, u, f.Neg(u))
					}
				}
			}
		case "SSWU": // u² = −1/Z
			for _, z := range []int64{5, 11} {
				if u, ok := f.Sqrt(f.Neg(f.Inv(f.Int(z)))); ok {
					inputs = append(inputs, u, f.Neg(u))
				}
			}
		}
		for _, u := range inputs {
			if p := s.toCurve(u); !curve.Contains(p) {
				t.Errorf("%s: %x is mapped off the curve", c, u)
			}
		}
	}
}

// find_z_svdw of RFC 9380, appendix H.1, for A = 0.
func TestZOfSVDW(t *testing.T) {
	search := func(c backends.Curve) int64 {
		f, curve := arithmetic(c)
		g := curve.RightSide
		for n := int64(1); ; n++ {
			for _, z := range []int64{n, -n} {
				Z := f.Int(z)
				gZ := g(Z)
				h := f.Neg(f.Mul(field.Thrice(f, f.Sqr(Z)), f.Inv(f.Mul(f.Int(4), gZ))))
				half := f.Neg(f.Mul(Z, f.Inv(f.Int(2))))
				if !f.IsZero(gZ) && !f.IsZero(h) && f.IsSquare(h) && (f.IsSquare(gZ) || f.IsSquare(g(half))) {
					return z
				}
			}
		}
	}
	for c, want := range map[backends.Curve]int64{
		backends.BN254: 1, backends.FP256BN: 1, backends.BN254N: -1, backends.BN254CX: -1,
	} {
		if z := search(c); z != want {
			t.Errorf("%s: Z = %d, not %d", c, z, want)
		}
	}
}

// MIRACL Core counts the bytes of a field element in its own way.
func TestElementBytesOfMIRACL(t *testing.T) {
	half := func(n int) int { return (n + 1) / 2 }
	for c, want := range map[backends.Curve]int{
		backends.BLS12381: 64, backends.BN254: 48, backends.BN254N: 48, backends.BN254CX: 48, backends.FP256BN: 48,
	} {
		miracl := (c.Params().P.BitLen() + half(c.Params().R.BitLen()) + 7) / 8
		if miracl != want || elementBytes(c) != want {
			t.Errorf("%s: %d by MIRACL, %d by the RFC, not %d", c, miracl, elementBytes(c), want)
		}
	}
}

func TestMapIt(t *testing.T) {
	for _, c := range backends.Curves() {
		p := c.Params()
		if p.G2Degree != 2 {
			continue
		}
		top := new(big.Int).Sub(p.P, big.NewInt(1))
		for _, h := range [][]byte{nil, {1}, {0xff}, top.Bytes(), p.P.Bytes(), make([]byte, 200)} {
			q, err := MapIt(c, h)
			if err != nil || !inGroup(c, q) {
				t.Errorf("%s: MapIt(%x) = %v, error %v", c, h, q, err)
			}
			if p.Cofactor.Cmp(big.NewInt(1)) == 0 && (q.IsIdentity() || q.Y.Bit(0) != 0) {
				t.Errorf("%s: MapIt(%x) has an odd y", c, h)
			}
		}
	}
	if p, err := MapIt(backends.BLS12381, make([]byte, 48)); err != nil || !p.IsIdentity() {
		t.Errorf("bls12-381: 0 gives %v, error %v, not the identity", p, err)
	}
}

func TestErrors(t *testing.T) {
	for _, length := range []int{-1, 0, maxOutput + 1} {
		if b, err := ExpandMessageXMD(nil, nil, length); b != nil || !errors.Is(err, ErrOutputLength) {
			t.Errorf("%d bytes: %x, error %v", length, b, err)
		}
	}
	if b, err := ExpandMessageXMD(nil, nil, maxOutput); err != nil || len(b) != maxOutput {
		t.Errorf("%d bytes: %d, error %v", maxOutput, len(b), err)
	}
	for _, count := range []int{-1, 0, maxOutput, 1 << 62} {
		if u, err := HashToField(backends.BN254, nil, nil, count); u != nil || !errors.Is(err, ErrOutputLength) {
			t.Errorf("%d elements: %v, error %v", count, u, err)
		}
	}
	for name, err := range map[string]error{
		"HashToG1":   second(HashToG1(backends.BW6761, nil, nil)),
		"EncodeToG1": second(EncodeToG1(backends.BLS24315, nil, nil)),
		"MapIt":      second(MapIt(backends.BW6633, nil)),
	} {
		if !errors.Is(err, ErrCurve) || !strings.Contains(err.Error(), "bls12-381, bn254") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func second(_ Point, err error) error { return err }

func BenchmarkExpandMessageXMD(b *testing.B) {
	dst, msg := make([]byte, 16), make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ExpandMessageXMD(dst, msg, 48); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHashToG1(b *testing.B) {
	for _, c := range backends.Curves() {
		if suites[c] == nil {
			continue
		}
		b.Run("curve="+c.String(), func(b *testing.B) {
			msg := make([]byte, 32)
			for i := 0; b.Loop(); i++ {
				msg[0], msg[1] = byte(i), byte(i>>8)
				if _, err := HashToG1(c, []byte("tag"), msg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMapIt(b *testing.B) {
	msg := make([]byte, 32)
	for i := 0; b.Loop(); i++ {
		msg[30], msg[31] = byte(i), byte(i>>8)
		if _, err := MapIt(backends.BLS12381, msg); err != nil {
			b.Fatal(err)
		}
	}
}
