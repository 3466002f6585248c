package rps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// identityOf reads an mpin_id. Errors: wire.ErrIdentity.
func identityOf(mpinID string) (raw []byte, hash [32]byte, err error) {
	if raw, err = wire.RawIdentity(mpinID); err != nil {
		return nil, hash, err
	}
	return raw, wire.HashIdentity(raw), nil
}

// pass1 draws a challenge for the client's commitment.
func (s *Server) pass1(ctx context.Context, q *pass1Request) (*wire.Pass1Answer, error) {
	v := s.verifier.Load()
	if v == nil {
		return nil, unavailable(nil)
	}
	switch {
	case q.Pass != "1":
		return nil, service.Refuse(http.StatusForbidden, "pass is not 1")
	case q.MpinID == "" || q.U == "" || q.UT == "":
		return nil, service.Refuse(http.StatusForbidden, "one of mpin_id, U, UT is missing")
	}
	now := s.cfg.Now()
	l := &login{begun: now}
	var hash [32]byte
	var err error
	if l.id, hash, err = identityOf(q.MpinID); err == nil && !s.identities.has(&hash) {
		_, err = wire.ParseIdentity(q.MpinID) // as it was once for those who are known
	}
	if err != nil {
		return nil, service.Refusal(http.StatusForbidden, "mpin_id is malformed", err)
	}
	if l.u, err = s.point(q.U); err != nil {
		return nil, service.Refusal(http.StatusForbidden, "U is malformed", err)
	}
	if l.ut, err = s.point(q.UT); err != nil {
		return nil, service.Refusal(http.StatusForbidden, "UT is malformed", err)
	}
	if len(q.Proof) > 2*maxProof {
		return nil, service.Refuse(http.StatusForbidden, "proof is malformed")
	}
	if l.proof, err = hex.DecodeString(q.Proof); err != nil {
		return nil, service.Refuse(http.StatusForbidden, "proof is malformed")
	}
	id, err := s.identities.get(&hash, l.id)
	if err != nil {
		return nil, service.Refusal(http.StatusForbidden, "mpin_id is malformed", err)
	}
	challenge, err := s.challenge(v, l, id)
	if err != nil {
		return nil, err
	}
	results, err := s.store.Do(ctx,
		store.Create(store.Mark, markOf(&hash, l.u), nil, s.cfg.RememberU),
		store.Put(store.Challenge, string(hash[:]), l.encodePass1(), challengeLife))
	if err != nil {
		return nil, unavailable(err)
	}
	if !results[0].OK {
		s.metrics.repeatedU.Inc()
		s.log.LogAttrs(ctx, slog.LevelWarn, "U seen again", s.who(&hash))
		if s.suite.ID().Dialect != protocol.Milagro {
			// A refused pass 1 leaves nothing for a pass 2.
			if _, err := s.store.Do(ctx, store.Delete(store.Challenge, string(hash[:]))); err != nil {
				return nil, unavailable(err)
			}
			return nil, service.Refuse(http.StatusForbidden, "U was used before")
		}
	}
	s.challenges.put(l.y, opened{id, challenge})
	return &wire.Pass1Answer{Version: wire.Version, Y: hex.EncodeToString(l.y), Pass: 1, Message: "OK"}, nil
}

// challenge checks U and UT and draws y.
func (s *Server) challenge(v *verifier, l *login, id *protocol.Identity) (*protocol.Challenge, error) {
	if v.unchecked != nil {
		return nil, s.batchedChallenge(v, l)
	}
	if _, err := s.suite.DecodeG1(l.u); err != nil {
		return nil, service.Refusal(http.StatusForbidden, "U is malformed", err)
	}
	dates, err := wire.Accepted(l.begun)
	if err != nil {
		return nil, err
	}
	c, err := v.Challenge(id, protocol.Pass1{U: l.u, UT: l.ut}, dates[0], s.random)
	if err != nil {
		return nil, service.Refusal(http.StatusForbidden, "UT is malformed", err)
	}
	l.y = c.Y()
	return c, nil
}

// batchedChallenge is challenge where batches check subgroups more cheaply than
// it could be done here: that is left to them, for UT, and for U to who looks
// at it. Nothing is ever computed with a point before.
func (s *Server) batchedChallenge(v *verifier, l *login) error {
	for _, p := range []struct {
		name  string
		bytes []byte
	}{{"U", l.u}, {"UT", l.ut}} {
		point, err := v.unchecked.DecodeG1Unchecked(p.bytes)
		if err == nil && point.IsIdentity() {
			err = protocol.ErrIdentityPoint
		}
		if err != nil {
			return service.Refusal(http.StatusForbidden, p.name+" is malformed", err)
		}
	}
	// Any 2^128 − 1 values are as good as all, see protocol.Verifier.Challenge.
	var buf [16]byte
	for range 4 {
		if _, err := io.ReadFull(s.random, buf[:]); err != nil {
			return fmt.Errorf("drawing a challenge: %w", err)
		}
		if y := s.suite.Backend().ReduceScalar(buf[:]); !y.IsZero() {
			l.y = s.suite.EncodeScalar(y)
			return nil
		}
	}
	return errors.New("drawing a challenge: the source gives zeros")
}

