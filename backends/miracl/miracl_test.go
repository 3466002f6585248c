package miracl

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

var (
	backend = new(Backend)
	params  = backends.FP256BN.Params()
)

func random(t testing.TB) backends.Scalar {
	t.Helper()
	k, err := backends.RandomScalar(backend, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestScalarsAgreeWithBigIntegers(t *testing.T) {
	r := params.R
	value := func(k backends.Scalar) *big.Int { return new(big.Int).SetBytes(k.Bytes()) }
	mod := func(v *big.Int) *big.Int { return v.Mod(v, r) }
	minusOne := new(big.Int).Sub(r, big.NewInt(1))
	inputs := [][]byte{nil, {0}, {1}, {255}, minusOne.Bytes(), r.Bytes(), new(big.Int).Lsh(r, 300).Bytes(),
		bytes.Repeat([]byte{255}, 32), bytes.Repeat([]byte{255}, 65)}
	for _, n := range []int{31, 32, 33, 48, 64, 65, 100} {
		b := make([]byte, n)
		rand.Read(b)
		inputs = append(inputs, b)
	}
	for _, x := range inputs {
		a, A := backend.ReduceScalar(x), mod(new(big.Int).SetBytes(x))
		if value(a).Cmp(A) != 0 || a.IsZero() != (A.Sign() == 0) {
			t.Errorf("reducing %x gives %x", x, a.Bytes())
		}
		inverse := new(big.Int).ModInverse(A, r)
		if A.Sign() == 0 {
			inverse = A
		}
		if value(a.Inverse()).Cmp(inverse) != 0 || value(a.Neg()).Cmp(mod(new(big.Int).Neg(A))) != 0 {
			t.Errorf("inverse or negative of %x is wrong", x)
		}
		for _, y := range inputs {
			b, B := backend.ReduceScalar(y), mod(new(big.Int).SetBytes(y))
			if value(a.Add(b)).Cmp(mod(new(big.Int).Add(A, B))) != 0 ||
				value(a.Sub(b)).Cmp(mod(new(big.Int).Sub(A, B))) != 0 ||
				value(a.Mul(b)).Cmp(mod(new(big.Int).Mul(A, B))) != 0 || a.Equal(b) != (A.Cmp(B) == 0) {
				t.Errorf("a+b, a−b, a·b or a = b is wrong for %x and %x", x, y)
			}
		}
	}
}

func TestEdgeMultiples(t *testing.T) {
	zero, one := backends.SmallScalar(backend, 0), backends.SmallScalar(backend, 1)
	p, q := backend.G1().Mul(random(t)), backend.G2().Mul(random(t))
	if !p.Mul(zero).IsIdentity() || !p.Mul(one).Equal(p) || !p.Mul(one.Neg()).Equal(p.Neg()) ||
		!p.Mul(zero).Mul(random(t)).IsIdentity() || !p.Sub(p).IsIdentity() || p.IsIdentity() || p.Equal(p.Sub(p)) {
		t.Error("0·P, 1·P, (r−1)·P, k·0 or P−P is wrong in G1")
	}
	if !q.Mul(zero).IsIdentity() || !q.Mul(one).Equal(q) || !q.Mul(one.Neg()).Equal(q.Neg()) ||
		!q.Mul(zero).Mul(random(t)).IsIdentity() || !q.Sub(q).IsIdentity() || q.IsIdentity() || q.Equal(q.Sub(q)) {
		t.Error("0·Q, 1·Q, (r−1)·Q, k·0 or Q−Q is wrong in G2")
	}
	for k := range uint64(20) {
		small, sum1, sum2 := backends.SmallScalar(backend, k), p.Sub(p), q.Sub(q)
		for range k {
			sum1, sum2 = sum1.Add(p), sum2.Add(q)
		}
		if !p.Mul(small).Equal(sum1) || !q.Mul(small).Equal(sum2) {
			t.Errorf("multiplication by %d is not repeated addition", k)
		}
	}
	if !bytes.Equal(p.Sub(p).Bytes(), g1Codec.IdentityBytes()) || !bytes.Equal(q.Sub(q).Bytes(), g2Codec.IdentityBytes()) ||
		!bytes.Equal(p.Sub(p).BytesCompressed(), g1Codec.IdentityCompressed()) ||
		!bytes.Equal(q.Sub(q).BytesCompressed(), g2Codec.IdentityCompressed()) {
		t.Error("the identity is not in its canonical encoding")
	}
}

func TestDecoding(t *testing.T) {
	for range 4 { // both signs
		p, q := backend.G1().Mul(random(t)), backend.G2().Mul(random(t))
		for _, want := range []backends.G1{p, p.Sub(p)} {
			for _, b := range [][]byte{want.Bytes(), want.BytesCompressed()} {
				if got, err := backend.DecodeG1(b); err != nil || !got.Equal(want) || !bytes.Equal(got.Bytes(), want.Bytes()) {
					t.Errorf("G1 round trip of %x: %v", b, err)
				}
			}
		}
		for _, want := range []backends.G2{q, q.Sub(q)} {
			for _, b := range [][]byte{want.Bytes(), want.BytesCompressed()} {
				if got, err := backend.DecodeG2(b); err != nil || !got.Equal(want) || !bytes.Equal(got.Bytes(), want.Bytes()) {
					t.Errorf("G2 round trip of %x: %v", b, err)
				}
			}
		}
	}
	g, h := backend.G1().Bytes(), backend.G2().Bytes()
	changed := func(b []byte, at int, v byte) []byte {
		b = slices.Clone(b)
		b[at] ^= v
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"G1 with prefix 06", changed(g, 0, 2), backends.ErrFlags},
		{"G1 with a trailing byte", append(slices.Clone(g), 0), backends.ErrLength},
		{"G1 with x + p", slices.Concat([]byte{4}, bytes.Repeat([]byte{255}, 32), g[33:]), backends.ErrNotCanonical},
		{"G1 with a wrong y", changed(g, 64, 1), backends.ErrNotOnCurve},
		{"G1 x = 0, compressed", changed(make([]byte, 33), 0, 2), backends.ErrNotOnCurve},
		{"G2 with prefix 00", changed(h, 0, 4), backends.ErrFlags},
		{"G2 with a wrong y", changed(h, 128, 1), backends.ErrNotOnCurve},
	} {
		decode := func(b []byte) (any, error) { return backend.DecodeG1(b) }
		if c.name[:2] == "G2" {
			decode = func(b []byte) (any, error) { return backend.DecodeG2(b) }
		}
		if _, err := decode(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", c.name, err, c.want)
		}
	}
	outside, absent := 0, 0
	for x := byte(1); x < 20; x++ {
		switch _, err := backend.DecodeG2(changed(changed(make([]byte, 65), 0, 2), 64, x)); {
		case errors.Is(err, backends.ErrNotInSubgroup):
			outside++
		case errors.Is(err, backends.ErrNotOnCurve):
			absent++
		default:
			t.Errorf("G2 x = %d: %v", x, err)
		}
	}
	if outside == 0 || absent == 0 {
		t.Errorf("of the small x, %d are outside G2 and %d not on the curve", outside, absent)
	}
}

// The library's decompression gives points off the curve for some x, and its
// subgroup test accepts them: x = a + b·i with 3a²b − b³ + 3 = 0, so that
// x³ + 3(1+i) is real.
func TestDecompressionWithRealSquare(t *testing.T) {
	p, fooled := params.P, 0
	for b := int64(1); b < 12; b++ {
		// a² = (b³ − 3)/3b
		a := new(big.Int).Mul(big.NewInt(b*b*b-3), new(big.Int).ModInverse(big.NewInt(3*b), p))
		if a = a.ModSqrt(a.Mod(a, p), p); a == nil {
			continue
		}
		for _, a := range []*big.Int{a, new(big.Int).Sub(p, a)} {
			for _, prefix := range []byte{2, 3} {
				in := make([]byte, 65)
				in[0] = prefix
				big.NewInt(b).FillBytes(in[1:33])
				a.FillBytes(in[33:])
				library := FP256BN.ECP2_fromBytes(in)
				if off := FP256BN.NewECP2fp2s(library.GetX(), library.GetY()).Is_infinity(); off && FP256BN.G2member(library) {
					fooled++
				}
				got := decompress(in)
				if got.Is_infinity() || !bytes.Equal((&G2{got}).BytesCompressed(), in) ||
					FP256BN.NewECP2fp2s(got.GetX(), got.GetY()).Is_infinity() {
					t.Errorf("%x is not decompressed to its point", in)
				}
				if _, err := backend.DecodeG2(in); !errors.Is(err, backends.ErrNotInSubgroup) {
					t.Errorf("%x: %v", in, err)
				}
			}
		}
	}
	t.Logf("the library's decoder and subgroup test accept %d points off the curve", fooled)
}

// The library tests (u+1)Q + ψ(uQ) + ψ²(uQ) = 2ψ³(uQ), ψ² − tψ + p = 0 on the
// twist. Where that holds, the norm of the polynomial in ψ kills Q, and so
// does the twist's order r·(2p−r). If their greatest common divisor is r, the
// test accepts nothing but G2.
func TestSubgroupTestIsExact(t *testing.T) {
	p, r := params.P, params.R
	u := new(big.Int).Neg(new(big.Int).SetBytes(bigBytes(FP256BN.NewBIGints(FP256BN.CURVE_Bnx))))
	trace := new(big.Int).Sub(new(big.Int).Add(p, big.NewInt(1)), r)
	// α + βψ, the remainder of (u+1) + uψ + uψ² − 2uψ³ modulo ψ² − tψ + p.
	mul := func(x ...*big.Int) *big.Int {
		v := big.NewInt(1)
		for _, f := range x {
			v.Mul(v, f)
		}
		return v
	}
	square := [2]*big.Int{new(big.Int).Neg(p), trace}                                            // ψ²
	cube := [2]*big.Int{new(big.Int).Neg(mul(trace, p)), new(big.Int).Sub(mul(trace, trace), p)} // ψ³
	two := big.NewInt(2)
	alpha := new(big.Int).Add(u, big.NewInt(1))
	alpha.Add(alpha, mul(u, square[0])).Sub(alpha, mul(two, u, cube[0]))
	beta := new(big.Int).Set(u)
	beta.Add(beta, mul(u, square[1])).Sub(beta, mul(two, u, cube[1]))
	norm := new(big.Int).Add(mul(alpha, alpha), mul(alpha, beta, trace))
	norm.Add(norm, mul(beta, beta, p))
	twist := mul(r, new(big.Int).Sub(mul(two, p), r))
	if d := new(big.Int).GCD(nil, nil, new(big.Int).Abs(norm), twist); d.Cmp(r) != 0 {
		t.Errorf("the subgroup test leaves room for points of order %x", new(big.Int).Div(d, r))
	}
}

func bigBytes(b *FP256BN.BIG) []byte { return (&Scalar{b}).Bytes() }

func TestPairing(t *testing.T) {
	a, b := random(t), random(t)
	p, q := backend.G1(), backend.G2()
	none1, none2 := p.Sub(p), q.Sub(q)
	ps := []backends.G1{p.Mul(a.Mul(b)), none1, p.Mul(a).Neg(), p}
	qs := []backends.G2{q, q, q.Mul(b), none2}
	if !backend.PairingCheck(ps, qs) || !backend.PairingCheck(nil, nil) || !backend.PairingCheck(ps[1:2], qs[1:2]) {
		t.Error("a true product is refused")
	}
	if backend.PairingCheck(ps[:1], qs[:1]) || backend.PairingCheck(ps[1:], qs[1:]) {
		t.Error("a false product is accepted")
	}
	fixed := backend.FixG2(qs...)
	if !fixed.PairingCheck(ps...) || fixed.PairingCheck(ps[0], ps[1], ps[2].Neg(), ps[3]) || !backend.FixG2().PairingCheck() {
		t.Error("the product with fixed G2 arguments is wrong")
	}
	sum, many1, many2 := a.Sub(a), []backends.G1{}, []backends.G2{}
	for range 4 {
		x, y := random(t), random(t)
		many1, many2, sum = append(many1, p.Mul(x)), append(many2, q.Mul(y)), sum.Sub(x.Mul(y))
	}
	if !backend.PairingCheck(append(many1, p.Mul(sum)), append(many2, q)) || backend.PairingCheck(many1, many2) {
		t.Error("the product of many pairs is wrong")
	}
	g := backend.Pair([]backends.G1{p}, []backends.G2{q})
	if !backend.FinalExp(backend.MillerLoop(ps[2:3], qs[2:3])).Equal(g.Exp(a.Mul(b)).Inverse()) {
		t.Error("e(−aP, bQ) ≠ e(P, Q)^(−ab)")
	}
	one := g.Exp(a).Mul(g.Exp(a).Inverse())
	if !one.IsOne() || !g.Exp(a.Sub(a)).IsOne() || g.IsOne() || !bytes.Equal(one.Bytes(), backend.Pair(nil, nil).Bytes()) {
		t.Error("inverse, zeroth power or the bytes of 1 are wrong in GT")
	}
}

func TestHashing(t *testing.T) {
	for _, n := range []int{1, 43, 255, 256, 300} {
		for i := range 5 {
			dst, msg := bytes.Repeat([]byte{'d'}, n), fmt.Append(nil, "user", i, "@example.org")
			ro, err := h2c.HashToG1(backends.FP256BN, dst, msg)
			if err != nil || !bytes.Equal(backend.HashToG1(dst, msg).Bytes(), ro.Encode(backends.FP256BN)) {
				t.Errorf("hash of %s with a tag of %d bytes differs from the standard's: %v", msg, n, err)
			}
			own := make([]byte, params.G1Bytes)
			FP256BN.MPIN_ENCODE_TO_CURVE(dst, msg, own)
			if !bytes.Equal(backend.EncodeToG1(dst, msg).Bytes(), own) {
				t.Errorf("encoding of %s with a tag of %d bytes differs from MPIN_ENCODE_TO_CURVE", msg, n)
			}
		}
	}
}

func TestMultiScalarAndShort(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, bucketsFrom - 1, bucketsFrom, bucketsFrom + 5} {
		for _, length := range []int{0, 14, shortBits, 256} {
			p, k, want := []backends.G1{}, []backends.Scalar{}, backend.G1().Sub(backend.G1())
			for i := range n {
				b := make([]byte, 32)
				rand.Read(b)
				b = new(big.Int).Rsh(new(big.Int).SetBytes(b), uint(256-length)).Bytes()
				p, k = append(p, backend.G1().Mul(random(t))), append(k, backend.ReduceScalar(b))
				switch i {
				case 2:
					p[i] = p[i].Sub(p[i])
				case 4:
					p[i] = p[1]
				case 5:
					k[i] = k[i].Sub(k[i])
				}
				product := p[i].Mul(k[i])
				want = want.Add(product)
				if i < 6 && !backend.MulShort(p[i], k[i], length).Equal(product) {
					t.Errorf("multiplication by %d bits is wrong", length)
				}
			}
			if !backend.MultiScalarG1(p, k).Equal(want) {
				t.Errorf("sum of %d multiples by %d bits is wrong", n, length)
			}
		}
	}
}

func TestStrangersPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"scalar": func() { random(t).Add(nil) },
		"G1":     func() { backend.G1().Add(nil) },
		"G2":     func() { backend.G2().Add(nil) },
		"Miller": func() { backend.FinalExp(7) },
		"count":  func() { backend.PairingCheck([]backends.G1{backend.G1()}, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

// Run with -race: operations must not write to their operands.
func TestConcurrentReads(t *testing.T) {
	k := random(t)
	// Sums, whose coordinates are left unreduced.
	p, q := backend.G1().Add(backend.G1().Mul(k)), backend.G2().Add(backend.G2().Mul(k))
	g, fixed := backend.Pair([]backends.G1{p}, []backends.G2{q}), backend.FixG2(q, backend.G2())
	g = g.Mul(g)
	ps, qs := []backends.G1{p, p}, []backends.G2{q, q}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			_ = fmt.Sprint(p.Add(p).Bytes(), p.Sub(p).Bytes(), p.Mul(k).BytesCompressed(), p.Neg().Equal(p), p.IsIdentity(),
				q.Add(q).Bytes(), q.Sub(q).Bytes(), q.Mul(k).BytesCompressed(), q.Neg().Equal(q), q.IsIdentity(),
				k.Add(k).Mul(k).Inverse().Sub(k).Neg().Equal(k), backend.PairingCheck(ps[:1], qs[:1]), backend.PairingCheck(ps, qs),
				backend.PairingCheck(append(ps, p), append(qs, q)), fixed.PairingCheck(p, p), g.Exp(k).Mul(g).Inverse().Bytes(), g.IsOne(),
				backend.MultiScalarG1(ps, []backends.Scalar{k, k}), backend.MulShort(p, k, 300))
		})
	}
	wait.Wait()
}
