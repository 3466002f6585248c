package threshold

import (
	"encoding/binary"
	"fmt"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// Every message begins with four bytes: the version of the format, the type of
// the message, the dialect and the curve.
const (
	version      = 1
	headerLength = 4
	idLength     = 32
)

// The types of message.
const (
	typeGroup = iota + 1
	typeShare
	typeClientShare
	typePermitShare
	typeServerShare
	typeDeal
	typeSubShare
	typeComplaint
	typeJustification
	typeContribution
)

// header begins a message.
func header(s *protocol.Suite, kind byte) []byte {
	return []byte{version, kind, byte(s.ID().Dialect), byte(s.ID().Curve)}
}

// reader reads a message of which the length was checked.
type reader struct{ rest []byte }

// open checks the header, and that length bytes follow it.
func open(s *protocol.Suite, kind byte, what string, b []byte, length int) (*reader, error) {
	if len(b) < headerLength {
		return nil, fmt.Errorf("%s: %w: %d bytes, less than a header", what, backends.ErrLength, len(b))
	}
	if b[0] != version || b[1] != kind {
		return nil, fmt.Errorf("%s: %w: version %d, type %d", what, ErrMessage, b[0], b[1])
	}
	if id := s.ID(); b[2] != byte(id.Dialect) || b[3] != byte(id.Curve) {
		return nil, fmt.Errorf("%s: %w", what, protocol.ErrSuiteMismatch)
	}
	if len(b) != headerLength+length {
		return nil, fmt.Errorf("%s: %w: %d bytes, not %d", what, backends.ErrLength, len(b), headerLength+length)
	}
	return &reader{b[headerLength:]}, nil
}

func (r *reader) take(n int) []byte {
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() int      { return int(r.take(1)[0]) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

func (r *reader) id() (id [idLength]byte) {
	copy(id[:], r.take(idLength))
	return id
}

// sorted checks that indices are from 1 to MaxMembers and none is there twice,
// and returns them in increasing order.
func sorted(what string, indices []int) ([]int, error) {
	var there [MaxMembers + 1]bool
	for _, i := range indices {
		if err := checkIndex(i); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if there[i] {
			return nil, fmt.Errorf("%s: %w: index %d", what, ErrDuplicate, i)
		}
		there[i] = true
	}
	out := make([]int, 0, len(indices))
	for i, is := range there {
		if is {
			out = append(out, i)
		}
	}
	return out, nil
}

func checkIndex(i int) error {
	if i < 1 || i > MaxMembers {
		return fmt.Errorf("%w: %d is not from 1 to %d", ErrIndex, i, MaxMembers)
	}
	return nil
}

// checkThreshold checks 1 ≤ t ≤ n ≤ MaxMembers.
func checkThreshold(t, n int) error {
	if n > MaxMembers {
		return fmt.Errorf("%w: %d members, more than %d", ErrThreshold, n, MaxMembers)
	}
	if t < 1 || t > n {
		return fmt.Errorf("%w: %d of %d", ErrThreshold, t, n)
	}
	return nil
}

// indexBytes writes indices, a byte each.
func indexBytes(indices []int) []byte {
	b := make([]byte, len(indices))
	for k, i := range indices {
		b[k] = byte(i)
	}
	return b
}
