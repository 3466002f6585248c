package direct

import "mpinlab/bench/inputs"

// Build sets an operation up on a curve's data; n is the size parameter of
// operations that have one.
type Build func(in *inputs.Group, n int) (*Op, error)

// library is what one library is called for directly.
type library struct {
	// group has the group operations by their names in the catalogue.
	group map[string]Build
	// serverVerify is ServerVerify of the rfc9380 dialect.
	serverVerify func(in *inputs.Protocol) (*Op, error)
}

// Find returns how the operation is done with the library behind a backend,
// or nil where it is not called directly.
func Find(backend, op string) Build { return libraries[backend].group[op] }

// FindServerVerify returns how ServerVerify of the rfc9380 dialect is written
// with the library behind a backend alone, or nil.
func FindServerVerify(backend string) func(in *inputs.Protocol) (*Op, error) {
	return libraries[backend].serverVerify
}
