package rps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"mpinlab/sim/service"
)

// ask sends a request to the relying party application.
func (s *Server) ask(ctx context.Context, method, to string, body []byte, v any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	q, err := http.NewRequestWithContext(ctx, method, to, r)
	if err != nil {
		return fmt.Errorf("%w: not a usable URL", service.ErrUnreachable)
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	q.Header.Set("RPS-BASE-URL", s.cfg.origin)
	if id := service.RequestID(ctx); id != "" {
		q.Header.Set("X-Request-Id", id)
	}
	return s.caller.Do(q, v)
}

// passOn turns what the application answered into ours: its refusals (4xx) pass
// through, anything else is a failure of ours.
func passOn(message string, err error) error {
	var refusal *service.StatusError
	if !errors.As(err, &refusal) || refusal.Status < 400 || refusal.Status > 499 {
		return service.Refusal(http.StatusInternalServerError, "the application does not answer", err)
	}
	if refusal.Message != "" {
		message = refusal.Message
	}
	return service.Refuse(refusal.Status, message)
}

// askPermit asks the application whether an identity may have a permit.
func (s *Server) askPermit(ctx context.Context, mpinID string) error {
	if s.cfg.PermitURL == "" {
		return nil
	}
	err := s.ask(ctx, http.MethodGet, s.cfg.PermitURL+"?"+url.Values{"mpin_id": {mpinID}}.Encode(), nil, nil)
	if err != nil {
		return passOn("the application does not permit this identity", err)
	}
	return nil
}
