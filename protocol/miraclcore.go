package protocol

import (
	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// miraclCore is the dialect of MIRACL Core since 2020.
type miraclCore struct {
	peer
	dst []byte
}

func newMIRACLCore(c backends.Curve, dst string) *miraclCore {
	return &miraclCore{newPeer(c), []byte(dst)}
}

// onMIRACLCore reports whether the dialect is defined on c.
func onMIRACLCore(c backends.Curve) bool {
	p := c.Params()
	ours := (p.P.BitLen() + (p.R.BitLen()+1)/2 + 7) / 8
	rfc := (p.P.BitLen() + 128 + 7) / 8
	return p.G2Degree == 2 && ours == rfc
}

// defaultMIRACLCoreDST is the tag that MIRACL Core's own test programs use.
func defaultMIRACLCoreDST(c backends.Curve) string {
	name := map[backends.Curve]string{
		backends.BLS12381: "BLS12381",
		backends.BN254N:   "BN254",
		backends.BN254CX:  "BN254CX",
		backends.FP256BN:  "FP256BN",
		backends.BN254:    "BN254",
	}[c]
	return name + "G1_XMD:SHA-256_" + c.Params().Map + "_NU_MPIN"
}

// The dialect hashes the raw identity: a D-TA sees it in clear.

func (d *miraclCore) hashIdentity(id []byte) []byte { return append([]byte(nil), id...) }
func (d *miraclCore) hashLength() int               { return 0 }

func (d *miraclCore) identityPoint(g *groups, h []byte) (backends.G1, error) {
	return g.encodeToG1(d.dst, h)
}

func (d *miraclCore) permitPoint(*groups, []byte, Date) (backends.G1, error) {
	return nil, ErrNoPermits
}

// MIRACL Core has neither the one-pass protocol nor M-Pin Full.

func (d *miraclCore) hasOnePass() bool { return false }

func (d *miraclCore) challenge([]byte, int64, []byte, []byte) ([]byte, error) {
	return nil, ErrNoOnePass
}

func (d *miraclCore) hasFull() bool { return false }

func (d *miraclCore) transcript([]byte, *FullTranscript) ([]byte, error) { return nil, ErrNoFull }

func (d *miraclCore) fullKey([]byte, backends.GT, backends.G1) (material, key []byte, err error) {
	return nil, nil, ErrNoFull
}

// G2 is written 04 ‖ x.b ‖ x.a ‖ y.b ‖ y.a, imaginary parts first.

func (d *miraclCore) encodeG2(p backends.G2) []byte {
	if p.IsIdentity() {
		return d.g2.IdentityBytes()
	}
	return prefixed(d.curve, p.Bytes())
}

func (d *miraclCore) decodeG2(b backends.Backend, data []byte) (backends.G2, error) {
	data, err := canonical(d.g2, encoding.G2(d.curve), d.curve, data)
	if err != nil {
		return nil, err
	}
	return b.DecodeG2(data)
}
