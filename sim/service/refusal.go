package service

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"mpinlab/sim/wire"
)

// Error is a refusal: what the client is told, and what only the log is.
type Error struct {
	Status  int
	Message string
	// RetryAfter, if not zero, is told in the header of that name.
	RetryAfter time.Duration
	// Cause goes into the log. It must hold no secrets.
	Cause error
}

// Error returns the message and the cause, for logs.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Refuse returns a refusal with a status and a message for the client.
func Refuse(status int, message string) error { return &Error{Status: status, Message: message} }

// Refusal is Refuse with a cause for the log.
func Refusal(status int, message string, cause error) error {
	return &Error{Status: status, Message: message, Cause: cause}
}

// statusGone is logged and counted, never sent, where the client has left.
const statusGone = 499

// refuse answers with an error of a route's function.
func (s *Service) refuse(rw *responder, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Status: http.StatusInternalServerError, Message: "internal error", Cause: err}
		if r.Context().Err() != nil {
			e.Status = statusGone
		}
	}
	rw.cause = e.Cause
	if rw.wrote {
		rw.level = slog.LevelWarn // too late to tell the client
		return
	}
	if e.Status == statusGone {
		rw.status = statusGone
		return
	}
	h := rw.Header()
	if e.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "M-Pin")
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
	if e := WriteJSON(rw, e.Status, wire.Refusal{Message: e.Message, RequestID: rw.id}); e != nil && rw.cause == nil {
		rw.cause = e
	}
}

// responder remembers what was answered, for the log.
type responder struct {
	http.ResponseWriter
	id     string
	status int
	wrote  bool
	level  slog.Level
	cause  error
	notes  []slog.Attr
}

func (w *responder) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		if !w.wrote {
			w.status = status
		}
		w.wrote = true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responder) Write(b []byte) (int, error) {
	if !w.wrote {
		w.wrote, w.status = true, http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *responder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Note adds attributes to the request's line in the log: no secrets and no
// identities in clear, the first digits of a hash at most.
func Note(w http.ResponseWriter, attrs ...slog.Attr) {
	if rw, ok := w.(*responder); ok {
		rw.notes = append(rw.notes, attrs...)
	}
}

type requestIDKey struct{}

func withRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx belongs to, "" outside one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// requestID takes a trusted proxy's id, if it is one, or draws a fresh one: 16
// hex digits, which are a name and no secret.
func requestID(r *http.Request, trusted bool) string {
	if trusted {
		if id := r.Header.Get("X-Request-Id"); plausibleID(id) {
			return id
		}
	}
	var b [8]byte
	for i, x := 0, rand.Uint64(); i < len(b); i, x = i+1, x>>8 {
		b[i] = byte(x)
	}
	return hex.EncodeToString(b[:])
}

func plausibleID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
