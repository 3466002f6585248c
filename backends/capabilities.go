package backends

// The optional interfaces of a Backend. Each is met by a Backend that does
// the thing better than the generic way, or that alone can do it; package
// protocol falls back to the generic way where there is one.

// Hasher hashes to G1 as a random oracle: hash_to_curve of RFC 9380,
// section 3, with expand_message_xmd over SHA-256 and the map that the curve's
// RFC suite (or, where it has none, the library) fixes. Domain separation tags
// over 255 bytes are shortened as RFC 9380, section 5.3.3 says.
// Variable-time in general: identities are public.
type Hasher interface {
	HashToG1(dst, msg []byte) G1
}

// Encoder hashes to G1 non-uniformly: encode_to_curve of RFC 9380, section 3.
type Encoder interface {
	EncodeToG1(dst, msg []byte) G1
}

// FixedG2 prepares the second arguments of a pairing product that will be
// evaluated many times with the same G2 elements, as M-Pin's server does with
// Q and s·Q.
type FixedG2 interface {
	FixG2(q ...G2) FixedCheck
}

// FixedCheck is a pairing product with all G2 arguments fixed. It is safe for
// concurrent use.
type FixedCheck interface {
	// PairingCheck reports whether Π e(p[i], q[i]) = 1 for the prepared q.
	// len(p) must equal the number of prepared elements, else it panics.
	PairingCheck(p ...G1) bool
}

// MultiScalar computes Σ k[i]·p[i]. Variable-time: for public scalars only.
type MultiScalar interface {
	MultiScalarG1(p []G1, k []Scalar) G1
}

// ShortScalar multiplies by scalars known to be below 2^bits. bits is public;
// whether k is protected is the backend's constant-time standing.
type ShortScalar interface {
	MulShort(p G1, k Scalar, bits int) G1
}

// BatchSubgroup separates the subgroup check from decoding, so that many
// points can be checked together.
type BatchSubgroup interface {
	// DecodeG1Unchecked is DecodeG1 without the subgroup check: the point is
	// on the curve, and must pass InSubgroupG1 before anything else is done
	// with it.
	DecodeG1Unchecked(b []byte) (G1, error)
	// InSubgroupG1 reports whether all p lie in the subgroup. A batch check
	// may be probabilistic with an error below 2^-64.
	InSubgroupG1(p ...G1) bool
}

// Pairer gives access to the value of the pairing.
type Pairer interface {
	// Pair returns Π e(p[i], q[i]).
	Pair(p []G1, q []G2) GT
}

// Splitter takes the pairing apart, for measuring.
type Splitter interface {
	MillerLoop(p []G1, q []G2) Unreduced
	FinalExp(Unreduced) GT
}

// Unreduced is the value of a Miller loop before the final exponentiation. It
// is opaque: only the backend that made it can use it.
type Unreduced any

// Capabilities lists, in a fixed order, the short names of the optional
// interfaces that b meets.
func Capabilities(b Backend) []string {
	has := []struct {
		name string
		ok   bool
	}{
		{"fixed-g2", is[FixedG2](b)},
		{"multi-scalar", is[MultiScalar](b)},
		{"short-scalar", is[ShortScalar](b)},
		{"batch-subgroup", is[BatchSubgroup](b)},
		{"gt", is[Pairer](b)},
		{"split", is[Splitter](b)},
		{"nu", is[Encoder](b)},
		{"ro", is[Hasher](b)},
	}
	names := []string{}
	for _, h := range has {
		if h.ok {
			names = append(names, h.name)
		}
	}
	return names
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}
