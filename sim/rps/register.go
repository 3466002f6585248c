package rps

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// register begins a registration or, for a known mpinID with its regOTT,
// begins it again: the client that has lost the answer gets the same one.
func (s *Server) register(ctx context.Context, mpinID string, q *registerRequest) (*wire.RegisterAnswer, error) {
	switch {
	case q.UserID == "":
		return nil, service.Refuse(http.StatusBadRequest, "userId is missing")
	case wire.CheckUserID(q.UserID) != nil:
		return nil, service.Refuse(http.StatusBadRequest, "userId is malformed")
	case len(q.DeviceName) > wire.MaxDevice || len(q.UserData) > wire.MaxUserData:
		return nil, service.Refuse(http.StatusBadRequest, "deviceName or userData is too long")
	}
	if mpinID != "" {
		// What is no mpinId is an unknown one, which gets a new one.
		raw, hash, err := identityOf(mpinID)
		var g *registration
		if err == nil {
			if g, _, err = s.registration(ctx, &hash); err != nil {
				return nil, err
			}
		}
		if g != nil {
			if !g.has(q.RegOTT) {
				return nil, service.Refuse(http.StatusBadRequest, "regOTT does not belong to this mpinId")
			}
			if g.state != issued {
				id, err := wire.ParseIdentity(mpinID)
				if err != nil || id.UserID != q.UserID {
					return nil, service.Refuse(http.StatusBadRequest, "mpinId is another user's")
				}
				return s.verified(ctx, raw, &hash, g, q, true)
			}
		}
	}
	now := s.cfg.Now()
	id, err := wire.NewIdentity(q.UserID, q.Mobile == 1, now, s.random)
	if err != nil {
		return nil, service.Refusal(http.StatusBadRequest, "userId is malformed", err)
	}
	raw := id.Bytes()
	if 2*len(raw) > wire.MaxIdentity {
		return nil, service.Refuse(http.StatusBadRequest, "userId is too long")
	}
	hash := wire.HashIdentity(raw)
	g := &registration{state: pending, created: now}
	if g.regOTT, err = s.ott(); err != nil {
		return nil, err
	}
	// Kept before the application is asked, which may activate it while it is.
	if _, err := s.store.Do(ctx, store.Put(store.Registration, string(hash[:]), g.encode(), registrationLife)); err != nil {
		return nil, unavailable(err)
	}
	return s.verified(ctx, raw, &hash, g, q, false)
}

// verified asks the application whether the user may register.
func (s *Server) verified(ctx context.Context, raw []byte, hash *[32]byte, g *registration, q *registerRequest, again bool) (*wire.RegisterAnswer, error) {
	mpinID, regOTT := hex.EncodeToString(raw), hex.EncodeToString(g.regOTT[:])
	expires := g.created.Add(registrationLife).UTC().Format(wire.TimestampLayout)
	force := true
	if s.cfg.VerifyURL != "" {
		answer, err := s.askVerify(ctx, &wire.VerifyRequest{
			UserID:      q.UserID,
			MpinID:      mpinID,
			Mobile:      int(q.Mobile),
			ActivateKey: wire.Sign(s.cfg.AppKey, wire.ActivateKeyParts(mpinID, regOTT)...),
			ExpireTime:  expires,
			Resend:      again,
			DeviceName:  q.DeviceName,
			UserData:    string(q.UserData),
		})
		if err != nil {
			if !again {
				s.forget(ctx, hash)
			}
			return nil, err
		}
		force = answer.ForceActivate
	}
	if force {
		if err := s.activate(ctx, hash, g.regOTT); err != nil {
			return nil, err
		}
	}
	isActive := force
	if !isActive {
		// It may have been activated meanwhile.
		now, _, err := s.registration(ctx, hash)
		if err != nil {
			return nil, err
		}
		isActive = now != nil && now.state != pending
	}
	return &wire.RegisterAnswer{
		MpinID:     mpinID,
		RegOTT:     regOTT,
		ExpireTime: expires,
		NowTime:    s.cfg.Now().UTC().Format(wire.TimestampLayout),
		Active:     isActive,
	}, nil
}

