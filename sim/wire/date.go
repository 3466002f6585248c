package wire

import (
	"time"

	"mpinlab/protocol"
)

// TimeLayout is the layout of the API's answer to "time".
const TimeLayout = "2006-01-02 15:04:05Z"

// TimestampLayout is the layout of the times in a registration, UTC.
const TimestampLayout = "2006-01-02T15:04:05.000000Z"

// Today returns the day of a permit that is issued now, UTC.
func Today(now time.Time) (protocol.Date, error) { return protocol.DateOf(now) }

// Accepted returns the days whose permits a server accepts now, the likelier
// first: today's, and yesterday's while the hour is 0, UTC.
func Accepted(now time.Time) ([]protocol.Date, error) {
	d, err := protocol.DateOf(now)
	if err != nil {
		return nil, err
	}
	if now.UTC().Hour() == 0 && d > 1 {
		return []protocol.Date{d, d - 1}, nil
	}
	return []protocol.Date{d}, nil
}
