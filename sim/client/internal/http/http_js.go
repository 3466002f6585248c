//go:build js

package http

import (
	"context"
	"errors"
	"io"
	"syscall/js"
)

// RoundTripper cannot be had in a browser: only nil fits.
type RoundTripper interface{ onlyNil() }

// Cookie is nothing here: the browser keeps cookies to itself.
type Cookie struct{}

// Header is a request's header.
type Header map[string]string

// Set sets a field.
func (h Header) Set(name, value string) { h[name] = value }

// Request is a request.
type Request struct {
	Header Header

	ctx         context.Context
	method, url string
	body        []byte // nil for none
}

// AddCookie does nothing: the browser adds what it has.
func (*Request) AddCookie(*Cookie) {}

// NewRequest makes a request.
func NewRequest(ctx context.Context, method, url string, body io.Reader) (*Request, error) {
	r := &Request{Header: Header{}, ctx: ctx, method: method, url: url}
	if body != nil {
		var err error
		if r.body, err = io.ReadAll(body); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Response is the answer to a request. Body must be closed.
type Response struct {
	StatusCode int
	Body       io.ReadCloser
}

// Cookies returns none: scripts do not get to see them.
func (*Response) Cookies() []*Cookie { return nil }

// Client sends requests with fetch. Cookies go to the page's own origin only.
type Client struct{}

// NewClient makes a client that follows no redirection.
func NewClient(RoundTripper) *Client { return new(Client) }

// CloseIdleConnections does nothing: connections are the browser's.
func (*Client) CloseIdleConnections() {}

// Do sends a request. A redirection is an error, since a script may not see
// where it leads. When the request's context ends, so does the request.
func (*Client) Do(r *Request) (*Response, error) {
	abort := js.Global().Get("AbortController").New()
	headers := js.Global().Get("Headers").New()
	for name, value := range r.Header {
		headers.Call("set", name, value)
	}
	options := map[string]any{
		"method": r.method, "headers": headers, "redirect": "error", "credentials": "same-origin",
		"cache": "no-store", "referrerPolicy": "no-referrer", "signal": abort.Get("signal"),
	}
	if r.body != nil {
		array := js.Global().Get("Uint8Array").New(len(r.body))
		js.CopyBytesToJS(array, r.body)
		options["body"] = array
	}
	answer, err := await(r.ctx, abort, js.Global().Call("fetch", r.url, options))
	if err != nil {
		return nil, err
	}
	b := &body{ctx: r.ctx, abort: abort}
	if stream := answer.Get("body"); stream.Truthy() {
		b.reader = stream.Call("getReader")
	}
	return &Response{StatusCode: answer.Get("status").Int(), Body: b}, nil
}

// body reads an answer's body in the pieces in which it comes.
type body struct {
	ctx           context.Context
	abort, reader js.Value // reader is undefined where there is no body
	rest          []byte
	done          bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		if b.done || b.reader.IsUndefined() {
			return 0, io.EOF
		}
		piece, err := await(b.ctx, b.abort, b.reader.Call("read"))
		if err != nil {
			return 0, err
		}
		if b.done = piece.Get("done").Bool(); b.done {
			continue
		}
		array := piece.Get("value")
		b.rest = make([]byte, array.Get("byteLength").Int())
		js.CopyBytesToGo(b.rest, array)
		// Answers may carry shares.
		array.Call("fill", 0)
	}
	n := copy(p, b.rest)
	clear(b.rest[:n])
	b.rest = b.rest[n:]
	return n, nil
}

// Close gives up what was not read.
func (b *body) Close() error {
	clear(b.rest)
	if !b.done {
		b.abort.Call("abort")
	}
	return nil
}

// await waits for a promise or the context's end.
func await(ctx context.Context, abort, promise js.Value) (js.Value, error) {
	values := make(chan js.Value, 1)
	failures := make(chan error, 1)
	good := js.FuncOf(func(_ js.Value, a []js.Value) any {
		values <- a[0]
		return nil
	})
	bad := js.FuncOf(func(_ js.Value, a []js.Value) any {
		failures <- errors.New(a[0].Get("name").String())
		return nil
	})
	settled := make(chan struct{})
	var last js.Func
	last = js.FuncOf(func(js.Value, []js.Value) any {
		good.Release()
		bad.Release()
		last.Release()
		close(settled)
		return nil
	})
	promise.Call("then", good, bad).Call("then", last)
	select {
	case v := <-values:
		return v, nil
	case err := <-failures:
		return js.Undefined(), err
	case <-ctx.Done():
		abort.Call("abort")
		<-settled // a promise of something aborted is not kept open
		return js.Undefined(), ctx.Err()
	}
}
