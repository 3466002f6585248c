package attack

import (
	"context"
	"fmt"
	"math"

	"mpinlab/protocol"
)

// PINErrorRow is what a server that computes the errors of PINs knows of a
// user's PIN after some failed logins, if the PINs entered are any of the range
// alike. The errors δ = entered − true are known to it; every true PIN for
// which all entered ones lie in the range fits. Once one entered PIN is known
// from elsewhere, the true one is.
type PINErrorRow struct {
	// Logins is the number of failed logins, Users the number of users that the
	// means are over, and PINs the range.
	Logins int `json:"logins"`
	Users  int `json:"users"`
	PINs   int `json:"pins"`
	// Left is the mean number of PINs that fit, and Bits what was learnt:
	// the mean of log2(PINs/left).
	Left float64 `json:"left"`
	Bits float64 `json:"bits"`
	// Fit is the number of users whose true PIN was among them: all.
	Fit int `json:"fit"`
}

func pinErrors(ctx context.Context, s *protocol.Suite, o Options) ([]PINErrorRow, error) {
	users, most := 100, 10
	if o.Quick {
		users = 3
	}
	v, err := newVictim(s, o.Seed)
	if err != nil {
		return nil, err
	}
	verifier, err := s.NewVerifier(v.server)
	if err != nil {
		return nil, err
	}
	const n = protocol.FourDigits
	sums := make([]PINErrorRow, most)
	for range users {
		pin := int(v.rng.Uint64() % n)
		token, err := v.token(uint64(pin), 4)
		if err != nil {
			return nil, err
		}
		lo, hi := 0, 0 // the greatest errors seen below and above
		for i := range sums {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			entered := int(v.rng.Uint64() % n)
			f, err := s.PINNumber(uint64(entered), 4)
			if err != nil {
				return nil, err
			}
			secret, err := token.Secret(v.id, f)
			if err != nil {
				return nil, err
			}
			l, err := login(s, v.id, secret, v.rng)
			if err != nil {
				return nil, err
			}
			delta, err := verifier.PINError(v.id, l, n)
			if err != nil {
				return nil, err
			}
			if delta != entered-pin {
				return nil, fmt.Errorf("the error of %d for %d is %d", entered, pin, delta)
			}
			lo, hi = min(lo, delta), max(hi, delta)
			left := float64(n - (hi - lo))
			r := &sums[i]
			r.Left += left / float64(users)
			r.Bits += math.Log2(n/left) / float64(users)
			if pin+lo >= 0 && pin+hi < n {
				r.Fit++
			}
		}
	}
	var rows []PINErrorRow
	for i, r := range sums {
		r.Logins, r.Users, r.PINs = i+1, users, n
		switch r.Logins {
		case 1, 2, 3, 5, 10:
			rows = append(rows, r)
		}
	}
	return rows, nil
}
