package circl_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cloudflare/circl/ecc/bls12381"

	"mpinlab/backends"
	"mpinlab/backends/circl"
	"mpinlab/backends/gnark"
	"mpinlab/backends/kilic"
)

// three returns the Go libraries of bls12-381.
func three(t *testing.T) []backends.Backend {
	g, err := gnark.NewCurve(backends.BLS12381)
	if err != nil {
		t.Fatal(err)
	}
	return []backends.Backend{g, circl.New().Backend, kilic.New().Backend}
}

// same fails where f gives different bytes on one of them.
func same(t *testing.T, what string, f func(backends.Backend) []byte) {
	t.Helper()
	bs := three(t)
	first := f(bs[0])
	for _, b := range bs[1:] {
		if got := f(b); !bytes.Equal(got, first) {
			t.Errorf("%s: %s has %x, %s has %x", what, bs[0].Info().ID, first, b.Info().ID, got)
		}
	}
}

func TestHashesAgree(t *testing.T) {
	for _, length := range []int{0, 1, 40, 254, 255, 256, 257, 511, 512, 1000} {
		dst := []byte(strings.Repeat("d", length))
		for _, msg := range [][]byte{nil, []byte("abc"), bytes.Repeat([]byte{0xa5}, 300)} {
			same(t, "hash", func(b backends.Backend) []byte { return b.(backends.Hasher).HashToG1(dst, msg).Bytes() })
			same(t, "encode", func(b backends.Backend) []byte { return b.(backends.Encoder).EncodeToG1(dst, msg).Bytes() })
			// CIRCL shortens tags by itself, and so has the last word on how.
			var own bls12381.G1
			own.Hash(msg, dst)
			same(t, "CIRCL's own hash", func(b backends.Backend) []byte {
				if _, ok := b.(*circl.Backend); ok {
					return own.Bytes()
				}
				return b.(backends.Hasher).HashToG1(dst, msg).Bytes()
			})
		}
	}
}

func TestTargetGroupsAgree(t *testing.T) {
	wide := bytes.Repeat([]byte{0xc3, 0x5a, 0x01}, 20)
	same(t, "e(G1, G2)^k and its inverse", func(b backends.Backend) []byte {
		k := b.ReduceScalar(wide)
		e := b.(backends.Pairer).Pair([]backends.G1{b.G1()}, []backends.G2{b.G2()})
		out := e.Bytes()
		for _, x := range []backends.GT{e.Exp(k), e.Inverse(), e.Exp(k.Sub(k)), e.Mul(e.Exp(k))} {
			out = append(out, x.Bytes()...)
		}
		return out
	})
}

func TestIdentityContributesNothing(t *testing.T) {
	for _, b := range three(t) {
		p, q := b.G1(), b.G2()
		o1, o2 := p.Sub(p), q.Sub(q)
		for _, test := range []struct {
			p    []backends.G1
			q    []backends.G2
			want bool
		}{
			{nil, nil, true},
			{[]backends.G1{o1}, []backends.G2{q}, true},
			{[]backends.G1{p}, []backends.G2{o2}, true},
			{[]backends.G1{o1, p, p.Neg()}, []backends.G2{q, q, q}, true},
			{[]backends.G1{o1, p}, []backends.G2{q, q}, false},
		} {
			if got := b.PairingCheck(test.p, test.q); got != test.want {
				t.Errorf("%s: %d pairs: %t", b.Info().ID, len(test.p), got)
			}
			if got := b.(backends.Pairer).Pair(test.p, test.q).IsOne(); got != test.want {
				t.Errorf("%s: value of %d pairs: %t", b.Info().ID, len(test.p), got)
			}
		}
	}
}
