package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"mpinlab/sim/wire"
)

var (
	// ErrUnreachable: no answer came: refused, timed out, cut. Whether the
	// request was carried out is not known.
	ErrUnreachable = errors.New("no answer")
	// ErrAnswer: an answer that is too large or not the expected JSON.
	ErrAnswer = errors.New("unusable answer")
)

// StatusError is an answer that is not 200.
type StatusError struct {
	Status int
	// Message is what the other server says, at most 200 bytes of it.
	Message string
}

// Error returns status and message.
func (e *StatusError) Error() string {
	return fmt.Sprintf("status %d: %s", e.Status, e.Message)
}

// Caller sends one server's requests to another. The zero value is ready for
// use. It follows no redirections, reads no more than MaxAnswer bytes, passes
// the request's id on, and its errors hold no URLs, since signatures are in
// them.
type Caller struct {
	// Transport is nil for one with its own pool of connections.
	Transport http.RoundTripper
	// Timeout is for a whole call; 0 means 10 s. The context's may be shorter.
	Timeout time.Duration
	// MaxAnswer is the greatest answer in bytes; 0 means wire.MaxAnswer.
	MaxAnswer int64
}

// defaultTransport keeps enough idle connections for the few servers that a
// server talks to.
var defaultTransport = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConnsPerHost = 128
	t.MaxIdleConns = 512
	t.MaxResponseHeaderBytes = 16 << 10
	return t
}()

// Get asks for a URL and reads the JSON answer into v, which may be nil.
// Errors: ErrUnreachable, *StatusError, ErrAnswer.
func (c *Caller) Get(ctx context.Context, url string, v any) error {
	return c.do(ctx, http.MethodGet, url, nil, v)
}

// Post sends body as JSON and reads the answer into v, which may be nil.
// Errors: as those of Get.
func (c *Caller) Post(ctx context.Context, url string, body, v any) error {
	b, err := Marshal(body)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return c.do(ctx, http.MethodPost, url, b, v)
}

func (c *Caller) do(ctx context.Context, method, to string, body []byte, v any) error {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, to, reader)
	if err != nil {
		return fmt.Errorf("%w: not a usable URL", ErrUnreachable)
	}
	if body != nil {
		req.Header["Content-Type"] = contentType
	}
	if id := RequestID(ctx); id != "" {
		req.Header.Set("X-Request-Id", id)
	}
	return c.Do(req, v)
}

// Do sends a request that the caller has made, and reads a JSON answer into v,
// which may be nil. Errors: as those of Get.
func (c *Caller) Do(req *http.Request, v any) error {
	transport := c.Transport
	if transport == nil {
		transport = defaultTransport
	}
	limit := c.MaxAnswer
	if limit == 0 {
		limit = wire.MaxAnswer
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var r wire.Refusal
		// The message is a courtesy: an answer without one is a refusal too.
		_ = decode(resp.Body, limit, &r)
		if len(r.Message) > 200 {
			r.Message = r.Message[:200]
		}
		return &StatusError{resp.StatusCode, r.Message}
	}
	if v == nil {
		if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, limit)); err != nil {
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		return nil
	}
	switch err := decode(resp.Body, limit, v); {
	case err == nil:
		return nil
	case errors.Is(err, ErrJSON), errors.Is(err, ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
}
