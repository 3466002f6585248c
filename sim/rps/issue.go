package rps

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// signature hands out the customer's half of a client secret, once, with a
// signed query for the other half.
func (s *Server) signature(ctx context.Context, mpinID, regOTT string) (*wire.SignatureAnswer, error) {
	_, hash, err := identityOf(mpinID)
	if err != nil {
		return nil, service.Refusal(http.StatusBadRequest, "mpinId is malformed", err)
	}
	g, _, err := s.registration(ctx, &hash)
	switch {
	case err != nil:
		return nil, err
	case g == nil:
		return nil, service.Refuse(http.StatusBadRequest, "no such registration, or it has expired")
	case !g.has(regOTT):
		if _, err := s.store.Do(ctx, store.Delete(store.Registration, string(hash[:]))); err != nil {
			return nil, unavailable(err)
		}
		return nil, service.Refuse(http.StatusBadRequest, "regOTT does not belong to this mpinId")
	case g.state == pending:
		return nil, service.Refuse(http.StatusUnauthorized, "not activated yet")
	case g.state == issued:
		return nil, service.Refuse(http.StatusBadRequest, "the secret was handed out before")
	}
	mobile := false
	if id, err := wire.ParseIdentity(mpinID); err == nil {
		mobile = id.Mobile == 1
	}
	half, err := s.cfg.Shares.ClientHalf(ctx, hex.EncodeToString(hash[:]), mobile)
	if err != nil {
		// The registration stays, so that the client can try again.
		return nil, service.Refusal(http.StatusInternalServerError, "the D-TA does not answer", err)
	}
	// Of several callers one gets it.
	if ok, err := s.step(ctx, &hash, g.regOTT, active, issued); err != nil {
		return nil, err
	} else if !ok {
		return nil, service.Refuse(http.StatusBadRequest, "the secret was handed out before")
	}
	return &wire.SignatureAnswer{ClientSecretShare: half.Share, Params: half.Params, Shares: half.Shares}, nil
}

// timePermit hands out the customer's half of today's permit, if the
// application lets it, with what the client needs for the other half.
func (s *Server) timePermit(ctx context.Context, mpinID string) (*wire.PermitHalfAnswer, error) {
	_, hash, err := identityOf(mpinID)
	if err != nil {
		return nil, service.Refusal(http.StatusForbidden, "mpinId is malformed", err)
	}
	if _, err := wire.ParseIdentity(mpinID); err != nil {
		return nil, service.Refusal(http.StatusForbidden, "mpinId is malformed", err)
	}
	if err := s.askPermit(ctx, mpinID); err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	date, err := wire.Today(now)
	if err != nil {
		return nil, err
	}
	hashID := hex.EncodeToString(hash[:])
	p, err := s.permit(ctx, hashID, date, now)
	if err != nil {
		return nil, err
	}
	return &wire.PermitHalfAnswer{
		Date:       int(date),
		Signature:  wire.PermitSignature(s.cfg.AppKey, s.cfg.AppID, hashID, p.set, now),
		StorageID:  wire.StorageID(hashID, p.set),
		TimePermit: p.share,
		Message:    "OK",
		Version:    wire.Version,
		Params:     s.permitQuery(hashID, p.set, now),
		Shares:     p.shares,
	}, nil
}

// permitQuery is the signed query with an expiry for the other half. It is made
// anew for a permit from the cache.
func (s *Server) permitQuery(hashID string, set wire.Set, now time.Time) string {
	expires := wire.Expires(now)
	parts := wire.WithSet(wire.PermitParts(s.cfg.AppID, hashID, expires), set)
	q := wire.Query{
		"app_id":       s.cfg.AppID,
		"expires":      expires,
		"hash_mpin_id": hashID,
		"signature":    wire.Sign(s.cfg.AppKey, parts...),
	}
	if len(set) > 0 {
		q["set"] = set.String()
	}
	return q.Encode()
}

// permit returns the share from the cache in the store, or from the D-TAs.
func (s *Server) permit(ctx context.Context, hashID string, date protocol.Date, now time.Time) (*permit, error) {
	key := strconv.Itoa(int(date)) + "/" + hashID
	results, err := s.store.Do(ctx, store.Get(store.Permit, key))
	if err != nil {
		return nil, unavailable(err)
	}
	if results[0].OK {
		if p, err := readPermit(results[0].Value); err == nil {
			s.metrics.permitHits.Inc()
			return p, nil
		}
	}
	s.metrics.permitMisses.Inc()
	half, err := s.cfg.Shares.PermitHalf(ctx, hashID)
	if err == nil && half.Date != date {
		err = fmt.Errorf("a permit for %s on %s", half.Date, date)
	}
	if err != nil {
		return nil, service.Refusal(http.StatusInternalServerError, "the D-TA does not answer", err)
	}
	p := &permit{share: half.Share, shares: half.Shares}
	if _, text, ok := strings.Cut(half.StorageID, "-"); ok {
		if p.set, err = wire.ParseSet(text); err != nil {
			return nil, fmt.Errorf("a permit's storage ID: %w", err)
		}
	}
	tomorrow := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	if _, err := s.store.Do(ctx, store.Put(store.Permit, key, p.encode(), tomorrow.Sub(now))); err != nil {
		return nil, unavailable(err)
	}
	return p, nil
}
