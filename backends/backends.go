// Package backends is the contract between M-Pin and the pairing libraries
// that carry it.
//
// A [Backend] is one library on one curve, for example "gnark/bls12-381". It
// offers three groups of the same prime order r: G1 and G2, written
// additively, and the target group GT, reached through a pairing
// e: G1 × G2 → GT. What every backend must do is in [Backend], [Scalar], [G1]
// and [G2]. What only some can do is in small optional interfaces (see
// [FixedG2], [MultiScalar], [Pairer] and their neighbours) that callers find
// by type assertion.
//
// Elements are immutable: operations return new elements and never change
// their operands, so elements may be shared between goroutines freely.
// Handing an element of one backend to another is a programming error and
// panics. Bytes from outside never panic; they give errors of the few kinds
// listed beside [ErrLength].
package backends

import "fmt"

// Backend is a pairing library on one curve.
type Backend interface {
	// Info tells who this backend is and what it promises.
	Info() Info

	// DecodeScalar reads a big-endian integer below r, exactly
	// Params.ScalarBytes long. Errors: ErrLength, ErrNotCanonical.
	DecodeScalar(b []byte) (Scalar, error)
	// ReduceScalar reads a big-endian integer of any length and reduces it
	// modulo r. Constant-time only where Info says so.
	ReduceScalar(b []byte) Scalar

	// G1 and G2 return the generators.
	G1() G1
	G2() G2

	// DecodeG1 and DecodeG2 read a point in the curve's canonical encoding
	// (see package encoding), uncompressed or compressed, and return it only
	// if it lies on the curve and in the subgroup of order r. The identity is
	// accepted: whether it may take part is the protocol's decision. Errors,
	// in the order in which they are looked for: ErrLength, ErrFlags,
	// ErrNotCanonical, ErrNotOnCurve, ErrNotInSubgroup.
	DecodeG1(b []byte) (G1, error)
	DecodeG2(b []byte) (G2, error)

	// PairingCheck reports whether Π e(p[i], q[i]) = 1. It is true for no
	// pairs at all, pairs with an identity contribute nothing, and slices of
	// different lengths panic.
	PairingCheck(p []G1, q []G2) bool
}

// Scalar is an integer modulo r.
type Scalar interface {
	Add(Scalar) Scalar
	Sub(Scalar) Scalar
	Mul(Scalar) Scalar
	Neg() Scalar
	// Inverse returns 1/s; the inverse of 0 is 0.
	Inverse() Scalar
	Equal(Scalar) bool
	IsZero() bool
	// Bytes returns the big-endian encoding, Params.ScalarBytes long.
	Bytes() []byte
}

// G1 is an element of G1.
type G1 interface {
	Add(G1) G1
	Sub(G1) G1
	Neg() G1
	Mul(Scalar) G1
	Equal(G1) bool
	IsIdentity() bool
	// Bytes returns the canonical uncompressed encoding.
	Bytes() []byte
	// BytesCompressed returns the canonical compressed encoding.
	BytesCompressed() []byte
}

// G2 is an element of G2.
type G2 interface {
	Add(G2) G2
	Sub(G2) G2
	Neg() G2
	Mul(Scalar) G2
	Equal(G2) bool
	IsIdentity() bool
	// Bytes returns the canonical uncompressed encoding.
	Bytes() []byte
	// BytesCompressed returns the canonical compressed encoding.
	BytesCompressed() []byte
}

// GT is an element of the target group, the subgroup of order r of the
// multiplicative group of F_p^k.
type GT interface {
	Mul(GT) GT
	Inverse() GT
	Exp(Scalar) GT
	Equal(GT) bool
	IsOne() bool
	// Bytes returns all k coefficients. The order is the curve's: every
	// backend of one curve gives the same bytes for the same element.
	Bytes() []byte
}

// Mixed panics: got, an argument to a method of backend id, belongs to
// another backend. Adapters call it when a type assertion on an operand
// fails.
func Mixed(id string, got any) {
	panic(fmt.Sprintf("backends: %s was handed a %T, an element of another backend", id, got))
}