// forget removes a registration that was refused. If that fails its life ends
// by itself.
func (s *Server) forget(ctx context.Context, hash *[32]byte) {
	if _, err := s.store.Do(context.WithoutCancel(ctx), store.Delete(store.Registration, string(hash[:]))); err != nil {
		s.log.Warn("refused registration not removed", s.who(hash), "cause", err)
	}
}

// registration reads a record and what it looks like in the store; nil without
// one.
func (s *Server) registration(ctx context.Context, hash *[32]byte) (*registration, []byte, error) {
	results, err := s.store.Do(ctx, store.Get(store.Registration, string(hash[:])))
	if err != nil {
		return nil, nil, unavailable(err)
	}
	if !results[0].OK {
		return nil, nil, nil
	}
	g, err := readRegistration(results[0].Value)
	if err != nil {
		return nil, nil, err
	}
	if s.cfg.Now().Sub(g.created) > registrationLife {
		return nil, nil, nil
	}
	return g, results[0].Value, nil
}

// has compares a regOTT in constant time.
func (g *registration) has(regOTT string) bool {
	raw, ok := parseOTT(regOTT)
	return ok && subtle.ConstantTimeCompare(raw[:], g.regOTT[:]) == 1
}

// step moves a registration from one state to another, and tells whether it
// did: false if there is none in that state any more. It is for a registration
// with the given regOTT.
func (s *Server) step(ctx context.Context, hash *[32]byte, regOTT [ottSize]byte, from, to byte) (bool, error) {
	g, old, err := s.registration(ctx, hash)
	if err != nil || g == nil || g.state != from || g.regOTT != regOTT {
		return false, err
	}
	g.state = to
	ok, err := s.store.Swap(ctx, store.Registration, string(hash[:]), old, g.encode())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, unavailable(err)
	}
	return ok, nil
}

// activate activates a registration, which may be active already.
func (s *Server) activate(ctx context.Context, hash *[32]byte, regOTT [ottSize]byte) error {
	_, err := s.step(ctx, hash, regOTT, pending, active)
	return err
}

// activateByKey is what the application asks for when the user has followed
// his link.
func (s *Server) activateByKey(ctx context.Context, mpinID, activateKey string) error {
	raw, hash, err := identityOf(mpinID)
	if err != nil {
		return service.Refusal(http.StatusBadRequest, "mpinId is malformed", err)
	}
	g, _, err := s.registration(ctx, &hash)
	if err != nil {
		return err
	}
	if g == nil {
		return service.Refuse(http.StatusNotFound, "no such registration, or it has expired")
	}
	parts := wire.ActivateKeyParts(hex.EncodeToString(raw), hex.EncodeToString(g.regOTT[:]))
	if wire.Verify(s.cfg.AppKey, activateKey, parts...) != nil {
		return service.Refuse(http.StatusForbidden, "activateKey does not hold")
	}
	return s.activate(ctx, &hash, g.regOTT)
}

// setupDone ends a registration whose secret was fetched.
func (s *Server) setupDone(ctx context.Context, mpinID string) error {
	_, hash, err := identityOf(mpinID)
	if err != nil {
		return service.Refusal(http.StatusBadRequest, "mpinId is malformed", err)
	}
	g, _, err := s.registration(ctx, &hash)
	if err != nil {
		return err
	}
	// Anyone may call this, so it only removes what is of no more use.
	if g == nil || g.state != issued {
		return nil
	}
	if _, err := s.store.Do(ctx, store.Delete(store.Registration, string(hash[:]))); err != nil {
		return unavailable(err)
	}
	return nil
}

// askVerify asks the application. Its refusals pass through, its failures are
// 500.
func (s *Server) askVerify(ctx context.Context, q *wire.VerifyRequest) (*wire.VerifyAnswer, error) {
	b, err := service.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("asking the application: %w", err)
	}
	var a wire.VerifyAnswer
	err = s.ask(ctx, http.MethodPost, s.cfg.VerifyURL, b, &a)
	if err != nil {
		return nil, passOn("the application does not let this user register", err)
	}
	return &a, nil
}

// askTimeout bounds a call to the application.
const askTimeout = 10 * time.Second
