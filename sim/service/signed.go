package service

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"mpinlab/sim/wire"
)

// BadQuery turns an error of a wire.Query's checks into the documented refusal:
// 401 for the signature, 403 for a missing or malformed argument, 408 for an
// expired request.
func BadQuery(err error) error {
	switch {
	case errors.Is(err, wire.ErrSignature):
		return Refusal(http.StatusUnauthorized, "invalid signature", err)
	case errors.Is(err, wire.ErrExpired):
		return Refusal(http.StatusRequestTimeout, "request expired", err)
	case errors.Is(err, wire.ErrMalformed):
		return &Error{Status: http.StatusForbidden, Message: err.Error()}
	}
	return err
}

// Bearer tells whether a request carries a secret token, in constant time. No
// request carries an empty one.
func Bearer(r *http.Request, token string) bool {
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && ok && token != ""
}
