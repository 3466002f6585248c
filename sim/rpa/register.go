package rpa

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// maxActivateKey bounds an activation key in hex digits; ours have 64.
const maxActivateKey = 256

// mail is what would have been sent to a user: the latest.
type mail struct {
	MpinID      string `json:"mpinId"`
	ActivateKey string `json:"activateKey"`
	DeviceName  string `json:"deviceName,omitempty"`
}

func mailKey(userID string) string { return "mail/" + userID }

// mailTTL is how long a mail is kept where its registration's expiry cannot be
// read, and at most.
const mailTTL = time.Hour

// verify answers POST /mpinVerify, with which the RPS asks before it takes a
// registration: forceActivate, or a mail with a link. 400 for a malformed
// request, 403 for a revoked user.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) error {
	var request wire.VerifyRequest
	if err := service.ReadJSON(r, wire.MaxBody, &request); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	id, err := wire.ParseIdentity(request.MpinID)
	if err != nil || id.UserID != request.UserID {
		return service.Refusal(http.StatusBadRequest, "the identity is not of this user", err)
	}
	if len(request.DeviceName) > wire.MaxDevice || !isHex(request.ActivateKey, maxActivateKey) {
		return service.Refuse(http.StatusBadRequest, "malformed request")
	}
	raw, err := wire.RawIdentity(request.MpinID)
	if err != nil {
		return service.Refusal(http.StatusBadRequest, "malformed identity", err)
	}
	device := deviceID(raw)
	revoked, err := s.revoked(r.Context(), request.UserID, device)
	if err != nil {
		return err
	}
	if revoked {
		return errRevoked
	}
	byMail := s.c.VerifyByMail != nil && s.c.VerifyByMail.MatchString(request.UserID)
	if byMail {
		if err := s.send(r.Context(), &request); err != nil {
			return err
		}
	}
	err = s.addDevice(r.Context(), request.UserID, Device{
		ID: device, Name: request.DeviceName, Mobile: request.Mobile == 1,
		Registered: s.c.Now().UnixMilli(), Active: !byMail,
	})
	if err != nil {
		return err
	}
	s.metrics.registered(byMail)
	return service.WriteJSON(w, http.StatusOK, wire.VerifyAnswer{ForceActivate: !byMail})
}

// send puts a mail into the outbox, over the user's last one.
func (s *Server) send(ctx context.Context, request *wire.VerifyRequest) error {
	value, err := json.Marshal(mail{request.MpinID, request.ActivateKey, request.DeviceName})
	if err != nil {
		return err
	}
	ttl := mailTTL
	if until, err := time.Parse(wire.TimestampLayout, request.ExpireTime); err == nil {
		if left := until.Sub(s.c.Now()); left > 0 && left < ttl {
			ttl = left
		}
	}
	if _, err := s.c.Store.Do(ctx, store.Put(store.Account, mailKey(request.UserID), value, ttl)); err != nil {
		return unavailable(err)
	}
	return nil
}

func (s *Server) link(m *mail) string {
	return s.c.URL + "/activate?" + url.Values{"mpinId": {m.MpinID}, "activateKey": {m.ActivateKey}}.Encode()
}

// outbox answers GET /outbox?user=ID with the user's last mail, as JSON or, for
// a browser, as a page; 404 where there is none.
func (s *Server) outbox(w http.ResponseWriter, r *http.Request) error {
	user := r.URL.Query().Get("user")
	if user == "" && wantsPage(r) {
		return s.page(w, http.StatusOK, "outbox.html", nil)
	}
	if err := wire.CheckUserID(user); err != nil {
		return service.Refusal(http.StatusBadRequest, "user must be a user ID", err)
	}
	results, err := s.c.Store.Do(r.Context(), store.Get(store.Account, mailKey(user)))
	if err != nil {
		return unavailable(err)
	}
	var m mail
	if !results[0].OK || json.Unmarshal(results[0].Value, &m) != nil {
		return service.Refuse(http.StatusNotFound, "no mail for this user")
	}
	answer := wire.OutboxAnswer{MpinID: m.MpinID, ActivateKey: m.ActivateKey, Link: s.link(&m)}
	if wantsPage(r) {
		return s.page(w, http.StatusOK, "mail.html", map[string]any{"User": user, "Device": m.DeviceName, "Link": answer.Link})
	}
	return service.WriteJSON(w, http.StatusOK, answer)
}

