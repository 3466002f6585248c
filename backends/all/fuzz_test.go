package all_test

import (
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/backendtest"
)

// The decoders of all backends of a curve are fuzzed together: none may panic,
// and they must accept and refuse the same bytes for the same reasons.

func FuzzDecodeBLS12381(f *testing.F) { fuzzDecode(f, backends.BLS12381) }
func FuzzDecodeBN254(f *testing.F)    { fuzzDecode(f, backends.BN254) }
func FuzzDecodeBLS12377(f *testing.F) { fuzzDecode(f, backends.BLS12377) }
func FuzzDecodeBLS24315(f *testing.F) { fuzzDecode(f, backends.BLS24315) }
func FuzzDecodeBLS24317(f *testing.F) { fuzzDecode(f, backends.BLS24317) }
func FuzzDecodeBW6633(f *testing.F)   { fuzzDecode(f, backends.BW6633) }
func FuzzDecodeBW6761(f *testing.F)   { fuzzDecode(f, backends.BW6761) }
func FuzzDecodeFP256BN(f *testing.F)  { fuzzDecode(f, backends.FP256BN) }
func FuzzDecodeBN254N(f *testing.F)   { fuzzDecode(f, backends.BN254N) }
func FuzzDecodeBN254CX(f *testing.F)  { fuzzDecode(f, backends.BN254CX) }

func fuzzDecode(f *testing.F, c backends.Curve) {
	bs := byCurve()[c]
	if fast := withoutReference(bs); len(fast) > 1 {
		bs = fast // where two libraries check each other, the slow judge rests
	}
	p, q := bs[0].G1(), bs[0].G2()
	for _, seed := range [][]byte{
		p.Bytes(), p.BytesCompressed(), p.Sub(p).Bytes(), p.Sub(p).BytesCompressed(),
		q.Bytes(), q.BytesCompressed(), q.Sub(q).Bytes(), q.Sub(q).BytesCompressed(),
		backends.SmallScalar(bs[0], 1).Neg().Bytes(), nil,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := backendtest.SameVerdicts(bs, data); err != nil {
			t.Error(err)
		}
	})
}

func withoutReference(bs []backends.Backend) []backends.Backend {
	var fast []backends.Backend
	for _, b := range bs {
		if !strings.HasPrefix(b.Info().ID, "reference/") {
			fast = append(fast, b)
		}
	}
	return fast
}
