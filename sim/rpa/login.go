package rpa

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// done is the body of an answer that has nothing to say.
var done = struct {
	Message string `json:"message"`
}{"OK"}

// The refusals that several paths give.
var (
	errNotLoggedIn = service.Refuse(http.StatusUnauthorized, "nobody is logged in")
	errRevoked     = service.Refuse(http.StatusForbidden, "revoked")
)

func unavailable(err error) error {
	return service.Refusal(http.StatusServiceUnavailable, "try again later", err)
}

// ottSize is the size of an authOTT in bytes; in text it is hex.
const ottSize = 16

// authenticate answers POST /mpinAuthenticate. It redeems the authOTT of a
// client, its own or the one an access number's page was given, and answers
// with the status of the verdict: 200 with a session in a cookie, 401 for a
// wrong PIN, 408 for an unknown or expired authOTT, 410 for a blocked identity.
// Besides: 400 for a malformed request, 403 for the revoked, 503 with Retry-After
// where the RPS cannot judge at present, 502 where it does not answer.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) error {
	var request wire.AuthenticateRequest
	if err := service.ReadJSON(r, wire.MaxBody, &request); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	ott := request.MpinResponse.AuthOTT
	switch b, err := hex.DecodeString(ott); {
	case ott == "":
		return service.Refuse(http.StatusBadRequest, "authOTT is missing")
	case err != nil || len(b) != ottSize:
		s.metrics.login(http.StatusRequestTimeout)
		return service.Refuse(http.StatusRequestTimeout, "unknown or expired authOTT")
	}
	// A session never keeps a token that was known before the login.
	token, err := s.newToken()
	if err != nil {
		return err
	}
	logout, err := s.newToken()
	if err != nil {
		return err
	}
	data, err := json.Marshal(logoutData{logout})
	if err != nil {
		return err
	}
	var verdict wire.RedeemAnswer
	err = s.rps.Post(r.Context(), s.c.RPSPrivate+wire.PrivateAuthenticate,
		wire.RedeemRequest{AuthOTT: ott, LogoutURL: s.c.URL + "/logout", LogoutData: data}, &verdict)
	if err != nil {
		status, refused := loginRefusal(err)
		s.metrics.login(status)
		return refused
	}
	in, err := s.open(r.Context(), sessionToken(r), token, logout, &verdict)
	if err != nil {
		s.metrics.login(http.StatusForbidden)
		return err
	}
	s.metrics.login(http.StatusOK)
	s.setCookie(w, token)
	return service.WriteJSON(w, http.StatusOK, wire.LoginAnswer{
		UserID: in.UserID, LogoutURL: s.c.URL + "/logout", LogoutData: data,
	})
}

// loginRefusal passes the RPS's refusals through. What it asks to try again is 503
// with a time to wait, be it that it cannot serve (503) or that this application
// asks too much of it (429), which is not the client's doing. Its failures are
// 502.
func loginRefusal(err error) (status int, refused error) {
	var e *service.StatusError
	switch {
	case !errors.As(err, &e):
	case e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests:
		return http.StatusServiceUnavailable, &service.Error{
			Status: http.StatusServiceUnavailable, Message: "try again later", RetryAfter: time.Second, Cause: err,
		}
	case e.Status >= 400 && e.Status < 500:
		return e.Status, service.Refuse(e.Status, e.Message)
	}
	return http.StatusBadGateway, service.Refusal(http.StatusBadGateway, "the RPS does not answer", err)
}
