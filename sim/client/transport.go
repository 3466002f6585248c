package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"mpinlab/sim/client/internal/http"
	"mpinlab/sim/wire"
)

// retries is how often a request is sent again that can do no harm twice, and
// retryPause how long is waited before the first time, doubled each time.
const (
	retries    = 2
	retryPause = 100 * time.Millisecond
)

// request is one exchange with a server.
type request struct {
	step   Step
	method string
	url    *url.URL
	body   any // sent as JSON, nil for none
	out    any // what JSON is read into, nil for none
	// limit is the greatest answer read, 0 for wire.MaxAnswer.
	limit int64
	// again says that the request may be sent more than once.
	again bool
	// secret says that the answer's bytes are to be wiped.
	secret bool
	// timeout in place of the client's, 0 for that.
	timeout time.Duration
	cookies []*http.Cookie
	// kinds are the kinds of error by status where they are not the usual.
	kinds map[int]error
	// public is what the step tells a tracer when it went well.
	public func() map[string]string
}

// answer is what came back, beside JSON.
type answer struct {
	raw     []byte
	cookies []*http.Cookie
}

func (c *Client) get(ctx context.Context, step Step, u *url.URL, out any) error {
	_, err := c.do(ctx, &request{step: step, method: http.MethodGet, url: u, out: out, again: true})
	return err
}

// do sends a request, again if it may and there was no good answer for reasons
// that may pass, and reads the answer. Its errors name the step and neither
// address nor body, which may hold one-time tokens.
func (c *Client) do(ctx context.Context, r *request) (*answer, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("%s: %w", r.step, err)
		}
	}
	pause := c.pause
	for attempt := 0; ; attempt++ {
		start := time.Now()
		a, status, err := c.once(ctx, r, body)
		public := r.public
		if err != nil {
			public = nil
		}
		c.trace(r.step, start, status, err, public)
		if err == nil || !r.again || attempt == retries || !passing(status, err) {
			return a, err
		}
		if wait(ctx, pause) != nil {
			return nil, err
		}
		pause *= 2
	}
}

// passing tells whether a failure may be gone soon.
func passing(status int, err error) bool {
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return errors.Is(err, ErrUnreachable)
}

// wait waits, or returns the context's error.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func (c *Client) once(ctx context.Context, r *request, body []byte) (*answer, int, error) {
	timeout := r.timeout
	if timeout == 0 {
		timeout = c.opt.Timeout
	}
	inner, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequest(inner, r.method, r.url.String(), reader)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %s: cannot make the request", ErrServer, r.step)
	}
	req.Header.Set("Accept", "application/json, text/plain")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, k := range r.cookies {
		req.AddCookie(k)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, unreachable(ctx, r.step, err)
	}
	defer resp.Body.Close()
	limit := r.limit
	if limit == 0 {
		limit = wire.MaxAnswer
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if r.secret {
		defer clear(raw)
	}
	switch {
	case err != nil:
		return nil, resp.StatusCode, unreachable(ctx, r.step, err)
	case int64(len(raw)) > limit:
		return nil, resp.StatusCode, nonsense(r.step, "an answer of more than %d bytes", limit)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, resp.StatusCode, refusal(r, resp.StatusCode, raw)
	}
	if r.out != nil {
		if err := decode(raw, r.out); err != nil {
			return nil, resp.StatusCode, nonsense(r.step, "%w", err)
		}
		return &answer{cookies: resp.Cookies()}, resp.StatusCode, nil
	}
	return &answer{raw, resp.Cookies()}, resp.StatusCode, nil
}

// decode reads one JSON object and nothing after it. Errors tell where the text
// goes wrong and quote none of it, which may be a secret.
func decode(raw []byte, out any) error {
	trimmed := bytes.TrimLeft(raw, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("the answer is no JSON object")
	}
	err := json.Unmarshal(raw, out)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("malformed JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("JSON field %q is of the wrong kind", words(kind.Field))
	case err != nil:
		return errors.New("the answer's JSON does not fit")
	}
	return nil
}

// unreachable makes an error of a failed exchange. The http package's own error
// quotes the address, which is left out.
func unreachable(ctx context.Context, step Step, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", step, context.Cause(ctx))
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %s: no answer in time", ErrUnreachable, step)
	}
	return fmt.Errorf("%w: %s: %w", ErrUnreachable, step, err)
}

// refusal makes an error of an answer that is not 2xx.
func refusal(r *request, status int, raw []byte) error {
	e := &StatusError{Step: r.step, Status: status, kind: r.kinds[status]}
	var said wire.Refusal
	if decode(raw, &said) == nil {
		e.Message, e.RequestID = words(said.Message), words(said.RequestID)
	}
	switch {
	case e.kind != nil:
	case status == http.StatusTooManyRequests:
		e.kind = ErrBusy
	case status >= 400 && status < 500:
		e.kind = ErrRefused
	case status >= 300 && status < 400:
		e.kind, e.Message = ErrServer, "a redirection, which is not followed"
	default:
		e.kind = ErrServer
	}
	return e
}
