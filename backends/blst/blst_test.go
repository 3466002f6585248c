//go:build cgo && (amd64 || arm64)

package blst

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"

	"mpinlab/backends"
)

var backend = new(Backend)

func random(t testing.TB) backends.Scalar {
	t.Helper()
	k, err := backends.RandomScalar(backend, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestScalarsAgreeWithBigIntegers(t *testing.T) {
	r := backends.BLS12381.Params().R
	value := func(k backends.Scalar) *big.Int { return new(big.Int).SetBytes(k.Bytes()) }
	mod := func(v *big.Int) *big.Int { return v.Mod(v, r) }
	minusOne := new(big.Int).Sub(r, big.NewInt(1))
	inputs := [][]byte{nil, {0}, {1}, {255}, minusOne.Bytes(), r.Bytes(), new(big.Int).Lsh(r, 300).Bytes()}
	for _, n := range []int{31, 32, 33, 48, 64, 65, 100} {
		b := make([]byte, n)
		rand.Read(b)
		inputs = append(inputs, b)
	}
	for _, x := range inputs {
		a, A := backend.ReduceScalar(x), mod(new(big.Int).SetBytes(x))
		if value(a).Cmp(A) != 0 {
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
				value(a.Mul(b)).Cmp(mod(new(big.Int).Mul(A, B))) != 0 {
				t.Errorf("a+b, a−b or a·b is wrong for %x and %x", x, y)
			}
		}
	}
}

func TestEdgeMultiples(t *testing.T) {
	zero, one := backends.SmallScalar(backend, 0), backends.SmallScalar(backend, 1)
	p, q := backend.G1().Mul(random(t)), backend.G2().Mul(random(t))
	if !p.Mul(zero).IsIdentity() || !p.Mul(one).Equal(p) || !p.Mul(one.Neg()).Equal(p.Neg()) ||
		!p.Mul(zero).Mul(random(t)).IsIdentity() || !p.Sub(p).IsIdentity() || p.IsIdentity() {
		t.Error("0·P, 1·P, (r−1)·P, k·0 or P−P is wrong in G1")
	}
	if !q.Mul(zero).IsIdentity() || !q.Mul(one).Equal(q) || !q.Mul(one.Neg()).Equal(q.Neg()) ||
		!q.Mul(zero).Mul(random(t)).IsIdentity() || !q.Sub(q).IsIdentity() || q.IsIdentity() {
		t.Error("0·Q, 1·Q, (r−1)·Q, k·0 or Q−Q is wrong in G2")
	}
	if !bytes.Equal(p.Sub(p).Bytes(), g1Codec.IdentityBytes()) || !bytes.Equal(q.Sub(q).BytesCompressed(), g2Codec.IdentityCompressed()) {
		t.Error("the identity is not in its canonical encoding")
	}
}

func TestDecoding(t *testing.T) {
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
	changed := func(b []byte, at int, v byte) []byte {
		b = slices.Clone(b)
		b[at] ^= v
		return b
	}
	zero96 := make([]byte, 96)
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"compressed bit in the long form", changed(p.Bytes(), 0, 0x80), backends.ErrFlags},
		{"trailing byte", append(p.Bytes(), 0), backends.ErrLength},
		{"wrong y", changed(p.Bytes(), 95, 1), backends.ErrNotOnCurve},
		{"x = 0, y = 2", changed(zero96, 95, 2), backends.ErrNotInSubgroup},
		{"x = 0, y = 1", changed(zero96, 95, 1), backends.ErrNotOnCurve},
		{"x = 0, compressed", changed(zero96[:48], 0, 0x80), backends.ErrNotInSubgroup},
		{"x = 4, compressed", changed(changed(zero96[:48], 0, 0x80), 47, 4), backends.ErrNotInSubgroup},
		{"x = 1, compressed", changed(changed(zero96[:48], 0, 0x80), 47, 1), backends.ErrNotOnCurve},
	} {
		if _, err := backend.DecodeG1(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", c.name, err, c.want)
		}
		got, err := backend.DecodeG1Unchecked(c.in)
		switch {
		case c.want != backends.ErrNotInSubgroup:
			if !errors.Is(err, c.want) {
				t.Errorf("%s, unchecked: %v, not %v", c.name, err, c.want)
			}
		case err != nil:
			t.Errorf("%s, unchecked: %v", c.name, err)
		case backend.InSubgroupG1(p, got):
			t.Errorf("%s passes for a point of the subgroup", c.name)
		case !bytes.Equal(got.Bytes(), c.in) && !bytes.Equal(got.BytesCompressed(), c.in):
			t.Errorf("%s, unchecked, decodes to %x", c.name, got.Bytes())
		}
	}
	if !backend.InSubgroupG1(p, p.Sub(p)) || !backend.InSubgroupG1() {
		t.Error("good points are refused")
	}
	if _, err := backend.DecodeG2(changed(q.Bytes(), 191, 1)); !errors.Is(err, backends.ErrNotOnCurve) {
		t.Errorf("G2 point off the curve: %v", err)
	}
	outside := 0
	for x := byte(1); x < 20; x++ {
		_, err := backend.DecodeG2(changed(changed(zero96, 0, 0x80), 95, x))
		if errors.Is(err, backends.ErrNotInSubgroup) {
			outside++
		} else if !errors.Is(err, backends.ErrNotOnCurve) {
			t.Errorf("G2 x = %d: %v", x, err)
		}
	}
	if outside == 0 {
		t.Error("no small x gave a point outside G2")
	}
}

