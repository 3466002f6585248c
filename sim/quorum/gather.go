package quorum

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"mpinlab/protocol"
	"mpinlab/sim/wire"
)

// Half is one half of a secret: the sum of some D-TAs' shares, and the shares.
type Half struct {
	// Share is the sum in hex.
	Share  string
	Shares []wire.ProvedShare
}

// DatedHalf is one half of a permit.
type DatedHalf struct {
	Half
	Date protocol.Date
}

type issuedClient struct {
	wire.ProvedShare
	secret *protocol.ClientSecret
}

type issuedPermits struct {
	days   []*protocol.Permit
	proved []wire.ProvedShare
}

// proved decodes the only share of an answer of a D-TA.
func proved(m *member, sum string, shares []wire.ProvedShare) (share, proof []byte, p wire.ProvedShare, err error) {
	if len(shares) != 1 || shares[0].DTA != m.Index || shares[0].Share != sum {
		return nil, nil, p, fmt.Errorf("%w: not one share of its own", wire.ErrMalformed)
	}
	p = shares[0]
	if share, err = hex.DecodeString(p.Share); err != nil {
		return nil, nil, p, fmt.Errorf("%w: a share that is not hex", wire.ErrMalformed)
	}
	if proof, err = hex.DecodeString(p.Proof); err != nil {
		return nil, nil, p, fmt.Errorf("%w: a proof that is not hex", wire.ErrMalformed)
	}
	return share, proof, p, nil
}

// clients gathers client shares from some D-TAs of a set.
func (q *Quorum) clients(ctx context.Context, set, from wire.Set, hashID, hashUserID string, mobile bool) (*Half, error) {
	id, err := wire.IdentityOf(q.c.Suite, hashID)
	if err != nil {
		return nil, err
	}
	query := q.clientQuery(hashID, hashUserID, mobile, set)
	list, err := gather(ctx, q, from, func(ctx context.Context, m *member) (i issuedClient, err error) {
		a, err := ask[wire.ClientSecretAnswer](ctx, q, m, "/clientSecret", query)
		if err != nil {
			return i, err
		}
		key, err := q.key(m.Index, set)
		if err != nil {
			return i, err
		}
		share, proof, p, err := proved(m, a.ClientSecret, a.Shares)
		if err != nil {
			return i, q.fault(m, err)
		}
		c, err := q.c.Suite.DecodeClientSecret(share)
		if err != nil {
			return i, q.fault(m, err)
		}
		if err := key.VerifyClientShare(id, c, proof); err != nil {
			return i, q.fault(m, err)
		}
		return issuedClient{p, c}, nil
	})
	if err != nil {
		return nil, err
	}
	h := &Half{}
	var secrets []*protocol.ClientSecret
	for _, i := range list {
		h.Shares, secrets = append(h.Shares, i.ProvedShare), append(secrets, i.secret)
	}
	sum, err := protocol.CombineClientSecrets(secrets...)
	if err != nil {
		return nil, fmt.Errorf("adding shares: %w", err)
	}
	h.Share = hex.EncodeToString(sum.Bytes())
	return h, nil
}

