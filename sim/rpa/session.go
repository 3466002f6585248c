package rpa

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// cookieName is the session cookie's name.
const cookieName = "mpin_session"

// tokenSize is the size in bytes of session and log-out tokens; in text they
// are hex.
const tokenSize = 32

// session is what the store has under the hash of a session's token, so that
// who reads the store cannot take a session over.
type session struct {
	UserID string `json:"userId"`
	// Device is the hash of the mpin_id that logged in.
	Device string `json:"device"`
	// Since and Until are in ms since the epoch.
	Since int64 `json:"since"`
	Until int64 `json:"until"`
	// Logout is the key of the log-out token's entry.
	Logout string `json:"logout"`
}

// logoutData is what the phone that logged a browser in gives back to log it
// out.
type logoutData struct {
	LogoutToken string `json:"logoutToken"`
}

// SessionAnswer is the answer to GET /session: who is logged in. Times are in ms
// since the epoch.
type SessionAnswer struct {
	UserID  string `json:"userId"`
	Device  string `json:"device"`
	Since   int64  `json:"since"`
	Expires int64  `json:"expires"`
}

func sessionKey(token string) string { return "session/" + digest(token) }
func logoutKey(token string) string  { return "logout/" + digest(token) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (s *Server) newToken() (string, error) {
	source := s.c.Rand
	if source == nil {
		source = rand.Reader
	}
	var b [tokenSize]byte
	if _, err := io.ReadFull(source, b[:]); err != nil {
		return "", fmt.Errorf("drawing a token: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// sessionToken returns the token of a request's cookie, "" where there is none
// of the right form.
func sessionToken(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil || !isToken(c.Value) {
		return ""
	}
	return c.Value
}

func isToken(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == tokenSize
}

// setCookie gives the browser a session's token; an empty one takes it away.
func (s *Server) setCookie(w http.ResponseWriter, token string) {
	c := &http.Cookie{
		Name: cookieName, Value: token, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(s.c.URL, "https:"),
		MaxAge: int(s.c.SessionTTL / time.Second),
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// open starts a session for who has just logged in, under tokens drawn before,
// and ends the one the browser had. It fails with 403 for the revoked.
func (s *Server) open(ctx context.Context, old, token, logout string, v *wire.RedeemAnswer) (*session, error) {
	raw, err := wire.RawIdentity(v.MpinID)
	if err != nil {
		return nil, fmt.Errorf("the RPS's answer: %w", err)
	}
	now := s.c.Now()
	in := &session{
		UserID: v.UserID, Device: deviceID(raw), Since: now.UnixMilli(),
		Until: now.Add(s.c.SessionTTL).UnixMilli(), Logout: logoutKey(logout),
	}
	value, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	key := sessionKey(token)
	ops := []store.Op{
		store.Get(store.Revocation, revokedUser(in.UserID)),
		store.Get(store.Revocation, revokedDevice(in.Device)),
		store.Put(store.Session, key, value, s.c.SessionTTL),
		store.Put(store.Session, in.Logout, []byte(key), s.c.SessionTTL),
	}
	if old != "" {
		ops = append(ops, store.Delete(store.Session, sessionKey(old)))
	}
	results, err := s.c.Store.Do(ctx, ops...)
	if err != nil {
		return nil, unavailable(err)
	}
	if results[0].OK || results[1].OK {
		// Nobody has been told the token.
		_, err := s.c.Store.Do(ctx, store.Delete(store.Session, key), store.Delete(store.Session, in.Logout))
		if err != nil {
			return nil, unavailable(err)
		}
		return nil, errRevoked
	}
	return in, nil
}

// current returns the session of a request. It fails with 401 where there is
// none, and ends that of somebody who was revoked since.
func (s *Server) current(r *http.Request) (*session, error) {
	token := sessionToken(r)
	if token == "" {
		return nil, errNotLoggedIn
	}
	results, err := s.c.Store.Do(r.Context(), store.Get(store.Session, sessionKey(token)))
	if err != nil {
		return nil, unavailable(err)
	}
	var in session
	if !results[0].OK || json.Unmarshal(results[0].Value, &in) != nil || s.c.Now().UnixMilli() >= in.Until {
		return nil, errNotLoggedIn
	}
	revoked, err := s.revoked(r.Context(), in.UserID, in.Device)
	if err != nil {
		return nil, err
	}
	if revoked {
		_, err := s.c.Store.Do(r.Context(), store.Delete(store.Session, sessionKey(token)), store.Delete(store.Session, in.Logout))
		if err != nil {
			return nil, unavailable(err)
		}
		return nil, errNotLoggedIn
	}
	return &in, nil
}

// whoIsLoggedIn answers GET /session: 200 with a SessionAnswer, 401 for nobody.
func (s *Server) whoIsLoggedIn(w http.ResponseWriter, r *http.Request) error {
	in, err := s.current(r)
	if err != nil {
		return err
	}
	return service.WriteJSON(w, http.StatusOK, SessionAnswer{in.UserID, in.Device, in.Since, in.Until})
}

// logout answers POST /logout: it ends the session of the log-out token in a
// JSON body, as the phone sends it, or else that of the cookie. Of a session
// that has ended already nothing is said, so repeating it is safe.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	byForm := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	var data logoutData
	if !byForm && r.ContentLength != 0 {
		if err := service.ReadJSON(r, wire.MaxBody, &data); err != nil {
			return service.BadBody(http.StatusBadRequest, err)
		}
	}
	switch token := sessionToken(r); {
	case data.LogoutToken != "":
		if !isToken(data.LogoutToken) {
			return service.Refuse(http.StatusBadRequest, "not a log-out token")
		}
		if err := s.endByLogoutToken(r.Context(), data.LogoutToken); err != nil {
			return err
		}
	case token != "":
		if err := s.end(r.Context(), sessionKey(token)); err != nil {
			return err
		}
		s.setCookie(w, "")
	}
	if byForm {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return service.WriteJSON(w, http.StatusOK, done)
}

func (s *Server) endByLogoutToken(ctx context.Context, token string) error {
	results, err := s.c.Store.Do(ctx, store.Take(store.Session, logoutKey(token)))
	if err != nil {
		return unavailable(err)
	}
	if !results[0].OK {
		return nil
	}
	return s.end(ctx, string(results[0].Value))
}

// end removes a session and its log-out token.
func (s *Server) end(ctx context.Context, key string) error {
	results, err := s.c.Store.Do(ctx, store.Take(store.Session, key))
	if err != nil {
		return unavailable(err)
	}
	var in session
	if !results[0].OK || json.Unmarshal(results[0].Value, &in) != nil {
		return nil
	}
	s.metrics.logouts.Inc()
	if _, err := s.c.Store.Do(ctx, store.Delete(store.Session, in.Logout)); err != nil {
		return unavailable(err)
	}
	return nil
}
