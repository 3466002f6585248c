package upstream

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"slices"
	"testing"

	circlbls "github.com/cloudflare/circl/ecc/bls12381"
	gnarkbls "github.com/consensys/gnark-crypto/ecc/bls12-381"
	bw6633 "github.com/consensys/gnark-crypto/ecc/bw6-633"
	bw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761"
	amclhash "github.com/hyperledger/fabric-amcl/amcl"
	amclcurve "github.com/hyperledger/fabric-amcl/amcl/FP256BN"
	miraclcurve "github.com/hyperledger/fabric-amcl/core/FP256BN"
	kilicbls "github.com/kilic/bls12-381"

	"mpinlab/backends"
	"mpinlab/backends/outside"
)

// checks reproduce the findings that need neither C nor Node. Each reports
// whether the library still does what the finding says.
var checks = map[string]func(t *testing.T) bool{
	"gnark-bw6-633-g1-order-3": func(t *testing.T) bool {
		var p, double, triple bw6633.G1Affine
		p.Y.SetUint64(2)
		double.Double(&p)
		triple.Add(&double, &p)
		if !p.IsOnCurve() || !triple.IsInfinity() {
			t.Fatal("(0, 2) is not of order 3")
		}
		in := p.RawBytes()
		_, err := new(bw6633.G1Affine).SetBytes(in[:])
		return p.IsInSubGroup() && err == nil
	},
	"gnark-bw6-761-g2-order-3": func(t *testing.T) bool {
		var p, double, triple bw6761.G2Affine
		p.Y.SetUint64(2)
		double.Double(&p)
		triple.Add(&double, &p)
		if !p.IsOnCurve() || !triple.IsInfinity() {
			t.Fatal("(0, 2) is not of order 3")
		}
		in := p.RawBytes()
		_, err := new(bw6761.G2Affine).SetBytes(in[:])
		return p.IsInSubGroup() && err == nil
	},
	"gnark-line-table-overwritten": func(t *testing.T) bool {
		_, _, p, q := gnarkbls.Generators()
		var minus gnarkbls.G1Affine
		minus.Neg(&p)
		lines := gnarkbls.PrecomputeLines(q)
		table := []([2][len(gnarkbls.LoopCounter) - 1]gnarkbls.LineEvaluationAff){lines, lines}
		points := []gnarkbls.G1Affine{p, minus} // e(P, Q)·e(−P, Q) = 1
		first, err := gnarkbls.PairingCheckFixedQ(points, table)
		if err != nil || !first {
			t.Fatalf("the first call: %t, %v", first, err)
		}
		second, err := gnarkbls.PairingCheckFixedQ(points, table)
		overwritten := table[0] != lines
		loop := []([2][len(gnarkbls.LoopCounter) - 1]gnarkbls.LineEvaluationAff){lines}
		if _, err := gnarkbls.MillerLoopFixedQ([]gnarkbls.G1Affine{p}, loop); err != nil {
			t.Fatal(err)
		}
		return overwritten && (!second || err != nil) && loop[0] != lines
	},
	"gnark-trailing-bytes": func(t *testing.T) bool {
		_, _, p, q := gnarkbls.Generators()
		a, b := p.RawBytes(), q.RawBytes()
		var g1 gnarkbls.G1Affine
		var g2 gnarkbls.G2Affine
		n1, err1 := g1.SetBytes(append(a[:], 1, 2, 3))
		n2, err2 := g2.SetBytes(append(b[:], 1, 2, 3))
		return err1 == nil && err2 == nil && n1 == len(a) && n2 == len(b) && g1 == p && g2 == q
	},
	"gnark-long-dst-refused": func(t *testing.T) bool {
		if _, err := gnarkbls.HashToG1([]byte("m"), make([]byte, 255)); err != nil {
			t.Fatal(err)
		}
		_, err := gnarkbls.HashToG1([]byte("m"), make([]byte, 256))
		return err != nil
	},
	"kilic-long-dst-wrong": func(t *testing.T) bool {
		tag, g := bytes.Repeat([]byte{'d'}, 256), kilicbls.NewG1()
		short := sha256.Sum256(append([]byte("H2C-OVERSIZE-DST-"), tag...))
		want, err := g.HashToCurve([]byte("m"), short[:])
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.HashToCurve([]byte("m"), tag)
		return err == nil && !g.Equal(got, want)
	},
	"kilic-fr-keeps-r": func(t *testing.T) bool {
		r := backends.BLS12381.Params().R
		k := kilicbls.NewFr().FromBytes(r.Bytes())
		above := kilicbls.NewFr().FromBytes(new(big.Int).Add(r, big.NewInt(1)).Bytes())
		if !above.IsOne() {
			t.Fatal("r + 1 is not reduced to 1")
		}
		return !k.IsZero()
	},
	"miracl-g2-decompression-off-curve": func(t *testing.T) bool {
		for _, x := range realSquares() {
			in := slices.Concat([]byte{2}, x[1], x[0])
			point := miraclcurve.ECP2_fromBytes(in)
			offCurve := !point.Is_infinity() && miraclcurve.NewECP2fp2s(point.GetX(), point.GetY()).Is_infinity()
			if offCurve && miraclcurve.G2member(point) {
				return true
			}
		}
		return false
	},
	"amcl-fp2-root-missed": func(t *testing.T) bool {
		for _, in := range realSquares() {
			x := amclcurve.NewFP2bigs(amclcurve.FromBytes(in[0]), amclcurve.FromBytes(in[1]))
			square := amclcurve.RHS2(x)
			if *square.GetB() != (amclcurve.BIG{}) {
				t.Fatal("x³ + b is not real")
			}
			// Every element of F_p is a square in F_p².
			if amclcurve.NewECP2fp2(x).Is_infinity() {
				return true
			}
		}
		return false
	},
	"miracl-any-prefix": func(t *testing.T) bool {
		in := make([]byte, 65)
		miraclcurve.ECP2_generator().ToBytes(in, true)
		strange := slices.Clone(in)
		strange[0] |= 0x40
		return miraclcurve.ECP2_fromBytes(strange).Equals(miraclcurve.ECP2_fromBytes(in)) && !miraclcurve.ECP2_fromBytes(in).Is_infinity()
	},
	"amcl-g2-unchecked": func(t *testing.T) bool {
		// AMCL's bytes are the canonical ones without the first, real parts
		// before imaginary ones.
		in := outside.Point(backends.FP256BN, "G2")[1:]
		in = slices.Concat(in[32:64], in[:32], in[96:], in[64:96])
		point := amclcurve.ECP2_fromBytes(in)
		if point.Is_infinity() {
			return false
		}
		outsideSubgroup := !point.Mul(amclcurve.NewBIGints(amclcurve.CURVE_Order)).Is_infinity()
		generator := make([]byte, 128)
		amclcurve.ECP2_generator().ToBytes(generator)
		code := amclcurve.MPIN_RECOMBINE_G2(in, generator, make([]byte, 128))
		return outsideSubgroup && code == 0
	},
	"amcl-miracl-pin-int32": func(t *testing.T) bool {
		const pin = 1 << 31
		id, token := []byte("alice@example.org"), make([]byte, 65)
		amclcurve.ECP_generator().ToBytes(token, false)
		amclToken := func(pin int) []byte {
			out := slices.Clone(token)
			if code := amclcurve.MPIN_EXTRACT_PIN(amclhash.SHA256, id, pin, out); code != 0 {
				t.Fatalf("AMCL: %d", code)
			}
			return out
		}
		miraclID := make([]byte, 65)
		miraclcurve.MPIN_ENCODE_TO_CURVE([]byte("TAG"), id, miraclID)
		miraclToken := func(pin int) []byte {
			out := slices.Clone(token)
			if code := miraclcurve.MPIN_EXTRACT_PIN(miraclID, pin, out); code != 0 {
				t.Fatalf("MIRACL Core: %d", code)
			}
			return out
		}
		if !bytes.Equal(amclToken(pin-1), amclToken((pin-1)%10000)) || !bytes.Equal(miraclToken(pin-1), miraclToken((pin-1)%10000)) {
			t.Fatal("the PIN below 2^31 is not its remainder")
		}
		return !bytes.Equal(amclToken(pin), amclToken(pin%10000)) && !bytes.Equal(miraclToken(pin), miraclToken(pin%10000))
	},
	"amcl-kangaroo-misses": func(t *testing.T) bool {
		f := amclcurve.Fexp(amclcurve.Ate(amclcurve.ECP2_generator(), amclcurve.ECP_generator()))
		fBytes := make([]byte, 12*32)
		f.ToBytes(fBytes)
		found, missed := 0, 0
		for delta := 7; delta < 10000 && (found == 0 || missed == 0); delta += 331 {
			e := f.Pow(amclcurve.NewBIGint(delta))
			e.Inverse() // E = F^(−δ)
			eBytes := make([]byte, 12*32)
			e.ToBytes(eBytes)
			switch got := amclcurve.MPIN_KANGAROO(eBytes, slices.Clone(fBytes)); got {
			case delta:
				found++
			case 0:
				missed++
				t.Logf("δ = %d is missed", delta)
			default:
				t.Fatalf("δ = %d comes out as %d", delta, got)
			}
		}
		if found == 0 {
			t.Fatal("it finds nothing at all")
		}
		return missed > 0
	},
	"identity-accepted": func(t *testing.T) bool {
		in := make([]byte, 48)
		in[0] = 0xc0
		var g gnarkbls.G1Affine
		_, err := g.SetBytes(in)
		all := err == nil && g.IsInfinity() && g.IsInSubGroup()
		var c circlbls.G1
		all = all && c.SetBytes(in) == nil && c.IsIdentity() && c.IsOnG1()
		k := kilicbls.NewG1()
		p, err := k.FromCompressed(in)
		all = all && err == nil && k.IsZero(p) && k.InCorrectSubgroup(p)
		refused := miraclcurve.ECP_fromBytes(slices.Concat([]byte{4}, make([]byte, 64)))
		return all && refused.Is_infinity() && blstAcceptsIdentity(in)
	},
}

// realSquares returns abscissas x = a + b·i of the twist for which x³ + 3(1+i)
// is real, as 32 bytes of a and of b: 3a²b − b³ + 3 = 0, so that
// a² = (b³ − 3)/3b.
func realSquares() (list [][2][]byte) {
	p := backends.FP256BN.Params().P
	for b := int64(1); b < 12; b++ {
		a := new(big.Int).Mul(big.NewInt(b*b*b-3), new(big.Int).ModInverse(big.NewInt(3*b), p))
		if a = a.ModSqrt(a.Mod(a, p), p); a != nil {
			list = append(list, [2][]byte{a.FillBytes(make([]byte, 32)), big.NewInt(b).FillBytes(make([]byte, 32))})
		}
	}
	return list
}
