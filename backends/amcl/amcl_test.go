package amcl

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/miracl"
)

var (
	backend = new(Backend)
	// peer defines the curve's bytes; its own package tests it by itself.
	peer   = new(miracl.Backend)
	params = backends.FP256BN.Params()
)

// random returns the same scalar in both backends.
func random(t testing.TB) (own, peers backends.Scalar) {
	t.Helper()
	k, err := backends.RandomScalar(backend, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k, peer.ReduceScalar(k.Bytes())
}

func TestScalarsAgreeWithPeer(t *testing.T) {
	minusOne := new(big.Int).Sub(params.R, big.NewInt(1))
	inputs := [][]byte{nil, {0}, {1}, {255}, minusOne.Bytes(), params.R.Bytes(), new(big.Int).Lsh(params.R, 300).Bytes(),
		bytes.Repeat([]byte{255}, 32), bytes.Repeat([]byte{255}, 65)}
	for _, n := range []int{31, 32, 33, 48, 64, 100} {
		b := make([]byte, n)
		rand.Read(b)
		inputs = append(inputs, b)
	}
	same := func(a, b backends.Scalar) bool { return bytes.Equal(a.Bytes(), b.Bytes()) }
	for _, x := range inputs {
		a, A := backend.ReduceScalar(x), peer.ReduceScalar(x)
		if !same(a, A) || !same(a.Inverse(), A.Inverse()) || !same(a.Neg(), A.Neg()) || a.IsZero() != A.IsZero() {
			t.Errorf("value, inverse or negative of %x is wrong", x)
		}
		for _, y := range inputs {
			b, B := backend.ReduceScalar(y), peer.ReduceScalar(y)
			if !same(a.Add(b), A.Add(B)) || !same(a.Sub(b), A.Sub(B)) || !same(a.Mul(b), A.Mul(B)) || a.Equal(b) != A.Equal(B) {
				t.Errorf("a+b, a−b, a·b or a = b is wrong for %x and %x", x, y)
			}
		}
	}
}

func TestGroupsAgreeWithPeer(t *testing.T) {
	minusOne := backends.SmallScalar(backend, 1).Neg()
	scalars := []backends.Scalar{minusOne, minusOne.Add(minusOne)}
	for k := range uint64(20) {
		scalars = append(scalars, backends.SmallScalar(backend, k))
	}
	for range 4 {
		k, _ := random(t)
		scalars = append(scalars, k)
	}
	p, q, P, Q := backend.G1(), backend.G2(), peer.G1(), peer.G2()
	for _, k := range scalars {
		K := peer.ReduceScalar(k.Bytes())
		p, q, P, Q := p.Mul(k), q.Mul(k), P.Mul(K), Q.Mul(K)
		if !bytes.Equal(p.Bytes(), P.Bytes()) || !bytes.Equal(p.BytesCompressed(), P.BytesCompressed()) || p.IsIdentity() != k.IsZero() {
			t.Errorf("G1 multiple by %x differs", k.Bytes())
		}
		if !bytes.Equal(q.Bytes(), Q.Bytes()) || !bytes.Equal(q.BytesCompressed(), Q.BytesCompressed()) || q.IsIdentity() != k.IsZero() {
			t.Errorf("G2 multiple by %x differs", k.Bytes())
		}
		for _, b := range [][]byte{p.Bytes(), p.BytesCompressed()} {
			if got, err := backend.DecodeG1(b); err != nil || !got.Equal(p) || !bytes.Equal(got.Bytes(), p.Bytes()) {
				t.Errorf("G1 round trip of %x: %v", b, err)
			}
		}
		for _, b := range [][]byte{q.Bytes(), q.BytesCompressed()} {
			if got, err := backend.DecodeG2(b); err != nil || !got.Equal(q) || !bytes.Equal(got.Bytes(), q.Bytes()) {
				t.Errorf("G2 round trip of %x: %v", b, err)
			}
		}
		if !p.Mul(minusOne).Equal(p.Neg()) || !p.Sub(p).IsIdentity() || !p.Add(p).Equal(p.Mul(backends.SmallScalar(backend, 2))) {
			t.Error("(r−1)·P, P−P or P+P is wrong in G1")
		}
		if !q.Mul(minusOne).Equal(q.Neg()) || !q.Sub(q).IsIdentity() || !q.Add(q).Equal(q.Mul(backends.SmallScalar(backend, 2))) {
			t.Error("(r−1)·Q, Q−Q or Q+Q is wrong in G2")
		}
	}
}

// kind returns which of the decoders' errors err is.
func kind(err error) error {
	for _, k := range []error{backends.ErrLength, backends.ErrFlags, backends.ErrNotCanonical, backends.ErrNotOnCurve, backends.ErrNotInSubgroup} {
		if errors.Is(err, k) {
			return k
		}
	}
	return err
}

func TestRefusalsAgreeWithPeer(t *testing.T) {
	changed := func(b []byte, at int, v byte) []byte {
		b = slices.Clone(b)
		b[at] ^= v
		return b
	}
	g, h := backend.G1().Bytes(), backend.G2().Bytes()
	seen := map[error]int{}
	inputs1 := [][]byte{nil, g[:64], append(slices.Clone(g), 0), changed(g, 0, 2), changed(g, 64, 1),
		slices.Concat([]byte{4}, bytes.Repeat([]byte{255}, 32), g[33:])}
	inputs2 := [][]byte{nil, h[:128], append(slices.Clone(h), 0), changed(h, 0, 2), changed(h, 128, 1),
		slices.Concat([]byte{4}, bytes.Repeat([]byte{255}, 32), h[33:])}
	for x := byte(0); x < 20; x++ {
		inputs1 = append(inputs1, changed(changed(make([]byte, 33), 0, 2+x%2), 32, x))
		inputs2 = append(inputs2, changed(changed(make([]byte, 65), 0, 2+x%2), 64, x))
	}
	// x = a + b·i with 3a²b − b³ + 3 = 0 makes x³ + 3(1+i) real, where the
	// libraries' square roots fail.
	for b := int64(1); b < 15; b++ {
		a := new(big.Int).Mul(big.NewInt(b*b*b-3), new(big.Int).ModInverse(big.NewInt(3*b), params.P))
		if a = a.ModSqrt(a.Mod(a, params.P), params.P); a != nil {
			for _, a := range []*big.Int{a, new(big.Int).Sub(params.P, a)} {
				x := append(big.NewInt(b).FillBytes(make([]byte, 32)), a.FillBytes(make([]byte, 32))...)
				inputs2 = append(inputs2, append([]byte{2}, x...), append([]byte{3}, x...))
				if back := (&G2{decompress(inputs2[len(inputs2)-1])}).BytesCompressed(); !bytes.Equal(back, inputs2[len(inputs2)-1]) {
					t.Errorf("decompressing 03%x gives %x", x, back)
				}
			}
		}
	}
	for _, b := range inputs1 {
		_, own := backend.DecodeG1(b)
		_, peers := peer.DecodeG1(b)
		if kind(own) != kind(peers) {
			t.Errorf("G1 %x: %v, but %v", b, own, peers)
		}
		seen[kind(own)]++
	}
	for _, b := range inputs2 {
		_, own := backend.DecodeG2(b)
		_, peers := peer.DecodeG2(b)
		if kind(own) != kind(peers) {
			t.Errorf("G2 %x: %v, but %v", b, own, peers)
		}
		seen[kind(own)]++
	}
	if len(seen) < 6 {
		t.Errorf("the inputs gave only these kinds: %v", seen)
	}
}

func TestPairingAgreesWithPeer(t *testing.T) {
	a, A := random(t)
	b, _ := random(t)
	p, q := backend.G1(), backend.G2()
	none1, none2 := p.Sub(p), q.Sub(q)
	g, G := backend.Pair([]backends.G1{p}, []backends.G2{q}), peer.Pair([]backends.G1{peer.G1()}, []backends.G2{peer.G2()})
	if !bytes.Equal(g.Bytes(), G.Bytes()) || !bytes.Equal(g.Exp(a).Bytes(), G.Exp(A).Bytes()) ||
		!bytes.Equal(g.Mul(g.Exp(a).Inverse()).Bytes(), G.Mul(G.Exp(A).Inverse()).Bytes()) {
		t.Error("e(G1, G2) or one of its powers differs")
	}
	one := g.Exp(a).Mul(g.Exp(a).Inverse())
	if !one.IsOne() || !g.Exp(a.Sub(a)).IsOne() || g.IsOne() || !bytes.Equal(one.Bytes(), backend.Pair(nil, nil).Bytes()) {
		t.Error("inverse, zeroth power or the bytes of 1 are wrong in GT")
	}
	ps := []backends.G1{p.Mul(a.Mul(b)), none1, p.Mul(a).Neg(), p}
	qs := []backends.G2{q, q, q.Mul(b), none2}
	if !backend.PairingCheck(ps, qs) || !backend.PairingCheck(nil, nil) || !backend.PairingCheck(ps[1:2], qs[1:2]) {
		t.Error("a true product is refused")
	}
	if backend.PairingCheck(ps[:1], qs[:1]) || backend.PairingCheck(ps[1:], qs[1:]) {
		t.Error("a false product is accepted")
	}
	if !backend.FinalExp(backend.MillerLoop(ps[2:3], qs[2:3])).Equal(g.Exp(a.Mul(b)).Inverse()) {
		t.Error("e(−aP, bQ) ≠ e(P, Q)^(−ab)")
	}
	for n := 2; n < 5; n++ {
		sum, many1, many2 := a.Sub(a), []backends.G1{}, []backends.G2{}
		for range n {
			x, _ := random(t)
			y, _ := random(t)
			many1, many2, sum = append(many1, p.Mul(x)), append(many2, q.Mul(y)), sum.Sub(x.Mul(y))
		}
		if !backend.PairingCheck(append(many1, p.Mul(sum)), append(many2, q)) || backend.PairingCheck(many1, many2) {
			t.Errorf("the product of %d pairs is wrong", n)
		}
	}
}

func TestMultiScalarAndShort(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7} {
		for _, length := range []int{0, 1, 14, shortBits, 128, 256} {
			p, k, want := []backends.G1{}, []backends.Scalar{}, backend.G1().Sub(backend.G1())
			for i := range n {
				b := make([]byte, 32)
				rand.Read(b)
				b = new(big.Int).Rsh(new(big.Int).SetBytes(b), uint(256-length)).Bytes()
				x, _ := random(t)
				p, k = append(p, backend.G1().Mul(x)), append(k, backend.ReduceScalar(b))
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
				if !backend.MulShort(p[i], k[i], length).Equal(product) {
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
	k, stranger := random(t)
	for name, f := range map[string]func(){
		"scalar": func() { k.Add(stranger) },
		"G1":     func() { backend.G1().Add(peer.G1()) },
		"G2":     func() { backend.G2().Add(peer.G2()) },
		"Miller": func() { backend.FinalExp(peer.MillerLoop(nil, nil)) },
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
	k, _ := random(t)
	// Sums, whose coordinates are left unreduced.
	p, q := backend.G1().Add(backend.G1().Mul(k)), backend.G2().Add(backend.G2().Mul(k))
	g := backend.Pair([]backends.G1{p}, []backends.G2{q})
	g = g.Mul(g)
	ps, qs := []backends.G1{p, p}, []backends.G2{q, q}
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			_ = fmt.Sprint(p.Add(p).Bytes(), p.Sub(p).Bytes(), p.Mul(k).BytesCompressed(), p.Neg().Equal(p), p.IsIdentity(),
				q.Add(q).Bytes(), q.Sub(q).Bytes(), q.Mul(k).BytesCompressed(), q.Neg().Equal(q), q.IsIdentity(),
				k.Add(k).Mul(k).Inverse().Sub(k).Neg().Equal(k), backend.PairingCheck(ps[:1], qs[:1]), backend.PairingCheck(ps, qs),
				backend.PairingCheck(append(ps, p), append(qs, q)), g.Exp(k).Mul(g).Inverse().Bytes(), g.IsOne(),
				backend.MultiScalarG1(ps, []backends.Scalar{k, k}), backend.MulShort(p, k, 300), backend.MulShort(p, k.Sub(k), 3))
		})
	}
	wait.Wait()
}