// permits gathers shares of the permits of some days, from today on.
func (q *Quorum) permits(ctx context.Context, set, from wire.Set, hashID string, count int) ([]DatedHalf, error) {
	id, err := wire.IdentityOf(q.c.Suite, hashID)
	if err != nil {
		return nil, err
	}
	today, err := wire.Today(q.c.Now())
	if err != nil {
		return nil, fmt.Errorf("today: %w", err)
	}
	query := q.permitsQuery(hashID, set, count)
	list, err := gather(ctx, q, from, func(ctx context.Context, m *member) (i issuedPermits, err error) {
		a, err := ask[wire.PermitsAnswer](ctx, q, m, "/timePermits", query)
		if err != nil {
			return i, err
		}
		if _, ok := a.TimePermits[strconv.Itoa(int(today))]; !ok || len(a.TimePermits) != count {
			// Around midnight, or a clock that is wrong: no lie, and of no use.
			m.avoid(q.c.Avoid)
			return i, &Fault{m.Index, ErrClock}
		}
		key, err := q.key(m.Index, set)
		if err != nil {
			return i, err
		}
		for d := range count {
			date := today + protocol.Date(d)
			text := strconv.Itoa(int(date))
			share, proof, p, err := proved(m, a.TimePermits[text], a.Shares[text])
			if err != nil {
				return i, q.fault(m, err)
			}
			t, err := q.c.Suite.DecodePermit(date, share)
			if err != nil {
				return i, q.fault(m, err)
			}
			if err := key.VerifyPermitShare(id, t, proof); err != nil {
				return i, q.fault(m, err)
			}
			i.days, i.proved = append(i.days, t), append(i.proved, p)
		}
		return i, nil
	})
	if err != nil {
		return nil, err
	}
	halves := make([]DatedHalf, count)
	for d := range halves {
		h := &halves[d]
		h.Date = today + protocol.Date(d)
		var shares []*protocol.Permit
		for _, i := range list {
			h.Shares, shares = append(h.Shares, i.proved[d]), append(shares, i.days[d])
		}
		sum, err := protocol.CombinePermits(shares...)
		if err != nil {
			return nil, fmt.Errorf("adding shares: %w", err)
		}
		h.Share = hex.EncodeToString(sum.Bytes())
	}
	return halves, nil
}

type issuedServer struct {
	wire.ProvedShare
	secret *protocol.ServerSecret
}

// servers gathers server shares from some D-TAs of a set.
func (q *Quorum) servers(ctx context.Context, set, from wire.Set) ([]issuedServer, error) {
	query := q.serverQuery(set)
	return gather(ctx, q, from, func(ctx context.Context, m *member) (i issuedServer, err error) {
		a, err := ask[wire.ServerSecretAnswer](ctx, q, m, "/serverSecret", query)
		if err != nil {
			return i, err
		}
		if len(a.Shares) != 1 || a.Shares[0].DTA != m.Index || a.Shares[0].Share != a.ServerSecret {
			return i, q.fault(m, fmt.Errorf("%w: not one share of its own", wire.ErrMalformed))
		}
		i, err = q.serverShare(a.Shares[0], set)
		if err != nil {
			return i, q.fault(m, err)
		}
		return i, nil
	})
}

// serverShare decodes a server share and checks it with the pinned key.
func (q *Quorum) serverShare(p wire.ProvedShare, set wire.Set) (i issuedServer, err error) {
	key, err := q.key(p.DTA, set)
	if err != nil {
		return i, err
	}
	b, err := hex.DecodeString(p.Share)
	if err != nil {
		return i, fmt.Errorf("%w: a share that is not hex", wire.ErrMalformed)
	}
	s, err := q.c.Suite.DecodeServerSecret(b)
	if err != nil {
		return i, err
	}
	return issuedServer{p, s}, key.VerifyServerShare(s)
}

// retry runs an attempt with one set after another until D-TAs are found that
// issue; where there are no sets it runs it once.
func retry[T any](ctx context.Context, q *Quorum, attempt func(set wire.Set) (T, error)) (T, error) {
	var zero T
	if q.c.Threshold == 0 {
		return attempt(nil)
	}
	var last error
	// Every failure takes a D-TA out, so that n − t + 1 attempts would do if
	// none came back in between.
	for range len(q.order) - q.c.Threshold + 2 {
		set, err := q.pick()
		if err != nil {
			return zero, errors.Join(err, last)
		}
		v, err := attempt(set)
		var f *Fault
		if err == nil || ctx.Err() != nil || !errors.Is(err, ErrUnavailable) && !errors.As(err, &f) {
			return v, err
		}
		last = err
	}
	return zero, last
}
