package vectors

import (
	"mpinlab/backends"
	"mpinlab/protocol"
)

// ownSet makes the checks of a file in the project's own format.
func ownSet(f *File) (*Set, error) {
	id, err := protocol.ParseSuiteID(f.Suite)
	if err != nil {
		return nil, err
	}
	set := &Set{Format: Format, Suite: id}
	for i := range f.Cases {
		set.checks = append(set.checks, caseCheck(id, &f.Cases[i]))
	}
	return set, nil
}

// caseCheck makes a check of a case. Other formats bring theirs into the same
// form.
func caseCheck(id protocol.SuiteID, c *Case) check {
	switch c.Protocol {
	case "decode":
		return check{id: c.ID, run: func(b backends.Backend) (*Failure, error) {
			s, err := protocol.New(id, b)
			if err != nil {
				return nil, err
			}
			return compare(&c.Out, deriveDecode(s, c), nil), nil
		}}
	case "two-pass", "one-pass", "full", "signature":
		return check{id: c.ID, run: func(b backends.Backend) (*Failure, error) {
			s, err := protocol.New(id, b)
			if err != nil {
				return nil, err
			}
			if reason := lacks(s, c.Protocol); reason != "" {
				return nil, errSkip{reason}
			}
			out, why := derive(s, c)
			return compare(&c.Out, out, why), nil
		}}
	}
	return check{id: c.ID, skip: noShares}
}

// noShares is why share cases are read and not run. A t-of-n sharing is combined
// with Lagrange coefficients, which follow from the indices of the D-TAs that
// take part. The format has no field for indices and none for t, it refuses
// fields that it does not know, and its master_secrets are D-TAs' scalars
// combined by addition. To take places in that list for indices would give one
// field two meanings, and could express the set 1 to t alone; to give scalars
// that were multiplied by their coefficients makes a two-pass case of it, which
// says nothing about a threshold. Known answers of t of n are in
// protocol/threshold/testdata, in a form of their own.
const noShares = "the format has no fields for the indices and the threshold of a t-of-n sharing"

const noPairing = "the backend does not give the pairing's value"

// lacks says why a suite cannot run a protocol on its backend, or nothing.
func lacks(s *protocol.Suite, name string) string {
	_, pairs := s.Backend().(backends.Pairer)
	switch {
	case (name == "one-pass" || name == "signature") && !s.HasOnePass():
		return protocol.ErrNoOnePass.Error()
	case name == "full" && !pairs:
		return noPairing
	case name == "full" && !s.HasFull():
		return "M-Pin Full is not defined in this suite"
	}
	return ""
}

// compare returns the first field that is wanted and differs.
func compare(want, got *Out, why map[string]error) *Failure {
	computed := fieldsOf(got)
	for i, f := range fieldsOf(want) {
		if !f.given() {
			continue
		}
		have := computed[i]
		switch {
		case !have.given():
			text := "nothing: it does not follow from what the case gives"
			for _, field := range []string{f.name, ""} {
				if err := why[field]; err != nil {
					text = "error: " + err.Error()
				}
			}
			return &Failure{Field: f.name, Want: f.text(), Got: text}
		case have.text() != f.text():
			return &Failure{Field: f.name, Want: f.text(), Got: have.text()}
		}
	}
	return nil
}
