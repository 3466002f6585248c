package protocol

import (
	"crypto/sha256"
	"math/big"

	"mpinlab/backends"
)

// hasFull is true of the three curves on which AMCL's pairing and that of the
// backends are the same power. Another power would give another key.
func (d *milagro) hasFull() bool {
	switch d.curve {
	case backends.FP256BN, backends.BN254N, backends.BN254CX:
		return true
	}
	return false
}

// transcript is MPIN_HASH_ALL: SHA-256(h ‖ U' ‖ V ‖ y ‖ R ‖ W). The date is
// not part of it.
func (d *milagro) transcript(h []byte, t *FullTranscript) ([]byte, error) {
	sum := sha256.New()
	for _, b := range [][]byte{h, t.U, t.V, t.Y, t.R, t.W} {
		sum.Write(b)
	}
	return sum.Sum(nil), nil
}

// fullKey is the first 16 bytes of SHA-256(Tr(g) ‖ P.x ‖ P.y). The
// transcript's hash is in g already.
func (d *milagro) fullKey(_ []byte, g backends.GT, p backends.G1) (material, key []byte, err error) {
	material = append(d.trace(g), d.encodeG1(p)[1:]...)
	sum := sha256.Sum256(material)
	return material, sum[:fullKeyBytes], nil
}

// trace writes the trace of g to F_p⁴ as t0.re ‖ t0.im ‖ t1.re ‖ t1.im.
//
// With F_p² = F_p[i]/(i²+1), F_p⁴ = F_p²[j]/(j²−(1+i)) and
// F_p¹² = F_p⁴[k]/(k³−j), the trace of a + b·k + c·k² is 3a, since k and k²
// have trace zero. GT.Bytes has the order of MIRACL Core's FP12.ToBytes on
// these curves, from the highest coefficient of each extension to the lowest,
// so that a comes last, as j·i, j, i, 1. In the basis of powers of w = k with
// w⁶ = 1+i that is g_3 and g_0.
//
// The arithmetic is on at most 3p and its reduction variable-time: what it
// handles is the secret that the session's key is hashed from, once.
func (d *milagro) trace(g backends.GT) []byte {
	params := d.curve.Params()
	n := params.FieldBytes
	b := g.Bytes()
	out := make([]byte, 0, 4*n)
	for at := len(b) - n; at >= len(b)-4*n; at -= n {
		v := new(big.Int).SetBytes(b[at : at+n])
		v.Add(v, new(big.Int).Lsh(v, 1))
		out = append(out, v.Mod(v, params.P).FillBytes(make([]byte, n))...)
	}
	return out
}