// maxProof is the greatest proof of binding: 16 bytes and a scalar.
const maxProof = 16 + 128

// point reads the hex of a point. What has the length of the suite's own
// encoding is not looked at further; another encoding, compressed, is turned
// into that one, so that a point has one form only.
func (s *Server) point(text string) ([]byte, error) {
	if len(text) > 2*s.g1 {
		return nil, fmt.Errorf("%w: %d hex digits, not %d", wire.ErrMalformed, len(text), 2*s.g1)
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: not hex", wire.ErrMalformed)
	}
	if len(b) == s.g1 {
		return b, nil
	}
	p, err := s.suite.DecodeG1(b)
	if err != nil {
		return nil, err
	}
	return s.suite.EncodeG1(p), nil
}

// markOf is the key under which a U of an identity is remembered: half a hash,
// so that users can only collide with themselves.
func markOf(hash *[32]byte, u []byte) string {
	h := sha256.New()
	h.Write(hash[:])
	h.Write(u)
	var sum [32]byte
	return string(h.Sum(sum[:0])[:16])
}

// pass2 keeps the client's answer for who redeems authOTT. It tells nothing
// about it.
func (s *Server) pass2(ctx context.Context, q *pass2Request) (*wire.Pass2Answer, error) {
	switch {
	case q.Pass != "2":
		return nil, service.Refuse(http.StatusForbidden, "pass is not 2")
	case q.MpinID == "" || q.V == "":
		return nil, service.Refuse(http.StatusForbidden, "one of mpin_id, V is missing")
	case !isWID(string(q.WID)):
		return nil, service.Refuse(http.StatusForbidden, "WID is malformed")
	}
	_, hash, err := identityOf(q.MpinID)
	if err != nil {
		return nil, service.Refusal(http.StatusForbidden, "mpin_id is malformed", err)
	}
	now := s.cfg.Now()
	l := &login{answered: now}
	if l.v, err = s.point(q.V); err != nil {
		return nil, service.Refusal(http.StatusForbidden, "V is malformed", err)
	}
	if q.WID != "0" {
		l.wid = string(q.WID)
	}
	if q.OTP == 1 {
		if l.otp, err = sixDigits(s.random); err != nil {
			return nil, err
		}
	}
	ott, err := s.ott()
	if err != nil {
		return nil, err
	}
	results, err := s.store.Do(ctx,
		store.Move(store.Challenge, string(hash[:]), store.Login, ottKey(ott[:]), l.encodePass2(), loginLife))
	if err != nil {
		return nil, unavailable(err)
	}
	if !results[0].OK {
		return nil, service.Refusal(http.StatusInternalServerError, "no pass 1 came before", errNoPass1)
	}
	r := read(results[0].Value, formChallenge)
	begun := r.time()
	if r.bad {
		return nil, fmt.Errorf("%w: challenge", errRecord)
	}
	if now.Sub(begun) > challengeLife {
		return nil, service.Refusal(http.StatusInternalServerError, "no pass 1 came before", errNoPass1)
	}
	return &wire.Pass2Answer{Version: wire.Version, Pass: 2, AuthOTT: hex.EncodeToString(ott[:]), OTP: l.otp}, nil
}

var errNoPass1 = errors.New("no challenge, or one that has expired or was used")

// isWID tells whether s can be what a login is tied to: nothing, an access
// number or a QR code's wid.
func isWID(s string) bool {
	if s == "" || s == "0" || wire.CheckAccessNumber(s) == nil {
		return true
	}
	_, ok := parseOTT(s)
	return ok
}

// parseOTT reads 32 hex digits.
func parseOTT(s string) (raw [ottSize]byte, ok bool) {
	if len(s) != 2*ottSize {
		return raw, false
	}
	_, err := hex.Decode(raw[:], []byte(s))
	return raw, err == nil
}

// ottKey is the key of what a one-time token stands for: not the token itself,
// so that what the store holds does not log anyone in.
func ottKey(raw []byte) string {
	h := sha256.Sum256(raw)
	return string(h[:ottSize])
}

// sixDigits draws a number of six digits.
func sixDigits(random io.Reader) (string, error) {
	for {
		var b [3]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("drawing an OTP: %w", err)
		}
		// 2^24 = 16·10^6 + 777216: the rest is drawn again.
		if n := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]); n < 16_000_000 {
			return fmt.Sprintf("%06d", n%1_000_000), nil
		}
	}
}

// late tells whether a login's time is over.
func late(answered, now time.Time) bool { return now.Sub(answered) > loginLife }
