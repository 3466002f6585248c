package field

// The kinds of operations in prime fields that the build tag "meter" counts.
const (
	multiplication = iota
	squaring
	inversion
	root     // square roots, and attempts at one
	symbol   // Legendre symbols
	addition // and subtractions
	kinds
)
