package rps

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// verdict is what a redeemed login is told to have been.
type verdict struct {
	status  int // 200, 401, 408, 410
	message string
	raw     []byte // identity; nil with 408
	otp     string
	wid     string
	time    time.Time // of pass 2
}

// redeem judges the login that a one-time token stands for, which is used up.
// An error is none of the verdicts: the login was not judged, or its verdict
// may not be told.
func (s *Server) redeem(ctx context.Context, ott [ottSize]byte) (*verdict, error) {
	key := ottKey(ott[:])
	results, err := s.store.Do(ctx, store.Take(store.Login, key))
	if err != nil {
		return nil, unavailable(err)
	}
	if !results[0].OK {
		return s.unknown(), nil
	}
	return s.judge(ctx, key, results[0].Value)
}

func (s *Server) unknown() *verdict {
	s.metrics.verdicts[expired].Inc()
	return &verdict{status: http.StatusRequestTimeout, message: "unknown or expired authOTT"}
}

// judge judges the login that was taken from under a key. It goes on when the
// client does not wait for it, so that what was reserved is settled.
func (s *Server) judge(ctx context.Context, key string, record []byte) (*verdict, error) {
	l, err := readLogin(record)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	if late(l.answered, now) {
		return s.unknown(), nil
	}
	start := time.Now()
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lockout.policy.Lease*3/4)
	defer cancel()

	t := &trial{Server: s, login: l, hash: new([32]byte), verifier: s.verifier.Load()}
	*t.hash = wire.HashIdentity(l.id)
	c, failures, err := notJudged, 0, error(errNotReady)
	if t.verifier != nil {
		if err = t.open(); err == nil {
			c, failures, err = t.judge(work)
		}
	}
	s.metrics.verdicts[c].Inc()
	if err != nil {
		s.restore(work, key, record, loginLife-max(0, now.Sub(l.answered)))
		return nil, s.undecided(err)
	}
	d := &verdict{raw: l.id, wid: l.wid, time: l.answered}
	switch {
	case c == accepted:
		d.status, d.message, d.otp = http.StatusOK, "OK", l.otp
		s.identities.keep(t.hash, t.identity)
	case c == blocked || failures >= s.lockout.policy.Max:
		d.status, d.message = http.StatusGone, "this identity is blocked: register again"
		if c != blocked {
			s.metrics.blocks.Inc()
		}
	default:
		d.status, d.message = http.StatusUnauthorized, "wrong PIN"
	}
	if s.log.Enabled(ctx, slog.LevelInfo) {
		s.log.LogAttrs(ctx, slog.LevelInfo, "login", s.who(t.hash), slog.String("verdict", string(c)),
			slog.Int("status", d.status), slog.Int("failures", failures))
	}
	if c != accepted && c != blocked {
		s.lockout.mask(ctx, start)
	}
	return d, nil
}

// open finds or makes what judging needs to be decoded.
func (t *trial) open() (err error) {
	if o, ok := t.challenges.take(t.login.y); ok {
		t.metrics.challengeHits.Inc()
		t.identity, t.challenge = o.id, o.challenge
		return nil
	}
	t.metrics.challengeMisses.Inc()
	t.identity, err = t.identities.get(t.hash, t.login.id)
	return err
}

// restore puts a login back that was not judged.
func (s *Server) restore(ctx context.Context, key string, record []byte, left time.Duration) {
	if left <= 0 {
		return
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
	}
	if _, err := s.store.Do(ctx, store.Put(store.Login, key, record, left)); err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "login lost", slog.String("cause", err.Error()))
	}
}

var errNotReady = errors.New("server secret not gathered yet")

// undecided is the answer where there is no verdict.
func (s *Server) undecided(cause error) error {
	if errors.Is(cause, protocol.ErrOverloaded) {
		return &service.Error{
			Status: http.StatusServiceUnavailable, Message: "too many logins, try again",
			RetryAfter: time.Second, Cause: cause,
		}
	}
	return unavailable(cause)
}

// answer is the verdict for the application.
func (d *verdict) answer() (*wire.RedeemAnswer, error) {
	a := &wire.RedeemAnswer{Status: d.status, Message: d.message, OTP: d.otp}
	if d.raw == nil {
		return a, nil
	}
	id, err := wire.ParseIdentity(hex.EncodeToString(d.raw))
	if err != nil {
		return nil, err
	}
	a.UserID, a.MpinID = id.UserID, hex.EncodeToString(d.raw)
	return a, nil
}
