package protocol

import (
	"fmt"
	"math"
	"time"
)

// Date is a day as days since 1970-01-01 UTC. The zero Date means "without a
// time permit".
type Date int32

// DateOf returns the UTC day of t. Days before 1970-01-02 or beyond the range
// of an int32 have no Date: ErrDate.
func DateOf(t time.Time) (Date, error) {
	seconds := t.Unix()
	if seconds < 86400 || seconds/86400 > math.MaxInt32 {
		return 0, fmt.Errorf("%w: %s", ErrDate, t.UTC().Format(time.RFC3339))
	}
	return Date(seconds / 86400), nil
}

// String returns the day as YYYY-MM-DD.
func (d Date) String() string {
	if d == 0 {
		return "no date"
	}
	return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
}
