// Package direct calls each pairing library the way its own users do, without
// the interfaces of package backends between: the yardstick for the price of
// the abstraction.
package direct

// Op is an operation with its inputs, ready to be measured.
type Op struct {
	// Run does the operation once on input i, 0 ≤ i < inputs.Count, and keeps
	// the result. It does not check.
	Run func(i int)
	// Result returns what the last Run on input i gave, as bytes: the
	// canonical encoding of a point, or Verdict of a truth.
	Result func(i int) []byte
	// Prepare, if not nil, is called before a series of n Runs, the first on
	// input first, and is not timed.
	Prepare func(first, n int)
}

// Verdict encodes a truth as a result.
func Verdict(ok bool) []byte {
	if ok {
		return []byte{1}
	}
	return []byte{0}
}
