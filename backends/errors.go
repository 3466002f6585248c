package backends

import "errors"

// The kinds of error that hostile bytes can give. Decoders wrap them with what
// was being read; test with errors.Is. They are looked for in this order, and
// the first that applies is returned.
var (
	// ErrLength: not one of the lengths the encoding has.
	ErrLength = errors.New("wrong length")
	// ErrFlags: flag bits or a prefix byte that the encoding does not know, or
	// that contradict the length or the rest of the bytes.
	ErrFlags = errors.New("bad flags")
	// ErrNotCanonical: a coordinate or scalar at or above its modulus.
	ErrNotCanonical = errors.New("not canonical")
	// ErrNotOnCurve: no point of the curve has these coordinates.
	ErrNotOnCurve = errors.New("not on the curve")
	// ErrNotInSubgroup: on the curve, but outside the subgroup of order r.
	ErrNotInSubgroup = errors.New("not in the subgroup")
)
