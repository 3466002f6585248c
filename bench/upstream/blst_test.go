//go:build cgo && (amd64 || arm64)

package upstream

import (
	"bytes"
	"testing"

	blstbls "github.com/supranational/blst/bindings/go"

	"mpinlab/backends"
	"mpinlab/backends/outside"
)

func init() {
	checks["blst-miller-loop-n-identity"] = func(t *testing.T) bool {
		blstbls.SetMaxProcs(1)
		p, q := blstbls.P1Generator().ToAffine(), blstbls.P2Generator().ToAffine()
		var identity blstbls.P2Affine
		alone, one := blstbls.Fp12MillerLoop(&identity, p), blstbls.Fp12One()
		if !alone.Equals(&one) {
			t.Fatal("the pair with the identity is not one by itself")
		}
		want := blstbls.Fp12MillerLoop(q, p)
		if !blstbls.Fp12FinalVerify(want, blstbls.Fp12MillerLoopN([]blstbls.P2Affine{*q}, []blstbls.P1Affine{*p})) {
			t.Fatal("one pair without an identity is wrong too")
		}
		got := blstbls.Fp12MillerLoopN([]blstbls.P2Affine{*q, identity}, []blstbls.P1Affine{*p, *p})
		return !blstbls.Fp12FinalVerify(want, got)
	}
	checks["blst-uncompress-no-subgroup-check"] = func(t *testing.T) bool {
		p := new(blstbls.P1Affine).Deserialize(outside.Point(backends.BLS12381, "G1"))
		q := new(blstbls.P2Affine).Deserialize(outside.Point(backends.BLS12381, "G2"))
		if p == nil || q == nil {
			t.Fatal("no points to compress")
		}
		p = new(blstbls.P1Affine).Uncompress(p.Compress())
		q = new(blstbls.P2Affine).Uncompress(q.Compress())
		return p != nil && !p.InG1() && q != nil && !q.InG2()
	}
	checks["blst-deserialize-ignores-second-half"] = func(t *testing.T) bool {
		p, q := blstbls.P1Generator().ToAffine(), blstbls.P2Generator().ToAffine()
		a := append(p.Compress(), bytes.Repeat([]byte{0xff}, 48)...)
		b := append(q.Compress(), bytes.Repeat([]byte{0xff}, 96)...)
		gotP, gotQ := new(blstbls.P1Affine).Deserialize(a), new(blstbls.P2Affine).Deserialize(b)
		return gotP != nil && gotP.Equals(p) && gotQ != nil && gotQ.Equals(q)
	}
	blstAcceptsIdentity = func(in []byte) bool {
		p := new(blstbls.P1Affine).Uncompress(in)
		return p != nil && p.InG1()
	}
}
