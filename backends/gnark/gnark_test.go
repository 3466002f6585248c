package gnark

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// each runs f on every curve.
func each(t *testing.T, f func(t *testing.T, b contract)) {
	for _, e := range New() {
		t.Run(e.Info.Curve.String(), func(t *testing.T) {
			if e.Backend == nil {
				t.Skip(e.Reason)
			}
			f(t, e.Backend.(contract))
		})
	}
}

func small(b backends.Backend, v uint64) backends.Scalar { return backends.SmallScalar(b, v) }

// onCurve returns a point of G1's curve: the first after x = from with a root.
// Where there is a cofactor it is, but for a chance of one in the cofactor,
// not in the subgroup.
func onCurve(c backends.Curve, from int64) (x, y *big.Int) {
	p := c.Params()
	for x = big.NewInt(from); ; x = new(big.Int).Add(x, big.NewInt(1)) {
		yy := new(big.Int).Exp(x, big.NewInt(3), p.P)
		if y = yy.ModSqrt(yy.Add(yy, p.B), p.P); y != nil && y.Sign() != 0 {
			return x, y
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	each(t, func(t *testing.T, b contract) {
		c := b.Info().Curve
		p, codec := c.Params(), encoding.G1(c)
		point := func(x, y *big.Int) []byte { return codec.Encode([]*big.Int{x}, []*big.Int{y}) }
		one := big.NewInt(1)
		x, y := onCurve(c, 2)
		offSubgroup := backends.ErrNotInSubgroup
		if p.Cofactor.Cmp(one) == 0 {
			offSubgroup = nil
		}
		g, h := b.G1().Bytes(), b.G2().Bytes()
		for _, test := range []struct {
			name string
			data []byte
			want error
		}{
			{"trailing byte", append(bytes.Clone(g), 0), backends.ErrLength},
			{"trailing compressed point", append(b.G1().BytesCompressed(), make([]byte, p.FieldBytes)...), backends.ErrFlags},
			{"x at the modulus", point(p.P, y), backends.ErrNotCanonical},
			{"y one too large", point(x, new(big.Int).Add(y, one)), backends.ErrNotOnCurve},
			{"outside the subgroup", point(x, y), offSubgroup},
		} {
			got, err := b.DecodeG1(test.data)
			if !errors.Is(err, test.want) || (err == nil) != (got != nil) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
			unchecked, err := b.DecodeG1Unchecked(test.data)
			if want := test.want; want == backends.ErrNotInSubgroup {
				if err != nil || b.InSubgroupG1(b.G1(), unchecked) {
					t.Errorf("%s, unchecked: %v", test.name, err)
				}
			} else if !errors.Is(err, want) {
				t.Errorf("%s, unchecked: %v, want %v", test.name, err, want)
			}
		}
		// All zero is (0, 0) where the identity has a flag of its own, and the
		// identity where it has none.
		for name, decode := range map[string]func([]byte) error{
			"G1":           func(d []byte) error { _, err := b.DecodeG1(d); return err },
			"G1 unchecked": func(d []byte) error { _, err := b.DecodeG1Unchecked(d); return err },
			"G2":           func(d []byte) error { _, err := b.DecodeG2(d); return err },
		} {
			zeros := make([]byte, len(g))
			if name == "G2" {
				zeros = make([]byte, len(h))
			}
			var want error
			if p.Style == backends.ThreeFlags {
				want = backends.ErrNotOnCurve
			}
			if err := decode(zeros); !errors.Is(err, want) {
				t.Errorf("%s, all zero: %v, want %v", name, err, want)
			}
		}
		h[len(h)-1] ^= 1
		if _, err := b.DecodeG2(h); !errors.Is(err, backends.ErrNotOnCurve) {
			t.Errorf("G2 off the curve: %v", err)
		}
	})
}

// Of random abscissas, half have a point, and as good as none of these is in
// the subgroup of G2.
func TestDecodeCompressedErrors(t *testing.T) {
	each(t, func(t *testing.T, b contract) {
		data := b.G2().BytesCompressed()
		kinds := map[error]int{}
		for range 40 {
			data[len(data)-1]++
			_, err := b.DecodeG2(data)
			for _, kind := range []error{backends.ErrNotOnCurve, backends.ErrNotInSubgroup} {
				if errors.Is(err, kind) {
					kinds[kind]++
				}
			}
		}
		if n := kinds[backends.ErrNotOnCurve]; n < 8 || n > 32 || n+kinds[backends.ErrNotInSubgroup] < 39 {
			t.Errorf("of 40 abscissas: %v", kinds)
		}
	})
}

// The library's fixed-argument check destroys its table of lines.
func TestFixedCheckIsReusable(t *testing.T) {
	each(t, func(t *testing.T, b contract) {
		p, q := b.G1(), b.G2()
		identity := p.Sub(p)
		s := small(b, 0xfeed)
		f := b.FixG2(q, q.Mul(s), q.Sub(q))
		good := []backends.G1{p.Mul(s).Neg(), p, p}
		for i := range 3 {
			if !f.PairingCheck(good...) {
				t.Errorf("call %d refuses", i)
			}
			if f.PairingCheck(p, p, p) {
				t.Errorf("call %d accepts", i)
			}
			if !f.PairingCheck(identity, identity, p) || f.PairingCheck(identity, p, p) || f.PairingCheck(p, identity, p) {
				t.Errorf("call %d is wrong with identities", i)
			}
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				k := small(b, uint64(i+2))
				for range 2 {
					if !f.PairingCheck(good[0].Mul(k), good[1].Mul(k), good[2]) || f.PairingCheck(good[0].Mul(k), good[1], p) {
						t.Error("wrong when called concurrently")
					}
				}
			})
		}
		wg.Wait()
		if !b.FixG2().PairingCheck() {
			t.Error("the empty product is not one")
		}
	})
}