// showActivation answers GET /activate, the link in a mail. A browser is shown
// what is to be activated and a button: programs that look through mails open
// links too, and a user should see a device that is not his. A program that
// asks for JSON activates at once.
func (s *Server) showActivation(w http.ResponseWriter, r *http.Request) error {
	if !wantsPage(r) {
		if r.Method == http.MethodHead || r.Header.Get("Sec-Purpose") != "" {
			return service.Refuse(http.StatusForbidden, "not to be opened ahead of time")
		}
		return s.activate(w, r)
	}
	q := r.URL.Query()
	id, err := wire.ParseIdentity(q.Get("mpinId"))
	if err != nil || !isHex(q.Get("activateKey"), maxActivateKey) {
		return s.page(w, http.StatusBadRequest, "message.html", noLink)
	}
	return s.page(w, http.StatusOK, "activate.html", map[string]any{
		"User": id.UserID, "Issued": id.Issued, "Mobile": id.Mobile == 1,
		"MpinID": q.Get("mpinId"), "ActivateKey": q.Get("activateKey"),
	})
}

// activate answers POST /activate: parameters mpinId and activateKey, in a form
// or the query, or a JSON body. The RPS decides; its refusal passes through.
func (s *Server) activate(w http.ResponseWriter, r *http.Request) error {
	mpinID, key, err := activation(r)
	if err != nil {
		return err
	}
	raw, err := wire.RawIdentity(mpinID)
	if err != nil || !isHex(key, maxActivateKey) {
		return service.Refusal(http.StatusBadRequest, "not an activation link", err)
	}
	id, err := wire.ParseIdentity(mpinID)
	if err != nil {
		return service.Refusal(http.StatusBadRequest, "not an activation link", err)
	}
	err = s.rps.Post(r.Context(), s.c.RPSPrivate+wire.PrivateUser+mpinID, wire.ActivateRequest{ActivateKey: key}, nil)
	if err != nil {
		if wantsPage(r) {
			return s.page(w, http.StatusBadRequest, "message.html", oldLink)
		}
		_, refused := loginRefusal(err)
		return refused
	}
	if err := s.activated(r.Context(), id, deviceID(raw)); err != nil {
		return err
	}
	if wantsPage(r) {
		return s.page(w, http.StatusOK, "message.html", activeNow)
	}
	return service.WriteJSON(w, http.StatusOK, done)
}

func activation(r *http.Request) (mpinID, key string, err error) {
	if r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var body struct {
			MpinID      string `json:"mpinId"`
			ActivateKey string `json:"activateKey"`
		}
		if err := service.ReadJSON(r, wire.MaxBody, &body); err != nil {
			return "", "", service.BadBody(http.StatusBadRequest, err)
		}
		return body.MpinID, body.ActivateKey, nil
	}
	if err := r.ParseForm(); err != nil {
		if max := (*http.MaxBytesError)(nil); errors.As(err, &max) {
			return "", "", service.Refuse(http.StatusRequestEntityTooLarge, "body too large")
		}
		return "", "", service.Refuse(http.StatusBadRequest, "malformed form")
	}
	return r.Form.Get("mpinId"), r.Form.Get("activateKey"), nil
}

// message is a page that says how an activation ended.
type message struct {
	Good        bool
	Title, Text string
}

var (
	activeNow = message{true, "The device is activated", "Go back to where you began to register: choose your PIN there. You can close this window."}
	oldLink   = message{false, "This link is no longer valid", "It was used before, has expired, or a newer one was sent. Go on where you began to register; you can have another link sent from there."}
	noLink    = message{false, "This is not an activation link", "Part of it may be missing. Open the link in the mail itself, or copy the whole of it."}
)

// isHex tells whether s is 2 to most hex digits.
func isHex(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}
