package number

import "strings"

// Reasons lists names under the reasons that they share.
type Reasons []struct {
	reason string
	names  []string
}

// Add puts a name under its reason.
func (r *Reasons) Add(name, reason string) {
	for i := range *r {
		if (*r)[i].reason == reason {
			(*r)[i].names = append((*r)[i].names, name)
			return
		}
	}
	*r = append(*r, struct {
		reason string
		names  []string
	}{reason, []string{name}})
}

// String writes "a and b (their reason); c (its reason)".
func (r Reasons) String() string {
	var parts []string
	for _, one := range r {
		parts = append(parts, List(one.names)+" ("+one.reason+")")
	}
	return strings.Join(parts, "; ")
}