func TestBatchSubgroup(t *testing.T) {
	each(t, func(t *testing.T, b contract) {
		c := b.Info().Curve
		x, y := onCurve(c, 11)
		stray, err := b.DecodeG1Unchecked(encoding.G1(c).Encode([]*big.Int{x}, []*big.Int{y}))
		if err != nil {
			t.Fatal(err)
		}
		all := make([]backends.G1, batchFrom+5)
		for i := range all {
			all[i] = b.G1()
		}
		if !b.InSubgroupG1(all...) {
			t.Error("refuses generators")
		}
		all[len(all)-3] = stray
		if got, want := b.InSubgroupG1(all...), c.Params().Cofactor.Cmp(big.NewInt(1)) == 0; got != want {
			t.Errorf("with a stray point: %t, want %t", got, want)
		}
	})
}

func TestExpAroundTheChange(t *testing.T) {
	each(t, func(t *testing.T, b contract) {
		e := b.Pair([]backends.G1{b.G1()}, []backends.G2{b.G2()})
		for bits := shortExponent - 1; bits <= shortExponent+1; bits++ {
			v := new(big.Int).Lsh(big.NewInt(1), uint(bits))
			v.Sub(v, big.NewInt(3))
			k := b.ReduceScalar(v.Bytes())
			if !e.Exp(k).Equal(b.Pair([]backends.G1{b.G1().Mul(k)}, []backends.G2{b.G2()})) {
				t.Errorf("e(P, Q)^k is not e(kP, Q) for k of %d bits", bits)
			}
		}
	})
}

func TestMixedCurvesPanic(t *testing.T) {
	entries := New()
	for i, e := range entries {
		a, c := e.Backend, entries[(i+1)%len(entries)].Backend
		if a == nil || c == nil {
			t.Skip("one curve alone")
		}
		for name, f := range map[string]func(){
			"scalar":  func() { small(a, 1).Add(small(c, 1)) },
			"G1":      func() { a.G1().Add(c.G1()) },
			"G1, k":   func() { a.G1().Mul(small(c, 1)) },
			"G2":      func() { a.G2().Equal(c.G2()) },
			"product": func() { a.PairingCheck([]backends.G1{a.G1()}, []backends.G2{c.G2()}) },
			"Miller": func() {
				a.(contract).FinalExp(c.(contract).MillerLoop([]backends.G1{c.G1()}, []backends.G2{c.G2()}))
			},
		} {
			t.Run(fmt.Sprintf("%s/%s", e.Info.Curve, name), func(t *testing.T) {
				defer func() {
					if r := fmt.Sprint(recover()); !strings.Contains(r, e.Info.ID) || !strings.Contains(r, "another backend") {
						t.Errorf("panics with %q", r)
					}
				}()
				f()
			})
		}
	}
}

func TestCurves(t *testing.T) {
	if _, err := NewCurve(backends.FP256BN); err == nil {
		t.Error("makes up a curve")
	}
	for _, e := range New() {
		b, err := NewCurve(e.Info.Curve)
		if (err == nil) != (e.Backend != nil) || err == nil && b.Info() != e.Info {
			t.Errorf("%s: %v", e.Info.ID, err)
		}
		if e.Backend != nil && len(backends.Capabilities(e.Backend)) != 8 {
			t.Errorf("%s offers %v", e.Info.ID, backends.Capabilities(e.Backend))
		}
	}
}
