package all_test

import (
	"bytes"
	"math/big"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/backends/backendtest"
	"mpinlab/backends/encoding"
)

// TestPlantedDefects plants in a good backend the defects that pairing
// libraries and their adapters are known for, and demands that a law breaks.
func TestPlantedDefects(t *testing.T) {
	good, err := all.Get("gnark/bls12-381")
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]backends.Backend{
		"a subgroup check left out":        noSubgroupCheck{good},
		"a line table shared":              sharedLines{good},
		"trailing bytes accepted":          trailingBytes{good},
		"coordinates exchanged in bytes":   swappedCoordinates{good},
		"flags of the second half ignored": lenientFlags{good},
		"pairs with an identity count":     identityCounts{good},
		"a scalar taken without reduction": wideScalar{good},
	} {
		t.Run(name, func(t *testing.T) {
			for _, law := range backendtest.Laws() {
				if err := law.Try(bad, backendtest.Effort{Cases: 3, Seed: 1}); err != nil {
					t.Logf("noticed by %q: %.160v", law.Name, err)
					return
				}
			}
			t.Error("no law noticed")
		})
	}
}

// noSubgroupCheck accepts any point of the curve, as blst's Uncompress does.
type noSubgroupCheck struct{ backends.Backend }

func (d noSubgroupCheck) DecodeG1(b []byte) (backends.G1, error) {
	return d.Backend.(backends.BatchSubgroup).DecodeG1Unchecked(b)
}

// sharedLines lets gnark-crypto overwrite the line tables of earlier calls.
type sharedLines struct{ backends.Backend }

type sharedCheck struct {
	lines [][2][len(bls12381.LoopCounter) - 1]bls12381.LineEvaluationAff
}

func (d sharedLines) FixG2(q ...backends.G2) backends.FixedCheck {
	c := &sharedCheck{}
	for _, e := range q {
		var p bls12381.G2Affine
		if _, err := p.SetBytes(e.Bytes()); err != nil {
			panic(err)
		}
		c.lines = append(c.lines, bls12381.PrecomputeLines(p))
	}
	return c
}

func (c *sharedCheck) PairingCheck(p ...backends.G1) bool {
	points := make([]bls12381.G1Affine, len(p))
	for i, e := range p {
		if _, err := points[i].SetBytes(e.Bytes()); err != nil {
			panic(err)
		}
	}
	ok, err := bls12381.PairingCheckFixedQ(points, c.lines)
	return ok && err == nil
}

// trailingBytes reads a prefix of its input, as gnark-crypto's SetBytes does.
type trailingBytes struct{ backends.Backend }

func (d trailingBytes) DecodeG1(b []byte) (backends.G1, error) {
	p := d.Info().Curve.Params()
	return d.Backend.DecodeG1(b[:min(len(b), p.G1Bytes)])
}

// swappedCoordinates writes and reads G2 with real and imaginary parts
// exchanged: it agrees with itself, and with nobody else.
type swappedCoordinates struct{ backends.Backend }

func (d swappedCoordinates) DecodeG2(b []byte) (backends.G2, error) {
	c := encoding.G2(backends.BLS12381)
	if form, err := c.Check(b); err == nil && form == encoding.Uncompressed {
		x, y := c.Coordinates(b)
		b = c.Encode([]*big.Int{x[1], x[0]}, []*big.Int{y[1], y[0]})
	}
	return d.Backend.DecodeG2(b)
}

// lenientFlags reads the first half of an uncompressed encoding that carries
// the flag of a compressed one, as blst's Deserialize does.
type lenientFlags struct{ backends.Backend }

func (d lenientFlags) DecodeG1(b []byte) (backends.G1, error) {
	if len(b) == 96 && b[0]&0x80 != 0 {
		b = b[:48]
	}
	return d.Backend.DecodeG1(b)
}

// identityCounts refuses every product that has an identity in it.
type identityCounts struct{ backends.Backend }

func (d identityCounts) PairingCheck(p []backends.G1, q []backends.G2) bool {
	for _, e := range p {
		if e.IsIdentity() {
			return false
		}
	}
	return d.Backend.PairingCheck(p, q)
}

// wideScalar accepts scalars at or above the group order.
type wideScalar struct{ backends.Backend }

func (d wideScalar) DecodeScalar(b []byte) (backends.Scalar, error) {
	if bytes.Equal(b, bytes.Repeat([]byte{0xff}, 32)) {
		return d.ReduceScalar(b), nil
	}
	return d.Backend.DecodeScalar(b)
}
