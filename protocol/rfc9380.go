package protocol

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"mpinlab/backends"
	"mpinlab/backends/h2c"
)

// rfc9380 is the dialect of the same name.
type rfc9380 struct {
	identityDST, permitDST []byte
	challengeBytes         int
}

func newRFC9380(c backends.Curve) *rfc9380 {
	name := c.Params().HashName
	return &rfc9380{
		identityDST: []byte("MPIN-V01-CS01-ID-with-" + name),
		permitDST:   []byte("MPIN-V01-CS01-TP-with-" + name),
		// RFC 9380, section 5.1: 128 bits more than r.
		challengeBytes: (c.Params().R.BitLen() + 128 + 7) / 8,
	}
}

func (d *rfc9380) hashIdentity(id []byte) []byte {
	h := sha256.Sum256(id)
	return h[:]
}

func (d *rfc9380) hashLength() int { return sha256.Size }

func (d *rfc9380) identityPoint(g *groups, h []byte) (backends.G1, error) {
	return g.hashToG1(d.identityDST, h)
}

func (d *rfc9380) permitPoint(g *groups, h []byte, date Date) (backends.G1, error) {
	return g.hashToG1(d.permitDST, append(int32be(int32(date)), h...))
}

func (d *rfc9380) encodeG1(p backends.G1) []byte         { return p.Bytes() }
func (d *rfc9380) encodeG2(p backends.G2) []byte         { return p.Bytes() }
func (d *rfc9380) encodeScalar(k backends.Scalar) []byte { return k.Bytes() }

func (d *rfc9380) decodeG1(b backends.Backend, data []byte) (backends.G1, error) {
	return b.DecodeG1(data)
}

func (d *rfc9380) decodeG2(b backends.Backend, data []byte) (backends.G2, error) {
	return b.DecodeG2(data)
}

func (d *rfc9380) decodeScalar(b backends.Backend, data []byte) (backends.Scalar, error) {
	return b.DecodeScalar(data)
}

func (d *rfc9380) hasOnePass() bool { return true }

func (d *rfc9380) challenge(h []byte, time int64, u, message []byte) ([]byte, error) {
	msg := make([]byte, 0, len(h)+8+len(u)+len(message))
	msg = append(msg, h...)
	msg = binary.BigEndian.AppendUint64(msg, uint64(time))
	msg = append(append(msg, u...), message...)
	return h2c.ExpandMessageXMD([]byte("MPIN-V01-CS01-Y"), msg, d.challengeBytes)
}

func (d *rfc9380) hasFull() bool { return true }

// transcript is expand_message_xmd(SHA-256, h ‖ int32be(date) ‖ U' ‖ V ‖ y ‖
// R ‖ W, DST "MPIN-V01-CS01-FULL", L), L as in the one-pass challenge and date
// 0 without a permit. Every part has one length in a suite.
func (d *rfc9380) transcript(h []byte, t *FullTranscript) ([]byte, error) {
	msg := slices.Concat(h, int32be(int32(t.Date)), t.U, t.V, t.Y, t.R, t.W)
	return h2c.ExpandMessageXMD([]byte(fullDST), msg, d.challengeBytes)
}

// fullKey takes enc(g) ‖ enc(P) as HKDF's keying material, the transcript's
// hash as its salt and "MPIN-V01-CS01-FULL-KEY" as its info.
func (d *rfc9380) fullKey(hash []byte, g backends.GT, p backends.G1) (material, key []byte, err error) {
	material = append(g.Bytes(), p.Bytes()...)
	key, err = hkdf.Key(sha256.New, material, hash, fullDST+"-KEY", fullKeyBytes)
	return material, key, err
}

func (d *rfc9380) pinExponent(number uint64) uint64 { return number }

func (d *rfc9380) pin(number uint64, digits int) (uint64, int) {
	// 10^digits < 2^bits for 4 to 12 digits.
	return number, (digits*3322 + 999) / 1000
}
