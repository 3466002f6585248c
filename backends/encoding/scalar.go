package encoding

import (
	"bytes"
	"fmt"

	"mpinlab/backends"
)

// CheckScalar tells whether b encodes an integer below the curve's r:
// ErrLength or ErrNotCanonical where it does not.
func CheckScalar(c backends.Curve, b []byte) error {
	p := c.Params()
	if len(b) != p.ScalarBytes {
		return fmt.Errorf("%s scalar: %w: %d bytes, not %d", c, backends.ErrLength, len(b), p.ScalarBytes)
	}
	if bytes.Compare(b, p.R.FillBytes(make([]byte, p.ScalarBytes))) >= 0 {
		return fmt.Errorf("%s scalar: %w: not below the group order", c, backends.ErrNotCanonical)
	}
	return nil
}
