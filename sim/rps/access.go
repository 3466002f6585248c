package rps

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// Access numbers and QR codes: a browser gets one with a webOTT and asks with
// that how far it has come, while a phone names it as the WID of a login. The
// session is kept under webOTT, which only the browser knows; under the WID is
// where it is.

// newCode begins a session. The WID is an access number, or 32 hex digits for
// a QR code.
func (s *Server) newCode(ctx context.Context, qr bool) (*wire.CodeAnswer, error) {
	web, err := s.ott()
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	c := &code{status: wire.CodeNew, expires: now.Add(codeLife)}
	if _, err := s.store.Do(ctx, store.Put(store.Access, ottKey(web[:]), c.encode(), codeLife)); err != nil {
		return nil, unavailable(err)
	}
	a := &wire.CodeAnswer{
		TTLSeconds:     int(codeLife / time.Second),
		WebOTT:         hex.EncodeToString(web[:]),
		LocalTimeStart: now.UnixMilli(),
		LocalTimeEnd:   c.expires.UnixMilli(),
	}
	// An access number may be another browser's for now.
	for range 20 {
		wid, err := s.newWID(qr)
		if err != nil {
			return nil, err
		}
		results, err := s.store.Do(ctx, store.Create(store.Access, widKey(wid), []byte(ottKey(web[:])), codeLife))
		if err != nil {
			return nil, unavailable(err)
		}
		if !results[0].OK {
			continue
		}
		if qr {
			a.QrURL = s.cfg.origin + "#" + wid
		} else {
			a.AccessNumber = wid
		}
		return a, nil
	}
	return nil, &service.Error{Status: http.StatusServiceUnavailable, Message: "no access number is free", RetryAfter: time.Second}
}

func (s *Server) newWID(qr bool) (string, error) {
	if !qr {
		return wire.NewAccessNumber(s.random)
	}
	raw, err := s.ott()
	return hex.EncodeToString(raw[:]), err
}

// widKey is the key of what a WID stands for. WIDs are shorter than the keys of
// webOTTs or longer, so that the two do not meet.
func widKey(wid string) string {
	if raw, ok := parseOTT(wid); ok {
		return "q" + ottKey(raw[:])
	}
	return "n" + wid
}

// code reads the session of a webOTT; nil if it is unknown or has expired.
func (s *Server) code(ctx context.Context, key string) (*code, []byte, error) {
	results, err := s.store.Do(ctx, store.Get(store.Access, key))
	if err != nil {
		return nil, nil, unavailable(err)
	}
	if !results[0].OK {
		return nil, nil, nil
	}
	c, err := readCode(results[0].Value)
	if err != nil {
		return nil, nil, err
	}
	if s.cfg.Now().After(c.expires) {
		return nil, nil, nil
	}
	return c, results[0].Value, nil
}

// codeOf reads the session of a request; nil as code does, also for what is no
// webOTT.
func (s *Server) codeOf(ctx context.Context, q *wire.AccessRequest) (*code, error) {
	if q.WebOTT == "" {
		return nil, service.Refuse(http.StatusBadRequest, "webOTT is missing")
	}
	raw, ok := parseOTT(q.WebOTT)
	if !ok {
		return nil, nil
	}
	c, _, err := s.code(ctx, ottKey(raw[:]))
	return c, err
}

// access tells a browser how far its code has come.
func (s *Server) access(ctx context.Context, q *wire.AccessRequest) (*wire.AccessAnswer, error) {
	c, err := s.codeOf(ctx, q)
	if err != nil {
		return nil, err
	}
	a := &wire.AccessAnswer{Status: wire.CodeExpired, RedirectURL: s.cfg.RedirectURL}
	if c != nil {
		a.Status, a.UserID, a.AuthOTT = c.status, c.userID, c.authOTT
	}
	return a, nil
}

// olderAccess is access for older clients.
func (s *Server) olderAccess(ctx context.Context, q *wire.AccessRequest) (*wire.OlderAccessAnswer, error) {
	c, err := s.codeOf(ctx, q)
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		return nil, service.Refuse(http.StatusNotFound, "unknown or expired webOTT")
	case c.authOTT == "":
		return nil, service.Refuse(http.StatusUnauthorized, "not authenticated yet")
	}
	return &wire.OlderAccessAnswer{AuthOTT: c.authOTT}, nil
}

// codeStatus is the phone's word on how far it has come.
func (s *Server) codeStatus(ctx context.Context, q *wire.CodeStatusRequest) error {
	switch {
	case q.WID == "" || q.WID == "0" || !isWID(q.WID):
		return service.Refuse(http.StatusBadRequest, "wid is missing or malformed")
	case q.UserID != "" && wire.CheckUserID(q.UserID) != nil:
		return service.Refuse(http.StatusBadRequest, "userId is malformed")
	}
	switch q.Status {
	case wire.CodeWID, wire.CodeUser, wire.CodeExpired:
	default:
		return service.Refuse(http.StatusBadRequest, "status is none of wid, user, expired")
	}
	ok, err := s.advance(ctx, q.WID, func(c *code) {
		c.status, c.userID = q.Status, q.UserID
	})
	if err != nil {
		return err
	}
	if !ok {
		return service.Refuse(http.StatusNotFound, "unknown or expired wid")
	}
	return nil
}

// advance changes the session of a WID, unless it has come to its end: a login
// is tied to it, or the phone has given it up. It returns false if there is
// none to change.
func (s *Server) advance(ctx context.Context, wid string, change func(*code)) (bool, error) {
	results, err := s.store.Do(ctx, store.Get(store.Access, widKey(wid)))
	if err != nil {
		return false, unavailable(err)
	}
	if !results[0].OK {
		return false, nil
	}
	key := string(results[0].Value)
	for range 8 {
		c, old, err := s.code(ctx, key)
		if err != nil || c == nil || c.status == wire.CodeAuthenticate || c.status == wire.CodeExpired {
			return false, err
		}
		change(c)
		ok, err := s.store.Swap(ctx, store.Access, key, old, c.encode())
		if err != nil {
			return false, unavailable(err)
		}
		if ok {
			return true, nil
		}
	}
	return false, unavailable(fmt.Errorf("an access code changes too often"))
}
