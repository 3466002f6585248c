//go:build !js

package http

import (
	"context"
	"io"
	"net/http"
)

// What net/http has.
type (
	Client       = http.Client
	Cookie       = http.Cookie
	Request      = http.Request
	RoundTripper = http.RoundTripper
)

// NewClient makes a client that follows no redirection, on a transport, nil for
// a pool of its own.
func NewClient(transport RoundTripper) *Client {
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		transport = t
	}
	return &Client{
		Transport: transport,
		// An answer from elsewhere is not the deployment's.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// NewRequest makes a request.
func NewRequest(ctx context.Context, method, url string, body io.Reader) (*Request, error) {
	return http.NewRequestWithContext(ctx, method, url, body)
}
