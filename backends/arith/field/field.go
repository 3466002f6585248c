// Package field is arithmetic in finite fields: the prime field F_p and the
// tower of extensions over it that a pairing needs, on math/big.
//
// It is written to be read beside the literature. A field is a value with
// methods ([Prime], [Quadratic], [Cubic], [Tower]); its elements are plain
// values that no method changes, so they may be shared freely. Every
// multiplication, squaring and inversion of an extension comes down to methods
// of [Prime], which is the one place to look at to count them.
//
// Variable-time throughout: math/big does not hide the size of its numbers,
// and inversions and square roots depend on them.
package field

// Field is the arithmetic of a field with elements of type E.
type Field[E any] interface {
	Zero() E
	One() E
	Add(a, b E) E
	Sub(a, b E) E
	Neg(a E) E
	Mul(a, b E) E
	Sqr(a E) E
	// Inv returns 1/a, and 0 for a = 0: inv0 of RFC 9380, section 4.
	Inv(a E) E
	Equal(a, b E) bool
	IsZero(a E) bool
}

// Twice returns 2a.
func Twice[E any](f Field[E], a E) E { return f.Add(a, a) }

// Thrice returns 3a.
func Thrice[E any](f Field[E], a E) E { return f.Add(f.Add(a, a), a) }
