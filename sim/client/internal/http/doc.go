// Package http is what package client needs of net/http, by the same names:
// net/http itself, or in a browser fetch without it. There TLS, proxies, cookies
// and HTTP/2 are the browser's, and carrying a second set would more than double
// the size of the page's WebAssembly.
package http

// The methods and statuses that clients meet.
const (
	MethodGet  = "GET"
	MethodPost = "POST"
	MethodPut  = "PUT"

	StatusBadRequest          = 400
	StatusUnauthorized        = 401
	StatusForbidden           = 403
	StatusNotFound            = 404
	StatusRequestTimeout      = 408
	StatusConflict            = 409
	StatusGone                = 410
	StatusPreconditionFailed  = 412
	StatusTooManyRequests     = 429
	StatusInternalServerError = 500
	StatusBadGateway          = 502
	StatusServiceUnavailable  = 503
	StatusGatewayTimeout      = 504
)
