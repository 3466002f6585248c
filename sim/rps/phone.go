package rps

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// A phone's login: the phone redeems authOTT here, and if it was right its
// browser gets the same authOTT by access and the browser's application redeems
// it once more, while the phone waits for what the application has to say.

// phones are the phones that wait with this instance, by the key of authOTT.
// Each has a channel: the instance that hears of the result closes it or, if
// it is another one, the phone finds the result in the store, where it looks
// ever more seldom.
type phones struct {
	mu      sync.Mutex
	waiting map[string]*phone
}

type phone struct{ told chan struct{} }

func (p *phones) enter(key string) *phone {
	w := &phone{told: make(chan struct{}, 1)}
	p.mu.Lock()
	p.waiting[key] = w
	p.mu.Unlock()
	return w
}

func (p *phones) leave(key string) {
	p.mu.Lock()
	delete(p.waiting, key)
	p.mu.Unlock()
}

func (p *phones) tell(key string) {
	p.mu.Lock()
	w := p.waiting[key]
	p.mu.Unlock()
	if w != nil {
		select {
		case w.told <- struct{}{}:
		default:
		}
	}
}

// The keys beside that of a login.
func passedKey(key string) string { return "p" + key }
func resultKey(key string) string { return "r" + key }

// phoneLogin judges a phone's login and waits for its browser.
func (s *Server) phoneLogin(ctx context.Context, q *wire.AuthenticateRequest) (*wire.MobileAnswer, error) {
	if q.MpinResponse.AuthOTT == "" {
		return nil, service.Refuse(http.StatusBadRequest, "authOTT is missing")
	}
	ott, ok := parseOTT(q.MpinResponse.AuthOTT)
	if !ok {
		return nil, service.Refuse(http.StatusPreconditionFailed, "unknown or expired authOTT")
	}
	key := ottKey(ott[:])
	d, err := s.redeem(ctx, ott)
	switch {
	case err != nil:
		return nil, err
	case d.status == http.StatusRequestTimeout:
		return nil, service.Refuse(http.StatusPreconditionFailed, d.message)
	case d.status != http.StatusOK:
		return nil, service.Refuse(d.status, d.message)
	}
	left := loginLife - max(0, s.cfg.Now().Sub(d.time))
	if left <= 0 {
		return nil, service.Refuse(http.StatusPreconditionFailed, "unknown or expired authOTT")
	}
	id, err := wire.ParseIdentity(hex.EncodeToString(d.raw))
	if err != nil {
		return nil, err
	}
	// The phone is there to be told before the browser can be.
	w := s.phones.enter(key)
	defer s.phones.leave(key)
	p := &passed{answered: d.time, id: d.raw, otp: d.otp}
	if _, err := s.store.Do(ctx, store.Put(store.Login, passedKey(key), p.encode(), left)); err != nil {
		return nil, unavailable(err)
	}
	if d.wid != "" {
		ok, err := s.advance(ctx, d.wid, func(c *code) {
			c.status, c.userID, c.authOTT = wire.CodeAuthenticate, id.UserID, hex.EncodeToString(ott[:])
		})
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, service.Refuse(http.StatusRequestTimeout, "the access code has expired or was used")
		}
	}
	t, err := s.await(ctx, key, w)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, service.Refuse(http.StatusRequestTimeout, "the browser did not log in")
	case t.status != http.StatusOK:
		return nil, service.Refuse(t.status, "the application does not let the browser in")
	}
	return &wire.MobileAnswer{LogoutURL: t.logoutURL, LogoutData: t.logoutData}, nil
}

