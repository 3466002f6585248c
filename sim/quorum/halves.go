package quorum

import (
	"context"
	"fmt"
	"slices"

	"mpinlab/protocol"
	"mpinlab/sim/wire"
)

// What the RPS does.

// ClientHalf is the RPS's half of a client secret, and the signed query with
// which the client fetches the other half.
type ClientHalf struct {
	Half
	Params string
}

// PermitHalf is the RPS's half of today's permit, and what the client needs to
// fetch the other half.
type PermitHalf struct {
	DatedHalf
	// Signature is for the original's query, StorageID for the storage, Params
	// a query with an expiry.
	Signature, StorageID, Params string
}

// ClientHalf gathers the RPS's half of the client secret of an identity.
// Errors: *Fault, ErrUnavailable, wire.ErrMalformed.
func (q *Quorum) ClientHalf(ctx context.Context, hashID string, mobile bool) (*ClientHalf, error) {
	return retry(ctx, q, func(set wire.Set) (*ClientHalf, error) {
		own, rest := q.halves(set)
		h, err := q.clients(ctx, set, own, hashID, "", mobile)
		if err != nil {
			return nil, err
		}
		query := q.clientQuery(hashID, "", mobile, q.onTheWire(set))
		if query["set"] != "" {
			query["dtas"] = rest.String()
		}
		return &ClientHalf{*h, query.Encode()}, nil
	})
}

// PermitHalf gathers the RPS's half of an identity's permit for today. Errors:
// *Fault, with ErrClock for a D-TA on which it is another day, ErrUnavailable,
// wire.ErrMalformed.
func (q *Quorum) PermitHalf(ctx context.Context, hashID string) (*PermitHalf, error) {
	return retry(ctx, q, func(set wire.Set) (*PermitHalf, error) {
		own, _ := q.halves(set)
		list, err := q.permits(ctx, set, own, hashID, 1)
		if err != nil {
			return nil, err
		}
		named := q.onTheWire(set)
		return &PermitHalf{
			DatedHalf: list[0],
			Signature: wire.PermitSignature(q.c.AppKey, q.c.AppID, hashID, named, q.c.Now()),
			StorageID: wire.StorageID(hashID, named),
			Params:    q.permitQuery(hashID, named).Encode(),
		}, nil
	})
}

// ServerSecret gathers the server secret: from any t D-TAs, or from Members
// and, for the others, from the proxy. Every share is checked with the pinned
// key. Errors: *Fault, ErrUnavailable.
func (q *Quorum) ServerSecret(ctx context.Context) (*protocol.ServerSecret, error) {
	return retry(ctx, q, func(set wire.Set) (*protocol.ServerSecret, error) {
		from := set
		if len(set) == 0 {
			from = q.order
		}
		list, err := q.servers(ctx, set, from)
		if err != nil {
			return nil, err
		}
		if len(set) == 0 && len(q.keys) > len(q.members) {
			others, err := q.othersServerShares(ctx)
			if err != nil {
				return nil, err
			}
			list = append(list, others...)
		}
		shares := make([]*protocol.ServerSecret, len(list))
		for i := range list {
			shares[i] = list[i].secret
		}
		sum, err := protocol.CombineServerSecrets(shares...)
		if err != nil {
			return nil, fmt.Errorf("adding shares: %w", err)
		}
		return sum, nil
	})
}

// othersServerShares asks the proxy for the shares of all D-TAs that are not
// members, which must all be there.
func (q *Quorum) othersServerShares(ctx context.Context) ([]issuedServer, error) {
	if q.c.Proxy == "" {
		return nil, fmt.Errorf("%w: there is no proxy to ask for the others", ErrUnavailable)
	}
	a, err := hedged[wire.ServerSecretAnswer](ctx, q, q.proxyURL("/serverSecret")+"?"+q.serverQuery(nil).Encode())
	if err != nil {
		return nil, fmt.Errorf("%w: the proxy: %w", ErrUnavailable, err)
	}
	var list []issuedServer
	seen := map[int]bool{}
	for _, p := range a.Shares {
		if q.members[p.DTA] != nil || seen[p.DTA] || q.keys[p.DTA] == nil {
			return nil, fmt.Errorf("%w: the proxy sent a share of D-TA %d, which it has no part of", wire.ErrMalformed, p.DTA)
		}
		seen[p.DTA] = true
		i, err := q.serverShare(p, nil)
		if err != nil {
			return nil, &Fault{p.DTA, err}
		}
		list = append(list, i)
	}
	if len(list)+len(q.members) != len(q.keys) {
		return nil, fmt.Errorf("%w: the proxy sent %d shares", ErrUnavailable, len(list))
	}
	return list, nil
}

// halves returns what the RPS and the proxy gather from.
func (q *Quorum) halves(set wire.Set) (own, rest wire.Set) {
	if len(set) == 0 {
		return q.order, nil
	}
	return wire.Halves(set)
}

// onTheWire returns the set as it is named to clients: not at all if it is the
// canonical one.
func (q *Quorum) onTheWire(set wire.Set) wire.Set {
	if slices.Equal(set, q.order[:q.c.Threshold]) {
		return nil
	}
	return set
}

// What the proxy does. The set is that of the request, nil for the canonical
// one, and what is gathered is the rest of it after the RPS's half.

// ClientRest gathers the proxy's half of a client secret. Errors: ErrSet,
// *Fault, ErrUnavailable, wire.ErrMalformed.
func (q *Quorum) ClientRest(ctx context.Context, set wire.Set, hashID, hashUserID string, mobile bool) (*Half, error) {
	set, from, err := q.rest(set)
	if err != nil {
		return nil, err
	}
	return q.clients(ctx, set, from, hashID, hashUserID, mobile)
}

// PermitsRest gathers the proxy's halves of the permits of count days from
// today on. Errors: as those of ClientRest.
func (q *Quorum) PermitsRest(ctx context.Context, set wire.Set, hashID string, count int) ([]DatedHalf, error) {
	set, from, err := q.rest(set)
	if err != nil {
		return nil, err
	}
	return q.permits(ctx, set, from, hashID, count)
}

// ServerRest gathers the proxy's half of the server secret. The shares have no
// proofs. Errors: as those of ClientRest.
func (q *Quorum) ServerRest(ctx context.Context, set wire.Set) (*Half, error) {
	set, from, err := q.rest(set)
	if err != nil {
		return nil, err
	}
	list, err := q.servers(ctx, set, from)
	if err != nil {
		return nil, err
	}
	h := &Half{}
	var shares []*protocol.ServerSecret
	for _, i := range list {
		h.Shares, shares = append(h.Shares, i.ProvedShare), append(shares, i.secret)
	}
	sum, err := protocol.CombineServerSecrets(shares...)
	if err != nil {
		return nil, fmt.Errorf("adding shares: %w", err)
	}
	h.Share = fmt.Sprintf("%x", sum.Bytes())
	return h, nil
}

// Rest returns the D-TAs that the proxy asks for a set. Error: ErrSet.
func (q *Quorum) Rest(set wire.Set) (wire.Set, error) {
	_, from, err := q.rest(set)
	return from, err
}

func (q *Quorum) rest(set wire.Set) (wire.Set, wire.Set, error) {
	set, err := q.named(set)
	if err != nil {
		return nil, nil, err
	}
	if len(set) == 0 {
		return nil, q.order, nil
	}
	_, rest := wire.Halves(set)
	return set, rest, nil
}
