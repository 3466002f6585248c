package reference

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"testing"

	bls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	core "github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
)

// values are what a library has for the points a·P, b·Q of the generators.
type values struct {
	g1, g1Short, g2, g2Short, gt []byte
}

// libraries compute the values for scalars a and b below 2^63.
var libraries = map[backends.Curve]func(a, b int64) values{
	backends.BLS12381: func(a, b int64) values {
		_, _, p, q := bls12381.Generators()
		p.ScalarMultiplication(&p, big.NewInt(a))
		q.ScalarMultiplication(&q, big.NewInt(b))
		e, err := bls12381.Pair([]bls12381.G1Affine{p}, []bls12381.G2Affine{q})
		if err != nil {
			panic(err)
		}
		short1, short2, gt := p.Bytes(), q.Bytes(), e.Bytes()
		return values{p.Marshal(), short1[:], q.Marshal(), short2[:], gt[:]}
	},
	backends.BLS12377: func(a, b int64) values {
		_, _, p, q := bls12377.Generators()
		p.ScalarMultiplication(&p, big.NewInt(a))
		q.ScalarMultiplication(&q, big.NewInt(b))
		e, err := bls12377.Pair([]bls12377.G1Affine{p}, []bls12377.G2Affine{q})
		if err != nil {
			panic(err)
		}
		short1, short2, gt := p.Bytes(), q.Bytes(), e.Bytes()
		return values{p.Marshal(), short1[:], q.Marshal(), short2[:], gt[:]}
	},
	backends.BN254: func(a, b int64) values {
		_, _, p, q := bn254.Generators()
		p.ScalarMultiplication(&p, big.NewInt(a))
		q.ScalarMultiplication(&q, big.NewInt(b))
		e, err := bn254.Pair([]bn254.G1Affine{p}, []bn254.G2Affine{q})
		if err != nil {
			panic(err)
		}
		short1, short2, gt := p.Bytes(), q.Bytes(), e.Bytes()
		return values{p.Marshal(), short1[:], q.Marshal(), short2[:], gt[:]}
	},
	backends.FP256BN: func(a, b int64) values {
		number := func(k int64) *core.BIG { return core.FromBytes(big.NewInt(k).FillBytes(make([]byte, 32))) }
		p, q := core.ECP_generator().Mul(number(a)), core.ECP2_generator().Mul(number(b))
		v := values{make([]byte, 65), make([]byte, 33), make([]byte, 129), make([]byte, 65), make([]byte, 384)}
		p.ToBytes(v.g1, false)
		p.ToBytes(v.g1Short, true)
		q.ToBytes(v.g2, false)
		q.ToBytes(v.g2Short, true)
		core.Fexp(core.Ate(q, p)).ToBytes(v.gt)
		return v
	},
}

func TestAgreesWithLibraries(t *testing.T) {
	each(t, func(t *testing.T, backend *Backend) {
		library, ok := libraries[backend.info.Curve]
		if !ok {
			t.Skip("no Go library has this curve")
		}
		for _, s := range [][2]int64{{1, 1}, {2, 1}, {1, 3}, {12345, 67891}, {1 << 61, 1<<62 - 1}, {987654321012345678, 7}} {
			want := library(s[0], s[1])
			p := backend.G1().Mul(backends.SmallScalar(backend, uint64(s[0])))
			q := backend.G2().Mul(backends.SmallScalar(backend, uint64(s[1])))
			for what, got := range map[string][2][]byte{
				"G1":            {p.Bytes(), want.g1},
				"compressed G1": {p.BytesCompressed(), want.g1Short},
				"G2":            {q.Bytes(), want.g2},
				"compressed G2": {q.BytesCompressed(), want.g2Short},
				"GT":            {pair(backend, p, q).Bytes(), want.gt},
			} {
				if !bytes.Equal(got[0], got[1]) {
					t.Errorf("%d·P, %d·Q: %s is\n%x, the library has\n%x", s[0], s[1], what, got[0], got[1])
				}
			}
		}
	})
}

// The values of e(12345·P, 987·Q) that milagro-crypto-js 3.3.0 computes, as the
// SHA-256 of their bytes in the order of GT.Bytes.
func TestAgreesWithMilagroJS(t *testing.T) {
	for c, want := range map[backends.Curve]string{
		backends.BN254N:  "37b37b8b642b6682a0045d7cc2feabcabd3bd15ee69db0bc0bb7e37f8be9feec",
		backends.BN254CX: "c21b6d40db6606a7c0550bc5c9a2778ac4d348ad3b00030cf28b378181a936c5",
		backends.FP256BN: "eb414f12c4911e6f7a2ff1f115bd5d4586a53643d6e11777d2f1a37e01a87d14",
	} {
		backend, err := NewCurve(c)
		if err != nil {
			t.Fatal(err)
		}
		p := backend.G1().Mul(backends.SmallScalar(backend, 12345))
		q := backend.G2().Mul(backends.SmallScalar(backend, 987))
		if got := sha256.Sum256(pair(backend.(*Backend), p, q).Bytes()); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s: the pairing's value has the hash %x", c, got)
		}
	}
}

func BenchmarkPairing(b *testing.B) {
	for _, e := range New() {
		backend := e.Backend.(*Backend)
		p, q := []backends.G1{backend.G1()}, []backends.G2{backend.G2()}
		f := backend.MillerLoop(p, q)
		k := backends.SmallScalar(backend, 3).Inverse()
		for name, op := range map[string]func(){
			"pairing": func() { backend.Pair(p, q) },
			"miller":  func() { backend.MillerLoop(p, q) },
			"final":   func() { backend.FinalExp(f) },
			"mulG1":   func() { p[0].Mul(k) },
			"mulG2":   func() { q[0].Mul(k) },
		} {
			b.Run("curve="+e.Info.Curve.String()+"/op="+name, func(b *testing.B) {
				for b.Loop() {
					op()
				}
			})
		}
	}
}