// await waits for the result of a login, nil if there is none in time. An
// application that has redeemed the login and says nothing of logging out may
// still do so, by loginResult, as long as the phone waits.
func (s *Server) await(ctx context.Context, key string, w *phone) (*result, error) {
	s.metrics.phones.Add(1)
	defer s.metrics.phones.Add(-1)
	end := time.NewTimer(s.cfg.PhoneWait)
	defer end.Stop()
	pause := s.cfg.PhoneWait / 40
	look := time.NewTimer(pause)
	defer look.Stop()
	var redeemed *result
	for last := false; !last; {
		select {
		case <-w.told:
		case <-look.C:
			pause *= 2
			look.Reset(pause)
		case <-end.C:
			last = true
		case <-s.stop.Done():
			last = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		results, err := s.store.Do(ctx, store.Take(store.Login, resultKey(key)))
		if err != nil {
			return nil, unavailable(err)
		}
		if !results[0].OK {
			continue
		}
		t, err := readResult(results[0].Value)
		if err != nil || t.status != 0 {
			return t, err
		}
		t.status, redeemed = http.StatusOK, t
	}
	return redeemed, nil
}

// redeemForApplication is the application's redeeming: of a login of its own
// client, which is judged now, or of one that a phone had judged for a browser.
func (s *Server) redeemForApplication(ctx context.Context, q *wire.RedeemRequest) (*wire.RedeemAnswer, error) {
	if q.AuthOTT == "" {
		return nil, service.Refuse(http.StatusBadRequest, "authOTT is missing")
	}
	ott, ok := parseOTT(q.AuthOTT)
	if !ok {
		return s.unknown().answer()
	}
	key := ottKey(ott[:])
	results, err := s.store.Do(ctx, store.Take(store.Login, key), store.Take(store.Login, passedKey(key)))
	if err != nil {
		return nil, unavailable(err)
	}
	switch {
	case results[0].OK:
		d, err := s.judge(ctx, key, results[0].Value)
		if err != nil {
			return nil, err
		}
		return d.answer()
	case !results[1].OK:
		return s.unknown().answer()
	}
	p, err := readPassed(results[1].Value)
	if err != nil {
		return nil, err
	}
	if late(p.answered, s.cfg.Now()) {
		return s.unknown().answer()
	}
	t := &result{logoutURL: q.LogoutURL, logoutData: q.LogoutData}
	if q.LogoutURL != "" {
		t.status = http.StatusOK
	}
	if err := s.tell(ctx, key, t); err != nil {
		// The browser is in; the phone will not hear of it.
		s.log.LogAttrs(ctx, slog.LevelWarn, "phone not told", slog.String("cause", err.Error()))
	}
	d := &verdict{status: http.StatusOK, message: "OK", raw: p.id, otp: p.otp}
	return d.answer()
}

// tell keeps a result for the phone that waits, here or with another instance.
func (s *Server) tell(ctx context.Context, key string, t *result) error {
	if _, err := s.store.Do(ctx, store.Put(store.Login, resultKey(key), t.encode(), s.cfg.PhoneWait+time.Second)); err != nil {
		return err
	}
	s.phones.tell(key)
	return nil
}

// The greatest sizes in bytes of what the application may have told a phone.
const (
	maxLogoutURL  = 2048
	maxLogoutData = 4096
)

func checkLogout(to string, data json.RawMessage) error {
	if len(to) > maxLogoutURL || len(data) > maxLogoutData {
		return service.Refuse(http.StatusBadRequest, "logoutURL or logoutData is too long")
	}
	if to == "" {
		return nil
	}
	if u, err := url.Parse(to); err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "" {
		return service.Refuse(http.StatusBadRequest, "logoutURL is not a web address")
	}
	return nil
}

// loginResult is the application's word on whether it let a browser in.
func (s *Server) loginResult(ctx context.Context, q *wire.LoginResultRequest) error {
	ott, ok := parseOTT(q.AuthOTT)
	if !ok {
		return service.Refuse(http.StatusBadRequest, "authOTT is missing or malformed")
	}
	t := &result{status: q.Status, logoutURL: q.LogoutURL, logoutData: q.LogoutData}
	if t.status == 0 {
		t.status = http.StatusOK
	}
	if t.status != http.StatusOK && (t.status < 400 || t.status > 499) {
		return service.Refuse(http.StatusBadRequest, "status is neither 200 nor 4xx")
	}
	if err := s.tell(ctx, ottKey(ott[:]), t); err != nil {
		return unavailable(err)
	}
	return nil
}
