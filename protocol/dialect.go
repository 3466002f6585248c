package protocol

import (
	"encoding/binary"

	"mpinlab/backends"
)

// dialect is what the suites differ in: hashes and encodings. Everything else
// is one protocol.
type dialect interface {
	// hashIdentity reduces an identity to what its points are made from: the
	// only thing a D-TA needs to see.
	hashIdentity(id []byte) []byte
	// hashLength is the length of hashIdentity's result, 0 where it varies.
	hashLength() int
	identityPoint(g *groups, h []byte) (backends.G1, error)
	permitPoint(g *groups, h []byte, date Date) (backends.G1, error)

	encodeG1(backends.G1) []byte
	encodeG2(backends.G2) []byte
	encodeScalar(backends.Scalar) []byte
	decodeG1(b backends.Backend, data []byte) (backends.G1, error)
	decodeG2(b backends.Backend, data []byte) (backends.G2, error)
	decodeScalar(b backends.Backend, data []byte) (backends.Scalar, error)

	// challenge gives the bytes that reduce modulo r to the challenge of the
	// one-pass protocol.
	challenge(h []byte, time int64, u, message []byte) ([]byte, error)

	// pin maps the number that a PIN of the given count of digits spells to
	// the factor and a public bound on its bits.
	pin(number uint64, digits int) (factor uint64, bits int)
}

// int32be is the four bytes of a date or time in every hash of M-Pin.
func int32be(v int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
