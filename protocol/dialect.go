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

	// hasOnePass reports whether the one-pass protocol is defined.
	hasOnePass() bool
	// challenge gives the bytes that reduce modulo r to the challenge of the
	// one-pass protocol and of signatures.
	challenge(h []byte, time int64, u, message []byte) ([]byte, error)

	// hasFull reports whether M-Pin Full is defined; the next two methods are
	// called only where it is.
	hasFull() bool
	// transcript hashes a run of M-Pin Full. The bytes reduce modulo r to H.
	transcript(h []byte, t *FullTranscript) ([]byte, error)
	// fullKey derives the session's key from the transcript's hash and what
	// only the two sides know: g in GT and p in G1. The keying material that
	// it comes from serves for key confirmation.
	fullKey(hash []byte, g backends.GT, p backends.G1) (material, key []byte, err error)

	// pin maps the number that a PIN of the given count of digits spells to
	// the factor and a public bound on its bits.
	pin(number uint64, digits int) (factor uint64, bits int)
	// pinExponent maps it to the exponent that M-Pin Full raises e(A, Q) to.
	pinExponent(number uint64) uint64
}

// int32be is the four bytes of a date or time in every hash of M-Pin.
func int32be(v int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