func TestPairing(t *testing.T) {
	a, b := random(t), random(t)
	p, q := backend.G1(), backend.G2()
	none1, none2 := p.Sub(p), q.Sub(q)
	// e(abP, Q)·e(−aP, bQ) = 1, with pairs added that contribute nothing.
	ps := []backends.G1{p.Mul(a.Mul(b)), none1, p.Mul(a).Neg(), p}
	qs := []backends.G2{q, q, q.Mul(b), none2}
	if !backend.PairingCheck(ps, qs) || !backend.PairingCheck(nil, nil) || !backend.PairingCheck(ps[1:2], qs[1:2]) {
		t.Error("a true product is refused")
	}
	if backend.PairingCheck(ps[:1], qs[:1]) || backend.PairingCheck(ps[1:], qs[1:]) {
		t.Error("a false product is accepted")
	}
	for n := 3; n <= 40; n *= 2 {
		many1, many2, sum := []backends.G1{}, []backends.G2{}, backends.SmallScalar(backend, 0)
		for range n {
			x, y := random(t), random(t)
			many1, many2, sum = append(many1, p.Mul(x)), append(many2, q.Mul(y)), sum.Sub(x.Mul(y))
		}
		if !backend.PairingCheck(append(many1, p.Mul(sum)), append(many2, q)) || backend.PairingCheck(many1, many2) {
			t.Errorf("product of %d pairs is wrong", n)
		}
	}
	g := backend.Pair([]backends.G1{p}, []backends.G2{q})
	if !backend.FinalExp(backend.MillerLoop(ps[2:3], qs[2:3])).Equal(g.Exp(a.Mul(b)).Inverse()) {
		t.Error("e(−aP, bQ) ≠ e(P, Q)^(−ab)")
	}
	if !g.Exp(a).Mul(g.Exp(a).Inverse()).IsOne() || !g.Exp(backends.SmallScalar(backend, 0)).IsOne() || g.IsOne() {
		t.Error("inverse or zeroth power is wrong in GT")
	}
}

// gnark-crypto is the peer whose order of coefficients is the canonical one.
func TestTargetGroupAgreesWithGnark(t *testing.T) {
	_, _, p, q := bls12381.Generators()
	e, err := bls12381.Pair([]bls12381.G1Affine{p}, []bls12381.G2Affine{q})
	if err != nil {
		t.Fatal(err)
	}
	g := backend.Pair([]backends.G1{backend.G1()}, []backends.G2{backend.G2()})
	for _, k := range []backends.Scalar{backends.SmallScalar(backend, 1), backends.SmallScalar(backend, 2), random(t)} {
		var want bls12381.GT
		want.Exp(e, new(big.Int).SetBytes(k.Bytes()))
		if b := want.Bytes(); !bytes.Equal(g.Exp(k).Bytes(), b[:]) {
			t.Errorf("e(G1, G2)^%x differs from gnark's", k.Bytes())
		}
	}
}

func TestHashingAgreesWithGnark(t *testing.T) {
	for _, n := range []int{1, 43, 255, 256, 300} {
		dst, msg := bytes.Repeat([]byte{'d'}, n), []byte("alice@example.org")
		short := dst
		if n > 255 {
			digest := sha256.Sum256(append([]byte("H2C-OVERSIZE-DST-"), dst...))
			short = digest[:]
		}
		ro, err := bls12381.HashToG1(msg, short)
		if err != nil {
			t.Fatal(err)
		}
		nu, err := bls12381.EncodeToG1(msg, short)
		if err != nil {
			t.Fatal(err)
		}
		if b := ro.RawBytes(); !bytes.Equal(backend.HashToG1(dst, msg).Bytes(), b[:]) {
			t.Errorf("hash with a tag of %d bytes differs", n)
		}
		if b := nu.RawBytes(); !bytes.Equal(backend.EncodeToG1(dst, msg).Bytes(), b[:]) {
			t.Errorf("encoding with a tag of %d bytes differs", n)
		}
	}
}

func TestMultiScalarAndShort(t *testing.T) {
	minusOne := backends.SmallScalar(backend, 1).Neg()
	for _, n := range []int{0, 1, 2, 3, 31, 32, 33, 70} {
		for _, length := range []int{0, 1, 13, 128, 255} {
			p, k, want := []backends.G1{}, []backends.Scalar{}, backend.G1().Sub(backend.G1())
			for i := range n {
				b := make([]byte, 48)
				rand.Read(b)
				b = new(big.Int).Rsh(new(big.Int).SetBytes(b), uint(384-length)).Bytes()
				p, k = append(p, backend.G1().Mul(random(t))), append(k, backend.ReduceScalar(b))
				switch i {
				case 3:
					p[i] = p[i].Sub(p[i])
				case 4:
					p[i] = p[2]
				case 5:
					k[i] = k[i].Sub(k[i])
				case 6:
					if length == 255 {
						k[i] = minusOne
					}
				}
				want = want.Add(p[i].Mul(k[i]))
				if !backend.MulShort(p[i], k[i], length).Equal(p[i].Mul(k[i])) {
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
	p, q, k := backend.G1().Mul(random(t)), backend.G2().Mul(random(t)), random(t)
	g := backend.Pair([]backends.G1{p}, []backends.G2{q})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 3 {
				_ = fmt.Sprint(p.Add(p).Bytes(), p.Mul(k).BytesCompressed(), p.Neg().Equal(p), p.IsIdentity(),
					q.Add(q).Bytes(), q.Mul(k).BytesCompressed(), q.Neg().Equal(q), q.IsIdentity(),
					k.Add(k).Mul(k).Inverse().Sub(k).Equal(k), backend.PairingCheck([]backends.G1{p}, []backends.G2{q}),
					g.Exp(k).Mul(g).Inverse().Bytes(), g.IsOne(), backend.MultiScalarG1([]backends.G1{p, p}, []backends.Scalar{k, k}))
			}
		})
	}
	wait.Wait()
}
