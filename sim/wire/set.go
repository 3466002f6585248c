package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Set is the D-TAs of a threshold deployment that issue the shares of one
// secret, by index, ascending. Each issues its share times its Lagrange
// coefficient for the set, so that the shares add up as those of an additive
// deployment do. An additive deployment has no sets: the empty Set.
//
// In a request it is written "1.3.4", which needs no escaping in a URL.
type Set []int

// MaxMembers is the greatest index, and the greatest number of D-TAs.
const MaxMembers = 255

// String returns the set's text.
func (s Set) String() string {
	words := make([]string, len(s))
	for i, n := range s {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ".")
}

// Has tells whether the index is in the set.
func (s Set) Has(index int) bool { return slices.Contains(s, index) }

// ParseSet reads a set; no text is no set. Error: ErrMalformed for anything
// that String does not write.
func ParseSet(text string) (Set, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > 4*MaxMembers {
		return nil, fmt.Errorf("%w: a set of D-TAs of %d bytes", ErrMalformed, len(text))
	}
	words := strings.Split(text, ".")
	s := make(Set, len(words))
	for i, w := range words {
		n, err := strconv.Atoi(w)
		if err != nil || n < 1 || n > MaxMembers || i > 0 && n <= s[i-1] || strconv.Itoa(n) != w {
			return nil, fmt.Errorf("%w: a set of D-TAs is like 1.3.4, ascending, 1 to %d", ErrMalformed, MaxMembers)
		}
		s[i] = n
	}
	return s, nil
}
